"""People: made, found, changed and removed; names unique in one space; ids never used again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.audit import Actor, Caller, tail
from doorward.clock import DAY
from doorward.directory import (
    BadName,
    IdTaken,
    NameTaken,
    NewPerson,
    Person,
    PersonId,
    PersonState,
    Standing,
    change_person,
    create_person,
    dismiss_nag,
    find_person,
    note_mfa_due,
    note_sign_in,
    people,
    person,
    remove_person,
    set_state,
)
from support.clocks import START
from support.store import Store

WHO = (Actor.system(), Caller.local())
ID = "0199a8c0-0000-7000-8000-000000000001"


def made(store: Store, new: NewPerson | str, now: int = START) -> Person:
    person_new = NewPerson(new) if isinstance(new, str) else new
    return store.write(lambda c: create_person(c, person_new, *WHO, now))


def changed(store: Store, new: Person) -> Person:
    return store.write(lambda c: change_person(c, new, *WHO, START + 1))


def found(store: Store, typed: str) -> Person | None:
    return store.read(lambda c: find_person(c, typed))


ALICE = NewPerson("Alice", email="alice@Acme.example", email_verified=True, attributes={"department": "R&D"})


def test_a_person_is_found_by_username_and_mail_address_in_any_case(store: Store) -> None:
    alice = made(store, ALICE)
    assert (alice.username, alice.email, alice.name) == ("Alice", "alice@acme.example", "Alice")
    for typed in ("alice", " ALICE ", "ａlice", "Alice@ACME.example"):
        assert found(store, typed) == alice
    for typed in ("alic", "alice@acme.exampl", "", "\0", "x" * 9999, "%", "' OR 1=1 --"):
        assert found(store, typed) is None


def test_a34_one_name_belongs_to_one_person_across_usernames_and_addresses(store: Store) -> None:
    made(store, NewPerson("alice", email="shared@acme.example"))
    for taken in (
        NewPerson("ALICE"),
        NewPerson("bob", email="Shared@acme.example"),
        NewPerson("shared@acme.example", email="shared@acme.example"),
    ):
        with pytest.raises(NameTaken):
            made(store, taken)
    assert len(store.read(people)) == 1


def test_a34_a_username_that_looks_like_an_address_must_be_the_persons_own(store: Store) -> None:
    for other in (NewPerson("bob@acme.example"), NewPerson("bob@acme.example", email="bob@other.example")):
        with pytest.raises(BadName, match="looks like a mail address"):
            made(store, other)
    own = made(store, NewPerson("bob@acme.example", email="Bob@acme.example"))
    with pytest.raises(BadName):
        changed(store, replace(own, email="other@acme.example"))


def test_names_that_are_given_up_are_free_again_and_new_ones_found(store: Store) -> None:
    alice = made(store, ALICE)
    changed(store, replace(alice, username="alicia", email=None))
    assert found(store, "alice") is None
    assert found(store, "alice@acme.example") is None
    assert found(store, "alicia") is not None
    made(store, NewPerson("alice"))


def test_a_change_is_recorded_field_by_field_and_none_writes_nothing(store: Store) -> None:
    alice = made(store, ALICE)
    assert changed(store, alice) == alice
    changed(store, replace(alice, phone="123", mfa_required=True))
    entry = store.read(lambda c: tail(c, 1))[0]
    assert (entry.event.action, entry.event.person_id) == ("person.changed", alice.id)
    assert entry.event.details == {
        "changed": [
            {"name": "phone", "before": None, "after": "123"},
            {"name": "mfa_required", "before": None, "after": True},
        ]
    }


def test_a88_the_id_of_a_removed_person_is_never_used_again(store: Store) -> None:
    alice = made(store, replace(ALICE, id=ID))
    assert alice.id == ID
    with pytest.raises(IdTaken):
        made(store, NewPerson("bob", id=ID.upper()))
    store.write(lambda c: remove_person(c, alice.id, *WHO, START))
    assert store.read(lambda c: person(c, alice.id)) is None
    assert found(store, "alice") is None
    with pytest.raises(IdTaken, match="deleted"):
        made(store, NewPerson("bob", id=ID))


def test_the_number_has_53_bits_and_is_not_the_id(store: Store) -> None:
    numbers = {made(store, f"u{index}").number for index in range(20)}
    assert len(numbers) == 20
    assert all(0 <= number < 2**53 for number in numbers)


@pytest.mark.parametrize(
    "bad",
    [
        NewPerson("a b"),
        NewPerson("alice", id="7"),
        NewPerson("alice", name="\u202eecila"),
        NewPerson("alice", name="a\nb"),
        NewPerson("alice", name=" "),
        NewPerson("alice", name="x" * 201),
        NewPerson("alice", email="nobody"),
        NewPerson("alice", locale="english please"),
        NewPerson("alice", phone="1" * 50),
        NewPerson("alice", address={"street": "x"}),
        NewPerson("alice", attributes={"a b": "x"}),
        NewPerson("alice", attributes={f"a{n}": "x" for n in range(51)}),
        NewPerson("alice", attributes={"a": "x" * 1001}),
        NewPerson("alice", starts_at=START, ends_at=START),
    ],
)
def test_a_field_that_cannot_be_stored_is_refused_by_name(sqlite_store: Store, bad: NewPerson) -> None:
    with pytest.raises(BadName):
        made(sqlite_store, bad)
    assert sqlite_store.read(people) == []


@pytest.mark.parametrize(
    ("state", "starts_at", "ends_at", "standing"),
    [
        (PersonState.ACTIVE, None, None, Standing.ACTIVE),
        (PersonState.ACTIVE, START, START + 1, Standing.ACTIVE),
        (PersonState.ACTIVE, START + 1, None, Standing.NOT_STARTED),
        (PersonState.ACTIVE, None, START, Standing.ENDED),
        (PersonState.STAGED, None, None, Standing.STAGED),
        (PersonState.SUSPENDED, None, None, Standing.SUSPENDED),
        (PersonState.SUSPENDED, None, START, Standing.SUSPENDED),
    ],
)
def test_state_and_dates_say_how_somebody_stands(
    sqlite_store: Store, state: PersonState, starts_at: int | None, ends_at: int | None, standing: Standing
) -> None:
    alice = made(sqlite_store, NewPerson("alice", state=state, starts_at=starts_at, ends_at=ends_at), START - DAY)
    assert alice.standing(START) is standing


def test_setting_a_state_tells_whether_anything_changed(store: Store) -> None:
    alice = made(store, ALICE)
    assert store.write(lambda c: set_state(c, alice.id, PersonState.SUSPENDED, START))
    assert not store.write(lambda c: set_state(c, alice.id, PersonState.SUSPENDED, START))
    assert not store.write(lambda c: set_state(c, PersonId("nobody"), PersonState.ACTIVE, START))


def test_enrolment_days_begin_once(store: Store) -> None:
    alice = made(store, ALICE)
    store.write(lambda c: note_mfa_due(c, alice.id, START))
    store.write(lambda c: note_mfa_due(c, alice.id, START + DAY))
    store.write(lambda c: note_sign_in(c, alice.id, START + DAY))
    store.write(lambda c: dismiss_nag(c, alice.id))
    read = found(store, "alice")
    assert read is not None
    assert (read.mfa_due_from, read.last_sign_in_at, read.nag_dismissed) == (START, START + DAY, True)


def test_people_are_listed_in_pages(store: Store) -> None:
    for name in ("carol", "alice", "bob"):
        made(store, name)
    assert [each.username for each in store.read(lambda c: people(c, 2))] == ["alice", "bob"]
    assert [each.username for each in store.read(lambda c: people(c, 2, after="bob"))] == ["carol"]


async def test_two_who_take_one_name_at_once_do_not_both_get_it(postgres_url: str) -> None:
    import asyncio  # noqa: PLC0415 - for this test alone

    from doorward.store import open_database  # noqa: PLC0415 - likewise

    database = open_database(postgres_url)

    async def take() -> bool:
        try:
            await database.write(lambda c: create_person(c, NewPerson("alice"), *WHO, START))
        except NameTaken:
            return False
        return True

    results = await asyncio.gather(*(take() for _ in range(8)))
    await database.close()
    assert sum(results) == 1
