"""Each thing that the bench measures, as one function."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from pydantic import BaseModel

from bench import acme, journeys, table
from bench.launches import launches
from bench.load import Plan
from bench.processes import (
    Cost,
    Served,
    answers,
    cost,
    environment,
    finish_generator,
    free_port,
    serving,
    start_generator,
)
from bench.talk import Talker

CONNECTIONS = 16
_PASSWORDS_AT_ONCE = 8
_STARTS = 5
_TURNS = 4
_PORTAL_PER_SECOND = 40.0


class Argon(BaseModel):
    """What bench/argon.py prints."""

    per_second: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Scale:
    """How long and how many."""

    seconds: float
    sign_ins: int
    timed_names: int


@dataclass(frozen=True, slots=True)
class Floors:
    """The floors of one number of workers."""

    bare: Cost
    lookup: Cost
    insert: Cost
    saml1: Cost
    saml2: Cost

    def rows(self, workers: int) -> list[table.Row]:
        """Write them for the table."""
        named = (
            ("floor: bare route", self.bare),
            ("floor: with one look-up", self.lookup),
            ("floor: look-up and committed insert (least OIDC launch)", self.insert),
            ("floor: look-up and Response signed once", self.saml1),
            ("floor: look-up and Response signed twice (least SAML launch)", self.saml2),
        )
        return [table.Row(name, workers, measured) for name, measured in named]


@dataclass(frozen=True, slots=True)
class Ours:
    """What was measured of Doorward with one number of workers."""

    rows: list[table.Row]
    password: Cost
    oidc: Cost
    saml: Cost
    portal_p99: float


def argon(threads: int, seconds: float) -> Argon:
    """Measure argon2id alone."""
    out = subprocess.run(
        [sys.executable, "-m", "bench.argon", str(threads), str(seconds)],
        check=True,
        stdout=subprocess.PIPE,
        env=environment(),
    ).stdout
    return Argon.model_validate_json(out)


def serve_arguments(data: Path, port: int, workers: int) -> list[str]:
    """Write the command line of the product's server."""
    return ["-m", "doorward", "serve", "--data", str(data), "--port", str(port), "--workers", str(workers)]


def both(
    folder: Path, handles: list[str], somebody: list[acme.Someone], workers: int, scale: Scale
) -> tuple[Floors, Ours]:
    """Measure the floors and Doorward side by side."""
    floor_port, port = free_port(), free_port()
    floor_arguments = ["-m", "bench.floor", str(folder / "floor.db"), str(floor_port), str(workers)]
    with (
        serving(floor_arguments, floor_port, "/bare", folder) as floor_server,
        serving(serve_arguments(folder / "data", port, workers), port, "/healthz", folder) as server,
    ):
        sleep(3)  # the rooms that load behind the start are there
        authority = f"localhost:{port}"
        arrive = journeys.arrive(port, authority)
        signed_in = asyncio.run(_signed_in(arrive, somebody[:CONNECTIONS]))
        asked = launches(authority)
        paths = {"portal": "/", "oidc": asked.oidc, "saml": asked.saml, "saml_asked": asked.saml_asked}
        floor_of = [Talker(floor_port, f"localhost:{floor_port}", {"session": handle}) for handle in handles]
        todo = {name: (floor_server, [one.get(f"/{name}") for one in floor_of]) for name in Floors.__slots__}
        todo["login"] = (server, [Talker(port, authority).get("/login")])
        todo |= {name: (server, [one.get(path) for one in signed_in]) for name, path in paths.items()}
        best = _in_turns(todo, scale.seconds)
        least = Floors(*(best[name] for name in Floors.__slots__))
        password, code = _sign_ins(server, arrive, somebody[CONNECTIONS:], scale)
        rows = [
            table.Row("sign-in page", workers, best["login"], least.lookup),
            table.Row("portal home", workers, best["portal"], least.lookup),
            table.Row("password sign-in", workers, password),
            table.Row("code check", workers, code, least.insert),
            table.Row("OIDC launch", workers, best["oidc"], least.insert),
            table.Row("SAML launch, from the portal", workers, best["saml"], least.saml2),
            table.Row("SAML launch, asked for by the application", workers, best["saml_asked"], least.saml2),
        ]
        portal_p99 = _portal_meanwhile(port, arrive, signed_in, somebody[CONNECTIONS:], scale)
        return least, Ours(rows, password, best["oidc"], best["saml"], portal_p99)


def _in_turns(todo: Mapping[str, tuple[Served, list[bytes]]], seconds: float) -> dict[str, Cost]:
    """Measure each kind several times in turns, and keep its cheapest turn: what else runs here only ever adds."""
    best: dict[str, Cost] = {}
    for turn in range(_TURNS):
        for name, (server, requests) in todo.items():
            plan = Plan(server.port, requests, CONNECTIONS, seconds / _TURNS, warm=100 if turn == 0 else 0)
            found = cost(server, plan)
            best[name] = min(found, best.get(name, found), key=lambda one: one.cpu_ms)
    return best


async def _signed_in(arrive: journeys.Arrive, somebody: list[acme.Someone]) -> list[Talker]:
    return await journeys.at_once(journeys.sign_in, await journeys.at_once(arrive, somebody))


def _sign_ins(server: Served, arrive: journeys.Arrive, somebody: list[acme.Someone], scale: Scale) -> tuple[Cost, Cost]:
    """Measure passwords, then the codes of those who gave them: each is right once."""
    arrivals = asyncio.run(journeys.at_once(arrive, somebody[: scale.sign_ins]))
    plan = Plan(server.port, [one.password() for one in arrivals], _PASSWORDS_AT_ONCE, 60, once=True)
    password = cost(server, plan)
    asyncio.run(journeys.at_once(journeys.choose, arrivals))
    code = cost(server, Plan(server.port, [one.code() for one in arrivals], CONNECTIONS, 60, once=True))
    return password, code


def _portal_meanwhile(
    port: int, arrive: journeys.Arrive, signed_in: list[Talker], somebody: list[acme.Someone], scale: Scale
) -> float:
    """Measure the portal's pages while passwords keep both cores busy; milliseconds at p99."""
    arrivals = asyncio.run(journeys.at_once(arrive, somebody[: scale.sign_ins]))
    passwords = Plan(port, [one.password() for one in arrivals], _PASSWORDS_AT_ONCE, scale.seconds + 2, once=True)
    portal = Plan(port, [one.get("/") for one in signed_in], CONNECTIONS, scale.seconds, per_second=_PORTAL_PER_SECOND)
    busy = start_generator(passwords)
    sleep(0.5)
    measured = finish_generator(*start_generator(portal))
    finish_generator(*busy)
    return measured.p99


def names_by_time(folder: Path, somebody: list[acme.Someone], scale: Scale) -> tuple[float, float]:
    """Measure wrong passwords of known and unknown names in turns; give both medians in milliseconds."""
    port = free_port()
    with serving(serve_arguments(folder / "data", port, 1), port, "/healthz", folder) as server:
        sleep(3)
        known = somebody[: scale.timed_names]
        unknown = [acme.Someone(one.username.replace("person", "nobody"), b"") for one in known]
        in_turns = [one for pair in zip(known, unknown, strict=True) for one in pair]
        arrivals = asyncio.run(journeys.at_once(journeys.arrive(port, f"localhost:{port}"), in_turns))
        requests = [one.password("this is not the password") for one in arrivals]
        measured = cost(server, Plan(port, requests, 1, 300, once=True)).measured
        return median(measured.latencies[0::2]), median(measured.latencies[1::2])


def idle_memory(folder: Path) -> float:
    """Measure the memory of a server that nobody asks anything, in MiB."""
    port = free_port()
    with serving(serve_arguments(folder / "data", port, 1), port, "/login", folder) as server:
        sleep(5)
        return server.memory_mib()


def start_seconds(folder: Path) -> float:
    """Measure from the command to the first answered sign-in page; the median of several starts."""
    took: list[float] = []
    for _ in range(_STARTS):
        port = free_port()
        started = monotonic()
        with serving(serve_arguments(folder / "data", port, 1), port, "/login", folder):
            took.append(monotonic() - started)
            if not answers(port, "/login"):
                raise RuntimeError("the server answered once and then no more")
    return median(took)
