"""Groups with their people; administrators, of whom one active owner always remains."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from doorward.audit import Actor, Caller, tail
from doorward.directory import (
    Admin,
    AdminState,
    BadName,
    Group,
    IdTaken,
    LastOwner,
    NameTaken,
    NewAdmin,
    NewPerson,
    Role,
    admins,
    change_admin,
    create_admin,
    create_group,
    create_person,
    find_admin,
    find_group,
    groups,
    groups_of,
    members_of,
    remove_admin,
    remove_group,
    rename_group,
    set_groups,
)
from doorward.store import open_database
from support.clocks import START
from support.store import Store

WHO = (Actor.system(), Caller.local())


def grouped(store: Store, name: str) -> Group:
    return store.write(lambda c: create_group(c, name, *WHO, START))


def employed(store: Store, email: str, role: Role = Role.OWNER, name: str = "Root") -> Admin:
    return store.write(lambda c: create_admin(c, NewAdmin(email, name, role), *WHO, START))


def test_a_group_is_one_in_any_case(store: Store) -> None:
    made = grouped(store, "R &  D")
    assert made.name == "R & D"
    assert store.read(lambda c: find_group(c, "r & d")) == made
    with pytest.raises(NameTaken):
        grouped(store, "r & D")
    assert store.read(lambda c: find_group(c, "\0")) is None


def test_a_person_is_put_into_exactly_the_wanted_groups(store: Store) -> None:
    one, two, three = (grouped(store, name) for name in ("one", "two", "three"))
    alice = store.write(lambda c: create_person(c, NewPerson("alice"), *WHO, START))
    assert store.write(lambda c: set_groups(c, alice.id, [one, two], *WHO, START))
    assert store.write(lambda c: set_groups(c, alice.id, [two, three], *WHO, START))
    assert not store.write(lambda c: set_groups(c, alice.id, [three, two], *WHO, START))
    assert store.read(lambda c: groups_of(c, alice.id)) == {"two", "three"}
    assert store.read(lambda c: members_of(c, two.id)) == ["alice"]
    event = next(
        entry.event for entry in store.read(lambda c: tail(c, 9)) if entry.event.action == "person.groups_changed"
    )
    assert event.person_id == alice.id
    store.write(lambda c: remove_group(c, two, *WHO, START))
    assert store.read(lambda c: groups_of(c, alice.id)) == {"three"}
    assert store.write(lambda c: set_groups(c, alice.id, [], *WHO, START))


def test_a_renamed_group_keeps_its_people(store: Store) -> None:
    one = grouped(store, "one")
    grouped(store, "two")
    with pytest.raises(NameTaken):
        store.write(lambda c: rename_group(c, one, "TWO", *WHO, START))
    assert store.write(lambda c: rename_group(c, one, "One", *WHO, START)).id == one.id
    assert [group.name for group in store.read(groups)] == ["One", "two"]


def test_an_administrator_is_found_by_address_alone(store: Store) -> None:
    root = employed(store, "Root@Acme.example")
    assert store.read(lambda c: find_admin(c, " root@acme.EXAMPLE ")) == root
    for typed in ("root", "", "x" * 5000, "root@acme.example\0"):
        assert store.read(lambda c, typed=typed: find_admin(c, typed)) is None
    with pytest.raises(NameTaken):
        employed(store, "ROOT@acme.example")
    with pytest.raises(BadName):
        employed(store, "root")


def test_one_address_may_be_a_person_and_an_administrator(store: Store) -> None:
    employed(store, "both@acme.example")
    store.write(lambda c: create_person(c, NewPerson("both", email="both@acme.example"), *WHO, START))


def test_the_last_active_owner_can_neither_be_removed_nor_demoted_nor_suspended(store: Store) -> None:
    root = employed(store, "root@acme.example")
    employed(store, "help@acme.example", Role.HELP_DESK)
    suspended = employed(store, "old@acme.example")
    store.write(lambda c: change_admin(c, replace(suspended, state=AdminState.SUSPENDED), *WHO, START))
    with pytest.raises(LastOwner):
        store.write(lambda c: remove_admin(c, root.id, *WHO, START))
    for worse in (replace(root, role=Role.ADMINISTRATOR), replace(root, state=AdminState.SUSPENDED)):
        with pytest.raises(LastOwner):
            store.write(lambda c, worse=worse: change_admin(c, worse, *WHO, START))
    employed(store, "second@acme.example")
    store.write(lambda c: remove_admin(c, root.id, *WHO, START))
    with pytest.raises(IdTaken):
        store.write(lambda c: create_admin(c, NewAdmin("n@acme.example", "N", Role.OWNER, root.id), *WHO, START))


async def test_two_owners_who_leave_at_once_do_not_both_go(postgres_url: str) -> None:
    database = open_database(postgres_url)

    def make(c: Connection) -> list[Admin]:
        return [
            create_admin(c, NewAdmin(f"{name}@acme.example", name, Role.OWNER), *WHO, START) for name in ("one", "two")
        ]

    owners = await database.write(make)

    async def leave(owner: Admin) -> bool:
        try:
            await database.write(lambda c: remove_admin(c, owner.id, *WHO, START))
        except LastOwner:
            return False
        return True

    gone = await asyncio.gather(*(leave(owner) for owner in owners))
    left = await database.read(admins)
    await database.close()
    assert sorted(gone) == [False, True]
    assert len(left) == 1
