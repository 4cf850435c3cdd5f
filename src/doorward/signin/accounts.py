"""What is done to an account's secrets and doors, by whatever surface: pages, command line and organisation file.

Owns passwords at rest, imports of authenticators, unlock, suspension and reset of the second factor. Each function
is part of one unit of work, and what it does is audited in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, delete, insert, select, update

from doorward.audit import Actor, Caller, Event, Outcome, record
from doorward.clock import Instant
from doorward.directory import AdminId, PersonId, PersonState, admin, person, set_state
from doorward.signin import browsers, guesses, sessions
from doorward.signin.audience import Audience
from doorward.signin.factors import FACTORS, NEVER_ALONE, Held, authenticator, recovery
from doorward.signin.hashing import PasswordHasher
from doorward.store import Vault, new_id


@dataclass(frozen=True, slots=True)
class PausedName:
    """An account with which sign-in is paused. `until` is NEVER where only an administrator opens it."""

    audience: Audience
    account_id: str
    label: str
    name: str
    until: Instant
    failed_at: Instant


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has set up. `second` is what it may prove itself with now."""

    held: tuple[Held, ...]

    @property
    def is_enough(self) -> bool:
        """Whether the account holds a second factor that stands by itself."""
        return any(held.method not in NEVER_ALONE for held in self.held)

    @property
    def recovery_left(self) -> int:
        """How many recovery codes are unused."""
        return sum(held.left or 0 for held in self.held if held.method in NEVER_ALONE)


def factors_of(
    connection: Connection, audience: Audience, owner_id: str, allowed: Sequence[str] | None = None
) -> Factors:
    """List what an account has set up, of the factors the organisation allows (None: of all)."""
    found = [
        held
        for method, factor in FACTORS.items()
        if allowed is None or method.value in allowed
        for held in factor.held(connection, audience, owner_id)
    ]
    return Factors(tuple(found))


def has_totp(connection: Connection, audience: Audience, owner_id: str) -> bool:
    """Tell whether an account has an authenticator app."""
    return authenticator.count(connection, audience, owner_id) > 0


def import_totp(
    connection: Connection,
    vault: Vault,
    audience: Audience,
    owner_id: str,
    seed: bytes,
    period_seconds: int | None,
    now: Instant,
) -> None:
    """Keep an authenticator that was enrolled elsewhere; without a period either holds until the first success."""
    authenticator.add(connection, vault, audience, owner_id, seed, period_seconds, now)


def set_password(
    connection: Connection,
    audience: Audience,
    owner_id: str,
    phc: str,
    *,
    must_change: bool = False,
    history: int = 0,
    now: Instant,
) -> None:
    """Keep a hashed password, and the one before it while `history` asks for that many."""
    table, old = audience.tables.passwords, audience.tables.old_passwords
    before = connection.execute(select(table.c.phc).where(table.c.owner_id == owner_id)).scalar()
    values = {"phc": phc, "must_change": must_change, "failures": 0, "changed_at": now}
    if before is None:
        connection.execute(insert(table).values(owner_id=owner_id, **values))
        return
    connection.execute(update(table).where(table.c.owner_id == owner_id).values(values))
    if history:
        connection.execute(insert(old).values(id=new_id(now), owner_id=owner_id, phc=before, changed_at=now))
    kept = select(old.c.id).where(old.c.owner_id == owner_id).order_by(old.c.changed_at.desc()).limit(history)
    connection.execute(delete(old).where(old.c.owner_id == owner_id, old.c.id.not_in(kept)))


def earlier_passwords(connection: Connection, audience: Audience, owner_id: str) -> list[str]:
    """List the hashes that a new password must not match: the present one first."""
    table, old = audience.tables.passwords, audience.tables.old_passwords
    present = connection.execute(select(table.c.phc).where(table.c.owner_id == owner_id)).scalars().all()
    earlier = connection.execute(
        select(old.c.phc).where(old.c.owner_id == owner_id).order_by(old.c.changed_at.desc())
    ).scalars()
    return [*present, *earlier]


def password_changed_at(connection: Connection, audience: Audience, owner_id: str) -> Instant | None:
    """Tell when the password was set; None where there is none."""
    c = audience.tables.passwords.c
    return connection.execute(select(c.changed_at).where(c.owner_id == owner_id)).scalar()


def change_password(  # noqa: PLR0913 - what the change is recorded with
    connection: Connection,
    audience: Audience,
    owner_id: str,
    phc: str,
    *,
    history: int,
    keep_session: str | None,
    keep_browser: str | None,
    actor: Actor,
    caller: Caller,
    now: Instant,
) -> None:
    """Change a password: every other session ends, and every other browser is forgotten."""
    set_password(connection, audience, owner_id, phc, history=history, now=now)
    sessions.end_all(connection, audience, owner_id, "password_changed", now, but=keep_session)
    if audience is Audience.PERSON:
        browsers.forget_all(connection, owner_id, but=keep_browser)
    _record(connection, "password.changed", audience, owner_id, actor, caller, now)


def upgrade_hash(connection: Connection, audience: Audience, owner_id: str, old: str, new: str) -> None:
    """Keep a stronger hash of the same password, unless it was changed meanwhile (PW-08)."""
    table = audience.tables.passwords
    connection.execute(update(table).where(table.c.owner_id == owner_id, table.c.phc == old).values(phc=new))


def unlock(
    connection: Connection, vault: Vault, audience: Audience, owner_id: str, actor: Actor, caller: Caller, now: Instant
) -> None:
    """Open sign-in with a name again: its counters start anew, old claims are void, a closed password opens."""
    keys, known = [f"account:{owner_id}"], list[str]()
    if audience is Audience.PERSON:
        found = person(connection, PersonId(owner_id))
        if found is not None and found.email:
            keys.append(guesses.slot_of_local_part(vault, audience, found.email))
        known = browsers.ids_of(connection, owner_id)
    guesses.open_again(connection, audience, keys, known)
    table = audience.tables.passwords
    connection.execute(update(table).where(table.c.owner_id == owner_id).values(failures=0))
    _record(connection, "account.unlocked", audience, owner_id, actor, caller, now)


def suspend(connection: Connection, person_id: str, actor: Actor, caller: Caller, now: Instant) -> bool:
    """Suspend a person: every door closes on the next request, sessions end, browsers are forgotten."""
    if not set_state(connection, PersonId(person_id), PersonState.SUSPENDED, now):
        return False
    sessions.end_all(connection, Audience.PERSON, person_id, "suspended", now)
    browsers.forget_all(connection, person_id)
    _record(connection, "person.suspended", Audience.PERSON, person_id, actor, caller, now)
    return True


def activate(connection: Connection, person_id: str, actor: Actor, caller: Caller, now: Instant) -> bool:
    """Let a suspended or staged person in again."""
    if not set_state(connection, PersonId(person_id), PersonState.ACTIVE, now):
        return False
    _record(connection, "person.activated", Audience.PERSON, person_id, actor, caller, now)
    return True


def reset_mfa(
    connection: Connection, audience: Audience, owner_id: str, actor: Actor, caller: Caller, now: Instant
) -> None:
    """Remove every second factor of an account, who then sets up a new one at the next sign-in."""
    for table in (audience.tables.totp, audience.tables.enrolments):
        connection.execute(delete(table).where(table.c.owner_id == owner_id))
    recovery.drop_codes(connection, audience, owner_id)
    if audience is Audience.PERSON:
        browsers.forget_all(connection, owner_id)
    _record(connection, "factor.reset", audience, owner_id, actor, caller, now)


def paused_names(connection: Connection, audience: Audience, now: Instant) -> list[PausedName]:
    """List the accounts with which sign-in is paused, the latest first."""
    c = audience.tables.counters.c
    rows = connection.execute(
        select(c.key, c.paused_until, c.failed_at)
        .where(c.paused_until > now, c.key.startswith("account:"))
        .order_by(c.failed_at.desc())
    ).mappings()
    found: list[PausedName] = []
    for row in cast("Iterable[Mapping[str, object]]", rows):
        account_id = str(row["key"]).removeprefix("account:")
        names = _names(connection, audience, account_id)
        if names is not None:
            found.append(
                PausedName(
                    audience, account_id, *names, cast("int", row["paused_until"]), cast("int", row["failed_at"])
                )
            )
    return found


async def fits_history(hasher: PasswordHasher, earlier: Sequence[str], password: str) -> bool:
    """Tell whether a new password differs from the earlier ones whose hashes are given. Raises Overloaded."""
    for phc in earlier:
        if await hasher.verify(phc, password):
            return False
    return True


def _names(connection: Connection, audience: Audience, account_id: str) -> tuple[str, str] | None:
    if audience is Audience.PERSON:
        found = person(connection, PersonId(account_id))
        return None if found is None else (found.username, found.name)
    somebody = admin(connection, AdminId(account_id))
    return None if somebody is None else (somebody.email, somebody.name)


def _record(
    connection: Connection, action: str, audience: Audience, owner_id: str, actor: Actor, caller: Caller, now: Instant
) -> None:
    is_person = audience is Audience.PERSON
    event = Event(
        action=action,
        outcome=Outcome.SUCCESS,
        actor=actor,
        caller=caller,
        person_id=owner_id if is_person else None,
        admin_id=None if is_person else owner_id,
    )
    record(connection, event, now)
