"""Events are written in the transaction of what they tell, and found again by reference and person."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection

from doorward.audit import Actor, Caller, Event, Outcome, by_reference, new_reference, record, sign_ins_of, tail
from support.clocks import START
from support.store import Store

CALLER = Caller("192.0.2.7", "Firefox", "K7QF-2M9P")


def signed_in(person_id: str | None = None, action: str = "signin.succeeded", caller: Caller = CALLER) -> Event:
    return Event(action, Outcome.SUCCESS, Actor.nobody(), caller, person_id=person_id, details={"methods": ["totp"]})


def test_what_was_recorded_is_read_back_whole(store: Store) -> None:
    event = Event(
        "app.launched",
        Outcome.REFUSED,
        Actor.person("p"),
        CALLER,
        reason="not_assigned",
        person_id="p",
        app_id="a",
        session_id="s",
        details={"slug": "wiki", "nested": {"list": [1, None, True]}},
    )
    store.write(lambda c: record(c, event, START))
    (entry,) = store.read(lambda c: tail(c, 10))
    assert (entry.at, entry.event) == (START, event)


def test_the_newest_entries_come_first_and_pages_go_on_before_an_instant(store: Store) -> None:
    for second in range(5):
        store.write(lambda c, at=second: record(c, signed_in(), START + at))
    assert [entry.at for entry in store.read(lambda c: tail(c, 2))] == [START + 4, START + 3]
    assert [entry.at for entry in store.read(lambda c: tail(c, 2, before=START + 3))] == [START + 2, START + 1]


def test_sign_ins_of_a_person_leave_out_other_people_and_other_actions(store: Store) -> None:
    def work(c: Connection) -> None:
        for action, person_id in (("signin.failed", "p"), ("signin.failed", "q"), ("person.changed", "p")):
            record(c, signed_in(person_id, action), START)

    store.write(work)
    assert [entry.event.action for entry in store.read(lambda c: sign_ins_of(c, "p", 10))] == ["signin.failed"]


def test_a_reference_is_found_in_whatever_case_it_was_copied(store: Store) -> None:
    store.write(lambda c: record(c, signed_in(), START))
    assert len(store.read(lambda c: by_reference(c, " k7qf-2m9p "))) == 1
    assert store.read(lambda c: by_reference(c, "nothing")) == []


@pytest.mark.parametrize("agent", ["a\0b", "\udcff", "x" * 5000])
def test_a_hostile_user_agent_is_stored_as_far_as_it_can_be(store: Store, agent: str) -> None:
    store.write(lambda c: record(c, signed_in(caller=Caller("1" * 100, agent, "R")), START))
    (entry,) = store.read(lambda c: tail(c, 1))
    assert len(entry.event.caller.user_agent) <= 512
    assert len(entry.event.caller.address) == 64


def test_an_event_is_undone_with_the_transaction_that_it_tells_of(store: Store) -> None:
    def work(c: Connection) -> None:
        record(c, signed_in(), START)
        raise LookupError

    with pytest.raises(LookupError):
        store.write(work)
    assert store.read(lambda c: tail(c, 1)) == []


def test_references_are_short_and_hold_no_letter_that_reads_as_another() -> None:
    for _ in range(200):
        assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", new_reference())


def test_the_command_line_is_a_caller_of_its_own() -> None:
    assert Caller.local().address == "local"
    assert Caller.local().reference != Caller.local().reference
