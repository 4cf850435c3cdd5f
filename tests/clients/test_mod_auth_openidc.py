"""Apache's mod_auth_openidc as an OpenID Connect relying party."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clients.acme import Acme
from clients.apache import Apache
from support.browserless import Account, Browser, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients")]

Somebody = Callable[[], Account]


def test_a_person_who_opens_the_secret_page_signs_in_and_comes_back_to_it(
    apache: Apache, somebody: Somebody, browser: Browser
) -> None:
    alice = somebody()
    browser.open(f"{apache.oidc}/secret/index.html?a=1")
    assert "Apache" in browser.text
    sign_in(browser, alice)
    assert browser.url == f"{apache.oidc}/secret/index.html?a=1", apache.log
    assert browser.heading == "The secret page"
    assert browser.page is not None
    assert browser.page.headers["x-user"].startswith(alice.username)
    assert browser.page.headers["x-mail"] == f"{alice.username}@acme.example"
    assert browser.page.headers["x-groups"] == "engineering"
    assert {"pwd", "otp", "mfa"} <= set(browser.page.headers["x-methods"].split(","))


def test_with_a_session_the_page_opens_at_once(
    acme: Acme, apache: Apache, somebody: Somebody, browser: Browser
) -> None:
    browser.open(f"{acme.base_url}/")
    sign_in(browser, somebody())
    browser.open(f"{apache.oidc}/secret/")
    assert browser.heading == "The secret page", apache.log


def test_a_person_without_the_group_is_kept_out(apache: Apache, outsider: Account, browser: Browser) -> None:
    browser.open(f"{apache.oidc}/secret/")
    sign_in(browser, outsider)
    assert "The secret page" not in browser.text
    browser.open(f"{apache.oidc}/secret/")
    assert "The secret page" not in browser.text
