"""Two databases, one way to use them: a unit of work is a plain function of a connection, without await.

On SQLite it runs inline on the connection that this thread keeps (BEGIN IMMEDIATE where it writes), so no
other request's statements can slip into it. On PostgreSQL it runs by `AsyncConnection.run_sync`. When the
database answers "busy" or "serialisation failure" the whole function runs again: it must do nothing but
read and write through its connection.

Two classes of commit. `durable=True` is for what somebody changed, proved or used up: it waits for the disk.
`durable=False` is for launches, codes and last-seen times: kill -9 loses nothing, a power cut at most the
last 100 ms (SQLite: synchronous=NORMAL and a tick; PostgreSQL: synchronous_commit off).
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Work = Callable[[Connection], T]

_BUSY_MS: Final = 50
_PATIENCE_SECONDS: Final = 10.0
_TICK_SECONDS: Final = 0.1
_POSTGRES_RETRIES: Final = 8


class StorageAway(Exception):
    """The database cannot be used at the moment: absent, full, read-only, or busy for too long."""


class Database(Protocol):
    """Runs units of work. `read` and `write` may run `work` more than once; only the last run counts."""

    dialect: str

    async def read(self, work: Work[T]) -> T:
        """Run `work` in a transaction that only reads. Raises StorageAway."""
        ...

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run `work` in a transaction and commit it; an exception of `work` rolls back. Raises StorageAway."""
        ...

    async def read_slowly(self, work: Work[T]) -> T:
        """Run a long read (an export, a report) without holding up other requests. Raises StorageAway."""
        ...

    async def close(self) -> None:
        """Make earlier commits durable and let go of all connections."""
        ...


def open_database(url: str) -> Database:
    """Open `sqlite:///PATH` or `postgresql://…`.

    Raises:
        ValueError: the address is of another kind.
    """
    if url.startswith("sqlite:///"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    scheme, found, rest = url.partition("://")
    if found and scheme in {"postgresql", "postgres", "postgresql+asyncpg"}:
        return PostgresDatabase(f"postgresql+asyncpg://{rest}")
    raise ValueError("a database address begins with sqlite:/// or postgresql://")


class SqliteDatabase:
    """SQLite in WAL mode, one kept connection per thread."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        """Remember the file; the first unit of work opens it."""
        self.path: Final = path
        self._engine: Final[Engine] = create_engine(
            "sqlite://", creator=self._connect, poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        self._kept = threading.local()
        self._all: list[Connection] = []
        self._lock = threading.Lock()
        self._tick: asyncio.TimerHandle | None = None

    def _connect(self) -> sqlite3.Connection:
        raw = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=512)
        for pragma in (
            f"busy_timeout={_BUSY_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "trusted_schema=OFF",
        ):
            raw.execute(f"PRAGMA {pragma}").close()
        return raw

    def _connection(self) -> tuple[Connection, sqlite3.Connection]:
        kept: tuple[Connection, sqlite3.Connection] | None = getattr(self._kept, "pair", None)
        if kept is None:
            connection = self._engine.connect()
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            kept = (connection, raw)
            self._kept.pair = kept
            with self._lock:
                self._all.append(connection)
        return kept

    def _run(self, work: Work[T], begin: str, synchronous: str | None) -> T:
        connection, raw = self._connection()
        if synchronous is not None:
            raw.execute(f"PRAGMA synchronous={synchronous}")
        raw.execute(begin)
        try:
            result = work(connection)
            raw.execute("COMMIT")
        except BaseException:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            raise
        return result

    async def _try(self, work: Work[T], begin: str, synchronous: str | None) -> T:
        waited = 0.0
        while True:
            try:
                return self._run(work, begin, synchronous)
            except (sqlite3.OperationalError, OperationalError) as error:
                cause = error.orig if isinstance(error, OperationalError) else error
                if not _is_busy(cause):
                    raise StorageAway(str(cause)) from error
                if waited >= _PATIENCE_SECONDS:
                    raise StorageAway("the database stayed busy") from error
                pause = random.uniform(0.001, 0.02)  # noqa: S311 - spreads the retries, protects nothing
                waited += pause + _BUSY_MS / 1000
                await asyncio.sleep(pause)
            except (sqlite3.DatabaseError, DBAPIError) as error:
                if _is_away(error.orig if isinstance(error, DBAPIError) else error):
                    raise StorageAway(str(error)) from error
                raise

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return await self._try(work, "BEGIN", None)

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """See `Database.write`."""
        result = await self._try(work, "BEGIN IMMEDIATE", "FULL" if durable else "NORMAL")
        if not durable and self._tick is None:
            self._tick = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._sync)
        return result

    def _sync(self) -> None:
        self._tick = None
        try:
            self._run(lambda c: c.exec_driver_sql("UPDATE ticks SET at = at + 1"), "BEGIN IMMEDIATE", "FULL")
        except (sqlite3.Error, DBAPIError):
            # The next durable commit makes the same rows safe; a missing tick costs nothing that was acknowledged.
            return

    async def read_slowly(self, work: Work[T]) -> T:
        """See `Database.read_slowly`."""
        return await asyncio.to_thread(lambda: asyncio.run(self.read(work)))

    async def close(self) -> None:
        """See `Database.close`."""
        if self._tick is not None:
            self._tick.cancel()
            self._sync()
        with self._lock:
            kept, self._all = self._all, []
        for connection in kept:
            connection.close()
        self._kept = threading.local()
        self._engine.dispose()


class PostgresDatabase:
    """PostgreSQL by asyncpg."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        """Remember the address; the first unit of work connects."""
        self._url: Final = url
        self._made: AsyncEngine | None = None

    def _engine(self) -> AsyncEngine:
        if self._made is None:
            # Imported here because it costs a tenth of a second that a start on SQLite need not pay.
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - quick start

            self._made = create_async_engine(self._url, pool_size=10, max_overflow=10, pool_pre_ping=False)
        return self._made

    async def _try(self, work: Work[T], prelude: str) -> T:
        tries = 0
        while True:
            try:
                async with self._engine().begin() as connection:
                    if prelude:
                        await connection.exec_driver_sql(prelude)
                    return await connection.run_sync(work)
            except DBAPIError as error:
                tries += 1
                state = getattr(error.orig, "sqlstate", None)
                if (state in {"40001", "40P01"} or error.connection_invalidated) and tries < _POSTGRES_RETRIES:
                    await asyncio.sleep(random.uniform(0.001, 0.01) * tries)  # noqa: S311 - spreads the retries
                    continue
                if error.connection_invalidated or state is None or state[:2] in {"08", "53", "57", "58", "25"}:
                    raise StorageAway(str(error)) from error
                raise
            except OSError as error:
                raise StorageAway(str(error)) from error

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return await self._try(work, "")

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """See `Database.write`."""
        return await self._try(work, "" if durable else "SET LOCAL synchronous_commit = off")

    async def read_slowly(self, work: Work[T]) -> T:
        """See `Database.read_slowly`."""
        return await self.read(work)

    async def close(self) -> None:
        """See `Database.close`."""
        if self._made is not None:
            await self._made.dispose()
            self._made = None


def _is_busy(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _is_away(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.DatabaseError) and error.sqlite_errorname.startswith(
        ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_CORRUPT", "SQLITE_NOTADB")
    )
