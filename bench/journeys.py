"""Leading many browsers to the step that is measured; the steps before it are not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

from bench.acme import PASSWORD, Someone
from bench.talk import Answer, Talker

_AT_ONCE = 16

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One browser at a step of its sign-in: `tx` and `csrf` stand in its forms."""

    talker: Talker
    tx: str
    csrf: str
    somebody: Someone

    def form(self, **fields: str) -> dict[str, str]:
        """Fill in the form of the present step."""
        return {"csrf": self.csrf, "tx": self.tx, **fields}

    def password(self, typed: str = PASSWORD) -> bytes:
        """Write the request that gives the password."""
        return self.talker.post("/login/password", self.form(password=typed))

    def code(self) -> bytes:
        """Write the request that gives the present code."""
        return self.talker.post("/login/code", self.form(code=self.somebody.code()))


Arrive: TypeAlias = Callable[[Someone], Awaitable[Arrival]]
"""Leads a browser of somebody to the password page."""


async def at_once(work: Callable[[T], Awaitable[R]], items: Sequence[T]) -> list[R]:
    """Do the same for many, a few at a time."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(item: T) -> R:
        async with gate:
            return await work(item)

    return await asyncio.gather(*(one(item) for item in items))


def arrive(port: int, authority: str) -> Arrive:
    """Lead a browser to the password page."""

    async def lead(somebody: Someone) -> Arrival:
        talker = Talker(port, authority)
        page = expect(await talker.send(talker.get("/login")), 200)
        csrf = _field(page, "csrf")
        given = expect(await talker.send(talker.post("/login", {"csrf": csrf, "username": somebody.username})), 303)
        tx = parse_qs(urlsplit(given.location).query)["tx"][0]
        await talker.close()
        return Arrival(talker, tx, csrf, somebody)

    return lead


async def choose(arrival: Arrival) -> Arrival:
    """Lead a browser from the right password to the code page."""
    talker = arrival.talker
    expect(await talker.send(talker.post("/login/method", arrival.form(method="totp"))), 303)
    await talker.close()
    return arrival


async def sign_in(arrival: Arrival) -> Talker:
    """Go through a whole sign-in, to a browser with a session."""
    talker = arrival.talker
    expect(await talker.send(arrival.password()), 303)
    await choose(arrival)
    expect(await talker.send(arrival.code()), 303)
    await talker.close()
    return talker


def expect(answer: Answer, status: int) -> Answer:
    """Stop the bench where a step of a journey does not go as it must."""
    if answer.status != status:
        raise RuntimeError(f"answered {answer.status}, not {status}: {answer.headers} {answer.body[:2000]}")
    return answer


def _field(page: Answer, name: str) -> str:
    field = re.search(rf'<input[^>]*name="{name}"[^>]*>', page.body)
    value = None if field is None else re.search(r'value="([^"]+)"', field[0])
    if value is None:
        raise RuntimeError(f"no field {name}: {page.body[:2000]}")
    return value[1]
