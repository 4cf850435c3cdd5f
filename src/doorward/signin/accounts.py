"""What is done to an account's secrets and doors, by whatever surface: pages, command line and organisation file.

Owns passwords at rest, imports of authenticators, unlock, suspension and reset of the second factor. Each function
is part of one unit of work, and what it does is audited in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from sqlalchemy import Connection, Executable, bindparam, delete, insert, select, update

from doorward.audit import Actor, Caller, Event, Outcome, record
from doorward.clock import Instant
from doorward.directory import AdminId, PersonId, PersonState, admin, person, set_state
from doorward.signin import browsers, guesses, sessions, who
from doorward.signin.audience import Audience
from doorward.signin.factors import FACTORS, NEVER_ALONE, Held, authenticator, recovery
from doorward.signin.hashing import PasswordHasher
from doorward.signin.policy import MOST_FAILURES_OF_AN_AUTHENTICATOR
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
    """What an account has set up: `held` may be used now, `unusable` is closed or not allowed.

    A closed factor is still one: whoever closed it by wrong codes gets past it neither by the password alone nor by
    setting up another one.
    """

    held: tuple[Held, ...]
    unusable: tuple[Held, ...] = ()

    @property
    def is_enough(self) -> bool:
        """Whether the account holds a second factor that stands by itself, usable now or not."""
        return any(held.method not in NEVER_ALONE for held in (*self.held, *self.unusable))

    @property
    def recovery_left(self) -> int:
        """How many recovery codes are unused."""
        return sum(held.left or 0 for held in self.held if held.method in NEVER_ALONE)


def factors_of(
    connection: Connection, audience: Audience, owner_id: str, allowed: Sequence[str] | None = None
) -> Factors:
    """List what an account has set up, of the factors the organisation allows (None: of all)."""
    found = [held for factor in FACTORS.values() for held in factor.held(connection, audience, owner_id)]

    def is_usable(held: Held) -> bool:
        return not held.is_closed and (allowed is None or held.method.value in allowed)

    return Factors(
        tuple(held for held in found if is_usable(held)), tuple(held for held in found if not is_usable(held))
    )


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
    who.lock(connection, audience, owner_id)
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
    return connection.execute(_password_age(audience), {"owner": owner_id}).scalar()


@cache
def _password_age(audience: Audience) -> Executable:
    c = audience.tables.passwords.c
    return select(c.changed_at).where(c.owner_id == bindparam("owner"))


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


@dataclass(frozen=True, slots=True)
class PresentPassword:
    """A password as a guess meets it. `phc` is None where there is none, or where it is closed to this browser."""

    phc: str | None
    must_change: bool
    changed_at: Instant


def count_password_attempt(
    connection: Connection, audience: Audience, owner_id: str | None, *, in_known_browser: bool
) -> PresentPassword | None:
    """Raise the failures in a row of a password before it is looked at, and read it. One statement for every name.

    After a hundred failures without a success it is closed for every browser that is not known (63B §3.2.2).
    """
    counted = connection.execute(_counted_password(audience), {"owner": owner_id or ""}).one_or_none()
    if counted is None:
        return None
    phc, failures, must_change, changed_at = cast("tuple[str, int, bool, int]", tuple(counted))
    is_closed = failures > MOST_FAILURES_OF_AN_AUTHENTICATOR and not in_known_browser
    return PresentPassword(None if is_closed else phc, must_change, changed_at)


@cache
def _counted_password(audience: Audience) -> Executable:
    c = audience.tables.passwords.c
    counted = update(audience.tables.passwords).where(c.owner_id == bindparam("owner")).values(failures=c.failures + 1)
    return counted.returning(c.phc, c.failures, c.must_change, c.changed_at)


@cache
def _cleared_password(audience: Audience) -> Executable:
    c = audience.tables.passwords.c
    few = c.failures <= MOST_FAILURES_OF_AN_AUTHENTICATOR
    return update(audience.tables.passwords).where(c.owner_id == bindparam("owner"), few).values(failures=0)


def uncount_password_attempt(connection: Connection, audience: Audience, owner_id: str) -> None:
    """Take a counted failure back that was never judged."""
    c = audience.tables.passwords.c
    mine = update(audience.tables.passwords).where(c.owner_id == owner_id, c.failures > 0)
    connection.execute(mine.values(failures=c.failures - 1))


def clear_password_failures(connection: Connection, audience: Audience, owner_id: str) -> None:
    """Clear the failures in a row after a right password, but not those of a closed one."""
    connection.execute(_cleared_password(audience), {"owner": owner_id})


def upgrade_hash(connection: Connection, audience: Audience, owner_id: str, old: str, new: str) -> None:
    """Keep a stronger hash of the same password, unless it was changed meanwhile (PW-08)."""
    table = audience.tables.passwords
    connection.execute(update(table).where(table.c.owner_id == owner_id, table.c.phc == old).values(phc=new))


def unlock(
    connection: Connection, vault: Vault, audience: Audience, owner_id: str, actor: Actor, caller: Caller, now: Instant
) -> None:
    """Open sign-in with a name again: its counters start anew, old claims are void, a closed password opens."""
    email, known = None, list[str]()
    if audience is Audience.PERSON:
        found = person(connection, PersonId(owner_id))
        email = None if found is None else found.email
        known = browsers.ids_of(connection, owner_id)
    guesses.open_again(connection, audience, guesses.keys_of_account(vault, audience, owner_id, email), known)
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
    who.lock(connection, audience, owner_id)
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
