"""Each step proves its own completion: fixation, two tabs, other people's browsers, stale forms (A1 to A46)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from doorward.clock import MINUTE
from doorward.signin import Audience, Heading, Method, accounts, flow, perform, sessions
from doorward.signin.answers import Answer, Held, Shown, look
from doorward.signin.destination import Launch
from doorward.signin.effects import SignedIn
from doorward.signin.flow import NotNow, Said, Stage
from doorward.signin.transaction import Lost, TimedOut
from doorward.store import Purpose, schema
from support.door import LOCAL, PASSWORD, SYSTEM, WRONG, Door, Somebody


def stage(answer: Answer) -> Stage:
    assert isinstance(answer, Shown), answer
    return answer.transaction.state.stage


EVENTS = [
    flow.SetUpLater(),
    flow.CodesSaved(),
    flow.PasswordChanged(0),
    flow.OtherMethodWanted(),
    flow.SetUpConfirmed(),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("proved", ["nothing", "password", "method"])
def test_a1_a2_no_other_form_completes_a_step(door: Door, event: flow.Event, proved: str) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    if proved != "nothing":
        door.password(visitor, tx)
    if proved == "method":
        door.choose(visitor, tx)
    if proved != "nothing" and isinstance(event, flow.OtherMethodWanted):
        assert stage(door.go_on(visitor, tx, event)) is Stage.CHOOSE
        return
    with pytest.raises(NotNow):
        door.go_on(visitor, tx, event)
    assert alice.seed
    assert visitor.session is None


def test_a1_a_code_before_the_password_is_not_looked_at(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    for method in (Method.TOTP, Method.RECOVERY_CODE):
        with pytest.raises(NotNow):
            door.code(visitor, tx, alice.code(door.clock()), method=method)
        with pytest.raises(NotNow):
            door.choose(visitor, tx, method)
    with pytest.raises(NotNow):
        door.confirm_set_up(visitor, tx, "000000")
    with pytest.raises(NotNow):
        door.run(perform.give_new_password(door.means, Audience.PERSON, visitor.browser(), tx, "a brand new password"))
    assert door.counter(f"account:{alice.id}") is None


def test_a2_a_method_that_is_not_set_up_cannot_be_chosen(door: Door) -> None:
    alice = door.person("alice", codes=False)
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    door.password(visitor, tx)
    for method in (Method.RECOVERY_CODE, Method.PASSWORD):
        with pytest.raises(NotNow):
            door.choose(visitor, tx, method)
    assert alice.recovery == ()


def test_a4_the_name_cannot_be_changed_after_the_password(door: Door) -> None:
    door.person("alice")
    door.person("bob", app=False)
    visitor = door.visitor()
    tx = door.begin(visitor, "bob")
    door.password(visitor, tx)
    with pytest.raises(NotNow):
        door.run(perform.give_name(door.means, Audience.PERSON, visitor.browser(), tx, "alice"))


def test_a4_a_name_changed_before_the_password_takes_nothing_along(door: Door) -> None:
    door.mfa(required=False)
    door.person("mallory", app=False)
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.begin(visitor, "mallory")
    door.password(visitor, tx, WRONG)
    door.run(perform.give_name(door.means, Audience.PERSON, visitor.browser(), tx, "alice"))
    answer = door.password(visitor, tx)
    assert isinstance(answer, Shown)
    assert answer.transaction.state.account_id == alice.id
    assert stage(answer) is Stage.CHOOSE


def test_a9_a_sign_in_belongs_to_the_browser_that_began_it(door: Door) -> None:
    alice = door.person("alice")
    mine, other = door.visitor(), door.visitor()
    tx = door.to_code(mine, alice)
    browser = other.browser()
    for work in (
        perform.give_code(door.means, Audience.PERSON, browser, tx, Method.TOTP, alice.code(door.clock())),
        perform.give_password(door.means, Audience.PERSON, browser, tx, PASSWORD),
        perform.choose(door.means, Audience.PERSON, browser, tx, Method.TOTP),
        perform.give_name(door.means, Audience.PERSON, browser, tx, "bob"),
        look(door.means, Audience.PERSON, browser, tx),
        perform.begin_again(door.means, Audience.PERSON, browser, tx),
    ):
        assert isinstance(door.run(work), Lost)
    assert isinstance(door.code(mine, tx, alice.code(door.clock())), SignedIn)


def test_a9_a_sign_in_of_people_is_none_of_administrators(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    assert isinstance(door.run(look(door.means, Audience.ADMIN, visitor.browser(), tx)), Lost)


def test_a9_the_session_handle_is_new_whatever_the_browser_sent(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    visitor.session = "a handle that an attacker chose"
    signed_in = door.sign_in(visitor, alice)
    assert signed_in.session_handle != "a handle that an attacker chose"
    assert visitor.session == signed_in.session_handle


def test_a9_a_known_browser_handle_of_an_attackers_making_is_not_taken_over(door: Door) -> None:
    alice = door.person("alice")
    victim = door.visitor()
    victim.known = "planted"
    door.sign_in(victim, alice)
    assert victim.known != "planted"
    attacker = door.visitor()
    attacker.known = "planted"
    for _ in range(6):
        door.password(attacker, door.begin(attacker, "alice"), WRONG)
    assert isinstance(door.password(attacker, door.begin(attacker, "alice"), WRONG), Held)


def test_a10_the_same_person_keeps_the_session_under_a_new_handle_another_person_does_not(door: Door) -> None:
    alice, bob = door.person("alice"), door.person("bob")
    visitor = door.visitor()
    first = door.sign_in(visitor, alice)
    door.clock.advance(MINUTE)
    second = door.sign_in(visitor, alice)
    assert first.session_id == second.session_id
    assert first.session_handle != second.session_handle
    find, settings, now = sessions.find, door.organization().settings, door.clock()
    assert door.read(lambda c: find(c, door.means.vault, first.session_handle, settings, now)) is None
    third = door.sign_in(visitor, bob)
    assert third.session_id != second.session_id
    assert door.read(lambda c: find(c, door.means.vault, second.session_handle, settings, now)) is None
    session = door.session(visitor)
    assert isinstance(session, sessions.Session)
    assert session.person.id == bob.id


def test_a11_another_browser_of_the_same_person_is_another_session(door: Door) -> None:
    alice = door.person("alice")
    one = door.sign_in(door.visitor(), alice)
    door.clock.advance(MINUTE)
    other = door.sign_in(door.visitor(), alice)
    assert one.session_id != other.session_id


def test_a22_nothing_else_that_is_handed_out_is_a_session(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    signed_in = door.sign_in(visitor, alice)
    settings, now, vault = door.organization().settings, door.clock(), door.means.vault
    tx = door.begin(visitor, "alice")
    handle_hash = door.read(lambda c: c.execute(select(schema.PERSON.sessions.c.handle_hash)).scalar_one())
    for value in (
        signed_in.session_id,
        signed_in.known_handle or "",
        tx,
        visitor.handle,
        visitor.browser().handle_hash,
        handle_hash,
        vault.mac(Purpose.CSRF, visitor.handle),
        "",
        "x" * 5000,
    ):
        assert door.read(lambda c, value=value: sessions.find(c, vault, value, settings, now)) is None
    assert door.read(lambda c: sessions.find_admin(c, vault, signed_in.session_handle, settings, now)) is None


def test_a44_two_tabs_do_not_disturb_each_other_and_neither_skips_the_code(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    one = door.begin(visitor, "alice", heading=Heading(Launch("wiki"), "Wiki", "wiki"))
    two = door.begin(visitor, "alice", heading=Heading(Launch("crm"), "CRM", "crm"))
    door.password(visitor, one)
    assert stage(door.run(look(door.means, Audience.PERSON, visitor.browser(), two))) is Stage.PASSWORD
    door.password(visitor, two)
    for tx in (one, two):
        door.choose(visitor, tx)
    done = door.code(visitor, one, alice.code(door.clock()))
    assert isinstance(done, SignedIn)
    assert done.heading.destination == Launch("wiki")
    # The other tab still asks for its own code.
    assert stage(door.run(look(door.means, Audience.PERSON, visitor.browser(), two))) is Stage.CODE
    door.clock.advance(MINUTE)
    done = door.code(visitor, two, alice.code(door.clock()))
    assert isinstance(done, SignedIn)
    assert done.heading.destination == Launch("crm")


def test_a_form_that_is_sent_twice_signs_in_once(door_on_both: Door) -> None:
    door = door_on_both
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.to_code(visitor, alice)
    code, browser = alice.code(door.clock()), visitor.browser()

    async def twice() -> list[Answer]:
        give = perform.give_code
        return await asyncio.gather(
            *(give(door.means, Audience.PERSON, browser, tx, Method.TOTP, code) for _ in range(4))
        )

    answers = door.run(twice())
    assert sum(isinstance(answer, SignedIn) for answer in answers) == 1
    assert isinstance(door.run(look(door.means, Audience.PERSON, browser, tx)), Lost)


def test_a46_no_secret_lies_in_a_sign_in_under_way_and_half_done_ones_end(door: Door) -> None:
    alice = door.person("alice")
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    door.password(visitor, tx, WRONG)
    door.password(visitor, tx)
    door.choose(visitor, tx)
    door.code(visitor, tx, "135790")
    fresh = door.person("newcomer", app=False)
    other = door.visitor()
    answer = door.password(other, door.begin(other, fresh.name))
    assert isinstance(answer, Shown)
    assert answer.pending is not None
    seed = answer.pending.seed
    rows = door.read(lambda c: [repr(tuple(row)) for row in c.execute(select(schema.PERSON.transactions))])
    assert len(rows) == 2
    for secret in (PASSWORD, WRONG, "135790", alice.code(door.clock()), seed.hex(), visitor.handle, repr(seed)[2:-1]):
        assert not any(secret in row for row in rows), secret
    door.clock.advance(10 * MINUTE)
    assert isinstance(door.code(visitor, tx, alice.code(door.clock())), TimedOut)


# --------------------------------------------------------------------- suspended between the steps


def suspend(door: Door, who: Somebody) -> None:
    door.write(lambda c: accounts.suspend(c, who.id, SYSTEM, LOCAL, door.clock()))


def test_a17_a33_suspended_before_the_password_between_the_steps_and_after(door: Door) -> None:
    alice = door.person("alice")
    before, between, after = door.visitor(), door.visitor(), door.visitor()
    tx = door.to_code(between, alice)
    door.sign_in(after, alice)
    door.clock.advance(MINUTE)
    suspend(door, alice)
    answer = door.password(before, door.begin(before, "alice"))
    assert isinstance(answer, Shown)
    assert (answer.said, stage(answer)) == (Said.SUSPENDED, Stage.PASSWORD)
    answer = door.code(between, tx, alice.code(door.clock()))
    assert isinstance(answer, Shown)
    assert (answer.said, stage(answer)) == (Said.SUSPENDED, Stage.ENDED)
    assert door.session(after) is None


@pytest.mark.parametrize("what", ["later", "saved"])
def test_a17_suspended_while_a_factor_is_set_up(door: Door, what: str) -> None:
    alice = door.person("alice", app=False)
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    answer = door.password(visitor, tx)
    assert isinstance(answer, Shown)
    event: flow.Event = flow.SetUpLater()
    if what == "saved":
        assert answer.pending is not None
        app = Somebody(Audience.PERSON, alice.id, "alice", answer.pending.seed)
        assert len(door.confirm_set_up(visitor, tx, app.code(door.clock())).codes) == 10
        event = flow.CodesSaved()
    suspend(door, alice)
    assert stage(door.go_on(visitor, tx, event)) is Stage.ENDED
    assert visitor.session is None


def test_a33_suspended_while_the_password_is_hashed(door: Door) -> None:
    """The hash runs outside any transaction: what happened meanwhile is read again before anything is issued."""
    door.mfa(required=False)
    alice = door.person("alice", app=False)
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    verify = door.means.hasher.verify

    async def slow(phc: str | None, password: str) -> bool:
        right = await verify(phc, password)
        await door.means.db.write(lambda c: accounts.suspend(c, alice.id, SYSTEM, LOCAL, door.clock()))
        return right

    door.means.hasher.verify = slow
    answer = door.password(visitor, tx)
    assert isinstance(answer, Shown)
    assert answer.said is Said.SUSPENDED


def test_a_password_that_is_changed_while_the_old_one_is_hashed_lets_nobody_in(door: Door) -> None:
    door.mfa(required=False)
    alice = door.person("alice", app=False)
    visitor = door.visitor()
    tx = door.begin(visitor, "alice")
    verify = door.means.hasher.verify

    async def slow(phc: str | None, password: str) -> bool:
        right = await verify(phc, password)
        new = door.means.hasher.hash_now("another password of mine")
        now = door.clock.advance(1)
        await door.means.db.write(lambda c: accounts.set_password(c, Audience.PERSON, alice.id, new, now=now))
        return right

    door.means.hasher.verify = slow
    answer = door.password(visitor, tx)
    assert isinstance(answer, Shown)
    assert answer.said is Said.WRONG


def test_a16_an_ended_session_is_ended_at_the_next_request(door_on_both: Door) -> None:
    door = door_on_both
    alice = door.person("alice")
    visitor = door.visitor()
    signed_in = door.sign_in(visitor, alice)
    assert door.session(visitor) is not None
    assert door.write(lambda c: sessions.end(c, Audience.PERSON, signed_in.session_id, "signed_out", door.clock()))
    assert door.session(visitor) is None
    settings, now = door.organization().settings, door.clock()
    assert door.read(lambda c: sessions.find_by_id(c, signed_in.session_id, settings, now)) is None


def test_a17_an_administrator_who_is_suspended_or_removed_is_out(door: Door) -> None:
    root = door.admin("root@acme.example")
    visitor = door.visitor()
    door.sign_in(visitor, root)
    assert door.session(visitor, Audience.ADMIN) is not None
    table = schema.admins
    door.write(lambda c: c.execute(table.update().values(state="suspended")) and None)
    assert door.session(visitor, Audience.ADMIN) is None


def test_a28_a_factor_that_is_held_is_asked_for_though_none_is_required(door: Door) -> None:
    door.mfa(required=False)
    door.person("alice")
    visitor = door.visitor()
    assert stage(door.password(visitor, door.begin(visitor, "alice"))) is Stage.CHOOSE


def test_a31_a_right_code_is_not_looked_at_during_a_pause(door: Door) -> None:
    alice = door.person("alice")
    visitor, attacker = door.visitor(), door.visitor()
    tx = door.to_code(visitor, alice)
    for _ in range(6):
        door.password(attacker, door.begin(attacker, "alice"), WRONG)
    assert isinstance(door.code(visitor, tx, alice.code(door.clock())), Held)
    door.clock.advance(9 * MINUTE)
    assert isinstance(door.code(visitor, tx, alice.code(door.clock())), Held)
    row = door.counter(f"account:{alice.id}")
    assert row is not None
    assert row["mfa_claimed"] == 0


def test_administrators_have_five_attempts_of_either_kind_together(door: Door) -> None:
    door.lockout(user_attempts=100, count_password_failures=False, count_mfa_failures=False)
    root = door.admin("root@acme.example")
    visitor = door.visitor()
    door.sign_in(visitor, root)
    door.clock.advance(MINUTE)
    for _ in range(3):
        door.password(visitor, door.begin(visitor, root.name, Audience.ADMIN), WRONG, Audience.ADMIN)
    tx = door.to_code(visitor, root)
    assert isinstance(door.code(visitor, tx, "000000", Audience.ADMIN), Shown)
    assert isinstance(door.code(visitor, tx, "000000", Audience.ADMIN), Held)
    assert isinstance(
        door.password(visitor, door.begin(visitor, root.name, Audience.ADMIN), PASSWORD, Audience.ADMIN), Held
    )
    door.clock.advance(15 * MINUTE)
    door.sign_in(visitor, root)
