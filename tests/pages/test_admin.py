"""The administrators' landing page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert

from doorward.clock import MINUTE, NEVER
from doorward.directory import Role
from doorward.organization import Lockout
from doorward.signin import Audience, accounts
from support.house import House


def _pause(house: House, audience: Audience, account_id: str, until: int) -> None:
    table = audience.tables.counters
    values = {column.name: 0 for column in table.c if column.name != "key"}
    values |= {"paused_until": until, "failed_at": house.clock()}
    house.store.write(lambda c: c.execute(insert(table).values(key=f"account:{account_id}", **values)))


def _paused(house: House, audience: Audience) -> list[str]:
    found = house.store.read(lambda c: accounts.paused_names(c, audience, house.clock()))
    return [each.account_id for each in found]


def test_administrators_have_a_sign_in_of_their_own(quick_house: House) -> None:
    assert quick_house.browser().get("/admin").headers["location"] == "/admin/login"
    alice = quick_house.signed_in(quick_house.person("alice"))
    assert alice.get("/admin").headers["location"] == "/admin/login"
    root = quick_house.signed_in(quick_house.admin("root@acme.example"))
    assert root.get("/admin").status_code == 200
    assert root.get("/").headers["location"] == "/login"


def test_who_is_paused_is_shown_and_opened_by_a_button(house: House) -> None:
    alice, root = house.person("alice"), house.admin("root@acme.example")
    _pause(house, Audience.PERSON, alice.id, house.clock() + 15 * MINUTE)
    browser = house.signed_in(root)
    page = browser.get("/admin").text
    assert "Alice" in page
    assert "Unlock" in page
    answer = browser.post("/admin/unlock", page="/admin", kind="person", id=alice.id)
    assert answer.headers["location"] == "/admin?done=unlocked"
    assert _paused(house, Audience.PERSON) == []
    assert "Nobody is paused." in browser.get("/admin").text
    [entry] = house.events("account.unlocked")
    assert (entry.event.actor.id, entry.event.person_id) == (root.id, alice.id)


def test_an_auditor_sees_who_is_paused_and_opens_nobody(house: House) -> None:
    alice, auditor = house.person("alice"), house.admin("auditor@acme.example", Role.AUDITOR)
    _pause(house, Audience.PERSON, alice.id, NEVER)
    browser = house.signed_in(auditor)
    page = browser.get("/admin").text
    assert "until an administrator unlocks it" in page
    assert "/admin/unlock" not in page
    assert browser.post("/admin/unlock", page="/admin", kind="person", id=alice.id).status_code == 403
    assert _paused(house, Audience.PERSON) == [alice.id]


@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 303), (Role.ADMINISTRATOR, 303), (Role.HELP_DESK, 403), (Role.AUDITOR, 403)]
)
def test_a_paused_administrator_is_opened_by_another_administrator(house: House, role: Role, status: int) -> None:
    paused, other = house.admin("paused@acme.example"), house.admin("other@acme.example", role)
    _pause(house, Audience.ADMIN, paused.id, house.clock() + 15 * MINUTE)
    browser = house.signed_in(other)
    assert browser.post("/admin/unlock", page="/admin", kind="admin", id=paused.id).status_code == status
    assert (_paused(house, Audience.ADMIN) == []) == (status == 303)


def test_nobody_opens_their_own_pause(quick_house: House) -> None:
    root = quick_house.admin("root@acme.example")
    _pause(quick_house, Audience.ADMIN, root.id, quick_house.clock() + 15 * MINUTE)
    browser = quick_house.signed_in(root)
    assert browser.post("/admin/unlock", page="/admin", kind="admin", id=root.id).status_code == 403
    assert _paused(quick_house, Audience.ADMIN) == [root.id]


def test_an_id_that_is_nobodys_changes_and_records_nothing(quick_house: House) -> None:
    browser = quick_house.signed_in(quick_house.admin("root@acme.example"))
    for wrong in ("nobody", "x" * 5000, "\u202e", "' OR 1=1"):
        answer = browser.post("/admin/unlock", page="/admin", kind="person", id=wrong)
        assert answer.status_code == 303
    assert browser.post("/admin/unlock", page="/admin", kind="everybody", id="x").status_code == 400
    assert quick_house.events("account.unlocked") == []


def test_the_attempt_settings_are_told_as_sentences_with_their_numbers(quick_house: House) -> None:
    browser = quick_house.signed_in(quick_house.admin("root@acme.example"))
    assert "After 6 wrong passwords in a row" in browser.get("/admin").text
    quick_house.settings(lockout=replace(Lockout(), user_attempts=3, unlock_after_minutes=0))
    page = browser.get("/admin").text
    assert "After 3 wrong passwords in a row" in page
    assert "A pause ends only when an administrator unlocks the account." in page
    assert "Administrators: five attempts, always." in page


def test_a16_an_administrator_who_is_suspended_is_turned_away_at_once(house: House) -> None:
    root, other = house.admin("root@acme.example"), house.admin("other@acme.example")
    browser = house.signed_in(other)
    assert browser.get("/admin").status_code == 200
    house.suspend_admin(other)
    assert browser.get("/admin").headers["location"] == "/admin/login"
    assert house.signed_in(root).get("/admin").status_code == 200
