"""The given clock: every decision about time receives `now`, and only `system_clock` reads the machine's time.

Tests pass a clock of their own; the product has no switch for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeAlias

Instant: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00:00Z, the only form in which the product keeps a time."""

Clock: TypeAlias = Callable[[], Instant]
"""Tells the present `Instant`."""

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

NEVER: Final[Instant] = 2**62
"""Later than every instant: the end of a pause that only an administrator ends."""


def system_clock() -> Instant:
    """Read the machine's clock, in milliseconds."""
    return time.time_ns() // 1_000_000


def units_until(instant: Instant, now: Instant, unit: int) -> int:
    """Tell in how many units (`SECOND`, `MINUTE`, `DAY`) `instant` comes, rounded up; 1 at the least."""
    return max(1, -(-(instant - now) // unit))


def iso(instant: Instant) -> str:
    """Write an instant as ISO 8601 in UTC with whole seconds, such as `2026-11-24T14:32:00Z`."""
    return datetime.fromtimestamp(instant // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_datetime(moment: datetime) -> Instant:
    """Turn an aware datetime into an instant.

    Raises:
        ValueError: `moment` carries no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone has no instant")
    return int(moment.timestamp() * SECOND)
