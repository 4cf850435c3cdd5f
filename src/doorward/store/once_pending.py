# Security: a saved request belongs to one browser and is answered once (tests/protocols/oidc/test_resume.py, A9, A57).
"""Claim and consume, continued from `once.py`: requests of a protocol that wait for a browser or for its sign-in.

Each protocol keeps its own table with `id`, `browser_hash` and `expires_at`. A row with no browser belongs to the
first one that asks for it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, or_, update

from doorward.clock import Instant
from doorward.store import once

NOBODY: Final = ""
"""The browser of a request that none has asked for yet."""


def belongs_to(table: Table, browser: str) -> ColumnElement[bool]:
    """Write the condition that a request is this browser's (the hash of its handle), or nobody's yet."""
    return or_(table.c.browser_hash == browser, table.c.browser_hash == NOBODY)


def keep_request(
    connection: Connection, table: Table, request_id: str, browser: str, now: Instant, until: Instant
) -> bool:
    """Let a request wait until `until` for this browser, its owner from now on; false where it is gone or expired."""
    kept = connection.execute(
        update(table)
        .where(table.c.id == request_id, belongs_to(table, browser), table.c.expires_at > now)
        .values(browser_hash=browser, expires_at=until)
        .returning(table.c.id)
    )
    return kept.scalar() is not None


def use_up_request(connection: Connection, table: Table, request_id: str, browser: str, now: Instant) -> bool:
    """Take a request, once; false where it was taken already, is another browser's, or has expired."""
    taken = once.consume_row(connection, table, request_id, belongs_to(table, browser), table.c.expires_at > now)
    return taken is not None
