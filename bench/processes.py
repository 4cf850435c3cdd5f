"""Servers that are measured: started, their CPU time and memory read from /proc, ended."""

from __future__ import annotations

import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter

from bench.load import Measured, Plan
from bench.talk import HOST

_TICK = os.sysconf("SC_CLK_TCK")
_PATIENCE_SECONDS = 30


_TOLD = TypeAdapter(Measured)


@dataclass(frozen=True, slots=True)
class Served:
    """A running server. `cpu_seconds` and `memory` count its whole tree of processes."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def tree(self) -> list[int]:
        """Give the ids of the server's processes."""
        children: dict[int, list[int]] = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                children.setdefault(parent, []).append(int(folder.name))
        found: list[int] = []
        waiting = [self.process.pid]
        while waiting:
            one = waiting.pop()
            found.append(one)
            waiting += children.get(one, [])
        return found

    def cpu_seconds(self) -> float:
        """Sum what all processes used, in user and kernel mode."""
        total = 0
        for pid in self.tree():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / _TICK

    def memory_mib(self) -> float:
        """Sum the proportional set sizes of all processes, in MiB."""
        total = 0
        for pid in self.tree():
            match = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(match[1]) if match else 0
        return total / 1024


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return cast("tuple[str, int]", probe.getsockname())[1]


def environment() -> dict[str, str]:
    """Give an environment without settings of a deployment, in which bytecode is kept."""
    left_out = ("DOORWARD_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def answers(port: int, path: str) -> bool:
    """Tell whether a server gives a whole answer to a GET."""
    try:
        with socket.create_connection((HOST, port), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
            return connection.recv(12).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@contextmanager
def serving(arguments: Sequence[str], port: int, path: str, folder: Path) -> Generator[Served]:
    """Run a server until the block ends."""
    log = folder / f"server-{port}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment()
        )
    try:
        ends = time.monotonic() + _PATIENCE_SECONDS
        while not answers(port, path):
            if process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError(f"the server did not come up:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.005)
        yield Served(process, port, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def start_generator(plan: Plan) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a generator for a plan; `finish_generator` gives what it measured."""
    handle, name = tempfile.mkstemp(prefix="doorward-bench-", suffix=".plan")
    with os.fdopen(handle, "wb") as file:
        pickle.dump(plan, file)
    process = subprocess.Popen([sys.executable, "-m", "bench.load", name], env=environment())
    return process, Path(name)


def finish_generator(process: subprocess.Popen[bytes], file: Path) -> Measured:
    """Wait for a generator."""
    try:
        if process.wait() != 0:
            raise RuntimeError(f"the load generator ended with {process.returncode}")
        return _TOLD.validate_json(file.read_bytes())
    finally:
        file.unlink()


@dataclass(frozen=True, slots=True)
class Cost:
    """What was measured of one kind of request, and the server's CPU for each."""

    measured: Measured
    cpu_ms: float


def cost(server: Served, plan: Plan) -> Cost:
    """Carry out a plan from another process, and charge the server's CPU to its requests."""
    if plan.warm:
        warm = replace(plan, requests=plan.requests[: plan.warm], once=True, warm=0)
        finish_generator(*start_generator(warm))
        plan = replace(plan, requests=plan.requests[plan.warm :] if plan.once else plan.requests, warm=0)
    before = server.cpu_seconds()
    measured = finish_generator(*start_generator(plan))
    used = server.cpu_seconds() - before
    return Cost(measured, used * 1000 / max(1, measured.requests))
