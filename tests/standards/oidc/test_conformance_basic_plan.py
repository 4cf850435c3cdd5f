"""STANDARDS 1.12: one test for each module of the OpenID Foundation's basic plan, from the specification.

The plan's client authenticates by client_secret_basic and sends no PKCE; modules of features to come say so.
"""

from __future__ import annotations

import pytest
from httpx2 import Response
from joserfc import jwt
from joserfc.jwk import KeySet

from doorward.clock import MINUTE, SECOND
from support.oidc import REDIRECT, SECRET, World, answer_of, basic, read_token
from support.oidc import code_of as read_code

NO_PKCE = {"code_challenge": None, "code_challenge_method": None}


@pytest.fixture
def world(world: World) -> World:
    """The plan's client beside the others."""
    world.make_client("plan", pkce="optional")
    return world


def arrive(world: World, **changed: str | None) -> Response:
    return world.browser(world.person).authorize(**{"client_id": "plan", "scope": "openid", **NO_PKCE, **changed})


def tokens(world: World, **changed: str | None) -> dict[str, object]:
    return world.client("plan").tokens(read_code(arrive(world, **changed)), code_verifier=None)


def id_token(world: World, **changed: str | None) -> dict[str, object]:
    return read_token(world, str(tokens(world, **changed)["id_token"]))[1]


def userinfo(world: World, **changed: str | None) -> dict[str, object]:
    answer = world.client("plan").userinfo(str(tokens(world, **changed)["access_token"]))
    assert answer.status_code == 200
    return dict(answer.json())


def test_oidcc_server(world: World) -> None:
    assert id_token(world)["sub"] == world.person.id


def test_oidcc_response_type_missing(world: World) -> None:
    answer = answer_of(arrive(world, response_type=None))
    assert answer["error"] in {"invalid_request", "unsupported_response_type"}
    assert answer["state"] == "a-state"


def test_oidcc_idtoken_signature(world: World) -> None:
    keys = KeySet.import_key_set(world.http.get("/oidc/jwks").json())
    read = jwt.decode(str(tokens(world)["id_token"]), keys, algorithms=["RS256"])
    assert read.header["kid"] in {key.kid for key in keys.keys}


def test_oidcc_idtoken_unsigned_is_not_offered(world: World) -> None:
    found = world.http.get("/.well-known/openid-configuration").json()
    assert "none" not in found["id_token_signing_alg_values_supported"]


def test_oidcc_userinfo_get(world: World) -> None:
    assert userinfo(world)["sub"] == world.person.id


def test_oidcc_userinfo_post_header(world: World) -> None:
    token = str(tokens(world)["access_token"])
    answer = world.http.post("/oidc/userinfo", headers={"authorization": f"Bearer {token}"})
    assert answer.json()["sub"] == world.person.id


def test_oidcc_userinfo_post_body(world: World) -> None:
    answer = world.http.post("/oidc/userinfo", data={"access_token": str(tokens(world)["access_token"])})
    assert answer.json()["sub"] == world.person.id


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(world: World) -> None:
    assert "nonce" not in id_token(world, nonce=None)


def test_oidcc_scope_profile(world: World) -> None:
    assert userinfo(world, scope="openid profile")["name"] == "Alice Liddell"


def test_oidcc_scope_email(world: World) -> None:
    claims = userinfo(world, scope="openid email")
    assert (claims["email"], claims["email_verified"]) == ("alice@acme.example", True)


def test_oidcc_scope_address(world: World) -> None:
    assert isinstance(userinfo(world, scope="openid address")["address"], dict)


def test_oidcc_scope_phone(world: World) -> None:
    claims = userinfo(world, scope="openid phone")
    assert {"phone_number", "phone_number_verified"} <= set(claims)


def test_oidcc_scope_all(world: World) -> None:
    claims = userinfo(world, scope="openid profile email address phone")
    assert {"name", "email", "address", "phone_number"} <= set(claims)


def test_oidcc_alternate_happy_flow(world: World) -> None:
    other = "https://board.example/another?x=y"
    world.make_client("alternate", pkce="optional", redirect_uris=(REDIRECT, other))
    browser = world.browser(world.person)
    code = read_code(browser.authorize(client_id="alternate", redirect_uri=other, **NO_PKCE), other)
    assert world.client("alternate", redirect_uri=other).redeem(code, code_verifier=None).status_code == 200


@pytest.mark.parametrize("display", ["page", "popup"])
def test_oidcc_display_page_and_popup(world: World, display: str) -> None:
    assert id_token(world, display=display)


def test_oidcc_prompt_login(world: World) -> None:
    browser = world.browser(world.person)
    asked = {"client_id": "plan", **NO_PKCE}
    first = world.client("plan").tokens(read_code(browser.authorize(**asked)), code_verifier=None)
    world.clock.advance(5 * SECOND)
    assert browser.authorize(**asked, prompt="login").headers["location"].startswith("/login?tx=")
    resume = world.pending_address()
    world.clock.advance(5 * SECOND)
    browser.sign_in(world.person)
    second = world.client("plan").tokens(read_code(browser.get(resume)), code_verifier=None)
    times = [int(str(read_token(world, str(each["id_token"]))[1]["auth_time"])) for each in (first, second)]
    assert times[1] > times[0]


def test_oidcc_prompt_none_not_logged_in(world: World) -> None:
    answer = world.browser().authorize(client_id="plan", prompt="none", **NO_PKCE)
    assert answer_of(answer)["error"] == "login_required"


def test_oidcc_prompt_none_logged_in(world: World) -> None:
    browser = world.browser(world.person)
    asked = {"client_id": "plan", **NO_PKCE}
    claims = []
    for prompt in (None, "none"):
        made = world.client("plan").tokens(read_code(browser.authorize(**asked, prompt=prompt)), code_verifier=None)
        claims.append(read_token(world, str(made["id_token"]))[1])
        world.clock.advance(5 * SECOND)
    assert claims[0]["sub"] == claims[1]["sub"]
    assert claims[0]["auth_time"] == claims[1]["auth_time"]


def test_oidcc_max_age_1(world: World) -> None:
    browser = world.browser(world.person)
    world.clock.advance(2 * SECOND)
    assert browser.authorize(client_id="plan", max_age="1", **NO_PKCE).headers["location"].startswith("/login?tx=")
    resume = world.pending_address()
    browser.sign_in(world.person)
    made = world.client("plan").tokens(read_code(browser.get(resume)), code_verifier=None)
    assert read_token(world, str(made["id_token"]))[1]["auth_time"] == world.clock() // SECOND


def test_oidcc_max_age_10000(world: World) -> None:
    browser = world.browser(world.person)
    signed_in = world.clock()
    world.clock.advance(2 * MINUTE)
    answer = browser.authorize(client_id="plan", max_age="10000", **NO_PKCE)
    made = world.client("plan").tokens(read_code(answer), code_verifier=None)
    assert read_token(world, str(made["id_token"]))[1]["auth_time"] == signed_in // SECOND


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(world: World) -> None:
    assert id_token(world, extra="foobar")


def test_oidcc_id_token_hint(world: World) -> None:
    hint = str(tokens(world)["id_token"])
    assert id_token(world, id_token_hint=hint, prompt="none")["sub"] == world.person.id


def test_oidcc_login_hint(world: World) -> None:
    assert id_token(world, login_hint="bob@acme.example")["sub"] == world.person.id


def test_oidcc_ui_locales_and_claims_locales(world: World) -> None:
    assert id_token(world, ui_locales="se", claims_locales="se")


def test_oidcc_ensure_request_with_acr_values_succeeds(world: World) -> None:
    assert id_token(world, acr_values="1 2")["acr"]


def test_oidcc_codereuse(world: World) -> None:
    code = read_code(arrive(world))
    assert world.client("plan").redeem(code, code_verifier=None).status_code == 200
    assert world.client("plan").redeem(code, code_verifier=None).json()["error"] == "invalid_grant"


def test_oidcc_codereuse_30seconds(world: World) -> None:
    code = read_code(arrive(world))
    token = str(world.client("plan").tokens(code, code_verifier=None)["access_token"])
    world.clock.advance(30 * SECOND)
    assert world.client("plan").redeem(code, code_verifier=None).json()["error"] == "invalid_grant"
    assert world.client("plan").userinfo(token).status_code == 401


def test_oidcc_ensure_registered_redirect_uri(world: World) -> None:
    answer = arrive(world, redirect_uri="https://board.example/cb/unregistered")
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_oidcc_ensure_post_request_succeeds(world: World) -> None:
    browser = world.browser(world.person)
    posted = browser.post(client_id="plan", **NO_PKCE)
    assert read_code(browser.get(posted.headers["location"]))


def test_oidcc_server_client_secret_post_is_not_offered(world: World) -> None:
    code = read_code(arrive(world))
    answer = world.client("plan").redeem(code, headers={}, client_id="plan", client_secret=SECRET, code_verifier=None)
    assert answer.json()["error"] == "invalid_client"


def test_oidcc_request_uri_unsigned_rejected_as_unsupported(world: World) -> None:
    answer = answer_of(arrive(world, request_uri="https://board.example/request.jwt"))
    assert answer["error"] == "request_uri_not_supported"


def test_oidcc_unsigned_request_object_rejected_as_unsupported(world: World) -> None:
    assert answer_of(arrive(world, request="eyJhbGciOiJub25lIn0.e30."))["error"] == "request_not_supported"


def test_oidcc_claims_essential(world: World) -> None:
    assert id_token(world, claims='{"userinfo":{"name":{"essential":true}}}')["sub"] == world.person.id


def test_oidcc_ensure_request_object_with_redirect_uri(world: World) -> None:
    answer = arrive(world, request="eyJhbGciOiJub25lIn0.e30.", redirect_uri="https://evil.example/cb")
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_oidcc_refresh_token_is_not_offered(world: World) -> None:
    assert "refresh_token" not in tokens(world)
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    answer = world.http.post("/oidc/token", data=form, headers={"authorization": basic("plan", SECRET)})
    assert answer.json()["error"] == "unsupported_grant_type"


def test_oidcc_ensure_request_with_valid_pkce_succeeds(world: World) -> None:
    code = read_code(world.browser(world.person).authorize(client_id="plan"))
    assert world.client("plan").redeem(code).status_code == 200


def test_oidcc_discovery_endpoint_verification(world: World) -> None:
    found = world.http.get("/.well-known/openid-configuration").json()
    assert found["response_types_supported"] == ["code"]
    assert world.http.get(found["jwks_uri"]).status_code == 200
