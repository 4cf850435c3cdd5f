"""The page that changes a password is no place to guess the present one (A26, A27; LK-05)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clocks import SettableClock
from support.house import PASSWORD, House, open_house
from support.store import Store

GUESS = "nine purple giraffes on parade"


@pytest.fixture
def house(tmp_path: Path, sqlite_url: str, sqlite_store: Store, clock: SettableClock) -> Iterator[House]:
    """The composed application, on SQLite."""
    yield from open_house(tmp_path / "data", sqlite_url, sqlite_store, clock)


def told(page: str) -> list[str]:
    return re.findall(r'role="alert"[^>]*>(.*?)</', page, re.DOTALL)


def test_a27_the_new_password_is_no_guess_at_the_present_one(house: House) -> None:
    alice = house.person("alice")
    at_open_desk = house.signed_in(alice)
    guesses = [at_open_desk.post("/security/password", current="not it", new=new) for new in (GUESS, PASSWORD)]
    assert {page.status_code for page in guesses} == {422}
    assert told(guesses[0].text) == told(guesses[1].text) != []
    assert len(house.events("proof.failed")) == 2  # each was a guess, and counted


def test_a26_guesses_at_the_page_pause_the_name(house: House) -> None:
    alice = house.person("alice")
    at_open_desk = house.signed_in(alice)
    for number in range(6):
        at_open_desk.post("/security/password", current="not it", new=f"{GUESS} {number}")
    page = at_open_desk.post("/security/password", current=PASSWORD, new=GUESS)
    assert page.status_code == 422
    assert house.events("password.changed") == []


def test_the_present_password_again_is_no_change(house: House) -> None:
    alice = house.person("alice")
    browser = house.signed_in(alice)
    page = browser.post("/security/password", current=PASSWORD, new=PASSWORD)
    assert page.status_code == 422
    assert house.events("password.changed") == []
    done = browser.post("/security/password", current=PASSWORD, new=GUESS)
    assert done.headers["location"] == "/security?done=password"
