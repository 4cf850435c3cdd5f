"""Two databases, one way to use them: a unit of work is a plain function of a connection, without await.

On SQLite it runs inline on the connection that this thread keeps (BEGIN IMMEDIATE where it writes), so no
other request's statements can slip into it. On PostgreSQL it runs by `AsyncConnection.run_sync`. When the
database answers "busy" or "serialisation failure" the whole function runs again: it must do nothing but
read and write through its connection.

Two classes of commit. `durable=True` is for what somebody changed, proved or used up: it waits for the disk.
`durable=False` is for launches, codes and last-seen times: kill -9 loses nothing, a power cut at most the
last 100 ms (SQLite: synchronous=NORMAL and a tick; PostgreSQL: synchronous_commit off).

Read `sqlite.py`, then `postgres.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")
Work = Callable[[Connection], T]


class StorageAway(Exception):
    """The database cannot be used at the moment: absent, full, read-only, or busy for too long.

    A write that ends so was not acknowledged. On PostgreSQL, when the connection broke during the commit, it
    may stand all the same; what may happen only once is then used up rather than free.
    """


class StorageRefused(StorageAway):
    """The database turned us away: its name, the user or the password in the setting is wrong."""


class Database(Protocol):
    """Runs units of work. `read` and `write` may run `work` more than once; only the last run counts."""

    dialect: str

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads. Raises StorageAway."""
        ...

    async def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run `work` in a transaction and commit it; an exception of `work` rolls back. Raises StorageAway."""
        ...

    async def read_slowly(self, work: Work[T]) -> T:
        """Run a long read of one snapshot (an export, a backup) beside other requests. Raises StorageAway."""
        ...

    async def close(self) -> None:
        """Make earlier commits durable and let go of all connections."""
        ...
