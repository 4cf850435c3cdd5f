"""Apache's mod_auth_mellon (on lasso) as a SAML service provider."""

from __future__ import annotations

import base64
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
    browser.open(f"{apache.saml}/secret/index.html?a=1&b=%20x")
    assert "to continue to" in browser.text
    assert "Mellon" in browser.text
    sign_in(browser, alice)
    browser.submit("Continue")
    assert browser.url == f"{apache.saml}/secret/index.html?a=1&b=%20x", apache.log
    assert browser.heading == "The secret page"
    assert browser.page is not None
    assert browser.page.headers["x-user"] == f"{alice.username}@acme.example"
    assert browser.page.headers["x-mail"] == f"{alice.username}@acme.example"
    assert browser.page.headers["x-groups"] == "engineering"


def test_with_a_session_the_page_opens_at_once(
    acme: Acme, apache: Apache, somebody: Somebody, browser: Browser
) -> None:
    browser.open(f"{acme.base_url}/")
    sign_in(browser, somebody())
    browser.open(f"{apache.saml}/secret/")
    browser.submit("Continue")
    assert browser.heading == "The secret page", apache.log


def test_the_tile_of_the_portal_opens_the_page_with_the_configured_relay_state(
    acme: Acme, apache: Apache, somebody: Somebody, browser: Browser
) -> None:
    browser.open(f"{acme.base_url}/")
    sign_in(browser, somebody())
    browser.open(f"{acme.base_url}/apps/mellon/launch")
    browser.submit("Continue")
    assert browser.url == f"{apache.saml}/secret/", apache.log
    assert browser.heading == "The secret page"


def test_a_launch_without_a_session_leads_through_the_sign_in_to_the_page(
    acme: Acme, apache: Apache, somebody: Somebody, browser: Browser
) -> None:
    browser.open(f"{acme.base_url}/apps/mellon/launch")
    sign_in(browser, somebody())
    browser.submit("Continue")
    assert browser.url == f"{apache.saml}/secret/", apache.log


def test_a_person_without_the_group_is_kept_out_and_nothing_of_them_leaves(
    apache: Apache, outsider: Account, browser: Browser
) -> None:
    browser.open(f"{apache.saml}/secret/")
    sign_in(browser, outsider)
    assert browser.status == 403
    assert "SAMLResponse" not in browser.html
    browser.open(f"{apache.saml}/secret/")
    assert browser.heading != "The secret page"


def _answer(apache: Apache, somebody: Somebody, browser: Browser) -> tuple[str, dict[str, str]]:
    browser.open(f"{apache.saml}/secret/")
    sign_in(browser, somebody())
    form, fields = browser.form("Continue")
    return str(form.get("action")), fields


def test_a_tampered_assertion_is_refused(apache: Apache, somebody: Somebody, browser: Browser) -> None:
    acs, fields = _answer(apache, somebody, browser)
    xml = base64.b64decode(fields["SAMLResponse"])
    changed = xml.replace(b"@acme.example", b"@evil.example")
    assert changed != xml
    browser.post(acs, {**fields, "SAMLResponse": base64.b64encode(changed).decode("ascii")})
    assert browser.status >= 400
    browser.open(f"{apache.saml}/secret/")
    assert "The secret page" not in browser.text


def test_an_unsigned_assertion_is_refused(apache: Apache, somebody: Somebody, browser: Browser) -> None:
    acs, fields = _answer(apache, somebody, browser)
    xml = base64.b64decode(fields["SAMLResponse"])
    while (start := xml.find(b"<ds:Signature ")) >= 0:
        xml = xml[:start] + xml[xml.index(b"</ds:Signature>", start) + len(b"</ds:Signature>") :]
    browser.post(acs, {**fields, "SAMLResponse": base64.b64encode(xml).decode("ascii")})
    assert browser.status >= 400


def test_an_assertion_is_taken_once(apache: Apache, somebody: Somebody, browser: Browser) -> None:
    acs, fields = _answer(apache, somebody, browser)
    browser.post(acs, fields)
    assert browser.heading == "The secret page", apache.log
    with Browser() as thief:
        thief.post(acs, fields)
        thief.open(f"{apache.saml}/secret/")
        assert thief.heading == "Sign in"
