"""Known browsers: a lane of their own for ninety days, forgotten by changes (SIGNIN 'Attempts', LK-07)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from doorward.clock import DAY, MINUTE
from doorward.signin import Audience, Method, accounts, browsers
from doorward.signin.answers import Held, Shown
from doorward.signin.enrol import Owner, bound_to_session, new_recovery_codes
from doorward.store import schema
from support.door import LOCAL, SYSTEM, WRONG, Door, Somebody, Visitor


def pause(door: Door, who: Somebody) -> None:
    for _ in range(6):
        outsider = door.visitor()
        door.password(outsider, door.begin(outsider, who.name), WRONG)


def is_let_in(door: Door, visitor: Visitor, who: Somebody) -> bool:
    return not isinstance(door.password(visitor, door.begin(visitor, who.name)), Held)


@pytest.fixture
def alice(door: Door) -> Somebody:
    return door.person("alice")


@pytest.fixture
def mine(door: Door, alice: Somebody) -> Visitor:
    visitor = door.visitor()
    door.sign_in(visitor, alice)
    door.clock.advance(MINUTE)
    return visitor


def test_a_browser_is_known_after_a_whole_sign_in_for_ninety_days(door: Door, alice: Somebody, mine: Visitor) -> None:
    door.clock.advance(90 * DAY - 2 * MINUTE)
    pause(door, alice)
    assert is_let_in(door, mine, alice)
    door.clock.advance(2 * MINUTE)
    assert not is_let_in(door, mine, alice)


def test_using_it_keeps_it_known(door: Door, alice: Somebody, mine: Visitor) -> None:
    door.clock.advance(80 * DAY)
    door.sign_in(mine, alice)
    door.clock.advance(80 * DAY)
    pause(door, alice)
    assert is_let_in(door, mine, alice)


def test_half_a_sign_in_makes_no_browser_known(door: Door, alice: Somebody) -> None:
    visitor = door.visitor()
    door.to_code(visitor, alice)
    assert visitor.known is None
    assert door.read(lambda c: browsers.ids_of(c, alice.id)) == []


def test_its_handle_lies_hashed(door: Door, mine: Visitor) -> None:
    assert mine.known is not None
    stored = door.read(lambda c: c.execute(select(schema.known_browsers.c.handle_hash)).scalar_one())
    assert stored != mine.known
    assert len(stored) == 64


def test_it_is_known_for_its_person_alone(door: Door, mine: Visitor) -> None:
    bob = door.person("bob")
    pause(door, bob)
    assert not is_let_in(door, mine, bob)


def test_two_people_of_one_browser_share_its_handle_and_nothing_else(
    door: Door, alice: Somebody, mine: Visitor
) -> None:
    bob = door.person("bob")
    handle = mine.known
    mine.session = None
    door.sign_in(mine, bob)
    assert mine.known == handle
    pause(door, alice)
    pause(door, bob)
    for _ in range(6):
        door.password(mine, door.begin(mine, "bob"), WRONG)
    assert not is_let_in(door, mine, bob)
    assert is_let_in(door, mine, alice)


@pytest.mark.parametrize("change", ["password", "factor", "reset", "suspension"])
def test_a_change_of_password_or_factor_and_suspension_forget_it(
    door: Door, alice: Somebody, mine: Visitor, change: str
) -> None:
    now, vault = door.clock(), door.means.vault
    door.password(mine, door.begin(mine, "alice"), WRONG)
    phc = door.means.hasher.hash_now("correct horse battery staple")
    owner = Owner(Audience.PERSON, alice.id, bound_to_session("s"), SYSTEM, LOCAL)
    if change == "password":
        door.write(
            lambda c: accounts.change_password(
                c,
                Audience.PERSON,
                alice.id,
                phc,
                history=0,
                keep_session=None,
                keep_browser=None,
                actor=SYSTEM,
                caller=LOCAL,
                now=now,
            )
        )
    elif change == "factor":
        door.write(lambda c: new_recovery_codes(c, vault, owner, now))
    elif change == "reset":
        door.write(lambda c: accounts.reset_mfa(c, Audience.PERSON, alice.id, SYSTEM, LOCAL, now))
    else:
        door.write(lambda c: accounts.suspend(c, alice.id, SYSTEM, LOCAL, now))
        door.write(lambda c: accounts.activate(c, alice.id, SYSTEM, LOCAL, now))
    pause(door, alice)
    assert not is_let_in(door, mine, alice)
    keys = door.read(lambda c: list(c.execute(select(schema.PERSON.counters.c.key)).scalars()))
    assert not any(key.startswith("browser:") for key in keys)


def test_the_browser_that_made_the_change_stays_known(door: Door, alice: Somebody, mine: Visitor) -> None:
    [mine_id] = door.read(lambda c: browsers.ids_of(c, alice.id))
    owner = Owner(Audience.PERSON, alice.id, bound_to_session("s"), SYSTEM, LOCAL, mine_id)
    door.write(lambda c: new_recovery_codes(c, door.means.vault, owner, door.clock()))
    pause(door, alice)
    assert is_let_in(door, mine, alice)


def test_success_in_a_known_browser_clears_its_own_count_alone(door: Door, alice: Somebody, mine: Visitor) -> None:
    for _ in range(4):
        door.password(mine, door.begin(mine, "alice"), WRONG)
    door.sign_in(mine, alice)
    row = door.counter(f"account:{alice.id}")
    assert row is not None
    assert row["password_failed"] == 4
    for _ in range(2):
        outsider = door.visitor()
        answer = door.password(outsider, door.begin(outsider, "alice"), WRONG)
    assert isinstance(answer, Held)
    for _ in range(5):
        assert isinstance(door.password(mine, door.begin(mine, "alice"), WRONG), Shown)


def test_a_known_browser_counts_codes_in_its_lane_too(door: Door, alice: Somebody, mine: Visitor) -> None:
    pause(door, alice)
    tx = door.to_code(mine, alice)
    for _ in range(5):
        assert isinstance(door.code(mine, tx, "000000"), Shown)
    assert isinstance(door.code(mine, tx, "000000"), Held)
    assert isinstance(door.code(mine, tx, alice.code(door.clock())), Held)


def test_a_browser_without_a_cookie_is_never_known(door: Door, alice: Somebody) -> None:
    odd = door.visitor()
    odd.known = "None"
    door.sign_in(odd, alice)
    pause(door, alice)
    assert not is_let_in(door, door.visitor(), alice)


def test_administrators_have_no_known_browsers(door: Door) -> None:
    root = door.admin("root@acme.example")
    visitor = door.visitor()
    assert door.sign_in(visitor, root).known_handle is None
    assert door.read(lambda c: c.execute(select(schema.known_browsers)).all()) == []
    assert Method.TOTP
