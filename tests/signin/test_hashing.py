"""Argon2id in a bounded pool (PW-03, PW-05, PW-08, PW-09)."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from doorward.signin.hashing import Overloaded, PasswordHasher
from support.door import Door


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    made = PasswordHasher(memory_kib=64, time_cost=1, threads=1)
    yield made
    made.close()


def test_pw08_pw09_the_defaults_are_argon2id_with_19_mib_two_passes_and_16_bytes_of_salt() -> None:
    made = PasswordHasher()
    first, second = made.hash_now("x"), made.hash_now("x")
    made.close()
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert len(first.split("$")[4]) == 22
    assert first != second


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts niceness by thread")
async def test_the_hashing_threads_give_way_to_the_event_loop(hasher: PasswordHasher) -> None:
    await hasher.hash("x")
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    hashing = [thread.native_id for thread in threading.enumerate() if thread.name.startswith("argon2")]
    assert hashing
    assert all(os.getpriority(os.PRIO_PROCESS, thread) > own for thread in hashing if thread is not None)


async def test_pw03_the_same_password_in_either_unicode_form_is_right(hasher: PasswordHasher) -> None:
    phc = await hasher.hash("cafe\u0301 au lait")
    assert await hasher.verify(phc, "caf\u00e9 au lait")


@pytest.mark.parametrize("password", ["a\0b", "x" * 73 + "y", "x" * 1023 + "y", "🦦" * 200, "\udcff"])
async def test_pw05_the_whole_password_counts(hasher: PasswordHasher, password: str) -> None:
    phc = await hasher.hash(password)
    assert await hasher.verify(phc, password)
    assert not await hasher.verify(phc, password[:-1])
    assert not await hasher.verify(phc, password + "x")


async def test_pw05_nothing_after_a_nul_is_lost(hasher: PasswordHasher) -> None:
    assert not await hasher.verify(await hasher.hash("a\0b"), "a\0c")


async def test_nobodys_password_is_never_right_not_even_the_dummys(hasher: PasswordHasher) -> None:
    assert not await hasher.verify(None, "nobody has this password")
    assert not await hasher.verify("not a hash", "x")


async def test_pw02_a_huge_text_costs_no_more_than_a_password(hasher: PasswordHasher) -> None:
    phc = await hasher.hash("x")
    began = time.monotonic()
    assert not await hasher.verify(phc, "a" + "\u0315\u0300\u05ae" * 100_000)
    assert not await hasher.verify(None, "a" + "\u0315\u0300\u05ae" * 100_000)
    assert time.monotonic() - began < 0.5


async def test_pw09_beyond_what_can_be_answered_soon_it_is_overloaded_and_recovers(hasher: PasswordHasher) -> None:
    phc = await hasher.hash("x")
    answers = await asyncio.gather(*(hasher.verify(phc, "x") for _ in range(100)), return_exceptions=True)
    assert answers.count(True) == 40
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 60
    assert await hasher.verify(phc, "x")


def test_pw09_what_was_not_checked_is_not_counted(door: Door) -> None:
    alice = door.person("alice")

    async def overloaded(_phc: str | None, _password: str) -> bool:
        raise Overloaded

    verify, door.means.hasher.verify = door.means.hasher.verify, overloaded
    for _ in range(20):
        visitor = door.visitor()
        door.password(visitor, door.begin(visitor, "alice"))
    door.means.hasher.verify = verify
    row = door.counter(f"account:{alice.id}")
    assert row is not None
    assert row["password_claimed"] == 0
    door.sign_in(door.visitor(), alice)


def test_pw08_a_hash_of_other_parameters_is_outdated(hasher: PasswordHasher) -> None:
    other = PasswordHasher(memory_kib=128, time_cost=1, threads=1)
    assert not hasher.is_outdated(hasher.hash_now("x"))
    assert hasher.is_outdated(other.hash_now("x"))
    assert hasher.is_outdated("not a hash")
    other.close()
