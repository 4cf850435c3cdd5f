"""Authenticator apps as stored: used once, counted as SIGNIN 'Codes' says, closed after a hundred (TO-04, LK-01)."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select, update

from doorward.clock import DAY, MINUTE, SECOND
from doorward.signin import Audience, Method, accounts
from doorward.signin.answers import Answer, Held, Shown
from doorward.signin.effects import SignedIn
from doorward.signin.factors import authenticator, totp
from doorward.signin.flow import Said, Stage
from doorward.store import schema
from support.door import LOCAL, SYSTEM, Door, Somebody


def said(answer: Answer) -> Said | None:
    assert isinstance(answer, Shown), answer
    return answer.said


def failures(door: Door, who: Somebody) -> list[int]:
    c = who.audience.tables.totp.c
    return sorted(door.read(lambda k: list(k.execute(select(c.failures).where(c.owner_id == who.id)).scalars())))


def set_failures(door: Door, who: Somebody, count: int) -> None:
    table = who.audience.tables.totp
    door.write(lambda c: c.execute(update(table).where(table.c.owner_id == who.id).values(failures=count)) and None)


def claimed(door: Door, who: Somebody) -> int:
    row = door.counter(f"account:{who.id}")
    assert row is not None
    assert row["mfa_claimed"] == row["mfa_failed"]
    return row["mfa_failed"]


def test_to04_a_code_signs_in_once(door_on_both: Door) -> None:
    door = door_on_both
    alice = door.person("alice")
    door.sign_in(door.visitor(), alice)
    other = door.visitor()
    tx = door.to_code(other, alice)
    assert said(door.code(other, tx, alice.code(door.clock()))) is Said.CODE_USED
    assert claimed(door, alice) == 0
    assert failures(door, alice) == [0]
    door.clock.advance(MINUTE)
    assert isinstance(door.code(other, tx, alice.code(door.clock())), SignedIn)


def test_to04_a_used_code_never_counts_however_old(door: Door) -> None:
    alice = door.person("alice")
    used = []
    for _ in range(4):
        used.append(alice.code(door.clock()))
        door.sign_in(door.visitor(), alice)
        door.clock.advance(MINUTE)
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    for code in used * 3:
        assert said(door.code(visitor, tx, code)) in {Said.CODE_USED, Said.CODE_EXPIRED, Said.CODE_EXPIRED_AGAIN}
    assert claimed(door, alice) == 0
    assert failures(door, alice) == [0]


def test_an_expired_code_counts_once_and_the_second_in_a_row_adds_the_hint(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    old = alice.code(door.clock(), steps=-4)
    assert said(door.code(visitor, tx, old)) is Said.CODE_EXPIRED
    assert claimed(door, alice) == 1
    assert said(door.code(visitor, tx, old)) is Said.CODE_EXPIRED_AGAIN
    assert claimed(door, alice) == 1
    assert said(door.code(visitor, tx, alice.code(door.clock(), steps=-5))) is Said.CODE_EXPIRED_AGAIN
    assert claimed(door, alice) == 2


def test_an_expired_code_that_was_counted_counts_no_more_after_a_success(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    old = alice.code(door.clock(), steps=-3)
    door.code(visitor, tx, old)
    door.code(visitor, tx, alice.code(door.clock()))
    door.clock.advance(MINUTE)
    again = door.visitor()
    tx = door.to_code(again, alice)
    assert said(door.code(again, tx, old)) is Said.CODE_EXPIRED
    assert failures(door, alice) == [0]


def test_wrong_codes_count_and_the_last_three_are_told(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    left = []
    for _ in range(5):
        answer = door.code(visitor, tx, "000000")
        assert isinstance(answer, Shown)
        left.append(answer.attempts_left)
    assert left == [None, None, 3, 2, 1]
    assert isinstance(door.code(visitor, tx, "000000"), Held)


def test_what_cannot_be_a_code_is_told_and_not_counted(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    assert said(door.code(visitor, tx, "12345")) is Said.CODE_MALFORMED
    assert door.counter(f"account:{alice.id}") is None or claimed(door, alice) == 0


def test_a_phone_that_is_two_minutes_late_signs_in_with_its_second_code(door: Door) -> None:
    alice = door.person("alice")
    door.clock.advance(30 * SECOND)
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    assert said(door.code(visitor, tx, alice.code(door.clock(), steps=-2))) is Said.CODE_EXPIRED
    door.clock.advance(MINUTE)
    assert isinstance(door.code(visitor, tx, alice.code(door.clock(), steps=-2)), SignedIn)
    door.clock.advance(MINUTE)
    tx = door.to_code(visitor, alice)
    assert isinstance(door.code(visitor, tx, alice.code(door.clock(), steps=-2)), SignedIn)


def test_a_wrong_code_between_two_of_one_offset_sets_no_drift(door: Door) -> None:
    alice = door.person("alice")
    door.clock.advance(30 * SECOND)
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    door.code(visitor, tx, alice.code(door.clock(), steps=2))
    door.code(visitor, tx, "000000")
    door.clock.advance(MINUTE)
    assert said(door.code(visitor, tx, alice.code(door.clock(), steps=2))) is Said.CODE_WRONG


def test_an_imported_app_keeps_the_period_of_its_first_success(door: Door) -> None:
    alice = door.person("alice", period=None)
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    assert isinstance(door.code(visitor, tx, alice.code(door.clock(), period=30)), SignedIn)
    door.clock.advance(MINUTE)
    tx = door.to_code(visitor, alice)
    assert said(door.code(visitor, tx, alice.code(door.clock(), period=60))) is Said.CODE_WRONG


# ------------------------------------------------------------------------------------ several apps


def second_app(door: Door, who: Somebody) -> Somebody:
    seed = hashlib.sha1(b"second", usedforsecurity=False).digest()
    door.write(lambda c: authenticator.add(c, door.means.vault, who.audience, who.id, seed, 60, door.clock()))
    return Somebody(who.audience, who.id, who.name, seed)


def test_each_of_several_apps_signs_in(door: Door) -> None:
    alice = door.person("alice")
    other = second_app(door, alice)
    door.sign_in(door.visitor(), alice)
    door.sign_in(door.visitor(), other)


def test_lk04_a_right_code_of_one_app_is_no_failure_of_the_other(door: Door) -> None:
    alice = door.person("alice")
    second_app(door, alice)
    for _ in range(3):
        door.sign_in(door.visitor(), alice)
        door.clock.advance(MINUTE)
    assert failures(door, alice) == [0, 0]


# -------------------------------------------------------------------------------- a hundred failures


def test_lk01_a_hundred_failures_close_an_app_for_every_code(door_on_both: Door) -> None:
    door = door_on_both
    alice = door.person("alice")
    set_failures(door, alice, 99)
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    assert said(door.code(visitor, tx, "000000")) is Said.CODE_WRONG
    assert failures(door, alice) == [100]
    assert said(door.code(visitor, tx, alice.code(door.clock()))) is Said.CODE_WRONG
    door.clock.advance(DAY)
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    answer = door.password(visitor, tx)
    assert isinstance(answer, Shown)
    assert answer.transaction.state.stage is Stage.CHOOSE
    assert [held.method for held in answer.factors.held] == [Method.RECOVERY_CODE]


def test_lk01_the_hundredth_guess_may_still_be_right(door: Door) -> None:
    alice = door.person("alice")
    set_failures(door, alice, 99)
    door.sign_in(door.visitor(), alice)
    assert failures(door, alice) == [0]


@pytest.mark.parametrize("required", [True, False])
def test_a28_closing_somebodys_app_gets_nobody_past_it(door: Door, required: bool) -> None:
    """With the password alone, a hundred wrong codes must not lead to a set-up, nor into a session."""
    door.mfa(required=required)
    alice = door.person("alice", codes=False)
    set_failures(door, alice, 100)
    visitor = door.visitor()
    answer = door.password(visitor, door.begin(visitor, "alice"))
    assert isinstance(answer, Shown)
    assert answer.transaction.state.stage is Stage.CHOOSE
    assert answer.factors.held == ()


def test_lk01_an_admin_opens_it_by_a_reset(door: Door) -> None:
    alice = door.person("alice")
    set_failures(door, alice, 100)
    door.write(lambda c: accounts.reset_mfa(c, Audience.PERSON, alice.id, SYSTEM, LOCAL, door.clock()))
    visitor = door.visitor()
    answer = door.password(visitor, door.begin(visitor, "alice"))
    assert isinstance(answer, Shown)
    assert answer.transaction.state.stage is Stage.SET_UP


def test_lk01_a_closed_app_beside_an_open_one_is_not_tried(door: Door) -> None:
    alice = door.person("alice")
    other = second_app(door, alice)
    table = schema.PERSON.totp
    first = door.read(
        lambda c: c.execute(
            select(table.c.id).where(table.c.owner_id == alice.id).order_by(table.c.created_at, table.c.id)
        ).scalars()
    )
    closed_id = next(iter(first))
    door.write(lambda c: c.execute(update(table).where(table.c.id == closed_id).values(failures=100)) and None)
    stored = door.write(lambda c: authenticator.load(c, door.means.vault, Audience.PERSON, alice.id))
    seeds = {one.id: one.totp.seed for one in stored}
    closed = alice if seeds.get(closed_id, alice.seed) == alice.seed else other
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    assert said(door.code(visitor, tx, closed.code(door.clock()))) is Said.CODE_WRONG
    open_one = other if closed is alice else alice
    # A used code of the open one must not reopen the closed one either.
    assert isinstance(door.code(visitor, tx, open_one.code(door.clock())), SignedIn)
    tx = door.to_code(visitor, alice)
    for _ in range(3):
        door.code(visitor, tx, open_one.code(door.clock()))
    assert said(door.code(visitor, tx, closed.code(door.clock()))) is Said.CODE_WRONG


def test_to01_seeds_have_160_bits_and_lie_sealed(door: Door) -> None:
    alice = door.person("alice")
    table = schema.PERSON.totp
    sealed = door.read(lambda c: c.execute(select(table.c.seed)).scalar_one())
    assert alice.seed is not None
    assert alice.seed not in sealed
    assert authenticator.SEED_BYTES * 8 == 160
    assert totp.DIGITS == 6
