"""What a new password must be, and how it is changed (PW-01 to PW-08)."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select, update

from doorward.clock import DAY
from doorward.organization import PasswordRules
from doorward.signin import Audience, Method, accounts, perform
from doorward.signin.answers import Answer, Shown
from doorward.signin.effects import SignedIn
from doorward.signin.flow import Said, Stage
from doorward.signin.passwords import PasswordFault, refusal
from doorward.store import schema
from support.door import PASSWORD, Door, Somebody, Visitor

RULES = PasswordRules()
NAMES = ("Acme", "acme.example", "alice", "alice.smith@acme.example", "Alice Smith")
GOOD = "grey otters sing quietly"


def judged(password: str, *, mfa: bool = True, rules: PasswordRules = RULES) -> PasswordFault | None:
    return refusal(password, names=NAMES, rules=rules, mfa_required=mfa)


def test_pw01_fifteen_characters_where_it_is_the_only_factor_and_the_setting_where_mfa_is_required() -> None:
    assert judged("trkq zvwm plx") is None
    assert judged("trkq zvwm plx", mfa=False) is PasswordFault.SHORT
    assert judged("trkq zvwm plxyq", mfa=False) is None
    assert judged("trkq zvwm p", mfa=True) is PasswordFault.SHORT
    assert judged("trkqzvwm", rules=PasswordRules(min_length=8)) is None


@pytest.mark.parametrize("length", [64, 128, 256, 1024])
def test_pw02_long_passwords_are_welcome_up_to_1024_octets(length: int) -> None:
    long = (GOOD + " 7 brown foxes jump over 13 lazy dogs; ") * 40
    assert judged(long[:length]) is None
    assert judged(long[:1024] + "x") is PasswordFault.LONG


def test_pw02_a_huge_password_is_refused_before_any_work() -> None:
    began = time.monotonic()
    assert judged("\u0300" * 1_000_000) is PasswordFault.LONG
    assert time.monotonic() - began < 0.5


def test_pw03_length_is_counted_in_code_points_after_normalising() -> None:
    assert judged("грей выдры по") is None  # 13 code points, 24 octets
    decomposed = "e\u0301" * 8 + "xqz"  # 19 code points that are 11
    assert judged(decomposed) is PasswordFault.SHORT


@pytest.mark.parametrize(
    "password", ["grey otters sing", "GREYOTTERSSING", "серые выдры поют", "🦦🦡🦊🐢 тихо поют", "     a quiet tab\t"]
)
def test_pw03_pw04_spaces_unicode_and_any_composition_are_welcome(password: str) -> None:
    assert judged(password) is None


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("", PasswordFault.EMPTY),
        ("password1234567", PasswordFault.COMMON),
        ("passwordpassword", PasswordFault.COMMON),
        ("qwertyuiopasdfgh", PasswordFault.COMMON),
        ("123456789012345", PasswordFault.COMMON),
        ("aaaaaaaaaaaaaaaa", PasswordFault.COMMON),
        ("abcabcabcabcabcabc", PasswordFault.COMMON),
        ("letmeinletmein", PasswordFault.COMMON),
        ("doorwarddoorward", PasswordFault.PERSONAL),
        ("Doorward2026!!!!", PasswordFault.PERSONAL),
        ("alice.smith@acme.example", PasswordFault.PERSONAL),
        ("Alice Smith 2026", PasswordFault.PERSONAL),
        ("acme.example1234", PasswordFault.PERSONAL),
    ],
)
def test_pw06_known_passwords_and_the_persons_own_words_are_refused_with_the_reason(
    password: str, fault: PasswordFault
) -> None:
    assert judged(password) is fault


def test_pw06_a_word_inside_a_longer_passphrase_is_fine() -> None:
    assert judged("alice counts 41 grey otters") is None


def test_a_password_that_cannot_be_encoded_is_judged_and_does_not_break_anything() -> None:
    assert judged("grey otters \udcff sing") is None


# ------------------------------------------------------------------------------------------- changed


def due(door: Door) -> None:
    door.write(lambda c: c.execute(update(schema.PERSON.passwords).values(must_change=True)) and None)


def to_new_password(door: Door, who: Somebody) -> tuple[Visitor, str]:
    visitor = door.visitor()
    tx = door.to_code(visitor, who)
    answer = door.code(visitor, tx, who.code(door.clock()))
    assert isinstance(answer, Shown), answer
    assert answer.transaction.state.stage is Stage.NEW_PASSWORD
    assert answer.said is Said.PASSWORD_EXPIRED
    return visitor, tx


def change(door: Door, visitor: Visitor, tx: str, typed: str) -> Answer:
    browser = visitor.browser()
    return door.run(perform.give_new_password(door.means, Audience.PERSON, browser, tx, typed))


def test_pw07_a_forced_change_comes_after_the_second_factor_and_before_anything_opens(door: Door) -> None:
    alice = door.person("alice")
    due(door)
    visitor, tx = to_new_password(door, alice)
    assert visitor.session is None
    for typed, fault in (("short", PasswordFault.SHORT), (PASSWORD, PasswordFault.REUSED)):
        answer = change(door, visitor, tx, typed)
        assert isinstance(answer, Shown)
        assert answer.fault is fault
    assert isinstance(change(door, visitor, tx, GOOD), SignedIn)
    again = door.visitor()
    answer = door.password(again, door.begin(again, "alice"))
    assert isinstance(answer, Shown)
    assert answer.said is Said.WRONG


def test_a_password_that_is_too_old_is_changed_where_the_setting_asks_for_it(door: Door) -> None:
    alice = door.person("alice")
    door.clock.advance(400 * DAY)
    door.sign_in(door.visitor(), alice)
    door.settings(password=PasswordRules(max_age_days=90))
    door.clock.advance(DAY)
    to_new_password(door, alice)


def test_earlier_passwords_are_refused_as_far_back_as_the_setting_says(door: Door) -> None:
    door.settings(password=PasswordRules(history=2))
    alice = door.person("alice")
    for typed in (GOOD, "a second quiet otter song", "a third quiet otter song"):
        due(door)
        visitor, tx = to_new_password(door, alice) if typed == GOOD else _with(door, alice)
        assert isinstance(change(door, visitor, tx, typed), SignedIn)
        door.clock.advance(DAY)
    kept = door.read(lambda c: accounts.earlier_passwords(c, Audience.PERSON, alice.id))
    assert len(kept) == 3
    matches = [[door.run(door.means.hasher.verify(phc, old)) for phc in kept] for old in (PASSWORD, GOOD)]
    assert matches == [[False] * 3, [False, False, True]]


def _with(door: Door, who: Somebody) -> tuple[Visitor, str]:
    """Sign in with whichever of the passwords holds now."""
    for typed in (GOOD, "a second quiet otter song"):
        visitor = door.visitor()
        tx = door.begin(visitor, who.name)
        answer = door.password(visitor, tx, typed)
        if isinstance(answer, Shown) and answer.transaction.state.stage is Stage.CHOOSE:
            door.choose(visitor, tx, Method.TOTP)
            door.code(visitor, tx, who.code(door.clock()))
            return visitor, tx
    raise AssertionError("no password held")


def test_pw08_a_hash_of_weaker_parameters_is_made_anew_at_the_next_right_password(door: Door) -> None:
    door.mfa(required=False)
    alice = door.person("alice", app=False)
    column = schema.PERSON.passwords.c.phc
    before = door.read(lambda c: c.execute(select(column)).scalar_one())
    door.means.hasher._argon2.__init__(time_cost=2, memory_cost=64, parallelism=1)
    door.sign_in(door.visitor(), alice)
    after = door.read(lambda c: c.execute(select(column)).scalar_one())
    assert before != after
    assert "t=2" in after
    door.sign_in(door.visitor(), alice)
