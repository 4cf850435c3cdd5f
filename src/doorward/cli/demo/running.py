"""The processes of a running demo: started together, watched together, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

_LOOK_SECONDS: Final = 0.25
_END_SECONDS: Final = 15


@dataclass(slots=True)
class Child:
    """One process of the demo."""

    name: str
    process: subprocess.Popen[bytes]


@dataclass(slots=True)
class Running:
    """The children of the demo. Their standard input is a pipe of ours: its end tells them that we are gone."""

    children: list[Child] = field(default_factory=list[Child])
    stopping: threading.Event = field(default_factory=threading.Event)

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

    def watch(self, each_look: Callable[[], None]) -> str | None:
        """Wait for SIGINT, SIGTERM or the end of a child, which is then named; look every quarter of a second."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stopping.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self.stopping.wait(_LOOK_SECONDS):
                gone = self.ended()
                if gone is not None:
                    return gone
                each_look()
            return None
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def end(self) -> None:
        """End all children: politely first, after 15 seconds at once."""
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
