"""A sign-in under way: twenty at a time, ten minutes, the destination sixty, across restarts (SIGNIN 'Flow')."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from doorward.clock import MINUTE
from doorward.signin import Audience, Demands, Heading, flow, perform, transaction
from doorward.signin.answers import Shown, look
from doorward.signin.destination import AdminHome, Destination, Launch, OidcRequest, Own, Portal, SamlRequest
from doorward.signin.effects import SignedIn
from doorward.signin.flow import Stage, State
from doorward.signin.proof import Method, Proof
from doorward.signin.transaction import Lost, TimedOut, Transaction
from doorward.store import schema
from support.clocks import START
from support.door import Door, Visitor

CRM = Heading(Launch("crm"), "CRM", "crm")


def seen(door: Door, visitor: Visitor, tx: str) -> object:
    return door.run(look(door.means, Audience.PERSON, visitor.browser(), tx))


def test_at_most_twenty_at_a_time_and_the_oldest_goes(door_on_both: Door) -> None:
    door = door_on_both
    visitor, other = door.visitor(), door.visitor()
    theirs = door.begin(other, "bob")
    begun = []
    for _ in range(25):
        begun.append(door.begin(visitor, "alice"))
        door.clock.advance(1)
    states = [isinstance(seen(door, visitor, tx), Shown) for tx in begun]
    assert states == [False] * 5 + [True] * 20
    assert isinstance(seen(door, other, theirs), Shown)


def test_it_ends_after_ten_minutes_and_starting_again_still_ends_at_the_app(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.begin(visitor, "alice", heading=CRM)
    door.clock.advance(10 * MINUTE - 1)
    assert isinstance(seen(door, visitor, tx), Shown)
    door.clock.advance(1)
    assert seen(door, visitor, tx) == TimedOut(tx, CRM)
    assert isinstance(door.password(visitor, tx), TimedOut)
    door.clock.advance(49 * MINUTE)
    again = door.run(perform.begin_again(door.means, Audience.PERSON, visitor.browser(), tx))
    assert isinstance(again, str)
    assert again != tx
    door.run(perform.give_name(door.means, Audience.PERSON, visitor.browser(), again, "alice"))
    door.password(visitor, again)
    door.choose(visitor, again)
    done = door.code(visitor, again, alice.code(door.clock()))
    assert isinstance(done, SignedIn)
    assert done.heading == CRM


def test_the_destination_is_forgotten_after_an_hour(door: Door) -> None:
    visitor = door.visitor()
    tx = door.begin(visitor, "alice", heading=CRM)
    door.clock.advance(60 * MINUTE)
    assert seen(door, visitor, tx) == Lost()
    assert door.run(perform.begin_again(door.means, Audience.PERSON, visitor.browser(), tx)) == Lost()


def test_it_survives_a_restart_at_every_step(door_on_both: Door) -> None:
    door = door_on_both
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.begin(visitor, "alice", heading=CRM)
    door.restart()
    door.password(visitor, tx)
    door.restart()
    door.choose(visitor, tx)
    door.restart()
    assert isinstance(door.code(visitor, tx, alice.code(door.clock())), SignedIn)


def test_a_whole_sign_in_is_used_up(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    door.sign_in(visitor, alice)
    count = select(func.count()).select_from(schema.PERSON.transactions)
    assert door.read(lambda c: c.execute(count).scalar_one()) == 0


def test_looking_writes_nothing(door: Door) -> None:
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    version = select(schema.PERSON.transactions.c.version)
    before = door.read(lambda c: c.execute(version).scalar_one())
    for _ in range(3):
        seen(door, visitor, tx)
    assert door.read(lambda c: c.execute(version).scalar_one()) == before


@pytest.mark.parametrize("tx", ["", "x", "x" * 36, "x" * 65, "x" * 100_000, "\0", "' OR ''='"])
def test_an_id_that_nobody_made_is_lost(door: Door, tx: str) -> None:
    assert seen(door, door.visitor(), tx) == Lost()


DESTINATIONS: list[Destination] = [
    Portal(),
    Own("/security"),
    Launch("crm"),
    OidcRequest("o1"),
    SamlRequest("s1"),
    AdminHome(),
]


@pytest.mark.parametrize("destination", DESTINATIONS, ids=lambda d: type(d).__name__)
def test_where_somebody_is_heading_comes_back_as_it_was(door: Door, destination: Destination) -> None:
    heading = Heading(destination, "Café", "cafe", ("https://a.example",), Demands(fresh=True, hint="alice"))
    tx = door.begin(visitor := door.visitor(), None, heading=heading)
    answer = seen(door, visitor, tx)
    assert isinstance(answer, Shown)
    assert answer.transaction.heading == heading
    assert answer.transaction.state == State(Stage.USERNAME, "alice")


def test_a_state_comes_back_as_it_was() -> None:
    state = State(
        Stage.CODE,
        "älice",
        "p1",
        (Proof(Method.PASSWORD, START), Proof(Method.TOTP, START)),
        2,
        "e1",
        3,
        password_due=True,
        password_set_at=START,
    )
    assert transaction.state_from_json(transaction.state_to_json(state)) == state


def test_only_the_version_that_was_read_moves_on(door: Door) -> None:
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    browser = visitor.browser().handle_hash
    read = door.read(lambda c: transaction.load(c, Audience.PERSON, browser, tx, door.clock()))
    assert isinstance(read, Transaction)
    state = flow.begin("bob")
    assert door.write(lambda c: transaction.save(c, Audience.PERSON, read, state))
    assert not door.write(lambda c: transaction.save(c, Audience.PERSON, read, state))
    assert not door.write(lambda c: transaction.finish(c, Audience.PERSON, read))
