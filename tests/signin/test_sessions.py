"""Sessions: stable id, rotating handle, both time limits, ended at once (SE-01, SE-02, SE-04, SE-06, SS-01, SS-02)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, select

from doorward.clock import DAY, HOUR, MINUTE
from doorward.directory import PersonId, remove_person
from doorward.organization import Sessions
from doorward.signin import Audience, Method, Proof, accounts, sessions
from doorward.signin.sessions import Session, SessionFacts
from doorward.store import schema
from support.door import LOCAL, SYSTEM, Door, Somebody, Visitor


def find(door: Door, visitor: Visitor) -> Session | None:
    found = door.session(visitor)
    assert found is None or isinstance(found, Session)
    return found


def of(door: Door, who: Somebody) -> list[SessionFacts]:
    settings, now = door.organization().settings, door.clock()
    return door.read(lambda c: sessions.of_account(c, who.audience, who.id, settings, now))


def touch(door: Door, visitor: Visitor, audience: Audience = Audience.PERSON) -> None:
    found = door.session(visitor, audience)
    assert found is not None
    door.write(lambda c: sessions.touch(c, audience, found.id, door.clock()))


@pytest.fixture
def alice(door: Door) -> Somebody:
    return door.person("alice")


@pytest.fixture
def visitor(door: Door, alice: Somebody) -> Visitor:
    made = door.visitor()
    door.sign_in(made, alice)
    return made


def test_se02_the_handle_has_256_bits_and_lies_hashed(door: Door, visitor: Visitor) -> None:
    assert visitor.session is not None
    assert len(visitor.session) == 43
    rows = door.read(lambda c: repr(c.execute(select(schema.PERSON.sessions)).all()))
    assert visitor.session not in rows
    assert "alice" not in visitor.session


def test_se01_a_fresh_proof_gives_a_new_handle_and_the_old_one_is_dead(door: Door, visitor: Visitor) -> None:
    before = find(door, visitor)
    assert before is not None
    proof = Proof(Method.TOTP, door.clock.advance(MINUTE))
    old = Visitor("same browser", session=visitor.session)
    visitor.session = door.write(
        lambda c: sessions.add_proof(c, door.means.vault, Audience.PERSON, before.facts, proof)
    )
    after = find(door, visitor)
    assert after is not None
    assert after.id == before.id
    assert after.authenticated_at == proof.at
    assert find(door, old) is None


@pytest.mark.parametrize(("audience", "idle"), [(Audience.PERSON, 60), (Audience.ADMIN, 15)])
def test_se04_a_session_ends_when_it_is_idle_at_the_defaults(door: Door, audience: Audience, idle: int) -> None:
    who = door.person("bob") if audience is Audience.PERSON else door.admin("root@acme.example")
    made = door.visitor()
    door.sign_in(made, who)
    door.clock.advance(idle * MINUTE - 1)
    touch(door, made, audience)
    door.clock.advance(idle * MINUTE - 1)
    assert door.session(made, audience) is not None
    door.clock.advance(1)
    assert door.session(made, audience) is None


def test_se04_a_session_ends_after_its_lifetime_however_busy(door: Door, visitor: Visitor) -> None:
    for _ in range(12 * 2 - 1):
        door.clock.advance(30 * MINUTE)
        touch(door, visitor)
    door.clock.advance(30 * MINUTE - 1)
    assert find(door, visitor) is not None
    door.clock.advance(1)
    assert find(door, visitor) is None


def test_a95_changed_time_limits_hold_for_running_sessions_on_the_next_request(door: Door, visitor: Visitor) -> None:
    door.clock.advance(20 * MINUTE)
    door.settings(sessions=Sessions(idle_minutes=15))
    assert find(door, visitor) is None
    door.settings(sessions=Sessions(idle_minutes=30))
    touch(door, visitor)
    for _ in range(5):
        door.clock.advance(15 * MINUTE)
        touch(door, visitor)
    door.settings(sessions=Sessions(idle_minutes=30, lifetime_hours=1))
    assert find(door, visitor) is None


def test_a95_a_longer_lifetime_does_not_lengthen_a_session_that_runs(door: Door, visitor: Visitor) -> None:
    door.settings(sessions=Sessions(lifetime_hours=24, idle_minutes=24 * 60))
    door.clock.advance(12 * HOUR)
    assert find(door, visitor) is None


def test_a_touch_moves_the_last_seen_time_forward_only(door: Door, visitor: Visitor) -> None:
    door.clock.advance(10 * MINUTE)
    touch(door, visitor)
    found = find(door, visitor)
    assert found is not None
    door.write(lambda c: sessions.touch(c, Audience.PERSON, found.id, door.clock() - 5 * MINUTE))
    again = find(door, visitor)
    assert again is not None
    assert again.facts.last_seen_at == door.clock()


def test_se06_people_see_and_end_their_own_sessions(door: Door, alice: Somebody, visitor: Visitor) -> None:
    door.clock.advance(MINUTE)
    other = door.visitor()
    door.sign_in(other, alice)
    assert len(of(door, alice)) == 2
    mine = find(door, visitor)
    assert mine is not None
    ended = door.write(
        lambda c: sessions.end_all(c, Audience.PERSON, alice.id, "ended_others", door.clock(), but=mine.id)
    )
    assert ended == 1
    assert find(door, other) is None
    assert find(door, visitor) is not None
    assert [facts.id for facts in of(door, alice)] == [mine.id]


def test_ending_a_session_twice_is_told(door: Door, visitor: Visitor) -> None:
    found = find(door, visitor)
    assert found is not None

    def end() -> bool:
        return door.write(lambda c: sessions.end(c, Audience.PERSON, found.id, "signed_out", door.clock()))

    assert [end(), end()] == [True, False]


def test_se06_suspension_ends_all_sessions_and_activation_brings_none_back(
    door: Door, alice: Somebody, visitor: Visitor
) -> None:
    door.write(lambda c: accounts.suspend(c, alice.id, SYSTEM, LOCAL, door.clock()))
    assert find(door, visitor) is None
    door.write(lambda c: accounts.activate(c, alice.id, SYSTEM, LOCAL, door.clock()))
    assert find(door, visitor) is None


def test_a_deleted_person_has_no_session(door: Door, alice: Somebody, visitor: Visitor) -> None:
    door.write(lambda c: remove_person(c, PersonId(alice.id), SYSTEM, LOCAL, door.clock()))
    assert find(door, visitor) is None


def test_a17_a_person_whose_time_is_over_has_no_session(door: Door, visitor: Visitor) -> None:
    table = schema.people
    door.write(lambda c: c.execute(table.update().values(ends_at=door.clock() + MINUTE)) and None)
    assert find(door, visitor) is not None
    door.clock.advance(MINUTE)
    assert find(door, visitor) is None


def test_a_password_change_ends_all_other_sessions(door: Door, alice: Somebody, visitor: Visitor) -> None:
    door.clock.advance(MINUTE)
    other = door.visitor()
    door.sign_in(other, alice)
    mine = find(door, visitor)
    assert mine is not None
    phc = door.means.hasher.hash_now("another password of mine")

    def work(connection: Connection) -> None:
        accounts.change_password(
            connection,
            Audience.PERSON,
            alice.id,
            phc,
            history=0,
            keep_session=mine.id,
            keep_browser=mine.facts.browser_id,
            actor=SYSTEM,
            caller=LOCAL,
            now=door.clock(),
        )

    door.write(work)
    assert find(door, visitor) is not None
    assert find(door, other) is None


def test_ss01_a_session_tells_when_somebody_really_authenticated(door: Door, visitor: Visitor) -> None:
    at = door.clock()
    door.clock.advance(20 * MINUTE)
    touch(door, visitor)
    found = find(door, visitor)
    assert found is not None
    assert found.authenticated_at == at
    assert found.facts.last_proof_of(Method.TOTP) == at
    assert found.facts.last_proof_of(Method.RECOVERY_CODE) is None


def test_ss02_a_password_alone_is_never_told_as_more(door: Door) -> None:
    door.mfa(required=False)
    made = door.visitor()
    door.sign_in(made, door.person("bob", app=False))
    found = find(door, made)
    assert found is not None
    assert (found.mfa_done, found.amr) == (False, ["pwd"])
    assert found.acr.endswith(":password")
    two = replace(found.facts, proofs=(*found.proofs, Proof(Method.RECOVERY_CODE, door.clock())))
    assert (two.mfa_done, two.amr) == (True, ["pwd", "otp", "mfa"])
    assert two.acr != found.acr
    twice = replace(found.facts, proofs=(*found.proofs, *found.proofs))
    assert not twice.mfa_done


def test_a_password_session_opens_nothing_once_the_days_to_set_up_are_over(door: Door) -> None:
    door.mfa(required=False)
    made = door.visitor()
    door.sign_in(made, door.person("bob", app=False))
    door.mfa(required=True, enrolment_days=0)
    assert find(door, made) is None
    door.mfa(required=True, enrolment_days=3)
    assert find(door, made) is not None


def test_a_session_survives_a_restart(door: Door, visitor: Visitor) -> None:
    door.restart()
    assert find(door, visitor) is not None


def test_an_administrators_session_is_apart(door: Door, visitor: Visitor) -> None:
    root = door.admin("alice@acme.example")
    admin = door.visitor()
    door.sign_in(admin, root)
    assert door.session(admin, Audience.PERSON) is None
    assert door.session(visitor, Audience.ADMIN) is None
    assert find(door, visitor) is not None
    assert door.session(admin, Audience.ADMIN) is not None
    assert DAY


def test_a_whole_sign_in_in_the_same_browser_keeps_the_sid_and_begins_a_new_lifetime(
    door: Door, alice: Somebody, visitor: Visitor
) -> None:
    first = find(door, visitor)
    assert first is not None
    for _ in range(22):
        door.clock.advance(30 * MINUTE)
        touch(door, visitor)
    door.sign_in(visitor, alice)
    again = find(door, visitor)
    assert again is not None
    assert again.id == first.id
    assert again.expires_at == door.clock() + 12 * HOUR
