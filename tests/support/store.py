"""A database for a test that is not itself asynchronous."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TypeVar

from doorward.store import Database
from doorward.store.engine import Work

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Store:
    """Runs units of work one after another."""

    database: Database
    runner: asyncio.Runner

    def write(self, work: Work[T], *, durable: bool = True) -> T:
        """Run `work` and commit it."""
        return self.runner.run(self.database.write(work, durable=durable))

    def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads."""
        return self.runner.run(self.database.read(work))
