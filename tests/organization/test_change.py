"""One writer changes the organisation, and everybody sees the change on the next read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from doorward.audit import Actor, Caller, tail
from doorward.organization import Lockout, Organization, Settings, StaleChange, Support, change, create, current, found
from doorward.organization.change import BadSetting
from doorward.store import Database
from support.clocks import START
from support.store import Store

ACME = Organization("Acme", ("acme.example",), support=Support(name="Acme IT"))
SEVEN = Settings(lockout=Lockout(user_attempts=7))


def write(store: Store, old: Organization, new: Organization, now: int = START) -> None:
    store.write(lambda c: change(c, Actor.admin("a"), Caller.local(), old, new, now))


def test_before_it_is_founded_there_is_one_with_defaults(store: Store) -> None:
    assert not store.read(found)
    assert store.read(current) == Organization("Doorward")


def test_a_founded_one_is_read_back(store: Store) -> None:
    store.write(lambda c: create(c, ACME, START))
    assert store.read(found)
    assert store.read(current) == replace(ACME, version=1, changed_at=START)


def test_labels_come_from_the_name_unless_one_is_given() -> None:
    assert (ACME.user_label, ACME.admin_label) == ("Acme User", "Acme Admin")
    assert replace(ACME, authenticator_label="Acme portal").user_label == "Acme portal"


def test_the_contact_is_whatever_is_known() -> None:
    assert Support(name="Acme IT", email="a@b.c").contact == "Acme IT"
    assert Support(email="a@b.c").contact == "a@b.c"
    assert Support().contact == "your administrator"


def test_a_change_is_seen_on_the_next_read_and_recorded_before_and_after(store: Store) -> None:
    store.write(lambda c: create(c, ACME, START))
    before = store.read(current)
    write(store, before, replace(before, settings=SEVEN))
    assert store.read(current).settings.lockout.user_attempts == 7
    entry = store.read(lambda c: tail(c, 10))[0]
    assert entry.event.action == "settings.changed"
    assert entry.event.details == {
        "changed": [{"name": "settings.lockout.user_attempts", "before": 6, "after": 7}],
    }


def test_a_stale_change_is_refused_and_changes_nothing(store: Store) -> None:
    store.write(lambda c: create(c, ACME, START))
    before = store.read(current)
    write(store, before, replace(before, name="One"))
    with pytest.raises(StaleChange):
        write(store, before, replace(before, name="Two"))
    assert store.read(current).name == "One"


def test_a_change_to_what_it_is_writes_nothing(store: Store) -> None:
    store.write(lambda c: create(c, ACME, START))
    before = store.read(current)
    write(store, before, before)
    assert store.read(current).version == 1


def test_a_value_outside_its_limits_is_refused(store: Store) -> None:
    store.write(lambda c: create(c, ACME, START))
    before = store.read(current)
    with pytest.raises(BadSetting, match=r"lockout\.user_attempts must be from 1 to 100 attempts"):
        write(store, before, replace(before, settings=Settings(lockout=Lockout(user_attempts=0))))


def test_a_change_that_was_rolled_back_is_not_remembered(store: Store) -> None:
    store.write(lambda c: create(c, ACME, START))
    before = store.read(current)

    def work(c: Connection) -> None:
        change(c, Actor.system(), Caller.local(), before, replace(before, name="Never"), START)
        assert current(c).name == "Never"
        raise LookupError

    with pytest.raises(LookupError):
        store.write(work)
    assert store.read(current).name == "Acme"


async def test_another_connection_sees_a_change_at_once(database: Database) -> None:
    await database.write(lambda c: create(c, ACME, START))
    before = await database.read(current)
    assert (await database.read_slowly(current)).name == "Acme"
    new = replace(before, name="Acme Two")
    await database.write(lambda c: change(c, Actor.system(), Caller.local(), before, new, START))
    assert (await database.read(current)).name == "Acme Two"
    assert (await database.read_slowly(current)).name == "Acme Two"
