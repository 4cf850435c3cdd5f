"""`INSERT … ON CONFLICT`, which both databases understand and SQLAlchemy keeps in each one's dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Insert: TypeAlias = Union["sqlite.Insert", "postgresql.Insert"]


def insert_into(dialect: str, table: Table) -> Insert:
    """Begin an INSERT that may go on with `on_conflict_do_nothing` or `on_conflict_do_update`."""
    if dialect != "postgresql":
        return sqlite.insert(table)
    # Imported here: with its drivers it costs a twentieth of a second that a start on SQLite need not pay.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - quick start

    return postgresql.insert(table)
