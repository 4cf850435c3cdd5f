"""The floor of a password: argon2id alone, on threads of one process. `python -m bench.argon THREADS SECONDS`."""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

MEMORY_KIB = 19456
TIME_COST = 2


def hasher() -> PasswordHasher:
    """Give the library with the product's defaults."""
    return PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=1)


def main() -> None:
    """Verify one hash over and over, and print how often and at which price."""
    threads, seconds = int(sys.argv[1]), float(sys.argv[2])
    argon = hasher()
    phc = argon.hash("correct horse battery staple")
    argon.verify(phc, "correct horse battery staple")
    ends = time.perf_counter() + seconds

    def verify() -> int:
        count = 0
        while time.perf_counter() < ends:
            argon.verify(phc, "correct horse battery staple")
            count += 1
        return count

    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(future.result() for future in [pool.submit(verify) for _ in range(threads)])
    took = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"per_second": done / took, "cpu_ms": used * 1000 / done}))


if __name__ == "__main__":
    main()
