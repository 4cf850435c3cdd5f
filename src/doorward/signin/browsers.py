"""Known browsers: from one that signed in fully, an outsider cannot keep its person out.

A random handle in a cookie, kept as a keyed hash in a row per browser and person, for 90 days. It proves nothing;
it only gives the browser a counter of its own beside the common one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from sqlalchemy import BigInteger, Connection, bindparam, delete, insert, select, update

from doorward.clock import DAY, Instant
from doorward.store import Purpose, Vault, new_handle, new_id, schema

LIFETIME: Final = 90 * DAY
_LONGEST_USER_AGENT: Final = 512
_T: Final = schema.known_browsers
_FIND: Final = select(_T.c.id).where(  # built once: each step of a sign-in runs it
    _T.c.handle_hash == bindparam("handle"),
    _T.c.owner_id == bindparam("person"),
    _T.c.expires_at > bindparam("now", type_=BigInteger()),
)


def find(connection: Connection, vault: Vault, handle: str | None, person_id: str | None, now: Instant) -> str | None:
    """Find the row of this browser and person; the same statement is run for a name that nobody has."""
    given = {"handle": _hash(vault, handle), "person": person_id or "", "now": now}
    return connection.execute(_FIND, given).scalar()


def remember(
    connection: Connection, vault: Vault, handle: str | None, person_id: str, user_agent: str, now: Instant
) -> tuple[str, str]:
    """Know this browser after a whole sign-in; returns the row's id and the handle for its cookie.

    A handle that other people of this browser have already is kept; one that we never made is not taken over, so
    that nobody can plant one of theirs in somebody else's browser (A9).
    """
    row_id = find(connection, vault, handle, person_id, now) if handle else None
    if row_id is not None and handle is not None:
        connection.execute(update(_T).where(_T.c.id == row_id).values(last_used_at=now, expires_at=now + LIFETIME))
        return row_id, handle
    if handle is None or not _is_ours(connection, vault, handle):
        handle = new_handle()
    row_id, hashed = new_id(now), _hash(vault, handle)
    connection.execute(delete(_T).where(_T.c.handle_hash == hashed, _T.c.owner_id == person_id))
    connection.execute(
        insert(_T).values(
            id=row_id,
            owner_id=person_id,
            handle_hash=hashed,
            user_agent=user_agent[:_LONGEST_USER_AGENT],
            created_at=now,
            last_used_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return row_id, handle


def forget_all(connection: Connection, person_id: str, *, but: str | None = None) -> None:
    """Forget a person's browsers: after a change of password or factor, and at suspension."""
    condition = _T.c.owner_id == person_id
    forgotten = delete(_T).where(condition if but is None else condition & (_T.c.id != but)).returning(_T.c.id)
    keys = [f"browser:{row_id}" for row_id in cast("Iterable[str]", connection.execute(forgotten).scalars())]
    counters = schema.PERSON.counters
    connection.execute(delete(counters).where(counters.c.key.in_(keys)))


def is_known(connection: Connection, row_id: str | None, person_id: str, now: Instant) -> bool:
    """Tell whether a person's browser is still known: it may have been forgotten since a session began in it."""
    condition = (_T.c.id == (row_id or "")) & (_T.c.owner_id == person_id) & (_T.c.expires_at > now)
    return connection.execute(select(_T.c.id).where(condition)).scalar() is not None


def ids_of(connection: Connection, person_id: str) -> list[str]:
    """List the rows of a person's known browsers."""
    return list(connection.execute(select(_T.c.id).where(_T.c.owner_id == person_id)).scalars())


def _is_ours(connection: Connection, vault: Vault, handle: str) -> bool:
    query = select(_T.c.id).where(_T.c.handle_hash == _hash(vault, handle)).limit(1)
    return connection.execute(query).scalar() is not None


def _hash(vault: Vault, handle: str | None) -> str:
    return vault.mac(Purpose.HANDLES, f"known {handle}" if handle else "no known browser")
