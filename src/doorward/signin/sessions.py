# Security: who is signed in is decided here (tests/signin/test_sessions.py, tests/attacks/).
"""Sessions: a stable id (`sid`), a rotating handle, and what was proved.

The handle stands only in the cookie, the row keeps its keyed hash under a purpose of its own, so that nothing else
that the product hands out can be replayed as a session (A22). Every look-up joins the account, so that suspension,
deletion and changed settings count on the very next request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, TypeAlias, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Executable,
    Text,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy import cast as sql_cast

from doorward.clock import HOUR, MINUTE, Instant
from doorward.directory import Admin, Person, Standing, admin_from_row, person_from_row
from doorward.organization import Settings
from doorward.signin.audience import Audience
from doorward.signin.policy import session_suffices
from doorward.signin.proof import Method, Proof, acr, amr, is_mfa, proofs_from_json, proofs_to_json
from doorward.store import Purpose, Vault, new_handle, new_id

TOUCH_EVERY: Final = MINUTE
"""Last-seen times are written at most this often; idleness is exact to this much."""
_LONGEST_HANDLE: Final = 128
_LONGEST_USER_AGENT: Final = 512


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What every session has, whoever it belongs to."""

    id: str
    proofs: tuple[Proof, ...]
    authenticated_at: Instant
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    address: str
    user_agent: str
    browser_id: str | None

    @property
    def mfa_done(self) -> bool:
        """Whether two kinds of factor were proved."""
        return is_mfa(self.proofs)

    @property
    def amr(self) -> list[str]:
        """The methods, as RFC 8176 names them."""
        return amr(self.proofs)

    @property
    def acr(self) -> str:
        """The assurance reached (OIDC Core §2)."""
        return acr(self.proofs)

    def last_proof_of(self, *methods: Method) -> Instant | None:
        """Tell when one of these methods was last proved."""
        times = [proof.at for proof in self.proofs if proof.method in methods]
        return max(times) if times else None


@dataclass(frozen=True, slots=True)
class Session:
    """A person's session."""

    person: Person
    facts: SessionFacts

    @property
    def id(self) -> str:
        """The stable id: OpenID Connect's `sid`, the root of each SessionIndex."""
        return self.facts.id

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """What was proved."""
        return self.facts.proofs

    @property
    def authenticated_at(self) -> Instant:
        """When somebody last really authenticated (auth_time, AuthnInstant)."""
        return self.facts.authenticated_at

    @property
    def expires_at(self) -> Instant:
        """When the session ends whatever happens."""
        return self.facts.expires_at

    @property
    def mfa_done(self) -> bool:
        """Whether two kinds of factor were proved."""
        return self.facts.mfa_done

    @property
    def amr(self) -> list[str]:
        """The methods, as RFC 8176 names them."""
        return self.facts.amr

    @property
    def acr(self) -> str:
        """The assurance reached (OIDC Core §2)."""
        return self.facts.acr


@dataclass(frozen=True, slots=True)
class AdminSession:
    """An administrator's session, in a table and a cookie of its own."""

    admin: Admin
    facts: SessionFacts

    @property
    def id(self) -> str:
        """The stable id."""
        return self.facts.id

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """What was proved."""
        return self.facts.proofs


Signed: TypeAlias = Session | AdminSession


def find(connection: Connection, vault: Vault, handle: str, settings: Settings, now: Instant) -> Session | None:
    """Find the person's session of a cookie, if it runs and its person may sign in."""
    row = _find_row(connection, vault, Audience.PERSON, handle, settings, now)
    return None if row is None else _session(*_of_person(row), settings, now)


def find_by_id(connection: Connection, session_id: str, settings: Settings, now: Instant) -> Session | None:
    """Find a person's session by its `sid`, as userinfo does: ended, idle or suspended ones are not found."""
    row = _running(connection, Audience.PERSON, settings, now, "id", session_id)
    return None if row is None else _session(*_of_person(row), settings, now)


def find_admin(
    connection: Connection, vault: Vault, handle: str, settings: Settings, now: Instant
) -> AdminSession | None:
    """Find the administrator's session of a cookie."""
    row = _find_row(connection, vault, Audience.ADMIN, handle, settings, now)
    if row is None:
        return None
    named = _named(Audience.ADMIN, row)
    admin = admin_from_row(named)
    return AdminSession(admin, _facts(named)) if admin.is_active else None


def issue(  # noqa: PLR0913 - the row has this many parts
    connection: Connection,
    vault: Vault,
    audience: Audience,
    owner_id: str,
    proofs: Sequence[Proof],
    settings: Settings,
    now: Instant,
    *,
    address: str,
    user_agent: str,
    browser_id: str | None = None,
    previous: Signed | None = None,
) -> tuple[str, str]:
    """Issue a session after a whole sign-in; returns its `sid` and the handle for its cookie.

    A sign-in of the same account in the same browser keeps its `sid` under a new handle; another account is another
    session, and the one before it ends (A9, A10).
    """
    table = audience.tables.sessions
    handle = new_handle()
    values: dict[str, object] = {
        "handle_hash": _hash(vault, audience, handle),
        "proofs": proofs_to_json(proofs),
        "authenticated_at": max(proof.at for proof in proofs),
        "browser_id": browser_id,
        "address": address,
        "user_agent": user_agent[:_LONGEST_USER_AGENT],
        "last_seen_at": now,
        # Whoever signs in wholly again has a whole lifetime before them, under the same sid.
        "created_at": now,
        "expires_at": now + _lifetime(audience, settings),
    }
    if previous is not None and _owner_of(previous) == owner_id:
        kept = connection.execute(
            update(table)
            .where(table.c.id == previous.id, table.c.ended_at.is_(None))
            .values(values)
            .returning(table.c.id)
        ).scalar()
        if kept is not None:
            return kept, handle
    if previous is not None:
        end(connection, audience, previous.id, "another_account", now)
    session_id = new_id(now)
    connection.execute(insert(table).values(id=session_id, owner_id=owner_id, **values))
    return session_id, handle


def add_proof(connection: Connection, vault: Vault, audience: Audience, facts: SessionFacts, proof: Proof) -> str:
    """Add a fresh proof to a running session; returns its new handle (SE-01)."""
    table = audience.tables.sessions
    handle = new_handle()
    kept = [old for old in facts.proofs if old.method is not proof.method]
    connection.execute(
        update(table)
        .where(table.c.id == facts.id)
        .values(
            handle_hash=_hash(vault, audience, handle),
            proofs=proofs_to_json([*kept, proof]),
            authenticated_at=proof.at,
        )
    )
    return handle


def touch(connection: Connection, audience: Audience, session_id: str, now: Instant) -> None:
    """Note that a session was used: for the light class of commit, at most once in `TOUCH_EVERY`."""
    table = audience.tables.sessions
    connection.execute(
        update(table).where(table.c.id == session_id, table.c.last_seen_at < now).values(last_seen_at=now)
    )


def end(connection: Connection, audience: Audience, session_id: str, reason: str, now: Instant) -> bool:
    """End a session; false where it had ended already."""
    table = audience.tables.sessions
    ended = connection.execute(
        update(table)
        .where(table.c.id == session_id, table.c.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
        .returning(table.c.id)
    )
    return ended.scalar() is not None


def end_all(
    connection: Connection, audience: Audience, owner_id: str, reason: str, now: Instant, *, but: str | None = None
) -> int:
    """End every session of an account, or every one but the one named; tells how many ended."""
    table = audience.tables.sessions
    condition: ColumnElement[bool] = (table.c.owner_id == owner_id) & table.c.ended_at.is_(None)
    if but is not None:
        condition &= table.c.id != but
    ended = connection.execute(
        update(table).where(condition).values(ended_at=now, end_reason=reason).returning(table.c.id)
    )
    return len(ended.all())


def of_account(
    connection: Connection, audience: Audience, owner_id: str, settings: Settings, now: Instant
) -> list[SessionFacts]:
    """List the running sessions of an account, last used first."""
    table = audience.tables.sessions
    rows = connection.execute(
        select(*_columns(audience))
        .where(table.c.owner_id == owner_id, *_still_running(audience))
        .order_by(table.c.last_seen_at.desc()),
        _bounds(audience, settings, now),
    ).mappings()
    return [_facts(row) for row in cast("Iterable[Mapping[str, object]]", rows)]


def _find_row(
    connection: Connection, vault: Vault, audience: Audience, handle: str, settings: Settings, now: Instant
) -> tuple[object, ...] | None:
    if not handle or len(handle) > _LONGEST_HANDLE:
        return None
    return _running(connection, audience, settings, now, "handle_hash", _hash(vault, audience, handle))


def _running(
    connection: Connection, audience: Audience, settings: Settings, now: Instant, column: str, value: str
) -> tuple[object, ...] | None:
    given = {"value_": value, **_bounds(audience, settings, now)}
    row = connection.execute(_query(audience, column), given).first()
    return None if row is None else tuple(row)


@cache
def _query(audience: Audience, column: str) -> Executable:
    """Build the look-up of one audience, once: it runs at every request, and building takes longer than running.

    JSON comes as the text that it is, so that equal rows are seen to be equal.
    """
    sessions, accounts = audience.tables.sessions, audience.tables.accounts
    wanted = [sql_cast(c, Text) if isinstance(c.type, JSON) else c for c in _wanted(audience).values()]
    return select(*wanted).where(
        accounts.c.id == sessions.c.owner_id, sessions.c[column] == bindparam("value_"), *_still_running(audience)
    )


@cache
def _wanted(audience: Audience) -> dict[str, ColumnElement[object]]:
    """Name what a look-up reads: the session's columns with a prefix, then all of the account's."""
    named = {str(column.key): column for column in _columns(audience)}
    accounts = cast("Iterable[ColumnElement[object]]", audience.tables.accounts.c)
    return named | {str(column.key): column for column in accounts}


def _named(audience: Audience, row: tuple[object, ...]) -> dict[str, object]:
    wanted = _wanted(audience)
    named = dict(zip(wanted, row, strict=True))
    for name, column in wanted.items():
        if isinstance(column.type, JSON) and named[name] is not None:
            named[name] = cast("object", json.loads(cast("str", named[name])))
    return named


@lru_cache(maxsize=1024)
def _of_person(row: tuple[object, ...]) -> tuple[Person, SessionFacts]:
    """Parse a row, or give what was parsed of one that held the same: so what is given is never stale (A95)."""
    named = _named(Audience.PERSON, row)
    return person_from_row(named), _facts(named)


def _still_running(audience: Audience) -> tuple[ColumnElement[bool], ...]:
    c = audience.tables.sessions.c
    return (
        c.ended_at.is_(None),
        c.expires_at > bindparam("now_"),
        c.created_at > bindparam("made_after"),
        c.last_seen_at > bindparam("seen_after"),
    )


def _bounds(audience: Audience, settings: Settings, now: Instant) -> dict[str, object]:
    sessions = settings.sessions
    idle = (sessions.idle_minutes if audience is Audience.PERSON else sessions.admin_idle_minutes) * MINUTE
    return {"now_": now, "made_after": now - _lifetime(audience, settings), "seen_after": now - idle}


def _lifetime(audience: Audience, settings: Settings) -> int:
    sessions = settings.sessions
    return (sessions.lifetime_hours if audience is Audience.PERSON else sessions.admin_lifetime_hours) * HOUR


def _columns(audience: Audience) -> list[ColumnElement[object]]:
    c = audience.tables.sessions.c
    names = ("id", "proofs", "authenticated_at", "created_at", "last_seen_at", "expires_at", "address", "user_agent")
    return [*(c[name].label(f"session_{name}") for name in names), c.browser_id.label("session_browser_id")]


def _facts(row: Mapping[str, object]) -> SessionFacts:
    browser_id = row["session_browser_id"]
    return SessionFacts(
        id=str(row["session_id"]),
        proofs=proofs_from_json(cast("Sequence[Mapping[str, object]]", row["session_proofs"])),
        authenticated_at=cast("int", row["session_authenticated_at"]),
        created_at=cast("int", row["session_created_at"]),
        last_seen_at=cast("int", row["session_last_seen_at"]),
        expires_at=cast("int", row["session_expires_at"]),
        address=str(row["session_address"]),
        user_agent=str(row["session_user_agent"]),
        browser_id=None if browser_id is None else str(browser_id),
    )


def _session(person: Person, facts: SessionFacts, settings: Settings, now: Instant) -> Session | None:
    """Give the session, unless its person may not sign in now or owes a second factor that is overdue."""
    enough = session_suffices(settings, person.mfa_required, person.mfa_due_from, facts.proofs, now)
    return Session(person, facts) if enough and person.standing(now) is Standing.ACTIVE else None


def _owner_of(signed: Signed) -> str:
    return signed.person.id if isinstance(signed, Session) else signed.admin.id


def _hash(vault: Vault, audience: Audience, handle: str) -> str:
    return vault.mac(Purpose.HANDLES, f"{audience.value} session {handle}")
