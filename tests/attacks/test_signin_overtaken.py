"""A sign-in under way is overtaken: what was right at its last step is not right any more (A17, A28, A35)."""

from __future__ import annotations

import asyncio
from threading import Thread

import pytest
from sqlalchemy import Connection

from doorward.clock import MINUTE
from doorward.signin import Audience, accounts, effects, flow, transaction
from doorward.signin.answers import Answer, Shown, look
from doorward.signin.effects import SignedIn
from doorward.signin.factors import authenticator
from doorward.signin.flow import Stage
from doorward.signin.transaction import TimedOut
from doorward.store import open_database
from doorward.store.engine import Work
from support.door import LOCAL, SYSTEM, Door, Somebody, Visitor


def waits_at_set_up(door: Door, who: Somebody) -> tuple[Visitor, str, Somebody]:
    """Somebody who knows the password stops at the set-up, with a seed of their own."""
    attacker = door.visitor()
    tx = door.begin(attacker, who.name, who.audience)
    answer = door.password(attacker, tx, audience=who.audience)
    assert isinstance(answer, Shown)
    assert answer.transaction.state.stage is Stage.SET_UP
    assert answer.pending is not None
    return attacker, tx, Somebody(who.audience, who.id, who.name, answer.pending.seed)


def set_up(door: Door, who: Somebody) -> None:
    """The person sets up their own app meanwhile."""
    person, tx, app = waits_at_set_up(door, who)
    door.confirm_set_up(person, tx, app.code(door.clock()), who.audience)
    assert isinstance(door.go_on(person, tx, flow.CodesSaved(), who.audience), SignedIn)


@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("how", ["set up", "later", "look"])
def test_a28_a35_a_waiting_set_up_never_gets_past_the_factor_that_the_person_set_up_meanwhile(
    door_on_both: Door, how: str, audience: Audience
) -> None:
    door = door_on_both
    alice = (
        door.person("alice", app=False) if audience is Audience.PERSON else door.admin("root@acme.example", app=False)
    )
    attacker, tx, app = waits_at_set_up(door, alice)
    set_up(door, alice)
    door.clock.advance(MINUTE)
    answer: Answer
    if how == "set up":
        answer = door.confirm_set_up(attacker, tx, app.code(door.clock()), audience)
    elif how == "later":
        answer = door.go_on(attacker, tx, flow.SetUpLater(), audience)
    else:
        answer = door.run(look(door.means, audience, attacker.browser(), tx))
    assert isinstance(answer, TimedOut)
    assert attacker.session is None
    assert door.read(lambda c: authenticator.count(c, audience, alice.id)) == 1


def change_password(door: Door, who: Somebody) -> None:
    phc, now = door.means.hasher.hash_now("another password of mine"), door.clock.advance(1)

    def work(connection: Connection) -> None:
        accounts.change_password(
            connection,
            who.audience,
            who.id,
            phc,
            history=0,
            keep_session=None,
            keep_browser=None,
            actor=SYSTEM,
            caller=LOCAL,
            now=now,
        )

    door.write(work)


def test_a_password_that_is_changed_ends_the_sign_ins_that_gave_the_old_one(door: Door) -> None:
    alice, bob = door.person("alice"), door.person("bob", app=False)
    at_code, tx = door.visitor(), ""
    tx = door.to_code(at_code, alice)
    at_set_up, other, _ = waits_at_set_up(door, bob)
    for who in (alice, bob):
        change_password(door, who)
    assert isinstance(door.code(at_code, tx, alice.code(door.clock())), TimedOut)
    assert isinstance(door.go_on(at_set_up, other, flow.SetUpLater()), TimedOut)
    assert at_code.session is None
    assert at_set_up.session is None


def meanwhile(door: Door, monkeypatch: pytest.MonkeyPatch, work: Work[object]) -> Thread:
    """Let another process do `work` while a sign-in is between its last look at the account and its session."""

    async def elsewhere() -> None:
        database = open_database(door.url)
        await database.write(work)
        await database.close()

    other = Thread(target=lambda: asyncio.run(elsewhere()))
    finish = transaction.finish

    def slowly(*arguments: object) -> bool:
        other.start()
        other.join(0.7)  # whoever is not kept waiting is done by then
        return finish(*arguments)

    monkeypatch.setattr(effects.transaction, "finish", slowly)
    return other


def test_a17_who_is_suspended_at_the_very_moment_of_signing_in_has_no_session_later(
    door_on_both: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, visitor = door_on_both, door_on_both.visitor()
    alice = door.person("alice")
    now = door.clock()
    tx = door.to_code(visitor, alice)
    other = meanwhile(door, monkeypatch, lambda c: accounts.suspend(c, alice.id, SYSTEM, LOCAL, now))
    door.code(visitor, tx, alice.code(now))
    other.join()
    assert door.session(visitor) is None
    door.write(lambda c: accounts.activate(c, alice.id, SYSTEM, LOCAL, now))
    assert door.session(visitor) is None


def test_a_password_that_is_changed_at_the_very_moment_of_signing_in_leaves_no_session(
    door_on_both: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, visitor = door_on_both, door_on_both.visitor()
    alice = door.person("alice")
    phc, now = door.means.hasher.hash_now("another password of mine"), door.clock()
    tx = door.to_code(visitor, alice)
    other = meanwhile(
        door,
        monkeypatch,
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
            now=now + 1,
        ),
    )
    door.code(visitor, tx, alice.code(now))
    other.join()
    assert door.session(visitor) is None
