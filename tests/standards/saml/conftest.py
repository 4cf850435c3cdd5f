"""Fixtures for tests of SAML: a house, on both databases or on the quick one alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clocks import SettableClock
from support.house import House, open_house
from support.store import Store


@pytest.fixture
def house(tmp_path: Path, database_url: str, store: Store, clock: SettableClock) -> Iterator[House]:
    """The composed application, once on each database."""
    yield from open_house(tmp_path / "data", database_url, store, clock)


@pytest.fixture
def quick_house(tmp_path: Path, sqlite_url: str, sqlite_store: Store, clock: SettableClock) -> Iterator[House]:
    """The composed application on SQLite, for tests of what lies above the store."""
    yield from open_house(tmp_path / "data", sqlite_url, sqlite_store, clock)
