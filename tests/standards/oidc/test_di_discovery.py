"""STANDARDS 1.4: discovery and keys (OIDC Discovery, RFC 8414, RFC 7517)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

import pytest

from doorward.apps import BadApp
from doorward.clock import DAY
from support.oidc import ISSUER, World, answer_of, code_of

METADATA = "/.well-known/openid-configuration"

REQUIRED = {
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "scopes_supported",
    "claims_supported",
    "grant_types_supported",
    "code_challenge_methods_supported",
    "token_endpoint_auth_methods_supported",
}


def metadata(world: World) -> dict[str, object]:
    return cast("dict[str, object]", world.http.get(METADATA).json())


def test_di01_the_issuer_is_the_address_it_stands_under(world: World) -> None:
    answer = world.http.get(METADATA)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["issuer"] == ISSUER


def test_di02_the_form_of_rfc_8414_says_the_same(world: World) -> None:
    assert world.http.get("/.well-known/oauth-authorization-server").json() == metadata(world)


def test_di03_di05_what_is_required_is_there(world: World) -> None:
    found = metadata(world)
    assert set(found) >= REQUIRED
    assert "RS256" in cast("list[str]", found["id_token_signing_alg_values_supported"])
    assert "openid" in cast("list[str]", found["scopes_supported"])
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True


def test_di04_every_endpoint_is_ours_and_no_list_is_empty(world: World) -> None:
    for name, value in metadata(world).items():
        if name.endswith(("_endpoint", "_uri")):
            assert str(value).startswith(f"{ISSUER}/oidc/")
        assert value not in ([], "", None)


def test_di04_nothing_is_advertised_that_is_refused(world: World) -> None:
    found = metadata(world)
    browser = world.browser(world.person)
    world.make_client("other", pkce="optional")

    def lists(name: str) -> list[str]:
        return cast("list[str]", found[name])

    walks: dict[str, Callable[[str], object]] = {
        "scopes_supported": lambda value: code_of(browser.authorize(scope=f"openid {value}")),
        "response_types_supported": lambda value: code_of(browser.authorize(response_type=value)),
        "response_modes_supported": lambda value: code_of(browser.authorize(response_mode=value)),
        "acr_values_supported": lambda value: code_of(browser.authorize(acr_values=value)),
        "code_challenge_methods_supported": lambda value: code_of(browser.authorize(code_challenge_method=value)),
        "ui_locales_supported": lambda value: code_of(browser.authorize(ui_locales=value)),
        "grant_types_supported": lambda value: world.client().tokens(code_of(browser.authorize()), grant_type=value),
        "token_endpoint_auth_methods_supported": lambda value: world.make_client(
            value.replace("_", "-"),
            token_endpoint_auth_method=(value,),
            secret=None if value == "none" else "a-long-secret-of-a-test",
        ),
        "prompt_values_supported": lambda value: browser.authorize(prompt=value).headers["location"].index("/"),
        "claims_supported": lambda _value: None,  # each is seen in test_ui_userinfo and test_tk_token
        "claim_types_supported": lambda value: {"normal": True}[value],
        "subject_types_supported": lambda value: {"public": True}[value],
        "id_token_signing_alg_values_supported": lambda value: {"RS256": True}[value],
    }
    assert {name for name in found if name.endswith("s_supported")} == set(walks)
    for name, walk in walks.items():
        for value in lists(name):
            walk(value)


def test_di04_what_is_not_advertised_is_refused(world: World) -> None:
    browser = world.browser(world.person)
    assert answer_of(browser.authorize(response_mode="form_post"))["error"] == "invalid_request"
    assert answer_of(browser.authorize(response_type="code id_token"))["error"] == "unsupported_response_type"
    with pytest.raises(BadApp):
        world.make_client("post", token_endpoint_auth_method=("client_secret_post",))


def test_di05_the_unsupported_is_said_to_be(world: World) -> None:
    found = metadata(world)
    for name in ("claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"):
        assert found[name] is False
    absent = ("revocation_endpoint", "introspection_endpoint", "registration_endpoint", "end_session_endpoint")
    assert not set(found) & set(absent)


def test_di06_locales_are_language_tags(world: World) -> None:
    for tag in cast("list[str]", metadata(world)["ui_locales_supported"]):
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", tag)


def test_di07_keys_are_public_unique_and_strong(world: World) -> None:
    answer = world.http.get("/oidc/jwks")
    keys = answer.json()["keys"]
    assert "max-age" in answer.headers["cache-control"]
    assert len({key["kid"] for key in keys}) == len(keys) >= 1
    for key in keys:
        assert set(key) == {"kty", "use", "alg", "kid", "n", "e"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
        assert len(key["n"]) * 6 >= 2048


def test_di07_the_keys_stay_the_same(world_anywhere: World) -> None:
    first = world_anywhere.http.get("/oidc/jwks").json()
    world_anywhere.clock.advance(DAY)
    assert world_anywhere.http.get("/oidc/jwks").json() == first


def test_di09_nothing_comes_from_the_host_that_was_asked(world: World) -> None:
    headers = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "forwarded": "host=evil.example"}
    assert "evil" not in world.http.get(METADATA, headers=headers).text
    assert world.http.get(METADATA, headers={"host": "evil.example"}).status_code == 307
