"""The profile."""

from __future__ import annotations

import pytest

from doorward.directory import Person, person
from support.house import House

FIELDS = {"name": "Alice L.", "locale": "pt-BR", "theme": "dark", "search_key": ""}


def _read(house: House, who: Person) -> Person:
    found = house.store.read(lambda c: person(c, who.id))
    assert found is not None
    return found


def test_name_locale_theme_and_search_key_are_saved(house: House) -> None:
    alice = house.person("alice")
    browser = house.signed_in(alice)
    answer = browser.post("/profile", **FIELDS)
    assert answer.headers["location"] == "/profile?done=saved"
    saved = _read(house, alice)
    assert (saved.name, saved.locale, saved.theme, saved.search_key) == ("Alice L.", "pt-BR", "dark", False)
    assert browser.client.cookies["doorward-theme"] == "dark"
    page = browser.get("/")
    assert 'data-theme="dark"' in page.text
    assert "data-slash" not in page.text


def test_username_mail_address_and_state_are_never_taken_from_the_form(house: House) -> None:
    alice = house.person("alice", email="alice@acme.example")
    browser = house.signed_in(alice)
    browser.post("/profile", **FIELDS, username="root", email="root@acme.example", state="suspended", id="x")
    saved = _read(house, alice)
    assert (saved.username, saved.email, saved.state, saved.id) == ("alice", "alice@acme.example", "active", alice.id)
    assert 'name="username"' not in browser.get("/profile").text


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", " "), ("name", "x" * 300), ("name", "a\u202eb"), ("theme", "pink"), ("theme", ""), ("locale", "tlh-XX")],
)
def test_what_cannot_be_is_refused_and_changes_nothing(quick_house: House, field: str, value: str) -> None:
    alice = quick_house.person("alice")
    answer = quick_house.signed_in(alice).post("/profile", **{**FIELDS, field: value})
    assert 400 <= answer.status_code < 500
    assert _read(quick_house, alice) == alice


def test_se11_the_phone_number_changes_with_a_fresh_proof(house: House) -> None:
    alice = house.person("alice")
    browser = house.signed_in(alice)
    assert browser.post("/profile/phone", phone="<script>").status_code == 422
    assert browser.post("/profile/phone", phone="+351 21 000 0000").headers["location"] == "/profile?done=phone"
    assert _read(house, alice).phone == "+351 21 000 0000"
    browser.post("/profile/phone", phone="")
    assert _read(house, alice).phone is None


def test_the_theme_of_the_menu_comes_back_to_the_same_page_and_nowhere_else(quick_house: House) -> None:
    browser = quick_house.signed_in(quick_house.person("alice"))
    assert browser.post("/profile/theme", theme="light", to="/security").headers["location"] == "/security"
    assert browser.post("/profile/theme", theme="light", to="//evil.example").headers["location"] == "/"
    assert browser.client.cookies["doorward-theme"] == "light"


def test_a_notice_is_one_of_ours_or_none(quick_house: House) -> None:
    page = quick_house.signed_in(quick_house.person("alice")).get("/profile?done=Send+your+password+to+evil")
    assert page.status_code == 200
    assert "evil" not in page.text
