"""Fixtures for every test: both databases, the vault, clocks, a running server.

An asynchronous test (`async def test_…`) runs in the loop of the fixture `runner`, to which `database` belongs.
`database`, `store` and `database_url` run a test once on SQLite and once on a real PostgreSQL;
`sqlite_database`, `sqlite_store` and `sqlite_url` are for tests of what lies above the store.
"""

from __future__ import annotations

import asyncio
import inspect
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import trustme

from doorward.store import Database, Vault, open_database
from doorward.store.migrate import ensure_schema
from support.clocks import START, FileClock, SettableClock
from support.postgres import Cluster, running_cluster
from support.server import Server, ServerStarter
from support.store import Store


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run asynchronous tests in the loop of `runner`."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    runner = cast("asyncio.Runner", pyfuncitem._request.getfixturevalue("runner"))
    names = pyfuncitem._fixtureinfo.argnames
    runner.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """The event loop of one test."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A real PostgreSQL; each worker of the suite has one, started at the first test that needs it."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file as the migrations leave it; tests get copies."""
    path = tmp_path_factory.mktemp("migrated") / "doorward.db"
    ensure_schema(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, migrated_sqlite: Path) -> str:
    """The address of a migrated SQLite database of this test alone."""
    path = tmp_path / "doorward.db"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres: Cluster) -> Iterator[str]:
    """The address of a migrated PostgreSQL database of this test alone."""
    url = postgres.fresh()
    yield url
    postgres.give_back(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated database of this test alone, once of each kind."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return cast("str", request.getfixturevalue(name))


@pytest.fixture
def database(database_url: str, runner: asyncio.Runner) -> Iterator[Database]:
    """A migrated database of this test alone, once of each kind."""
    opened = open_database(database_url)
    yield opened
    runner.run(opened.close())


@pytest.fixture
def store(database: Database, runner: asyncio.Runner) -> Store:
    """`database` for a test that is not asynchronous."""
    return Store(database, runner)


@pytest.fixture
def sqlite_database(sqlite_url: str, runner: asyncio.Runner) -> Iterator[Database]:
    """A migrated SQLite database of this test alone."""
    opened = open_database(sqlite_url)
    yield opened
    runner.run(opened.close())


@pytest.fixture
def sqlite_store(sqlite_database: Database, runner: asyncio.Runner) -> Store:
    """`sqlite_database` for a test that is not asynchronous."""
    return Store(sqlite_database, runner)


@pytest.fixture
def vault() -> Vault:
    """A vault with a master key of the tests."""
    return Vault(b"\x07" * 32)


@pytest.fixture
def clock() -> SettableClock:
    """A clock that stands still until the test moves it."""
    return SettableClock()


@pytest.fixture
def file_clock(tmp_path: Path) -> FileClock:
    """A clock that several processes share."""
    return FileClock(tmp_path / "clock", START)


@pytest.fixture
def server(tmp_path: Path, file_clock: FileClock) -> Iterator[ServerStarter]:
    """Starts the composed application: `server(...)` gives a running `Server`; all end with the test."""
    starter = ServerStarter(tmp_path, file_clock)
    yield starter
    starter.stop_all()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of the tests."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


__all__ = ["Server"]
