# Security: every door that asks for a secret claims its guess here (tests/signin/test_model.py, tests/attacks/).
"""Guesses: claimed before the secret is looked at, judged or given back afterwards.

One gate for all doors (LK-05): password, code, recovery code, fresh proof. A guess is claimed on the address and
network, on the name's common counter (or, for a name that nobody has, on its slot), and in a known browser on
that browser's own counter, which then is the bound. Which counters a typed name raises depends on the name alone,
so that known and unknown names differ in nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, TypeAlias

from sqlalchemy import Connection, Table, select

from doorward.clock import MINUTE, Instant
from doorward.directory import lookup_key
from doorward.organization import Organization
from doorward.signin.audience import Audience
from doorward.signin.policy import AttemptLimits, Limits, limits_for
from doorward.store import Purpose, Vault, once
from doorward.store.once import Claim, Counted, InFlight, Kind, Paused, Waiting

_SLOTS: Final = 2**20
_LONGEST_NAME: Final = 256


@dataclass(frozen=True, slots=True)
class Slowed:
    """Too many guesses failed from one address or network; nothing was judged. Opens at `until`."""

    until: Instant


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed name, whose it is, and whose username its local part is. None: nobody's."""

    name: str
    account_id: str | None
    local_account_id: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose counters a guess raises: an account or a slot, and the known browser it comes from."""

    audience: Audience
    keys: tuple[str, ...]
    browser_id: str | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess that may be judged now."""

    audience: Audience
    kind: Kind
    limits: Limits
    common: tuple[Claim, ...]
    lane: Claim | None
    addresses: tuple[tuple[str, Instant], ...]


Refused: TypeAlias = Slowed | Paused | Waiting | InFlight


def subject_of(
    vault: Vault,
    organization: Organization,
    audience: Audience,
    typed: Typed,
    browser_id: str | None,
) -> Subject:
    """Tell which counters a guess against the typed name raises.

    A name that nobody has is counted in one of 2^20 slots by keyed hash. A mail address in one of the organisation's
    domains, known or not, also raises the count of its local part: whoever tries both learns nothing. Where the local
    part is somebody else's username that is their counter, as it is when it is typed alone.
    """
    key = _key(typed.name)
    first = f"account:{typed.account_id}" if typed.account_id else _slot(vault, audience, key)
    local = local_part_in(organization, audience, typed.name)
    if local is None:
        return Subject(audience, (first,), browser_id)
    other = typed.local_account_id
    second = f"account:{other}" if other and other != typed.account_id else _slot(vault, audience, local)
    # Always in one order: two guesses that raise the same two counters must not wait for each other.
    return Subject(audience, tuple(sorted((first, second))), browser_id)


def local_part_in(organization: Organization, audience: Audience, typed: str) -> str | None:
    """Give the local part of a typed mail address in one of the organisation's domains, else None."""
    local, at, domain = _key(typed).rpartition("@")
    if audience is Audience.ADMIN or not at:
        return None
    return local if domain in {d.lower() for d in organization.domains} else None


def subject_of_account(audience: Audience, account_id: str, browser_id: str | None = None) -> Subject:
    """Name the counters of somebody who is signed in already."""
    return Subject(audience, (f"account:{account_id}",), browser_id)


def claim(
    connection: Connection, organization: Organization, subject: Subject, kind: Kind, address: str, now: Instant
) -> Guess | Refused:
    """Claim a guess of `kind` on every counter that bounds it, or tell which one refuses.

    Must run in a transaction that is committed before the secret is looked at.
    """
    limits = limits_for(subject.audience, organization.settings)
    kind, rule = (Kind.PASSWORD, limits.password) if limits.together else (kind, _rule(limits, kind))
    slowed_or_taken = _claim_addresses(connection, organization, address, now)
    if isinstance(slowed_or_taken, Slowed):
        return slowed_or_taken
    table = subject.audience.tables.counters
    # Addresses, then the lane, then names: always in this order, here and below, so that no two requests deadlock.
    lane = _claim_lane(connection, table, subject, kind, rule, now)
    common: list[Claim] = []
    for key in subject.keys:
        taken = once.claim_guess(connection, table, key, kind, rule, now, bounded=lane is None)
        if not isinstance(taken, Claim):
            _give_back_addresses(connection, slowed_or_taken)
            for claim_ in common:
                once.give_back(connection, table, claim_)
            return taken
        common.append(taken)
    return Guess(subject.audience, kind, rule, tuple(common), lane, slowed_or_taken)


def judge_wrong(connection: Connection, guess: Guess, now: Instant) -> Counted:
    """Count a claimed guess as a failure. Tells the failures of the counter that bounds it, and its pause if any."""
    table = guess.audience.tables.counters
    lane = guess.lane
    in_lane = None if lane is None else once.judge_wrong(connection, table, lane, guess.limits, now)
    counted = [once.judge_wrong(connection, table, claim_, guess.limits, now) for claim_ in guess.common]
    if in_lane is not None:
        return in_lane
    return Counted(max(c.failed for c in counted), max(c.paused_until for c in counted))


def give_back(connection: Connection, guess: Guess) -> None:
    """Return a guess that was right, or that could not be judged."""
    table = guess.audience.tables.counters
    _give_back_addresses(connection, guess.addresses)
    for claim_ in (*([guess.lane] if guess.lane else []), *guess.common):
        once.give_back(connection, table, claim_)


def clear_after_success(
    connection: Connection, audience: Audience, keys: Sequence[str], browser_id: str | None, now: Instant
) -> None:
    """Clear the counters of an account after a whole sign-in: in the lane of a known browser that lane's own alone.

    A common pause stays until its time or until an administrator ends it.
    """
    table = audience.tables.counters
    if browser_id is not None:
        once.clear_counter(connection, table, f"browser:{browser_id}")
        return
    for key in keys:
        once.clear_counter(connection, table, key, keep_pause_at=now)


def open_again(connection: Connection, audience: Audience, keys: Sequence[str], browser_ids: Sequence[str]) -> None:
    """End a pause and start every counter named anew; claims in flight are void."""
    for key in (*keys, *(f"browser:{browser_id}" for browser_id in browser_ids)):
        once.clear_counter(connection, audience.tables.counters, key)


def keys_of_account(vault: Vault, audience: Audience, account_id: str, email: str | None) -> tuple[str, ...]:
    """Name the counters that are an account's own: its common one, and the slot that its mail address raises too."""
    if audience is Audience.ADMIN or not email:
        return (f"account:{account_id}",)
    return tuple(sorted((f"account:{account_id}", _slot(vault, audience, _key(email).rpartition("@")[0]))))


def pause_of(connection: Connection, audience: Audience, account_id: str, now: Instant) -> Instant | None:
    """Tell until when sign-in with an account is paused, or None."""
    c = audience.tables.counters.c
    until = connection.execute(select(c.paused_until).where(c.key == f"account:{account_id}")).scalar()
    return until if until is not None and until > now else None


def networks_of(address: str) -> tuple[str, str] | None:
    """Name the counters of an address: itself (IPv6: its /64) and its network (/24, /48)."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    own, wide = (32, 24) if isinstance(parsed, IPv4Address) else (64, 48)
    return (
        f"a:{ip_network((parsed, own), strict=False)}",
        f"n:{ip_network((parsed, wide), strict=False)}",
    )


def _key(typed: str) -> str:
    return lookup_key(typed) or typed[:_LONGEST_NAME]


def _rule(limits: AttemptLimits, kind: Kind) -> Limits:
    return limits.password if kind is Kind.PASSWORD else limits.mfa


def _claim_lane(
    connection: Connection, table: Table, subject: Subject, kind: Kind, rule: Limits, now: Instant
) -> Claim | None:
    """Claim on the known browser's own counter; where that is full the common counter bounds this browser too."""
    if subject.browser_id is None:
        return None
    taken = once.claim_guess(connection, table, f"browser:{subject.browser_id}", kind, rule, now)
    return taken if isinstance(taken, Claim) else None


def _claim_addresses(
    connection: Connection, organization: Organization, address: str, now: Instant
) -> tuple[tuple[str, Instant], ...] | Slowed:
    keys = networks_of(address)
    lockout = organization.settings.lockout
    if keys is None:
        return ()
    taken: list[tuple[str, Instant]] = []
    for key, most in zip(keys, (lockout.address_failures, lockout.network_failures), strict=True):
        if most == 0:
            continue
        window_ends_at = once.claim_address(connection, key, most, lockout.address_window_minutes * MINUTE, now)
        if window_ends_at is None:
            _give_back_addresses(connection, taken)
            return Slowed(once.address_opens_at(connection, key))
        taken.append((key, window_ends_at))
    return tuple(taken)


def _give_back_addresses(connection: Connection, taken: Sequence[tuple[str, Instant]]) -> None:
    for key, window_ends_at in taken:
        once.give_back_address(connection, key, window_ends_at)


def _slot(vault: Vault, audience: Audience, key: str) -> str:
    return f"slot:{int(vault.mac(Purpose.NAMES, f'{audience.value} {key}')[:10], 16) % _SLOTS}"
