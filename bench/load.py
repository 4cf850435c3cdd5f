"""The load generator, a process of its own: `python -m bench.load FILE` reads a plan and writes JSON in its place.

Closed loop: each connection sends its next request when the answer came. Open loop (`per_second`): requests start on
time whatever the server does, and waiting counts. It only ever talks to loopback, and ends by count or by time.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import cast

import uvloop

from bench.talk import HOST


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send. With `once`, each request is sent once at most (a code is right once); else they come round."""

    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    once: bool = False
    per_second: float | None = None
    warm: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a plan: latencies in milliseconds as they came, and how often each status was answered."""

    requests: int
    seconds: float
    p50: float
    p99: float
    statuses: dict[str, int]
    generator_cpu_share: float
    latencies: list[float] = field(repr=False)

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class _Run:
    """The requests still to be sent, and what was measured."""

    requests: Iterator[bytes]
    ends: float
    latencies: list[float] = field(default_factory=list[float])
    statuses: Counter[str] = field(default_factory=Counter[str])
    closed: int = 0


class _Connection(asyncio.Protocol):
    """One kept connection in the closed loop. Reads no more of an answer than its status and where it ends."""

    def __init__(self, run: _Run, done: asyncio.Future[None]) -> None:
        self.run = run
        self.done = done
        self.buffer = b""
        self.needed = -1
        self.started = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.next()

    def next(self) -> None:
        """Send the next request, or end."""
        now = time.perf_counter()
        request = next(self.run.requests, None) if now < self.run.ends else None
        if request is None or self.transport is None:
            if not self.done.done():
                self.done.set_result(None)
            return
        self.started = now
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        if self.needed < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.needed = end + 4 + _content_length(self.buffer[:end])
        if len(self.buffer) < self.needed:
            return
        self.run.latencies.append(time.perf_counter() - self.started)
        self.run.statuses[self.buffer[9:12].decode("ascii")] += 1
        self.buffer, self.needed = b"", -1
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.run.closed += 1
        if not self.done.done():
            self.done.set_result(None)


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at < 0:
        return 0
    end = lower.find(b"\r\n", at)
    return int(lower[at + 15 : end if end >= 0 else len(lower)])


async def closed_loop(plan: Plan, requests: Iterator[bytes], seconds: float) -> tuple[_Run, float]:
    """Send on all connections at once until time or requests are used up."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    run = _Run(requests, started + seconds)
    waits: list[asyncio.Future[None]] = []
    transports: list[asyncio.BaseTransport] = []
    for _ in range(plan.connections):
        done = loop.create_future()
        transport, _protocol = await loop.create_connection(lambda done=done: _Connection(run, done), HOST, plan.port)
        waits.append(done)
        transports.append(transport)
    await asyncio.gather(*waits)
    took = time.perf_counter() - started
    for transport in transports:
        transport.close()
    return run, took


async def open_loop(plan: Plan, per_second: float) -> tuple[_Run, float]:
    """Start requests on time, each on a free connection; the wait for one counts."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(plan.connections):
        free.put_nowait(await asyncio.open_connection(HOST, plan.port))
    run = _Run(cycle(plan.requests), 0.0)
    started = time.perf_counter()

    async def one(due: float) -> None:
        reader, writer = await free.get()
        writer.write(next(run.requests))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_content_length(head[:-4]))
        run.latencies.append(time.perf_counter() - due)
        run.statuses[head[9:12].decode("ascii")] += 1
        free.put_nowait((reader, writer))

    async with asyncio.TaskGroup() as tasks:
        for number in range(int(plan.seconds * per_second)):
            due = started + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(one(due))
    took = time.perf_counter() - started
    while not free.empty():
        free.get_nowait()[1].close()
    return run, took


async def measure(plan: Plan) -> Measured:
    """Carry a plan out; the first requests (`warm`) are sent before and not counted."""
    requests = iter(plan.requests) if plan.once else cycle(plan.requests)
    if plan.warm:
        await closed_loop(plan, islice(requests, plan.warm), plan.seconds)
    before = _cpu_seconds()
    if plan.per_second is not None:
        run, took = await open_loop(plan, plan.per_second)
    else:
        run, took = await closed_loop(plan, requests, plan.seconds)
    latencies = [seconds * 1000 for seconds in run.latencies]
    ordered = sorted(latencies)
    statuses = dict(run.statuses)
    if run.closed:
        statuses["closed"] = run.closed
    return Measured(
        requests=len(latencies),
        seconds=took,
        p50=percentile(ordered, 50),
        p99=percentile(ordered, 99),
        statuses=statuses,
        generator_cpu_share=(_cpu_seconds() - before) / took,
        latencies=latencies,
    )


def percentile(ordered: list[float], percent: int) -> float:
    """Give a percentile of values in order (nearest rank)."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Carry out the plan of a file that `bench` wrote."""
    plan = cast("Plan", pickle.loads(Path(sys.argv[1]).read_bytes()))  # noqa: S301 - our own file, of this run
    measured = uvloop.run(measure(plan))
    told = json.dumps({name: cast("object", getattr(measured, name)) for name in Measured.__slots__})
    Path(sys.argv[1]).write_text(told, "utf-8")


if __name__ == "__main__":
    main()
