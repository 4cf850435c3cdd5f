"""Recovery codes: ten of 80 bits, once, never alone (TO-10, PR-02)."""

from __future__ import annotations

import asyncio
import math

import pytest
from sqlalchemy import select, update

from doorward.signin import Audience, Method, perform
from doorward.signin.answers import Held, Shown
from doorward.signin.effects import SignedIn
from doorward.signin.enrol import Owner, bound_to_session, new_recovery_codes, remove
from doorward.signin.factors import recovery
from doorward.signin.flow import Said, Stage
from doorward.store import schema
from support.door import LOCAL, SYSTEM, Door, Somebody

CODES = recovery.RecoveryCodes()


def enter(door: Door, who: Somebody, code: str) -> object:
    visitor = door.visitor()
    tx = door.to_code(visitor, who, Method.RECOVERY_CODE)
    return door.code(visitor, tx, code, method=Method.RECOVERY_CODE)


def said(answer: object) -> Said | None:
    assert isinstance(answer, Shown), answer
    return answer.said


def test_to10_ten_codes_of_80_bits_are_made(door: Door) -> None:
    alice = door.person("alice")
    assert len(set(alice.recovery)) == 10
    for code in alice.recovery:
        groups = code.split("-")
        assert [len(group) for group in groups] == [4, 4, 4, 4]
    assert 16 * math.log2(len(recovery._ALPHABET)) == 80


def test_to10_a_code_signs_in_once_and_is_a_second_factor(door_on_both: Door) -> None:
    door = door_on_both
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice, Method.RECOVERY_CODE)
    answer = door.code(visitor, tx, alice.recovery[3], method=Method.RECOVERY_CODE)
    assert isinstance(answer, SignedIn)
    session = door.session(visitor)
    assert session is not None
    assert session.facts.mfa_done
    assert said(enter(door, alice, alice.recovery[3])) is Said.RECOVERY_USED
    assert door.read(lambda c: recovery.codes_left(c, Audience.PERSON, alice.id)) == 9
    assert isinstance(enter(door, alice, alice.recovery[4]), SignedIn)


def test_to10_a_used_code_is_no_failed_attempt_and_a_wrong_one_is(door: Door) -> None:
    alice = door.person("alice")
    enter(door, alice, alice.recovery[0])
    for _ in range(8):
        assert said(enter(door, alice, alice.recovery[0])) is Said.RECOVERY_USED
    for _ in range(5):
        assert said(enter(door, alice, "0000-0000-0000-0000")) is Said.RECOVERY_WRONG
    assert isinstance(enter(door, alice, "0000-0000-0000-0000"), Held)


def test_a26_codes_of_both_factors_share_one_count(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    for _ in range(5):
        door.code(visitor, tx, "000000")
    door.choose(visitor, tx, Method.RECOVERY_CODE)
    assert isinstance(door.code(visitor, tx, "0000-0000-0000-0000", method=Method.RECOVERY_CODE), Held)
    assert isinstance(door.code(visitor, tx, alice.recovery[0], method=Method.RECOVERY_CODE), Held)


async def _both(door: Door, jobs: list[tuple[object, str]], code: str) -> list[object]:
    return await asyncio.gather(
        *(
            perform.give_code(door.means, Audience.PERSON, browser, tx, Method.RECOVERY_CODE, code)
            for browser, tx in jobs
        )
    )


def test_pr02_one_code_in_two_browsers_at_once_signs_in_one(door_on_both: Door) -> None:
    door = door_on_both
    alice = door.person("alice")
    visitors = [door.visitor() for _ in range(6)]
    jobs = [(visitor.browser(), door.to_code(visitor, alice, Method.RECOVERY_CODE)) for visitor in visitors]
    answers = door.run(_both(door, jobs, alice.recovery[0]))
    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1


def test_to10_codes_lie_as_hmac_alone(door: Door) -> None:
    alice = door.person("alice")
    table = schema.PERSON.recovery_codes
    hashes = door.read(lambda c: list(c.execute(select(table.c.code_hash)).scalars()))
    assert len(hashes) == 10
    plain = {code.replace("-", "") for code in alice.recovery}
    assert not any(code in stored for code in plain for stored in hashes)
    assert all(len(stored) == 64 for stored in hashes)


def owner(who: Somebody) -> Owner:
    return Owner(Audience.PERSON, who.id, bound_to_session("s"), SYSTEM, LOCAL)


def test_to10_new_codes_void_all_earlier_ones(door: Door) -> None:
    alice = door.person("alice")
    enter(door, alice, alice.recovery[0])
    made = door.write(lambda c: new_recovery_codes(c, door.means.vault, owner(alice), door.clock()))
    assert said(enter(door, alice, alice.recovery[1])) is Said.RECOVERY_WRONG
    assert said(enter(door, alice, alice.recovery[0])) is Said.RECOVERY_WRONG
    assert isinstance(enter(door, alice, made[0]), SignedIn)


def test_codes_of_one_person_are_worthless_for_another(door: Door) -> None:
    alice, bob = door.person("alice"), door.person("bob")
    assert said(enter(door, bob, alice.recovery[0])) is Said.RECOVERY_WRONG


def test_codes_are_never_the_last_method(door: Door) -> None:
    door.mfa(required=False)
    alice = door.person("alice")
    table = schema.PERSON.totp
    app = door.read(lambda c: c.execute(select(table.c.id).where(table.c.owner_id == alice.id)).scalar_one())
    assert door.write(lambda c: remove(c, owner(alice), app, door.clock(), may_be_last=True))
    assert door.read(lambda c: recovery.codes_left(c, Audience.PERSON, alice.id)) == 0
    visitor = door.visitor()
    assert isinstance(door.password(visitor, door.begin(visitor, "alice")), SignedIn)


def test_a_factor_list_that_omits_them_does_not_offer_them(door: Door) -> None:
    alice = door.person("alice")
    door.mfa(factors=("totp",))
    visitor = door.visitor()
    answer = door.password(visitor, door.begin(visitor, "alice"))
    assert isinstance(answer, Shown)
    assert [held.method for held in answer.factors.held] == [Method.TOTP]
    assert answer.transaction.state.stage is Stage.CHOOSE
    assert alice.recovery


def test_lk01_a_hundred_failures_close_the_set(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice, Method.RECOVERY_CODE)
    table = schema.PERSON.recovery_sets
    door.write(lambda c: c.execute(update(table).values(failures=100)) and None)
    answer = door.code(visitor, tx, alice.recovery[0], method=Method.RECOVERY_CODE)
    assert said(answer) is Said.RECOVERY_WRONG


@pytest.mark.parametrize(
    "typed",
    ["ABCD-efgh-1234-5678", "abcd efgh 1234 5678", "abcdefgh12345678", "abcd–efgh–l234–5678"],
)
def test_to08_input_is_forgiving(typed: str) -> None:
    assert CODES.tidy(typed) == "abcdefgh12345678"


@pytest.mark.parametrize("typed", ["", "abcd", "a" * 17, "abcd-efgh-1234-567u", "a" * 10_000, "\0" * 16])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert CODES.tidy(typed) is None
