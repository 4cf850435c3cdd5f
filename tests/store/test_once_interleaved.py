"""Random interleavings of claim, judge and give back by several workers: never one guess more than allowed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.clock import MINUTE, SECOND
from doorward.store import once, open_database, schema
from doorward.store.once import Claim, Kind
from support.clocks import START

TABLE = schema.PERSON.counters
KEY = "account:1"


@dataclass(frozen=True, slots=True)
class Rule:
    attempts: int
    pauses: bool = True
    unlock_after: int = 5 * MINUTE
    reset_after: int = 10 * MINUTE


STEPS = st.one_of(
    st.tuples(st.just("claim"), st.integers(0, 3)),
    st.tuples(st.just("wrong"), st.integers(0, 3)),
    st.tuples(st.just("right"), st.integers(0, 3)),
    st.tuples(st.just("die"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.sampled_from([1, 10 * SECOND, 31 * SECOND, 5 * MINUTE, 10 * MINUTE])),
    st.tuples(st.just("unlock"), st.just(0)),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 4), steps=st.lists(STEPS, max_size=60))
def test_lk10_at_most_the_limit_is_judged_wrong_between_two_generations(
    migrated_sqlite: Path, limit: int, steps: list[tuple[str, int]]
) -> None:
    """Four workers with a connection each; a worker that dies loses its claim, which stays counted."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        path = Path(folder) / "doorward.db"
        shutil.copyfile(migrated_sqlite, path)
        workers = [open_database(f"sqlite:///{path}") for _ in range(4)]
        held: dict[int, list[Claim]] = defaultdict(list)
        judged: dict[int, int] = defaultdict(int)
        lost: dict[int, int] = defaultdict(int)
        now, rule = START, Rule(limit)
        for what, which in steps:
            database = workers[which % 4]
            if what == "claim":
                taken = runner.run(
                    database.write(
                        lambda c, now=now: once.claim_guess(c, TABLE, KEY, Kind.PASSWORD, rule, now), durable=False
                    )
                )
                if isinstance(taken, Claim):
                    held[which].append(taken)
            elif what == "wait":
                now += which
            elif what == "unlock":
                runner.run(database.write(lambda c: once.clear_counter(c, TABLE, KEY), durable=False))
            elif held[which]:
                claim = held[which].pop()
                if what == "wrong":
                    judged[claim.generation] += 1
                    runner.run(
                        database.write(
                            lambda c, claim=claim, now=now: once.judge_wrong(c, TABLE, claim, rule, now), durable=False
                        )
                    )
                elif what == "right":
                    runner.run(database.write(lambda c, claim=claim: once.give_back(c, TABLE, claim), durable=False))
                else:
                    lost[claim.generation] += 1
            for generation in judged.keys() | lost.keys():
                assert judged[generation] + lost[generation] <= limit
        for database in workers:
            runner.run(database.close())
