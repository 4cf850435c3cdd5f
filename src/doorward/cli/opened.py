"""The door of the commands to the rooms: settings, database, vault and clock, opened for one command."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import click
from sqlalchemy import Connection

from doorward.cli.options import Refused, flags_of
from doorward.clock import Clock, system_clock
from doorward.deployment import Deployment, SettingError, load
from doorward.store import Database, StorageAway, Vault, open_database
from doorward.store.engine import Work
from doorward.store.migrate import SchemaError, ensure_schema
from doorward.store.sealed import SealedByAnotherKey, check_master_key

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """What a command works with. `database` belongs to the loop of `runner`: use `run` and `read`."""

    deployment: Deployment
    database: Database
    vault: Vault
    clock: Clock
    runner: asyncio.Runner

    def run(self, work: Work[T]) -> T:
        """Run one unit of work that may write, and commit it durably.

        Raises:
            Refused: the database is away.
        """
        try:
            return self.runner.run(self.database.write(work))
        except StorageAway as away:
            raise Refused(_cannot(away)) from away

    def read(self, work: Work[T]) -> T:
        """Run one unit of work that only reads. Raises as `run`."""
        try:
            return self.runner.run(self.database.read(work))
        except StorageAway as away:
            raise Refused(_cannot(away)) from away

    def read_slowly(self, work: Work[T]) -> T:
        """Run a long read of one snapshot. Raises as `run`."""
        try:
            return self.runner.run(self.database.read_slowly(work))
        except StorageAway as away:
            raise Refused(_cannot(away)) from away


def deployment_of(ctx: click.Context, *, may_create: bool = True) -> Deployment:
    """Read the settings of the deployment for a command; with `may_create`, a missing master key is made.

    Raises:
        Refused: a setting is wrong.
    """
    try:
        return load(flags_of(ctx), os.environ, may_create=may_create)
    except SettingError as wrong:
        raise Refused(f"{wrong}.") from wrong


@contextmanager
def opened(ctx: click.Context, *, may_create: bool = True) -> Generator[Opened]:
    """Open the deployment's database and vault; with `may_create`, fresh ones are made where they are missing.

    Raises:
        Refused: a setting is wrong, the database is away, outdated, or sealed with another master key.
    """
    with opened_deployment(deployment_of(ctx, may_create=may_create)) as door:
        yield door


@contextmanager
def opened_deployment(
    deployment: Deployment, clock: Clock = system_clock, *, check_key: bool = True
) -> Generator[Opened]:
    """Open database and vault of settings that were read already. Raises as `opened`."""
    try:
        ensure_schema(deployment.database)
    except SchemaError as refused:
        raise Refused(str(refused)) from refused
    except StorageAway as away:
        raise Refused(_cannot(away)) from away
    database = open_database(deployment.database)
    with asyncio.Runner() as runner:
        door = Opened(deployment, database, Vault(deployment.master_key), clock, runner)
        try:
            if check_key:
                _check_key(door)
            yield door
        finally:
            runner.run(database.close())


def _cannot(away: StorageAway) -> str:
    return f"The database cannot be used ({away}); see that it runs and that --database names it."


def _check_key(door: Opened) -> None:
    def check(connection: Connection) -> None:
        check_master_key(connection, door.vault)

    try:
        door.read(check)
    except SealedByAnotherKey as other:
        raise Refused(str(other)) from other
