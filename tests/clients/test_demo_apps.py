"""The demo's two applications, on python3-saml and on Authlib, against a real server."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from clients.acme import Acme
from support.browserless import Account, Browser, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients")]

Somebody = Callable[[], Account]


def test_expenses_asks_and_gets_back_to_where_the_person_was(
    expenses: str, somebody: Somebody, browser: Browser
) -> None:
    alice = somebody()
    browser.open(f"{expenses}/reports/november").follow("Sign in with Doorward")
    sign_in(browser, alice)
    browser.submit("Continue")
    assert browser.url == f"{expenses}/reports/november"
    assert browser.heading == f"Hello, {alice.username.title()}"
    assert f"{alice.username}@acme.example" in browser.text
    assert "engineering" in browser.text
    assert "this application" in browser.text


def test_expenses_opens_from_the_portal(acme: Acme, expenses: str, somebody: Somebody, browser: Browser) -> None:
    browser.open(f"{acme.base_url}/apps/expenses/launch")
    sign_in(browser, somebody())
    browser.submit("Continue")
    assert browser.url == f"{expenses}/"
    assert "the User Portal" in browser.text


def test_xa21_expenses_takes_an_answer_once_and_unchanged(expenses: str, somebody: Somebody, browser: Browser) -> None:
    browser.open(f"{expenses}/login")
    sign_in(browser, somebody())
    form, fields = browser.form("Continue")
    acs = str(form.get("action"))
    xml = base64.b64decode(fields["SAMLResponse"])
    changed = base64.b64encode(xml.replace(b"@acme.example", b"@evil.example")).decode("ascii")
    with Browser() as attacker:
        attacker.post(acs, {**fields, "SAMLResponse": changed})
        assert attacker.status == 403
    browser.post(acs, fields)
    assert browser.heading.startswith("Hello")
    with Browser() as thief:
        thief.post(acs, fields)
        assert thief.status == 403


def test_signing_out_of_expenses_leaves_the_portal_open(
    acme: Acme, expenses: str, somebody: Somebody, browser: Browser
) -> None:
    browser.open(f"{expenses}/login")
    sign_in(browser, somebody())
    browser.submit("Continue")
    browser.submit("Sign out of Expenses")
    assert "Nobody is signed in here" in browser.text
    browser.open(f"{acme.base_url}/")
    assert browser.path == "/"


def test_board_gets_claims_and_userinfo(board: str, somebody: Somebody, browser: Browser) -> None:
    alice = somebody()
    browser.open(f"{board}/cards/week").follow("Sign in with Doorward")
    sign_in(browser, alice)
    assert browser.url == f"{board}/cards/week"
    assert browser.heading == f"Hello, {alice.username.title()}"
    for told in (f"{alice.username}@acme.example", "pwd, otp, mfa", "engineering"):
        assert told in browser.text


def test_board_opens_from_the_portal(acme: Acme, board: str, somebody: Somebody, browser: Browser) -> None:
    browser.open(f"{acme.base_url}/apps/board/launch")
    sign_in(browser, somebody())
    assert browser.heading.startswith("Hello")
    assert browser.url.startswith(board)


def test_neither_lets_a_person_without_the_group_in(
    expenses: str, board: str, outsider: Account, browser: Browser
) -> None:
    browser.open(f"{expenses}/login")
    sign_in(browser, outsider)
    assert "SAMLResponse" not in browser.html
    browser.open(f"{board}/login")
    assert not browser.heading.startswith("Hello")
