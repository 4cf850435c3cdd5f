"""The processes of a running demo: started together, watched together, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Final, Self

_LOOK_SECONDS: Final = 0.25
_END_SECONDS: Final = 15
_ENDS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Child:
    """One process of the demo."""

    name: str
    process: subprocess.Popen[bytes]


@dataclass(slots=True)
class Running:
    """The children of the demo. Their standard input is a pipe of ours: its end tells them that we are gone."""

    children: list[Child] = field(default_factory=list[Child])

    def __enter__(self) -> Self:
        """From here on SIGINT and SIGTERM leave the block, at whichever line, and `__exit__` ends the children."""
        for number in _ENDS:
            signal.signal(number, _leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all children: politely first, after 15 seconds at once. A second Ctrl-C does not break this off."""
        for number in _ENDS:
            signal.signal(number, signal.SIG_IGN)
        for child in self.children:
            child.process.terminate()
        for child in self.children:
            try:
                child.process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            if child.process.stdin is not None:
                child.process.stdin.close()

    def start(self, name: str, module: str, flags: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start a module of the product as a child, in a session of its own, so that Ctrl-C reaches us alone."""
        process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
            [sys.executable, "-m", module, *flags],
            stdin=subprocess.PIPE,
            env={**os.environ, **environ},
            start_new_session=True,
        )
        self.children.append(Child(name, process))

    def ended(self) -> str | None:
        """Name a child that ended by itself."""
        return next((child.name for child in self.children if child.process.poll() is not None), None)

    def watch(self, each_look: Callable[[], None]) -> str:
        """Look four times a second, until a child ends by itself, which is then named."""
        while (gone := self.ended()) is None:
            each_look()
            time.sleep(_LOOK_SECONDS)
        return gone


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
