"""Bringing a database to this version: one chain of migrations for both databases, each run in one transaction.

A fresh database is made at the first start. One of an older version is left alone until `doorward migrate`,
and one of a newer version is refused. Alembic is imported only when there is something to do.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from doorward.store.engine import Database, StorageAway
from doorward.store.opening import SQLITE, open_database
from doorward.store.postgres import PostgresDatabase
from doorward.store.sqlite import connect

HEAD: Final = "0001"
"""The newest revision, kept by hand so that a start need not read the chain (tests/store/test_migrate.py)."""

_FOLDER: Final = Path(__file__).parent / "migrations"
_WAIT_MS: Final = 60_000
_ADVISORY_LOCK: Final = 0x646F6F72


class SchemaError(Exception):
    """The database is not of this version. The sentence says what to do."""


def current_revision(connection: Connection) -> str | None:
    """Read the revision of the database by one SELECT; None where there is none.

    On PostgreSQL the transaction is spent when there was none: give this a unit of work of its own.
    """
    try:
        return cast("str | None", connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
    except DBAPIError as error:
        if _is_missing_table(error):
            return None
        raise


def ensure_schema(database_url: str) -> None:
    """Make a fresh database; refuse one of another version. Not to be called inside an event loop.

    Raises:
        SchemaError: the database is older or newer than this version.
        StorageAway: it cannot be reached.
    """
    found = _revision(database_url)
    if found is None:
        found = upgrade(database_url, only_if_fresh=True)
    if found != HEAD:
        raise SchemaError(refusal(found))


def refusal(found: str | None) -> str:
    """Say in one sentence what to do about a database at revision `found`, which is not `HEAD`."""
    if found is None or found < HEAD:
        return f"The database is at revision {found or 'none'} and this version needs {HEAD}; run `doorward migrate`."
    return f"The database is at revision {found}, newer than this version knows ({HEAD}); start the newer Doorward."


def upgrade(database_url: str, *, only_if_fresh: bool = False) -> str | None:
    """Run the migrations that are missing, and give the revision before a refusal or after success.

    Two processes that start at once wait for one another, and the second finds the work done. Not to be called
    inside an event loop.

    Raises:
        StorageAway: the database cannot be reached or is full; nothing was changed.
    """

    def work(connection: Connection) -> str | None:
        found = current_revision(connection) if _has_revision(connection) else None
        if found == HEAD or (found is not None and (only_if_fresh or found > HEAD)):
            return found
        _run_chain(connection)
        return HEAD

    if database_url.startswith(SQLITE):
        return _on_sqlite(Path(database_url.removeprefix(SQLITE)), work)
    return _on_postgres(database_url, work)


def _revision(database_url: str) -> str | None:
    path = Path(database_url.removeprefix(SQLITE)) if database_url.startswith(SQLITE) else None
    if path is not None and not path.exists():
        return None

    async def read() -> str | None:
        database: Database = open_database(database_url)
        try:
            return await database.read(current_revision)
        finally:
            await database.close()

    return asyncio.run(read())


def _on_sqlite(path: Path, work: Callable[[Connection], str | None]) -> str | None:
    """Run `work` in one transaction without foreign keys: rebuilding a table would cascade through them."""
    try:
        raw = connect(path, may_create=True, busy_ms=_WAIT_MS)
        raw.execute("PRAGMA foreign_keys=OFF")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                raw.execute("BEGIN IMMEDIATE")
                result = work(connection)
                if raw.execute("PRAGMA foreign_key_check").fetchone() is not None:
                    raise SchemaError("The migration would have left rows without their owner; nothing was changed.")
                raw.execute("COMMIT")
                return result
        finally:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            engine.dispose()
            raw.close()
    except (sqlite3.OperationalError, sqlite3.DatabaseError, DBAPIError, OSError) as error:
        raise StorageAway(f"{path}: {error}") from error


def _on_postgres(database_url: str, work: Callable[[Connection], str | None]) -> str | None:
    def locked(connection: Connection) -> str | None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        return work(connection)

    async def run() -> str | None:
        database = PostgresDatabase(database_url, command_seconds=None)
        try:
            return await database.write(locked)
        finally:
            await database.close()

    return asyncio.run(run())


def _has_revision(connection: Connection) -> bool:
    """Tell whether the table of the revision exists, without the error that would spend a transaction."""
    if connection.dialect.name == "sqlite":
        asked = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    else:
        asked = "SELECT count(to_regclass('alembic_version'))"
    return cast("int", connection.exec_driver_sql(asked).scalar_one()) > 0


def _run_chain(connection: Connection) -> None:
    # Imported here: a start with a current schema does without Alembic.
    from alembic import command  # noqa: PLC0415 - quick start
    from alembic.config import Config  # noqa: PLC0415 - quick start

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _is_missing_table(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) == "42P01":
        return True
    return isinstance(error.orig, sqlite3.OperationalError) and "no such table" in str(error.orig)
