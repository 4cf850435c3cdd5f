"""A fresh proof for sensitive changes: the strongest factor held, the same guesses, five minutes (SE-11, A36, A39)."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from doorward.clock import MINUTE
from doorward.signin import Audience, Method, accounts, fresh
from doorward.signin.answers import Held
from doorward.signin.flow import Said
from doorward.signin.fresh import NotLooked, NotProved, Proved
from doorward.signin.sessions import Signed
from doorward.store import schema
from doorward.store.once import Paused
from support.door import LOCAL, PASSWORD, SYSTEM, WRONG, Door, Somebody, Visitor


def signed(door: Door, visitor: Visitor) -> Signed:
    found = door.session(visitor)
    assert found is not None
    return found


def is_fresh(door: Door, visitor: Visitor) -> bool:
    session = signed(door, visitor)
    return door.read(lambda c: fresh.is_fresh(c, session, door.clock()))


def confirm(door: Door, visitor: Visitor, method: Method, typed: str) -> fresh.Result:
    result = door.run(fresh.confirm(door.means, signed(door, visitor), method, typed, LOCAL))
    if isinstance(result, Proved):
        visitor.session = result.session_handle
    return result


@pytest.fixture
def alice(door: Door) -> Somebody:
    return door.person("alice")


@pytest.fixture
def visitor(door: Door, alice: Somebody) -> Visitor:
    made = door.visitor()
    door.sign_in(made, alice)
    return made


def test_se11_a_sign_in_is_a_proof_for_five_minutes(door: Door, visitor: Visitor) -> None:
    assert is_fresh(door, visitor)
    door.clock.advance(5 * MINUTE)
    assert is_fresh(door, visitor)
    door.clock.advance(1)
    assert not is_fresh(door, visitor)


def test_se11_a_code_is_a_fresh_proof_and_gives_a_new_handle(door: Door, alice: Somebody, visitor: Visitor) -> None:
    door.clock.advance(10 * MINUTE)
    before = visitor.session
    assert isinstance(confirm(door, visitor, Method.TOTP, alice.code(door.clock())), Proved)
    assert visitor.session != before
    assert is_fresh(door, visitor)


def test_a36_a_password_is_no_proof_for_whoever_holds_a_factor(door: Door, visitor: Visitor) -> None:
    door.clock.advance(10 * MINUTE)
    assert confirm(door, visitor, Method.PASSWORD, PASSWORD) == NotProved(Said.WRONG)
    assert isinstance(door.run(fresh.password_is_right(door.means, signed(door, visitor), PASSWORD, LOCAL)), Proved)


def test_a39_a_password_that_was_given_again_makes_no_fresh_proof_of_a_factor(door: Door, visitor: Visitor) -> None:
    door.clock.advance(10 * MINUTE)
    result = door.run(fresh.password_is_right(door.means, signed(door, visitor), PASSWORD, LOCAL))
    assert isinstance(result, Proved)
    visitor.session = result.session_handle
    assert not is_fresh(door, visitor)


def test_a_password_is_the_proof_of_whoever_holds_nothing_else(door: Door) -> None:
    door.mfa(required=False)
    visitor = door.visitor()
    door.sign_in(visitor, door.person("bob", app=False))
    door.clock.advance(10 * MINUTE)
    assert confirm(door, visitor, Method.TOTP, "000000") == NotProved(Said.CODE_MALFORMED)
    assert confirm(door, visitor, Method.PASSWORD, WRONG) == NotProved(Said.WRONG)
    assert isinstance(confirm(door, visitor, Method.PASSWORD, PASSWORD), Proved)
    assert is_fresh(door, visitor)


def test_a36_a_closed_factor_is_still_the_strongest_held(door: Door) -> None:
    dora = door.person("dora", codes=False)
    visitor = door.visitor()
    door.sign_in(visitor, dora)
    door.clock.advance(10 * MINUTE)
    door.write(lambda c: c.execute(update(schema.PERSON.totp).values(failures=100)) and None)
    assert confirm(door, visitor, Method.PASSWORD, PASSWORD) == NotProved(Said.WRONG)
    assert confirm(door, visitor, Method.TOTP, dora.code(door.clock())) == NotProved(Said.CODE_WRONG)
    session = signed(door, visitor)
    assert door.read(lambda c: fresh.strongest(c, session)).methods


def test_a_code_that_signed_in_proves_nothing_again(door: Door, alice: Somebody, visitor: Visitor) -> None:
    assert confirm(door, visitor, Method.TOTP, alice.code(door.clock())) == NotProved(Said.CODE_USED)


def test_lk05_the_same_counters_bound_it_as_the_sign_in(door: Door, alice: Somebody, visitor: Visitor) -> None:
    other = door.visitor()
    door.clock.advance(10 * MINUTE)
    for _ in range(6):
        confirm(door, visitor, Method.TOTP, "000000")
    result = confirm(door, visitor, Method.TOTP, alice.code(door.clock()))
    assert isinstance(result, NotLooked)
    assert isinstance(result.why, Paused)
    assert isinstance(door.password(other, door.begin(other, "alice")), Held)
    # A running session goes on through a pause.
    assert signed(door, visitor)


def test_lk05_a_pause_of_the_name_holds_in_a_session_whose_browser_was_forgotten(
    door: Door, alice: Somebody, visitor: Visitor
) -> None:
    door.write(lambda c: accounts.reset_mfa(c, Audience.PERSON, alice.id, SYSTEM, LOCAL, door.clock()))
    for _ in range(6):
        outsider = door.visitor()
        door.password(outsider, door.begin(outsider, "alice"), WRONG)
    result = door.run(fresh.password_is_right(door.means, signed(door, visitor), PASSWORD, LOCAL))
    assert isinstance(result, NotLooked)


def test_lk01_a_closed_password_is_closed_in_a_session_of_an_unknown_browser(
    door: Door, alice: Somebody, visitor: Visitor
) -> None:
    door.write(lambda c: c.execute(update(schema.PERSON.passwords).values(failures=100)) and None)
    known = door.run(fresh.password_is_right(door.means, signed(door, visitor), WRONG, LOCAL))
    assert isinstance(known, NotProved)
    door.write(lambda c: accounts.reset_mfa(c, Audience.PERSON, alice.id, SYSTEM, LOCAL, door.clock()))
    result = door.run(fresh.password_is_right(door.means, signed(door, visitor), PASSWORD, LOCAL))
    assert isinstance(result, NotProved)


def test_an_administrators_proof_counts_on_the_five(door: Door) -> None:
    root = door.admin("root@acme.example")
    visitor = door.visitor()
    door.sign_in(visitor, root)
    session = door.session(visitor, Audience.ADMIN)
    assert session is not None
    door.clock.advance(MINUTE)
    for _ in range(5):
        door.run(fresh.confirm(door.means, session, Method.TOTP, "000000", LOCAL))
    result = door.run(fresh.confirm(door.means, session, Method.TOTP, root.code(door.clock()), LOCAL))
    assert isinstance(result, NotLooked)


def test_every_proof_and_every_refusal_is_recorded(door: Door, alice: Somebody, visitor: Visitor) -> None:
    door.clock.advance(10 * MINUTE)
    confirm(door, visitor, Method.TOTP, "000000")
    confirm(door, visitor, Method.TOTP, alice.code(door.clock()))
    assert [entry.event.action for entry in door.events("proof.given", "proof.failed")] == [
        "proof.given",
        "proof.failed",
    ]
