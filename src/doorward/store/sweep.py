"""Removing what has expired, in small batches, so that no table grows for ever and no request waits for it."""

from __future__ import annotations

from typing import Final, cast

from sqlalchemy import Column, Connection, Table, delete, select

from doorward.clock import Instant
from doorward.store import schema

EXPIRING: Final[tuple[tuple[Table, Column[int]], ...]] = tuple(
    (table, table.c[name])
    for table, name in (
        (schema.PERSON.enrolments, "expires_at"),
        (schema.ADMIN.enrolments, "expires_at"),
        (schema.PERSON.transactions, "destination_ends_at"),
        (schema.ADMIN.transactions, "destination_ends_at"),
        (schema.oidc_requests, "expires_at"),
        (schema.saml_requests, "expires_at"),
        (schema.oidc_grants, "swept_at"),
        (schema.address_counters, "window_ends_at"),
        (schema.PERSON.sessions, "expires_at"),
        (schema.ADMIN.sessions, "expires_at"),
        (schema.known_browsers, "expires_at"),
        (schema.keys, "retired_at"),
    )
)
"""Each table whose rows end by themselves, and the instant after which a row is nobody's any more."""


def sweep(connection: Connection, now: Instant, limit: int) -> int:
    """Delete up to `limit` rows that ended before `now`, and tell how many. Call again while it reaches `limit`."""
    left = limit
    for table, ends_at in EXPIRING:
        if left <= 0:
            break
        left -= _sweep_table(connection, table, ends_at, now, left)
    return limit - left


def _sweep_table(connection: Connection, table: Table, ends_at: Column[int], now: Instant, limit: int) -> int:
    (key,) = table.primary_key.columns
    ended = select(key).where(ends_at < now).limit(limit).scalar_subquery()
    statement = delete(table).where(key.in_(ended)).returning(key)
    gone = cast("list[str]", connection.execute(statement).scalars().all())
    if table is schema.known_browsers and gone:
        # A browser that is no longer known has no counter of its own either (signin/guesses.py names them so).
        counters = schema.PERSON.counters
        connection.execute(delete(counters).where(counters.c.key.in_([f"browser:{browser}" for browser in gone])))
    return len(gone)
