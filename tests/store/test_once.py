"""Claim, judge, give back: at most the allowed number, on both databases (SIGNIN 'Attempts', LK-04, LK-10)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Connection, select

from doorward.clock import HOUR, MINUTE, NEVER, SECOND
from doorward.store import once, schema
from doorward.store.once import Claim, Counted, InFlight, Kind, Paused, Waiting
from support.clocks import START
from support.store import Store

TABLE = schema.PERSON.counters
KEY = "account:1"


@dataclass(frozen=True, slots=True)
class Rule:
    attempts: int = 3
    pauses: bool = True
    unlock_after: int = 15 * MINUTE
    reset_after: int = 30 * MINUTE


RULE = Rule()
OFF = Rule(pauses=False)


@dataclass(slots=True)
class Counter:
    """One counter; each call is one committed unit of work."""

    store: Store
    rule: Rule = RULE
    kind: Kind = Kind.PASSWORD
    now: int = START

    def claim(self, *, bounded: bool = True) -> Claim | Paused | Waiting | InFlight:
        return self.store.write(
            lambda c: once.claim_guess(c, TABLE, KEY, self.kind, self.rule, self.now, bounded=bounded)
        )

    def taken(self, *, bounded: bool = True) -> Claim:
        claim = self.claim(bounded=bounded)
        assert isinstance(claim, Claim), claim
        return claim

    def wrong(self, claim: Claim) -> Counted:
        return self.store.write(lambda c: once.judge_wrong(c, TABLE, claim, self.rule, self.now))

    def back(self, claim: Claim) -> None:
        self.store.write(lambda c: once.give_back(c, TABLE, claim))

    def fail(self, times: int = 1) -> Counted:
        counted = Counted(0, 0)
        for _ in range(times):
            counted = self.wrong(self.taken())
        return counted

    def clear(self, keep_pause_at: int | None = None) -> None:
        self.store.write(lambda c: once.clear_counter(c, TABLE, KEY, keep_pause_at=keep_pause_at))


@pytest.fixture
def counter(store: Store) -> Counter:
    return Counter(store)


def test_the_pause_starts_when_the_last_allowed_guess_has_failed(counter: Counter) -> None:
    assert counter.fail() == Counted(1, 0)
    assert counter.fail() == Counted(2, 0)
    assert counter.fail() == Counted(3, START + 15 * MINUTE)
    assert counter.claim() == Paused(START + 15 * MINUTE)


def test_claims_in_flight_fill_the_limit_and_the_answer_is_not_checked_not_counted(counter: Counter) -> None:
    claims = [counter.taken() for _ in range(3)]
    assert counter.claim() == InFlight()
    counter.back(claims[0])
    again = counter.taken()
    assert counter.claim() == InFlight()
    assert [counter.wrong(claim).paused_until for claim in (claims[1], claims[2], again)] == [
        0,
        0,
        START + 15 * MINUTE,
    ]


def test_a_right_guess_is_given_back_and_was_never_counted(counter: Counter) -> None:
    for _ in range(20):
        counter.back(counter.taken())
    assert counter.fail(3).failed == 3


def test_both_kinds_count_apart_and_a_pause_of_either_holds_for_both(counter: Counter) -> None:
    counter.fail(2)
    counter.kind = Kind.MFA
    assert counter.fail(2) == Counted(2, 0)
    assert counter.fail().paused_until == START + 15 * MINUTE
    counter.kind = Kind.PASSWORD
    assert counter.claim() == Paused(START + 15 * MINUTE)


def test_the_end_of_a_pause_starts_at_zero_and_voids_old_claims(counter: Counter) -> None:
    counter.fail(2)
    old = counter.taken()
    lane = counter.taken(bounded=False)
    counter.wrong(old)
    counter.now += 15 * MINUTE - 1
    assert isinstance(counter.claim(), Paused)
    counter.now += 1
    fresh = counter.taken()
    assert counter.wrong(lane) == Counted(0, 0)
    counter.back(old)
    assert counter.wrong(fresh) == Counted(1, 0)
    assert counter.fail(2) == Counted(3, counter.now + 15 * MINUTE)


def test_with_no_timer_only_clearing_ends_a_pause(counter: Counter) -> None:
    counter.rule = replace(RULE, unlock_after=0)
    assert counter.fail(3) == Counted(3, NEVER)
    counter.now += 400 * 24 * HOUR
    assert counter.claim() == Paused(NEVER)
    counter.clear()
    counter.taken()


def test_clearing_starts_a_new_generation_and_old_claims_are_void(counter: Counter) -> None:
    old = [counter.taken() for _ in range(3)]
    counter.clear()
    assert counter.wrong(old[0]) == Counted(0, 0)
    counter.back(old[1])
    assert counter.fail(2) == Counted(2, 0)
    assert counter.fail().paused_until > 0


def test_clearing_after_a_success_leaves_a_running_pause_alone(counter: Counter) -> None:
    counter.fail(3)
    counter.clear(keep_pause_at=counter.now)
    assert isinstance(counter.claim(), Paused)


def test_a_claim_lost_in_a_crash_stays_counted(counter: Counter) -> None:
    for _ in range(3):
        counter.taken()
    counter.now += 30 * SECOND - 1
    assert counter.claim() == InFlight()
    counter.now += 1
    assert counter.claim() == Paused(counter.now + 15 * MINUTE)


def test_a_lost_claim_and_failures_fill_the_limit_together(counter: Counter) -> None:
    counter.taken()
    counter.fail(2)
    counter.now += 31 * SECOND
    assert isinstance(counter.claim(), Paused)


def test_a_late_answer_to_a_lost_claim_gives_no_guess_more(counter: Counter) -> None:
    late = [counter.taken() for _ in range(3)]
    counter.now += 31 * SECOND
    assert isinstance(counter.claim(), Paused)
    for claim in late:
        counter.back(claim)
    assert isinstance(counter.claim(), Paused)


def test_failures_are_forgotten_after_the_time_without_one(counter: Counter) -> None:
    counter.fail(2)
    counter.now += 30 * MINUTE - 1
    claim = counter.taken()
    counter.back(claim)
    counter.now += 1
    assert counter.fail(2) == Counted(2, 0)


def test_a_guess_that_is_given_back_is_no_failure_that_keeps_the_count(counter: Counter) -> None:
    counter.fail(2)
    for _ in range(6):
        counter.now += 5 * MINUTE
        counter.back(counter.taken())
    assert counter.fail() == Counted(1, 0)


def test_a_lost_claim_is_forgotten_only_by_the_time_after_it(counter: Counter) -> None:
    counter.fail(1)
    counter.now += 29 * MINUTE
    counter.taken()
    counter.now += 2 * MINUTE
    # The failure is older than the time, the lost claim is not: both still count.
    counter.fail(1)
    counter.now += 31 * SECOND
    assert isinstance(counter.claim(), Paused)


def test_a_lowered_limit_holds_for_what_failed_before(counter: Counter) -> None:
    counter.rule = replace(RULE, attempts=6)
    counter.fail(4)
    counter.rule = replace(RULE, attempts=3)
    assert counter.claim() == Paused(START + 15 * MINUTE)


def test_a_raised_limit_allows_what_it_says(counter: Counter) -> None:
    counter.fail(2)
    counter.rule = replace(RULE, attempts=5)
    assert counter.fail(3) == Counted(5, START + 15 * MINUTE)


def test_a_limit_of_one_pauses_at_the_first_failure(counter: Counter) -> None:
    counter.rule = replace(RULE, attempts=1)
    assert counter.fail() == Counted(1, START + 15 * MINUTE)


# ------------------------------------------------------------------------------ counting switched off


@pytest.mark.parametrize("limit", [1, 3])
def test_lk03_with_counting_off_tries_beyond_the_limit_wait_doubling_up_to_an_hour(
    counter: Counter, limit: int
) -> None:
    counter.rule = replace(OFF, attempts=limit, reset_after=24 * HOUR)
    counter.fail(limit)
    waits = [min(2**n, 3600) for n in range(15)]
    for seconds in waits:
        assert counter.claim() == Waiting(counter.now + seconds * SECOND)
        counter.now += seconds * SECOND - 1
        assert isinstance(counter.claim(), Waiting)
        counter.now += 1
        assert counter.fail().paused_until == 0


def test_with_counting_off_only_one_parallel_try_is_judged_beyond_the_limit(counter: Counter) -> None:
    counter.rule = OFF
    counter.fail(3)
    counter.now += SECOND
    counter.taken()
    assert [type(counter.claim()) for _ in range(5)] == [Waiting] * 5


def test_with_counting_off_a_right_try_opens_the_door_again(counter: Counter) -> None:
    counter.rule = OFF
    counter.fail(3)
    counter.now += SECOND
    counter.back(counter.taken())
    counter.taken()


def test_switching_counting_on_pauses_what_is_beyond_the_limit(counter: Counter) -> None:
    counter.rule = OFF
    counter.fail(3)
    counter.rule = RULE
    assert isinstance(counter.claim(), Paused)


def test_switching_counting_off_does_not_end_a_pause(counter: Counter) -> None:
    counter.fail(3)
    counter.rule = OFF
    assert isinstance(counter.claim(), Paused)


# ---------------------------------------------------------------- the common counter under a known browser


def test_a_known_browsers_failure_counts_in_common_and_is_not_bounded_by_it(counter: Counter) -> None:
    counter.fail(3)
    lane = counter.taken(bounded=False)
    assert counter.wrong(lane) == Counted(4, START + 15 * MINUTE)
    for _ in range(2):
        counter.back(counter.taken(bounded=False))
    assert isinstance(counter.claim(), Paused)


def test_failures_of_a_known_browser_start_the_common_pause(counter: Counter) -> None:
    for _ in range(3):
        counter.wrong(counter.taken(bounded=False))
    assert counter.claim() == Paused(START + 15 * MINUTE)


def test_with_counting_off_a_known_browsers_right_password_opens_no_door_for_others(counter: Counter) -> None:
    counter.rule = OFF
    counter.fail(3)
    counter.back(counter.taken(bounded=False))
    assert isinstance(counter.claim(), Waiting)


def test_with_counting_off_a_known_browsers_failure_lets_others_wait(counter: Counter) -> None:
    counter.rule = OFF
    for _ in range(3):
        counter.wrong(counter.taken(bounded=False))
    assert isinstance(counter.claim(), Waiting)


# ------------------------------------------------------------------------------------ address windows


def test_lk08_an_address_has_a_window_and_a_limit(store: Store) -> None:
    def claim(now: int, limit: int = 3) -> int | None:
        return store.write(lambda c: once.claim_address(c, "a:192.0.2.1/32", limit, 10 * MINUTE, now))

    ends = START + 10 * MINUTE
    assert [claim(START), claim(START + 1), claim(START + 2), claim(START + 3)] == [ends, ends, ends, None]
    assert store.read(lambda c: once.address_opens_at(c, "a:192.0.2.1/32")) == ends
    store.write(lambda c: once.give_back_address(c, "a:192.0.2.1/32", ends))
    assert claim(START + 4) == ends
    assert claim(ends - 1) is None
    assert claim(ends) == ends + 10 * MINUTE
    # What was claimed in the window before is not given back into this one.
    store.write(lambda c: once.give_back_address(c, "a:192.0.2.1/32", ends))
    assert [claim(ends + 1), claim(ends + 2), claim(ends + 3)] == [ends + 10 * MINUTE, ends + 10 * MINUTE, None]


def test_nothing_of_a_counter_goes_below_zero(counter: Counter) -> None:
    claim = counter.taken()
    for _ in range(3):
        counter.back(claim)

    def read(connection: Connection) -> tuple[int, int]:
        c = TABLE.c
        row = connection.execute(select(c.password_claimed, c.password_failed)).one()
        return row[0], row[1]

    assert counter.store.read(read) == (0, 0)
    counter.fail(3)
    counter.back(claim)
    assert counter.store.read(read) == (3, 3)
