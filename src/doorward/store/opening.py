"""Which database an address names."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from doorward.store.engine import Database
from doorward.store.postgres import PostgresDatabase
from doorward.store.sqlite import SqliteDatabase

SQLITE: Final = "sqlite:///"


def open_database(url: str) -> Database:
    """Open `sqlite:///PATH` or `postgresql://…`. An SQLite file must exist (store/migrate.py makes it).

    Raises:
        ValueError: the address is of another kind.
    """
    if url.startswith(SQLITE):
        return SqliteDatabase(Path(url.removeprefix(SQLITE)))
    if url.startswith(("postgresql://", "postgres://", "postgresql+asyncpg://")):
        return PostgresDatabase(url)
    raise ValueError("a database address begins with sqlite:/// or postgresql://")
