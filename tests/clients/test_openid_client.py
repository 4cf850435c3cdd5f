"""openid-client 6 (certified by the OpenID Foundation) and oauth4webapi, on Node.js."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from clients.acme import Acme
from support.browserless import Account, Browser, sign_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients")]

Somebody = Callable[[], Account]
_KINDS = [(library, client) for library in ("openid-client", "oauth4webapi") for client in ("basic", "public")]


def _told(browser: Browser) -> dict[str, dict[str, object]]:
    told = json.loads(browser.html)
    assert browser.status == 200, told
    return told


@pytest.mark.parametrize(("library", "client"), _KINDS)
def test_the_code_flow_with_pkce_gives_a_verified_id_token_and_userinfo(
    acme: Acme, node: str, somebody: Somebody, browser: Browser, library: str, client: str
) -> None:
    alice = somebody()
    browser.open(f"{node}/{library}/{client}/login")
    sign_in(browser, alice)
    told = _told(browser)
    claims, userinfo = told["claims"], told["userinfo"]
    assert claims["iss"] == acme.base_url
    assert claims["aud"] in (client, [client])
    assert set(claims["amr"]) >= {"pwd", "otp", "mfa"}  # type: ignore[call-overload] - a list, or the test fails
    assert isinstance(claims["auth_time"], int)
    assert claims["sid"]
    assert claims["acr"]
    assert userinfo["sub"] == claims["sub"]
    assert userinfo["email"] == f"{alice.username}@acme.example"
    assert userinfo["groups"] == ["engineering"]


def test_prompt_none_needs_a_session(node: str, browser: Browser) -> None:
    browser.open(f"{node}/openid-client/basic/login", prompt="none")
    assert browser.status == 400
    assert json.loads(browser.html)["error"] == "login_required"


def test_prompt_none_with_a_session_goes_through_and_prompt_login_asks_again(
    acme: Acme, node: str, somebody: Somebody, browser: Browser
) -> None:
    browser.open(f"{acme.base_url}/")
    sign_in(browser, somebody())
    browser.open(f"{node}/openid-client/basic/login", prompt="none")
    assert _told(browser)["claims"]["sub"]
    browser.open(f"{node}/openid-client/basic/login", prompt="login")
    assert browser.path.startswith("/login")


def test_max_age_is_kept(acme: Acme, node: str, somebody: Somebody, browser: Browser) -> None:
    browser.open(f"{acme.base_url}/")
    sign_in(browser, somebody())
    browser.open(f"{node}/openid-client/basic/login", max_age="600")
    assert _told(browser)["claims"]["auth_time"]


def test_a_code_is_redeemed_once(node: str, somebody: Somebody, browser: Browser) -> None:
    browser.open(f"{node}/openid-client/basic/login")
    sign_in(browser, somebody())
    _told(browser)
    browser.open(f"{node}/openid-client/basic/replay")
    assert browser.status == 400
    assert json.loads(browser.html)["error"] == "invalid_grant"


def test_a_person_without_the_group_gets_no_code(node: str, outsider: Account, browser: Browser) -> None:
    browser.open(f"{node}/openid-client/basic/login")
    sign_in(browser, outsider)
    assert browser.status in {400, 403}
    assert '"claims"' not in browser.html
