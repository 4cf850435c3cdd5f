"""Fixtures for tests of the web room: the composed application over http and https, with pages made for a test."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from doorward.deployment import Deployment, load
from doorward.organization import Organization, Support, create
from doorward.server import create_app
from doorward.web.log import open_log
from support.clocks import SettableClock
from support.store import Store

ACME = Organization("Acme", support=Support("Acme IT", "help@acme.example"))


@dataclass(slots=True)
class Door:
    """A running application with a browser before it. `log` holds every line that the server wrote."""

    app: Starlette
    deployment: Deployment
    client: TestClient
    stream: io.StringIO = field(default_factory=io.StringIO)

    @property
    def base(self) -> str:
        return self.deployment.base_url

    def log(self) -> list[dict[str, object]]:
        """Read what was logged until now."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@dataclass(slots=True)
class DoorMaker:
    """Opens a door: `opens(base_url=…, routes=[…])` within `with`."""

    folder: Path
    url: str
    clock: SettableClock

    @contextmanager
    def __call__(
        self, *, base_url: str = "http://localhost:8000", routes: Sequence[BaseRoute] = (), **flags: str
    ) -> Iterator[Door]:
        given = {"data": str(self.folder), "database": self.url, "base_url": base_url, "log_format": "json", **flags}
        deployment = load(given, {})
        app = create_app(deployment, clock=self.clock)
        app.router.routes[:0] = list(routes)
        stream = io.StringIO()
        with TestClient(app, base_url=base_url, follow_redirects=False) as client:
            site = app.state.site
            log, gathered = open_log("json", stream)
            gathered.gather = gathered.info = gathered.at_once
            object.__setattr__(site, "log", log)
            yield Door(app, deployment, client, stream)


@pytest.fixture
def opens(tmp_path: Path, sqlite_url: str, sqlite_store: Store, clock: SettableClock) -> DoorMaker:
    sqlite_store.write(lambda connection: create(connection, ACME, clock()))
    return DoorMaker(tmp_path / "data", sqlite_url, clock)


@pytest.fixture
def door(opens: DoorMaker) -> Iterator[Door]:
    """The application over http on loopback."""
    with opens() as door:
        yield door


@pytest.fixture
def https_door(opens: DoorMaker) -> Iterator[Door]:
    """The application behind https."""
    with opens(base_url="https://id.example") as door:
        yield door


@pytest.fixture(scope="module")
def shared_door(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Door]:
    """One application for the many requests of a property test."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copyfile(migrated_sqlite, folder / "doorward.db")
    with DoorMaker(folder, f"sqlite:///{folder / 'doorward.db'}", SettableClock())() as door:
        yield door
