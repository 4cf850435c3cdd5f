# Security: passwords are hashed here and nowhere else (tests/signin/test_hashing.py).
"""Argon2id in a bounded pool: the rest of the product stays quick while many people sign in.

Each hash takes 19 MiB and 20 ms of a core by default (OWASP), so no more run at once than there are cores, and
no more wait than can be answered in a few seconds: beyond that the answer is `Overloaded`, which counts nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

_MOST_WAITING_PER_THREAD: Final = 40
_SALT_BYTES: Final = 16
_NICENESS: Final = 5
MOST_TYPED_BYTES: Final = 4096
"""Four times what a password may have: normalising much longer texts takes seconds, and no password is that long."""

P = ParamSpec("P")
T = TypeVar("T")


class Overloaded(Exception):
    """So many passwords wait to be checked that this one would wait too long: it was not checked."""


class PasswordHasher:
    """Hashes and verifies passwords (argon2id, PHC strings)."""

    def __init__(self, memory_kib: int = 19456, time_cost: int = 2, threads: int | None = None) -> None:
        """Make the pool; nothing is hashed until it is asked for, but the dummy on first use."""
        self._argon2: Final = Argon2(time_cost=time_cost, memory_cost=memory_kib, parallelism=1, salt_len=_SALT_BYTES)
        self._threads: Final = threads or max(1, os.cpu_count() or 1)
        self._pool: Final = ThreadPoolExecutor(self._threads, "argon2", initializer=_step_back)
        self._waiting = 0
        self._dummy: str | None = None

    def hash_now(self, password: str) -> str:
        """Hash on this thread: for the command line."""
        return self._argon2.hash(prepared(password))

    async def hash(self, password: str) -> str:
        """Hash in the pool. Raises Overloaded."""
        return await self._run(self.hash_now, password)

    async def verify(self, phc: str | None, password: str) -> bool:
        """Verify in the pool; without a hash a dummy of the same cost is verified, and the answer is no.

        Raises:
            Overloaded: too many wait already.
        """
        return await self._run(self._verify_now, phc, password)

    def is_outdated(self, phc: str) -> bool:
        """Tell whether a hash was made with other parameters than now: it is made anew at the next sign-in."""
        try:
            return self._argon2.check_needs_rehash(phc)
        except InvalidHashError:
            return True

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify_now(self, phc: str | None, password: str) -> bool:
        if self._dummy is None:
            self._dummy = self._argon2.hash("nobody has this password")
        octets = password.encode("utf-8", "surrogatepass")
        is_possible = phc is not None and len(octets) <= MOST_TYPED_BYTES
        try:
            self._argon2.verify(phc or self._dummy, prepared(password) if is_possible else octets[:MOST_TYPED_BYTES])
        except (VerificationError, InvalidHashError):
            return False
        return is_possible

    async def _run(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        if self._waiting >= self._threads * _MOST_WAITING_PER_THREAD:
            raise Overloaded
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*arguments, **named))
        finally:
            self._waiting -= 1


def prepared(password: str) -> bytes:
    """Turn a password into the octets that are hashed: NFC (63B §3.1.1.2), whole, NUL included."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _step_back() -> None:
    """Let a hashing thread give way to the event loop, whose pages are short and waited for.

    Linux counts niceness by thread. Without it the portal's pages wait behind the hashes on a busy machine:
    p99 was several times as long in the same run (`python -m bench`).
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a sandbox may forbid it; then all threads are alike
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
