"""Known browsers: from one that signed in fully, an outsider cannot keep its person out.

A random handle in a cookie, kept as a keyed hash in a row per browser and person, for 90 days. It proves nothing;
it only gives the browser a counter of its own beside the common one.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from doorward.clock import DAY, Instant
from doorward.store import Purpose, Vault, new_handle, new_id, schema

LIFETIME: Final = 90 * DAY
_LONGEST_USER_AGENT: Final = 512
_T: Final = schema.known_browsers


def find(connection: Connection, vault: Vault, handle: str | None, person_id: str | None, now: Instant) -> str | None:
    """Find the row of this browser and person; the same statement is run for a name that nobody has."""
    hashed = vault.mac(Purpose.HANDLES, f"known {handle}")
    return connection.execute(
        select(_T.c.id).where(_T.c.handle_hash == hashed, _T.c.owner_id == (person_id or ""), _T.c.expires_at > now)
    ).scalar()


def remember(
    connection: Connection, vault: Vault, handle: str | None, person_id: str, user_agent: str, now: Instant
) -> tuple[str, str]:
    """Know this browser after a whole sign-in; returns the row's id and the handle for its cookie."""
    row_id = find(connection, vault, handle, person_id, now) if handle else None
    if row_id is not None and handle is not None:
        connection.execute(update(_T).where(_T.c.id == row_id).values(last_used_at=now, expires_at=now + LIFETIME))
        return row_id, handle
    handle = handle or new_handle()
    row_id, hashed = new_id(now), vault.mac(Purpose.HANDLES, f"known {handle}")
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
    connection.execute(delete(_T).where(condition if but is None else condition & (_T.c.id != but)))


def ids_of(connection: Connection, person_id: str) -> list[str]:
    """List the rows of a person's known browsers."""
    return list(connection.execute(select(_T.c.id).where(_T.c.owner_id == person_id)).scalars())
