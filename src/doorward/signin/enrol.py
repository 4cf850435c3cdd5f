# Security: a factor is set up, replaced or removed only through this file (tests/signin/test_enrol.py).
"""Setting up an authenticator app, from the sign-in and from the Security page alike.

A set-up waits in a row that belongs to one session or one sign-in and lives ten minutes; its first right code
confirms it, is spent by that, and voids what it replaces (TO-07). The first set-up makes the recovery codes.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from sqlalchemy import Connection, delete, insert, select

from doorward.audit import Actor, Caller, Event, Outcome, record
from doorward.clock import MINUTE, Instant
from doorward.organization import Organization
from doorward.signin import browsers, who
from doorward.signin.audience import Audience
from doorward.signin.factors import FACTORS, NEVER_ALONE, authenticator, recovery, totp
from doorward.signin.factors.authenticator import MOST_APPS, SEED_BYTES
from doorward.store import Vault, new_id, once_factors

LIFETIME: Final = 10 * MINUTE
_KIND: Final = "totp"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose factor it is, where its set-up is bound, and who is recorded as acting."""

    audience: Audience
    id: str
    bound_to: str
    actor: Actor
    caller: Caller
    browser_id: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A set-up that waits for its first code."""

    id: str
    seed: bytes
    replaces_id: str | None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The authenticator is set up. `codes` are new recovery codes, shown this once; empty where some exist."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrongFirstCode:
    """The code does not belong to this set-up; it goes on waiting."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such set-up here any more, or the account has as many authenticators as it may."""


Result: TypeAlias = Confirmed | WrongFirstCode | Gone


def bound_to_session(session_id: str) -> str:
    """Name the session that may confirm a set-up."""
    return f"session {session_id}"


def bound_to_sign_in(transaction_id: str) -> str:
    """Name the sign-in that may confirm a set-up."""
    return f"sign-in {transaction_id}"


def begin(connection: Connection, vault: Vault, owner: Owner, now: Instant, *, replaces_id: str | None = None) -> str:
    """Make the seed of a new authenticator; an earlier set-up of the same session or sign-in is void."""
    table = owner.audience.tables.enrolments
    connection.execute(delete(table).where(table.c.owner_id == owner.id, table.c.bound_to == owner.bound_to))
    row_id = new_id(now)
    seed = vault.seal(secrets.token_bytes(SEED_BYTES), table=table.name, column="secret", row=row_id)
    connection.execute(
        insert(table).values(
            id=row_id,
            owner_id=owner.id,
            bound_to=owner.bound_to,
            kind=_KIND,
            replaces_id=replaces_id,
            secret=seed,
            expires_at=now + LIFETIME,
        )
    )
    return row_id


def pending(connection: Connection, vault: Vault, owner: Owner, enrolment_id: str, now: Instant) -> Pending | None:
    """Read a set-up that still waits here."""
    table = owner.audience.tables.enrolments
    row = (
        connection.execute(
            select(table).where(
                table.c.id == enrolment_id,
                table.c.owner_id == owner.id,
                table.c.bound_to == owner.bound_to,
                table.c.expires_at > now,
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _pending(vault, table.name, cast("Mapping[str, object]", row))


def confirm(
    connection: Connection,
    vault: Vault,
    organization: Organization,
    owner: Owner,
    enrolment_id: str,
    code: str,
    now: Instant,
    *,
    name: str = "",
    only_first: bool = False,
) -> Result:
    """Confirm a set-up by its first code, which is spent by that.

    With `only_first` it is gone where a factor is held by now: without that one being asked for, nobody adds another.
    Any other factor's change forgets the known browsers but this one (SIGNIN 'Attempts').
    """
    waiting = pending(connection, vault, owner, enrolment_id, now)
    tables = owner.audience.tables
    if waiting is None:
        return Gone()
    settings = organization.settings.totp
    first = totp.first_code(waiting.seed, code, now, settings.period_seconds, settings.drift_seconds)
    if first is None:
        return WrongFirstCode()
    # Two set-ups at once must not each see room for one more.
    who.lock(connection, owner.audience, owner.id)
    if only_first and _holds_factor(connection, owner):
        return Gone()
    if once_factors.consume_enrolment(connection, tables.enrolments, enrolment_id, owner.bound_to, now) is None:
        return Gone()
    if waiting.replaces_id is not None:
        authenticator.remove(connection, owner.audience, owner.id, waiting.replaces_id, may_be_last=True)
    if authenticator.count(connection, owner.audience, owner.id) >= MOST_APPS:
        return Gone()
    authenticator.add(
        connection,
        vault,
        owner.audience,
        owner.id,
        waiting.seed,
        first.period_seconds,
        now,
        name=name,
        drift_steps=first.drift_steps,
        last_step=first.step,
    )
    _changed(connection, owner, "factor.replaced" if waiting.replaces_id else "factor.enrolled", now)
    if recovery.codes_left(connection, owner.audience, owner.id):
        return Confirmed(())
    return Confirmed(recovery.make_codes(connection, vault, owner.audience, owner.id, now))


def remove(connection: Connection, owner: Owner, totp_id: str, now: Instant, *, may_be_last: bool) -> bool:
    """Remove an authenticator; the last only where no second factor is required. Recovery codes go with the last."""
    if not authenticator.remove(connection, owner.audience, owner.id, totp_id, may_be_last=may_be_last):
        return False
    if authenticator.count(connection, owner.audience, owner.id) == 0:
        recovery.drop_codes(connection, owner.audience, owner.id)
    _changed(connection, owner, "factor.removed", now)
    return True


def new_recovery_codes(connection: Connection, vault: Vault, owner: Owner, now: Instant) -> tuple[str, ...]:
    """Make ten new codes, which void all earlier ones; returned as shown, for this once."""
    codes = recovery.make_codes(connection, vault, owner.audience, owner.id, now)
    _changed(connection, owner, "recovery_codes.made", now)
    return codes


def _holds_factor(connection: Connection, owner: Owner) -> bool:
    return any(
        factor.held(connection, owner.audience, owner.id)
        for method, factor in FACTORS.items()
        if method not in NEVER_ALONE
    )


def _changed(connection: Connection, owner: Owner, action: str, now: Instant) -> None:
    is_person = owner.audience is Audience.PERSON
    if is_person:
        browsers.forget_all(connection, owner.id, but=owner.browser_id)
    event = Event(
        action=action,
        outcome=Outcome.SUCCESS,
        actor=owner.actor,
        caller=owner.caller,
        person_id=owner.id if is_person else None,
        admin_id=None if is_person else owner.id,
    )
    record(connection, event, now)


def _pending(vault: Vault, table: str, row: Mapping[str, object]) -> Pending:
    row_id, replaces = str(row["id"]), row["replaces_id"]
    seed = vault.unseal(cast("bytes", row["secret"]), table=table, column="secret", row=row_id)
    return Pending(row_id, seed, None if replaces is None else str(replaces))
