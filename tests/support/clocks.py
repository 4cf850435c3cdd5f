"""Clocks that stand still until a test moves them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from doorward.clock import Instant

START: Final[Instant] = 1_795_500_000_000  # 2026-11-24T06:00:00Z


class SettableClock:
    """A clock of one process: call it for the present instant; `advance` moves it."""

    def __init__(self, now: Instant = START) -> None:
        self.now = now

    def __call__(self) -> Instant:
        return self.now

    def advance(self, milliseconds: int) -> Instant:
        """Move on, and give the new instant."""
        self.now += milliseconds
        return self.now


class FileClock:
    """A clock that several processes share: the instant stands in a file, which is replaced in one step."""

    def __init__(self, path: Path, now: Instant | None = None) -> None:
        self.path = path
        if now is not None:
            self.set(now)

    def __call__(self) -> Instant:
        return int(self.path.read_text("ascii"))

    def set(self, now: Instant) -> None:
        """Turn the clock to `now`."""
        draft = self.path.with_name(self.path.name + ".new")
        draft.write_text(str(now), "ascii")
        draft.replace(self.path)

    def advance(self, milliseconds: int) -> Instant:
        """Move on, and give the new instant."""
        now = self() + milliseconds
        self.set(now)
        return now
