"""Setting up authenticators, in the sign-in and in a session: days, first code, several, the last one (TO-07, A14)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from doorward.clock import DAY, MINUTE
from doorward.signin import Audience, accounts, enrol, flow, perform
from doorward.signin.answers import Answer, Held, Shown
from doorward.signin.effects import SignedIn
from doorward.signin.enrol import Confirmed, Gone, Owner, WrongFirstCode, bound_to_session
from doorward.signin.flow import NotNow, Said, Stage
from doorward.store import schema
from support.door import LOCAL, SYSTEM, WRONG, Door, Somebody, Visitor


def at_set_up(door: Door, who: Somebody, visitor: Visitor) -> tuple[str, Shown]:
    tx = door.begin(visitor, who.name, who.audience)
    answer = door.password(visitor, tx, audience=who.audience)
    assert isinstance(answer, Shown), answer
    assert answer.transaction.state.stage is Stage.SET_UP, answer
    assert answer.pending is not None
    return tx, answer


def app_of(answer: Shown, who: Somebody) -> Somebody:
    assert answer.pending is not None
    return Somebody(who.audience, who.id, who.name, answer.pending.seed)


def shown(answer: Answer) -> Shown:
    assert isinstance(answer, Shown), answer
    return answer


# -------------------------------------------------------------------------------------- the enrolment days


def test_the_days_count_from_the_first_sign_in_at_which_a_factor_was_required(door: Door) -> None:
    door.mfa(required=False)
    alice = door.person("alice", app=False)
    door.sign_in(door.visitor(), alice)
    door.clock.advance(30 * DAY)
    door.mfa(required=True)
    left = []
    for _ in range(8):
        visitor = door.visitor()
        tx, answer = at_set_up(door, alice, visitor)
        left.append(answer.transaction.state.may_wait_days)
        if left[-1]:
            assert isinstance(door.go_on(visitor, tx, flow.SetUpLater()), SignedIn)
        else:
            assert answer.said is Said.SET_UP_OVER
            with pytest.raises(NotNow):
                door.go_on(visitor, tx, flow.SetUpLater())
        door.clock.advance(DAY)
    assert left == [7, 6, 5, 4, 3, 2, 1, 0]


def test_set_up_in_the_sign_in_leads_over_the_recovery_codes_to_where_it_was_heading(door_on_both: Door) -> None:
    door = door_on_both
    alice = door.person("alice", app=False)
    visitor = door.visitor()
    tx, answer = at_set_up(door, alice, visitor)
    app = app_of(answer, alice)
    assert shown(door.confirm_set_up(visitor, tx, "000000")).said is Said.SET_UP_WRONG
    code = app.code(door.clock())
    saved = shown(door.confirm_set_up(visitor, tx, code))
    assert (saved.transaction.state.stage, len(saved.codes)) == (Stage.RECOVERY_CODES, 10)
    done = door.go_on(visitor, tx, flow.CodesSaved())
    assert isinstance(done, SignedIn)
    session = door.session(visitor)
    assert session is not None
    assert session.facts.mfa_done
    # The first code is spent.
    other = door.visitor()
    tx = door.to_code(other, app)
    assert shown(door.code(other, tx, code)).said is Said.CODE_USED


def test_wrong_first_codes_count_against_nobody(door: Door) -> None:
    alice = door.person("alice", app=False)
    visitor = door.visitor()
    tx, _ = at_set_up(door, alice, visitor)
    for _ in range(12):
        assert shown(door.confirm_set_up(visitor, tx, "000000")).said is Said.SET_UP_WRONG
    row = door.counter(f"account:{alice.id}")
    assert row is not None
    assert row["mfa_claimed"] == row["password_claimed"] == 0


def test_a_pause_that_began_meanwhile_outlives_a_sign_in_that_ends_without_a_guess(door: Door) -> None:
    alice = door.person("alice", app=False)
    visitor = door.visitor()
    tx, _ = at_set_up(door, alice, visitor)
    for _ in range(6):
        outsider = door.visitor()
        door.password(outsider, door.begin(outsider, "alice"), WRONG)
    assert isinstance(door.go_on(visitor, tx, flow.SetUpLater()), SignedIn)
    outsider = door.visitor()
    assert isinstance(door.password(outsider, door.begin(outsider, "alice")), Held)


def test_a14_a_set_up_belongs_to_the_sign_in_that_began_it(door: Door) -> None:
    alice = door.person("alice", app=False)
    mine, other = door.visitor(), door.visitor()
    tx, answer = at_set_up(door, alice, mine)
    other_tx, other_answer = at_set_up(door, alice, other)
    app, other_app = app_of(answer, alice), app_of(other_answer, alice)
    assert app.seed != other_app.seed
    assert shown(door.confirm_set_up(mine, tx, other_app.code(door.clock()))).said is Said.SET_UP_WRONG
    assert shown(door.confirm_set_up(mine, tx, app.code(door.clock()))).codes
    assert other_tx


def test_a_set_up_behind_an_administrators_password_cannot_be_put_off(door: Door) -> None:
    root = door.admin("root@acme.example", app=False)
    visitor = door.visitor()
    tx, answer = at_set_up(door, root, visitor)
    assert answer.label == "Acme Admin"
    with pytest.raises(NotNow):
        door.go_on(visitor, tx, flow.SetUpLater(), Audience.ADMIN)
    app = app_of(answer, root)
    assert shown(door.confirm_set_up(visitor, tx, app.code(door.clock()), Audience.ADMIN)).codes
    assert isinstance(door.go_on(visitor, tx, flow.CodesSaved(), Audience.ADMIN), SignedIn)


def test_what_is_said_of_the_person_outranks_the_organisation(door: Door) -> None:
    free = door.person("free", app=False, mfa_required=False)
    door.sign_in(door.visitor(), free)
    door.mfa(required=False)
    bound = door.person("bound", app=False, mfa_required=True)
    at_set_up(door, bound, door.visitor())


# ----------------------------------------------------------------------------------------- in a session


class Desk:
    """The Security page of one person, without its pages."""

    def __init__(self, door: Door, who: Somebody) -> None:
        self.door, self.who = door, who
        self.owner = Owner(Audience.PERSON, who.id, bound_to_session("s1"), SYSTEM, LOCAL)

    def begin(self, replaces_id: str | None = None) -> tuple[str, Somebody]:
        door, vault = self.door, self.door.means.vault
        row = door.write(lambda c: enrol.begin(c, vault, self.owner, door.clock(), replaces_id=replaces_id))
        pending = door.read(lambda c: enrol.pending(c, vault, self.owner, row, door.clock()))
        assert pending is not None
        return row, Somebody(Audience.PERSON, self.who.id, self.who.name, pending.seed)

    def confirm(self, row: str, code: str, owner: Owner | None = None) -> enrol.Result:
        door = self.door
        acme = door.organization()
        by = owner or self.owner
        return door.write(lambda c: enrol.confirm(c, door.means.vault, acme, by, row, code, door.clock()))

    def add(self, replaces_id: str | None = None) -> Somebody:
        row, app = self.begin(replaces_id)
        assert isinstance(self.confirm(row, app.code(self.door.clock())), Confirmed)
        return app

    def apps(self) -> list[str]:
        c = schema.PERSON.totp.c
        query = select(c.id).where(c.owner_id == self.who.id).order_by(c.created_at, c.id)
        return self.door.read(lambda k: list(k.execute(query).scalars()))

    def remove(self, app: str, *, may_be_last: bool = False) -> bool:
        return self.door.write(lambda c: enrol.remove(c, self.owner, app, self.door.clock(), may_be_last=may_be_last))


@pytest.fixture
def desk(door: Door) -> Desk:
    return Desk(door, door.person("alice"))


def test_four_apps_are_the_most(desk: Desk) -> None:
    for _ in range(3):
        desk.add()
    row, app = desk.begin()
    assert desk.confirm(row, app.code(desk.door.clock())) == Gone()
    assert len(desk.apps()) == 4


def test_replacing_one_of_four_keeps_four_and_voids_the_old_secret(desk: Desk) -> None:
    (first,) = desk.apps()
    for _ in range(3):
        desk.add()
    desk.door.clock.advance(MINUTE)
    new = desk.add(replaces_id=first)
    assert len(desk.apps()) == 4
    visitor = desk.door.visitor()
    tx = desk.door.to_code(visitor, desk.who)
    assert shown(desk.door.code(visitor, tx, desk.who.code(desk.door.clock()))).said is Said.CODE_WRONG
    desk.door.clock.advance(MINUTE)
    assert isinstance(desk.door.code(visitor, tx, new.code(desk.door.clock())), SignedIn)


def test_a_set_up_waits_ten_minutes(desk: Desk) -> None:
    row, app = desk.begin()
    desk.door.clock.advance(10 * MINUTE)
    assert desk.confirm(row, app.code(desk.door.clock())) == Gone()


def test_a_second_set_up_of_the_same_session_voids_the_first(desk: Desk) -> None:
    row, app = desk.begin()
    desk.begin()
    assert desk.confirm(row, app.code(desk.door.clock())) == Gone()


def test_another_session_and_another_person_confirm_nothing(desk: Desk) -> None:
    row, app = desk.begin()
    code = app.code(desk.door.clock())
    bob = desk.door.person("bob")
    strangers = [
        Owner(Audience.PERSON, desk.who.id, bound_to_session("s2"), SYSTEM, LOCAL),
        Owner(Audience.PERSON, bob.id, bound_to_session("s1"), SYSTEM, LOCAL),
        Owner(Audience.ADMIN, desk.who.id, bound_to_session("s1"), SYSTEM, LOCAL),
    ]
    for stranger in strangers:
        assert desk.confirm(row, code, stranger) == Gone()
    assert desk.confirm(row, "000000") == WrongFirstCode()
    assert isinstance(desk.confirm(row, code), Confirmed)


def test_a_confirmation_that_is_sent_twice_makes_one_app(door_on_both: Door) -> None:
    desk = Desk(door_on_both, door_on_both.person("alice"))
    row, app = desk.begin()
    assert isinstance(desk.confirm(row, app.code(desk.door.clock())), Confirmed)
    assert desk.confirm(row, app.code(desk.door.clock())) == Gone()
    assert len(desk.apps()) == 2


def test_existing_recovery_codes_stay_when_another_app_is_added(desk: Desk) -> None:
    row, app = desk.begin()
    assert desk.confirm(row, app.code(desk.door.clock())) == Confirmed(())


def test_the_last_app_stays_where_a_factor_is_required(desk: Desk) -> None:
    [only] = desk.apps()
    assert not desk.remove(only)
    assert desk.apps() == [only]
    desk.add()
    assert desk.remove(only)


def test_nobody_removes_somebody_elses_app(desk: Desk) -> None:
    bob = Desk(desk.door, desk.door.person("bob"))
    assert not bob.remove(desk.apps()[0], may_be_last=True)
    assert len(desk.apps()) == 1


def test_two_removals_at_once_leave_one_app(door_on_both: Door) -> None:
    door = door_on_both
    desk = Desk(door, door.person("alice"))
    desk.add()
    first, second = desk.apps()

    async def both() -> list[bool]:
        jobs = [
            door.means.db.write(lambda c, app=app: enrol.remove(c, desk.owner, app, door.clock(), may_be_last=False))
            for app in (first, second)
        ]
        return await asyncio.gather(*jobs)

    assert sorted(door.run(both())) == [False, True]
    assert len(desk.apps()) == 1


def test_a_reset_takes_everything_and_the_next_sign_in_sets_up_anew(desk: Desk) -> None:
    door = desk.door
    row, app = desk.begin()
    door.write(lambda c: accounts.reset_mfa(c, Audience.PERSON, desk.who.id, SYSTEM, LOCAL, door.clock()))
    assert desk.confirm(row, app.code(door.clock())) == Gone()
    for table in (schema.PERSON.totp, schema.PERSON.recovery_codes, schema.PERSON.enrolments):
        assert door.read(lambda c, table=table: c.execute(select(func.count()).select_from(table)).scalar_one()) == 0
    at_set_up(door, desk.who, door.visitor())


def test_seeds_that_wait_lie_sealed_and_are_shown_to_their_sign_in_alone(door: Door) -> None:
    alice = door.person("alice", app=False)
    visitor = door.visitor()
    _, answer = at_set_up(door, alice, visitor)
    assert answer.pending is not None
    stored = door.read(lambda c: c.execute(select(schema.PERSON.enrolments.c.secret)).scalar_one())
    assert answer.pending.seed not in stored
    assert len(answer.pending.seed) == 20
    assert perform.confirm_set_up
