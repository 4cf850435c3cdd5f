"""Processes that the tests start: they end with the test run, even when that is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom a process runs."""

    cwd: Path
    log: Path
    environ: Mapping[str, str] | None = None
    user: str | None = None


def start(arguments: Sequence[str | Path], place: Place) -> subprocess.Popen[bytes]:
    """Start a process whose output goes to `place.log`."""
    out: IO[bytes]
    with place.log.open("ab") as out:
        return subprocess.Popen(
            [str(argument) for argument in arguments],
            cwd=place.cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if place.environ is None else place.environ),
            user=place.user,
            group=place.user,
            extra_groups=None if place.user is None else [],
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - no threads hold locks here, and orphans would stay for ever
        )


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 30) -> None:
    """Wait for a process to be ready; a process that ends instead fails the test with its output."""
    ends = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise AssertionError(
                f"the process ended with {process.returncode}:\n{log.read_text(errors='replace')[-4000:]}"
            )
        if time.monotonic() > ends:
            stop(process)
            raise AssertionError(f"the process was not ready in time:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM, seconds: float = 15) -> int:
    """End a process and give its exit code."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait(seconds)
