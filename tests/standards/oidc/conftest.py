"""The composed application for tests of OpenID Connect."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clocks import SettableClock
from support.oidc import World, running


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str, clock: SettableClock) -> Iterator[World]:
    """A running application on SQLite."""
    with running(tmp_path, sqlite_url, clock) as world:
        yield world


@pytest.fixture
def world_anywhere(tmp_path: Path, database_url: str, clock: SettableClock) -> Iterator[World]:
    """A running application, once on each database."""
    with running(tmp_path, database_url, clock) as world:
        yield world
