"""PostgreSQL by asyncpg: units of work by `run_sync`, tried again when nothing of them can stand."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final, TypeVar, cast
from urllib.parse import parse_qsl, urlencode

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from doorward.store.engine import StorageAway, StorageRefused, Work

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

_RETRIES: Final = 12
_CONNECT_SECONDS: Final = 5
_COMMAND_SECONDS: Final = 30
_ROLLED_BACK: Final = frozenset({"40001", "40P01"})  # serialisation failure, deadlock: all of it was undone
_AWAY_CLASSES: Final = frozenset({"08", "53", "57", "58"})  # connection, resources, operator, system
_AWAY: Final = frozenset({"25006", "55P03"})  # read-only, lock timeout
_REFUSED: Final = frozenset({"28000", "28P01", "3D000", "42501"})  # user, password, no such database, not allowed
_PREPARED: Final = "prepared_statement_cache_size"


def asyncpg_url(url: str) -> str:
    """Turn an address as libpq writes it into SQLAlchemy's for asyncpg: `sslmode` is called `ssl` there."""
    _, _, rest = url.partition("://")
    place, _, query = rest.partition("?")
    names = {"sslmode": "ssl", "statement_cache_size": _PREPARED}
    pairs = [(names.get(name, name), value) for name, value in parse_qsl(query, keep_blank_values=True)]
    return f"postgresql+asyncpg://{place}" + (f"?{urlencode(pairs)}" if pairs else "")


class PostgresDatabase:
    """See `Database`. Its connections belong to the event loop of the first unit of work."""

    dialect = "postgresql"

    def __init__(self, url: str, *, command_seconds: int | None = _COMMAND_SECONDS) -> None:
        """Remember the address; the first unit of work connects. `command_seconds` bounds each statement."""
        self._url: Final = asyncpg_url(url)
        self._command_seconds: Final = command_seconds
        self._made: tuple[AsyncEngine, AsyncEngine] | None = None

    async def read(self, work: Work[T]) -> T:
        """See `Database.read`. Each statement stands alone, as it would under READ COMMITTED, and needs no BEGIN."""
        return await self._try(work, "", self._engines()[1])

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """See `Database.write`."""
        return await self._try(work, "" if durable else "SET LOCAL synchronous_commit = off", self._engines()[0])

    async def read_slowly(self, work: Work[T]) -> T:
        """See `Database.read_slowly`."""
        return await self._try(work, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", self._engines()[0])

    async def close(self) -> None:
        """See `Database.close`."""
        if self._made is not None:
            await self._made[0].dispose()
            self._made = None

    def _engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """Give the engine for transactions, and the same pool for single statements."""
        if self._made is None:
            # Imported here because it costs a tenth of a second that a start on SQLite need not pay.
            from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415 - quick start

            engine = create_async_engine(
                self._url,
                pool_size=10,
                max_overflow=10,
                pool_timeout=10,
                connect_args={"timeout": _CONNECT_SECONDS, "command_timeout": self._command_seconds},
            )
            self._made = (engine, engine.execution_options(isolation_level="AUTOCOMMIT"))
        return self._made

    async def _try(self, work: Work[T], prelude: str, engine: AsyncEngine) -> T:
        tries = 0
        while True:
            is_done = False
            try:
                async with engine.begin() as connection:
                    if prelude:
                        await connection.exec_driver_sql(prelude)
                    result = await connection.run_sync(work)
                    is_done = True
            except (SQLAlchemyError, OSError, *_driver_errors()) as error:
                tries += 1
                if tries >= _RETRIES or not _may_run_again(error, is_done=is_done):
                    raise _meaning(error) from error
            else:
                return result
            await asyncio.sleep(random.uniform(0.001, 0.01) * tries)  # noqa: S311 - spreads the retries


def _driver_errors() -> tuple[type[Exception], ...]:
    """Give asyncpg's own errors, which come unwrapped while a connection is being made."""
    from asyncpg import InterfaceError, PostgresError  # noqa: PLC0415 - quick start

    return (PostgresError, InterfaceError)


def _state(error: Exception) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return cast("str | None", getattr(cause, "sqlstate", None))


def _may_run_again(error: Exception, *, is_done: bool) -> bool:
    """Tell whether nothing of the work can stand: PostgreSQL said so, or the connection broke before the commit."""
    if _state(error) in _ROLLED_BACK:
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated and not is_done


def _meaning(error: Exception) -> Exception:
    """Translate what asyncpg and SQLAlchemy raise: a fault of the place is StorageAway, one of the code stays."""
    state = _state(error)
    is_place = state is not None and (state[:2] in _AWAY_CLASSES or state in _AWAY | _ROLLED_BACK)
    if state in _REFUSED:
        return StorageRefused(f"PostgreSQL: {_cause(error)}")
    is_broken = isinstance(error, DBAPIError) and error.connection_invalidated
    is_unreachable = isinstance(error, (OSError, PoolTimeoutError))
    if is_place or is_broken or is_unreachable or not isinstance(error, SQLAlchemyError):
        return StorageAway(f"PostgreSQL: {_cause(error)}")
    return error


def _cause(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(cause) or type(cause).__name__
