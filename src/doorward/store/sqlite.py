"""SQLite in WAL mode: one kept connection for each thread, units of work inline in the event loop."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from doorward.store.engine import StorageAway, Work
from doorward.store.quick import QuickConnection

T = TypeVar("T")

_BUSY_MS: Final = 50
_PATIENCE_SECONDS: Final = 10.0
_TICK_SECONDS: Final = 0.1
_AWAY: Final = (
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
    "SQLITE_CORRUPT",
    "SQLITE_NOTADB",
    "SQLITE_NOMEM",
    "SQLITE_PERM",
    "SQLITE_PROTOCOL",
)

# The disk took no more: the transaction was undone, and the connection can go on reading where a new one could not.
_STILL_READABLE: Final = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE")


class WroteWhileReading(Exception):
    """A unit of work given to `read` wrote: a fault of the code, found on SQLite; it was rolled back."""


@dataclass(slots=True)
class _Kept:
    """A connection that is kept, the file that it opened, and its present class of commit."""

    connection: Connection
    raw: sqlite3.Connection
    file: tuple[int, int]
    synchronous: str


def connect(path: Path, *, may_create: bool = False, busy_ms: int = _BUSY_MS) -> sqlite3.Connection:
    """Open the file as the product uses it. Without `may_create` a missing file stays missing.

    Raises:
        sqlite3.Error: the file cannot be opened.
        OSError: it cannot be made.
    """
    if may_create and not path.exists():
        # SQLite would make the file readable for everybody; its journal takes over the permissions of the file.
        path.touch(mode=0o600)
    raw = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        for pragma in (
            f"busy_timeout={busy_ms}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "trusted_schema=OFF",
            "journal_size_limit=67108864",
            # 16 MiB between checkpoints: pages that change with every commit are copied back a quarter as often.
            "wal_autocheckpoint=4000",
        ):
            raw.execute(f"PRAGMA {pragma}").close()
    except BaseException:
        raw.close()
        raise
    return raw


class SqliteDatabase:
    """See `Database`."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        """Remember the file; the first unit of work opens it. It must exist (store/migrate.py makes it)."""
        self.path: Final = path
        self._file: Final = str(path)  # asked for at each unit of work
        self._engine: Final[Engine] = create_engine(
            "sqlite://", creator=lambda: connect(path), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        self._here = threading.local()
        self._all: list[_Kept] = []
        self._lock = threading.Lock()
        self._tick: asyncio.TimerHandle | None = None

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`."""
        return await self._try(lambda: self._read(self._keep(), work))

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """See `Database.write`."""
        result = await self._try(lambda: self._write(work, "FULL" if durable else "NORMAL"))
        if durable:
            # A FULL commit syncs the whole journal, and every light commit before it stands there.
            self._cancel_tick()
        elif self._tick is None:
            self._tick = asyncio.get_running_loop().call_later(_TICK_SECONDS, self._sync)
        return result

    async def read_slowly(self, work: Work[T]) -> T:
        """See `Database.read_slowly`. Runs in a thread, on a connection that is closed afterwards."""

        def run() -> T:
            kept = self._open()
            try:
                return self._read(kept, work)
            finally:
                _close(kept)

        waited = 0.0
        while True:
            try:
                return await asyncio.to_thread(run)
            except (sqlite3.Error, DBAPIError, OSError) as error:
                pause = self._pause_or_raise(error, waited)
            waited += pause + _BUSY_MS / 1000
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """See `Database.close`."""
        if self._cancel_tick():
            self._sync()
        with self._lock:
            kept, self._all = self._all, []
        for one in kept:
            _close(one)
        self._here = threading.local()
        self._engine.dispose()

    # ---------------------------------------------------------------------------------- connections

    def _open(self) -> _Kept:
        connection = QuickConnection(self._engine)
        raw = cast("sqlite3.Connection", connection.connection.driver_connection)
        status = os.stat(self._file)  # noqa: PTH116 - Path.stat costs three times as much
        return _Kept(connection, raw, (status.st_dev, status.st_ino), "FULL")

    def _keep(self) -> _Kept:
        """Give this thread's connection; one whose file was moved away or replaced is opened anew.

        SQLite itself would go on writing into the file that has no name any more, and lose it all.
        """
        kept = cast("_Kept | None", getattr(self._here, "kept", None))
        if kept is not None:
            status = os.stat(self._file)  # noqa: PTH116 - Path.stat costs three times as much
            if kept.file == (status.st_dev, status.st_ino):
                return kept
            self._drop()
        kept = self._open()
        self._here.kept = kept
        with self._lock:
            self._all.append(kept)
        return kept

    def _drop(self) -> None:
        """Let go of this thread's connection: after a fault nothing that it remembers can be trusted."""
        kept = cast("_Kept | None", getattr(self._here, "kept", None))
        if kept is None:
            return
        self._here.kept = None
        with self._lock:
            self._all = [one for one in self._all if one is not kept]
        _close(kept)

    # ------------------------------------------------------------------------------ running the work

    def _read(self, kept: _Kept, work: Work[T]) -> T:
        before = kept.raw.total_changes
        kept.raw.execute("BEGIN")
        try:
            result = work(kept.connection)
            _refuse_writes(kept.raw, before)
            kept.raw.execute("COMMIT")
        except BaseException:
            self._roll_back(kept)
            raise
        return result

    def _write(self, work: Work[T], synchronous: str) -> T:
        kept = self._keep()
        if kept.synchronous != synchronous:
            kept.raw.execute(f"PRAGMA synchronous={synchronous}")
            kept.synchronous = synchronous
        kept.raw.execute("BEGIN IMMEDIATE")
        try:
            result = work(kept.connection)
            kept.raw.execute("COMMIT")
        except BaseException:
            self._roll_back(kept)
            raise
        return result

    def _roll_back(self, kept: _Kept) -> None:
        if kept.raw.in_transaction:
            with suppress(sqlite3.Error):
                kept.raw.execute("ROLLBACK")
        if kept.raw.in_transaction:
            self._drop()

    async def _try(self, attempt: Callable[[], T]) -> T:
        waited = 0.0
        while True:
            try:
                return attempt()
            except (sqlite3.Error, DBAPIError, OSError) as error:
                pause = self._pause_or_raise(error, waited)
            waited += pause + _BUSY_MS / 1000
            await asyncio.sleep(pause)

    def _pause_or_raise(self, error: Exception, waited: float) -> float:
        """Give the seconds to wait before the work is tried again, or raise what the error means."""
        cause = error.orig if isinstance(error, DBAPIError) else error
        name = cast("str", getattr(cause, "sqlite_errorname", ""))
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            if waited >= _PATIENCE_SECONDS:
                raise StorageAway("the database stayed busy") from error
            return random.uniform(0.001, 0.02)  # noqa: S311 - spreads the retries, protects nothing
        if name.startswith(_AWAY) or isinstance(cause, OSError):
            if not name.startswith(_STILL_READABLE):
                self._drop()
            raise StorageAway(f"{self.path}: {cause}") from error
        raise error

    # ------------------------------------------------------------------------------------- the tick

    def _cancel_tick(self) -> bool:
        """Forget the tick that is due; tell whether one was."""
        tick, self._tick = self._tick, None
        if tick is not None:
            tick.cancel()
        return tick is not None

    def _sync(self) -> None:
        """Make earlier light commits durable by a FULL commit that writes one row."""
        self._tick = None
        try:
            self._write(lambda c: c.exec_driver_sql("UPDATE ticks SET at = at + 1"), "FULL")
        except (sqlite3.Error, DBAPIError, OSError):
            # The next durable commit makes the same rows safe; kill -9 would lose nothing even without it.
            return


def _refuse_writes(raw: sqlite3.Connection, before: int) -> None:
    if raw.total_changes != before:
        raise WroteWhileReading("a unit of work given to `read` wrote; give it to `write`")


def _close(kept: _Kept) -> None:
    """Close a connection, which may be broken already."""
    with suppress(sqlite3.Error, SQLAlchemyError):
        kept.connection.close()
    with suppress(sqlite3.Error):
        kept.raw.close()
