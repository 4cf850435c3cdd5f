"""The Security page: fresh proofs, methods, recovery codes, password, sessions."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyotp
import pytest

from doorward.clock import MINUTE
from doorward.organization import Mfa
from doorward.signin import Audience, Method, accounts
from doorward.signin.factors import authenticator
from support.house import HOST, PASSWORD, Browser, House

NEW_PASSWORD = "nine purple giraffes on parade"


def _factors(house: House, person_id: str) -> list[str]:
    found = house.store.read(lambda c: accounts.factors_of(c, Audience.PERSON, person_id))
    return [held.id for held in found.held if held.method is Method.TOTP]


def _set_up(browser: Browser, path: str, name: str = "Work phone") -> tuple[str, str]:
    """Begin a set-up; gives the address of its page and the key shown there."""
    begun = browser.post(path, name=name)
    assert begun.status_code == 303, begun.text
    page = browser.get(begun.headers["location"])
    key = re.search(r"data-copied>([A-Z2-7 ]+)<", page.text)
    assert key is not None
    return begun.headers["location"].split("?")[0], key[1].replace(" ", "")


def _shown(house: House, key: str) -> str:
    return pyotp.TOTP(key, interval=60).at(house.clock() // 1000)


STALE: dict[str, Callable[[str], str]] = {
    "/security/authenticators/new": lambda _id: "/security/authenticators/new",
    "replace": lambda totp: f"/security/authenticators/{totp}/replace",
    "remove": lambda totp: f"/security/authenticators/{totp}/remove",
    "/security/recovery-codes": lambda _id: "/security/recovery-codes",
    "/security/password": lambda _id: "/security/password",
    "/profile/phone": lambda _id: "/profile/phone",
}


@pytest.mark.parametrize("path", STALE)
def test_a36_se11_each_change_asks_for_a_proof_no_older_than_five_minutes(house: House, path: str) -> None:
    alice = house.person("alice", mfa_required=False)
    [totp] = _factors(house, alice.id)
    browser = house.signed_in(alice, age=5 * MINUTE + 1)
    address = STALE[path](totp)
    before = house.store.read(lambda c: accounts.factors_of(c, Audience.PERSON, alice.id))
    sent = {"current": PASSWORD, "new": NEW_PASSWORD, "phone": "+351 21", "name": "x"}
    for answer in (browser.get(address), browser.post(address, **sent)):
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/security/confirm?to={address}"
    assert house.store.read(lambda c: accounts.factors_of(c, Audience.PERSON, alice.id)) == before
    assert house.events("password.changed") == []
    assert house.events("person.changed") == []


def test_a36_a_password_is_no_fresh_proof_where_a_factor_is_held(house: House) -> None:
    alice = house.person("alice", mfa_required=False)
    browser = house.signed_in(alice, Method.PASSWORD)
    answer = browser.get("/security/password")
    assert answer.headers["location"] == "/security/confirm?to=/security/password"
    page = browser.post("/security/confirm", method="password", password=PASSWORD, code="", to="/security/password")
    assert page.status_code == 422
    assert browser.get("/security/password").status_code == 303


def test_a_right_code_is_a_fresh_proof_and_the_session_gets_a_new_handle(house: House) -> None:
    alice = house.person("alice")
    browser = house.signed_in(alice, age=20 * MINUTE)
    old = browser.client.cookies["doorward"]
    answer = browser.post("/security/confirm", method="totp", code=house.code(), to="/security/password")
    assert (answer.status_code, answer.headers["location"]) == (303, "/security/password")
    assert browser.client.cookies["doorward"] != old
    assert browser.get("/security/password").status_code == 200
    browser.client.cookies.set("doorward", old, domain=HOST)
    assert browser.get("/security").headers["location"].startswith("/login")


def test_wrong_codes_at_the_confirmation_count_with_those_of_the_sign_in(house: House) -> None:
    alice = house.person("alice")
    browser = house.signed_in(alice, age=20 * MINUTE)
    wrong = f"{(int(house.code()) + 1) % 1_000_000:06}"
    for _ in range(6):
        assert browser.post("/security/confirm", method="totp", code=wrong, to="").status_code == 422
    page = browser.post("/security/confirm", method="totp", code=house.code(), to="")
    assert page.status_code == 422
    assert "is paused" in page.text
    assert [
        each.account_id for each in house.store.read(lambda c: accounts.paused_names(c, Audience.PERSON, house.clock()))
    ] == [alice.id]


@pytest.mark.parametrize(
    "to", ["//evil.example", "https:evil", "/\\evil", "/security\r\nx: y", "/admin", "", "/securityx"]
)
def test_se10_the_confirmation_leads_only_to_pages_that_ask_for_it(quick_house: House, to: str) -> None:
    alice = quick_house.person("alice")
    browser = quick_house.signed_in(alice, age=20 * MINUTE)
    answer = browser.post("/security/confirm", method="totp", code=quick_house.code(), to=to)
    assert answer.headers["location"] == "/security"


def test_a_second_authenticator_is_added_and_both_work_on(house: House) -> None:
    alice = house.person("alice")
    browser = house.signed_in(alice)
    address, key = _set_up(browser, "/security/authenticators/new")
    wrong = browser.post(address, name="Work phone", code=f"{(int(_shown(house, key)) + 1) % 1_000_000:06}")
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    done = browser.post(address, name="Work phone", code=_shown(house, key))
    assert done.headers["location"] == "/security?done=added"
    assert len(_factors(house, alice.id)) == 2
    assert "Work phone" in browser.get("/security").text
    [entry] = house.events("factor.enrolled")
    assert entry.event.person_id == alice.id


def test_the_first_authenticator_comes_with_ten_recovery_codes_shown_once(house: House) -> None:
    newbie = house.person("newbie", totp=False)
    browser = house.signed_in(newbie, Method.PASSWORD)
    address, key = _set_up(browser, "/security/authenticators/new")
    code = _shown(house, key)
    page = browser.post(address, name="", code=code)
    assert "Save your recovery codes" in page.text
    assert len(re.findall(r"<li>[0-9a-z]{4}(?:-[0-9a-z]{4}){3}</li>", page.text)) == 10
    again = browser.raw_post(address, {"csrf": browser.token("/"), "name": "", "code": code})
    assert again.status_code == 303
    assert "Save your recovery codes" not in again.text


def test_no_more_authenticators_than_the_limit(quick_house: House) -> None:
    alice = quick_house.person("alice")
    for _ in range(authenticator.MOST_APPS - 1):
        quick_house.store.write(
            lambda c: authenticator.add(c, quick_house.vault, Audience.PERSON, alice.id, b"\x12" * 20, 60, 0)
        )
    browser = quick_house.signed_in(alice)
    assert browser.get("/security/authenticators/new").headers["location"] == "/security?done=full"
    assert "Add a method" not in browser.get("/security").text


def test_the_last_authenticator_is_replaced_but_not_removed_while_one_is_required(house: House) -> None:
    alice = house.person("alice")
    [totp] = _factors(house, alice.id)
    browser = house.signed_in(alice)
    assert f"/security/authenticators/{totp}/remove" not in browser.get("/security").text
    assert browser.post(f"/security/authenticators/{totp}/remove").headers["location"] == "/security?done=last"
    assert _factors(house, alice.id) == [totp]
    address, key = _set_up(browser, f"/security/authenticators/{totp}/replace")
    assert _factors(house, alice.id) == [totp]
    browser.post(address, name="New phone", code=_shown(house, key))
    [replaced] = _factors(house, alice.id)
    assert replaced != totp


def test_an_authenticator_is_removed_where_none_is_required(house: House) -> None:
    alice = house.person("alice", mfa_required=False)
    [totp] = _factors(house, alice.id)
    browser = house.signed_in(alice)
    assert "Remove" in browser.get(f"/security/authenticators/{totp}/remove").text
    assert browser.post(f"/security/authenticators/{totp}/remove").headers["location"] == "/security?done=removed"
    assert _factors(house, alice.id) == []


def test_nobody_touches_another_persons_authenticator(quick_house: House) -> None:
    alice, bruno = quick_house.person("alice"), quick_house.person("bruno")
    [totp] = _factors(quick_house, bruno.id)
    browser = quick_house.signed_in(alice)
    for what in ("replace", "remove"):
        assert browser.get(f"/security/authenticators/{totp}/{what}").status_code == 404
        assert browser.post(f"/security/authenticators/{totp}/{what}").status_code == 404
    assert _factors(quick_house, bruno.id) == [totp]


def test_a_set_up_belongs_to_the_session_that_began_it(quick_house: House) -> None:
    alice = quick_house.person("alice")
    address, key = _set_up(quick_house.signed_in(alice), "/security/authenticators/new")
    other = quick_house.signed_in(alice)
    assert other.get(address).headers["location"] == "/security?done=gone"
    other.post(address, name="", code=_shown(quick_house, key))
    assert len(_factors(quick_house, alice.id)) == 1


def test_new_recovery_codes_void_the_old_ones(house: House) -> None:
    alice = house.person("alice")
    browser = house.signed_in(alice)
    assert "Make new recovery codes?" in browser.get("/security/recovery-codes").text
    codes = re.findall(r"<li>([0-9a-z-]{19})</li>", browser.post("/security/recovery-codes").text)
    assert len(codes) == 10
    newer = re.findall(r"<li>([0-9a-z-]{19})</li>", browser.post("/security/recovery-codes").text)
    assert not set(codes) & set(newer)
    house.clock.advance(6 * MINUTE)
    old = browser.post("/security/confirm", method="recovery_code", code=codes[0], to="")
    assert old.status_code == 422
    new = browser.post("/security/confirm", method="recovery_code", code=newer[0], to="")
    assert new.status_code == 303


def test_pw10_a_new_password_needs_the_present_one_and_ends_all_other_sessions(house: House) -> None:
    alice = house.person("alice")
    other, browser = house.signed_in(alice), house.signed_in(alice)
    wrong = browser.post("/security/password", current="not it", new=NEW_PASSWORD)
    assert wrong.status_code == 422
    assert "That is not your present password." in wrong.text
    assert other.get("/security").status_code == 200
    done = browser.post("/security/password", current=PASSWORD, new=NEW_PASSWORD)
    assert done.headers["location"] == "/security?done=password"
    assert browser.get("/security?done=password").status_code == 200
    assert other.get("/security").headers["location"].startswith("/login")
    assert len(house.events("password.changed")) == 1


@pytest.mark.parametrize("new", ["short", "password1234", "alice", "a" * 2000, "aaaaaaaaaaaaaaaaaaaa"])
def test_pw06_a_new_password_that_is_weak_is_refused_with_its_reason(quick_house: House, new: str) -> None:
    alice = quick_house.person("alice")
    browser = quick_house.signed_in(alice)
    page = browser.post("/security/password", current=PASSWORD, new=new)
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert quick_house.events("password.changed") == []


def test_pm03_the_well_known_address_leads_to_the_password(quick_house: House) -> None:
    answer = quick_house.browser().get("/.well-known/change-password")
    assert (answer.status_code, answer.headers["location"]) == (303, "/security/password")
    probe = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"
    assert quick_house.browser().get(probe).status_code == 404


def test_a16_a_session_that_is_ended_is_turned_away_at_once(house: House) -> None:
    alice = house.person("alice")
    other, browser = house.signed_in(alice), house.signed_in(alice)
    assert other.get("/").status_code == 200
    answer = browser.post(f"/security/sessions/{other.session_id}/end")
    assert answer.headers["location"] == "/security?done=ended"
    assert other.get("/").headers["location"] == "/login"
    assert browser.get("/").status_code == 200


def test_a16_every_other_session_ends_at_once(house: House) -> None:
    alice = house.person("alice")
    others, browser = [house.signed_in(alice) for _ in range(3)], house.signed_in(alice)
    stranger = house.signed_in(house.person("bruno"))
    browser.post("/security/sessions/end-others")
    assert [other.get("/").status_code for other in others] == [303, 303, 303]
    assert browser.get("/").status_code == 200
    assert stranger.get("/").status_code == 200


def test_nobody_ends_another_persons_session(quick_house: House) -> None:
    stranger = quick_house.signed_in(quick_house.person("bruno"))
    browser = quick_house.signed_in(quick_house.person("alice"))
    assert browser.post(f"/security/sessions/{stranger.session_id}/end").status_code == 404
    assert stranger.get("/").status_code == 200


def test_sessions_are_named_by_browser_and_system(quick_house: House) -> None:
    page = quick_house.signed_in(quick_house.person("alice")).get("/security").text
    assert "Firefox on Linux" in page
    assert "192.0.2.7" in page


def test_required_or_not_the_page_says_what_is_not_set_up(quick_house: House) -> None:
    newbie = quick_house.person("newbie", totp=False)
    browser = quick_house.signed_in(newbie, Method.PASSWORD)
    assert "Acme asks for a second step at sign-in." in browser.get("/security").text
    quick_house.settings(mfa=Mfa(required=False))
    assert "Acme asks for a second step at sign-in." not in browser.get("/security").text
