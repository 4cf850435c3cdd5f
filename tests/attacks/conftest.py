"""Fixtures for tests of the sign-in: a door, on both databases or on the quick one alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.clocks import SettableClock
from support.door import Door, open_door


@pytest.fixture
def door(sqlite_url: str, clock: SettableClock) -> Iterator[Door]:
    """Both sign-ins of an organisation, on SQLite."""
    with open_door(sqlite_url, clock) as opened:
        yield opened


@pytest.fixture
def door_on_both(database_url: str, clock: SettableClock) -> Iterator[Door]:
    """Both sign-ins of an organisation, once on each database."""
    with open_door(database_url, clock) as opened:
        yield opened
