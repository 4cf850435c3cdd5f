"""What may be registered: DR-03, SM-09, CATALOGUE section 2, and the attacks on addresses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from doorward.apps import AttributeRule, Bookmark, NewApp
from doorward.apps.kinds import AppKind, config_of, kind_from_config, kind_name
from doorward.apps.rules import RESERVED_CLAIMS, faults_of, is_loopback, redirect_refusal, service_refusal
from support.app_samples import BOOKMARK, CLIENT, PROVIDER, certificate

WEAK_BITS = 1024


def paths(kind: AppKind = CLIENT, **fields: object) -> list[str]:
    return [fault.path for fault in faults_of(NewApp(**{"slug": "board", "name": "Board", "kind": kind, **fields}))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "kind", [BOOKMARK, CLIENT, PROVIDER, replace(PROVIDER, attributes={"a": AttributeRule("user.id", "uri")})]
)
def test_every_kind_is_accepted_and_survives_its_row(kind: AppKind) -> None:
    assert paths(kind) == []
    assert kind_from_config(kind_name(kind), config_of(kind)) == kind


def test_a_kind_of_another_version_is_not_read() -> None:
    with pytest.raises(ValueError, match="knows no application"):
        kind_from_config("radius", {})


@pytest.mark.parametrize(
    "uri",
    [
        "https://board.example/cb",
        "https://board.example/cb/",
        "https://board.example/cb?connection=a%20b&x=1",
        "https://board.example:8443/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9/cb",
        "app.immich:///oauth-callback",
        "audiobookshelf://oauth",
        "oc://ios.opencloud.eu",
        "com.example.app:/cb",
    ],
)
def test_az05_addresses_of_real_applications_are_accepted_as_they_are(uri: str) -> None:
    assert redirect_refusal(uri) is None


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/cb",
        "board.example/cb",
        "//board.example/cb",
        "http://board.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "https://board.example/cb#fragment",
        "https://board.example/cb#",
        "https://*.board.example/cb",
        "https://board.example/*",
        "https://user@board.example/cb",
        "https://board.example@evil.example/cb",
        "https://board.example\\@evil.example/cb",
        "https://board.example/a/../cb",
        "https://board.example/..;/cb",
        "https://board.example/cb?code=1",
        "https://board.example/cb?state",
        "https://board.example/cb?iss=x",
        "https://board.example/c b",
        "https://board.example/cb\n",
        "https://bücher.example/cb",
        "https:///cb",
        "https://:8/cb",
        "https://board.example:99999/cb",
        "https://[::1/cb",
        "javascript:alert(1)",
        "JavaScript://board.example/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "vbscript:x",
        "1x://a",
        ":",
        "x:",
        "https://board.example/" + "a" * 3000,
    ],
)
def test_dr03_a47_a48_a58_dangerous_or_inexact_addresses_are_refused(uri: str) -> None:
    assert redirect_refusal(uri) is not None


@given(st.text(max_size=80))
def test_judging_an_address_never_raises(text: str) -> None:
    redirect_refusal(text)
    service_refusal(text)
    is_loopback(text)


@pytest.mark.parametrize("url", ["http://wiki.example/acs", "javascript:x", "oc://x", "https://wiki.example/acs#a", ""])
def test_sm09_an_assertion_goes_to_https_or_loopback_alone(url: str) -> None:
    assert paths(replace(PROVIDER, acs_urls=(url,))) == ["saml.acs_urls[0]"]
    assert paths(replace(PROVIDER, acs_urls=("http://127.0.0.1:8001/acs?so=1",))) == []


@pytest.mark.parametrize(
    "entity_id", ["google.com/a/example.com", "Dropbox", "urn:federation:MicrosoftOnline", "https://x/ with space"]
)
def test_an_entity_id_is_any_string(entity_id: str) -> None:
    assert paths(replace(PROVIDER, entity_id=entity_id)) == []


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (replace(CLIENT, client_id=""), "oidc.client_id"),
        (replace(CLIENT, client_id="a b"), "oidc.client_id"),
        (replace(CLIENT, redirect_uris=()), "oidc.redirect_uris"),
        (replace(CLIENT, redirect_uris=("https://a.example",) * 2), "oidc.redirect_uris"),
        (replace(CLIENT, token_endpoint_auth_method=("client_secret_post",)), "oidc.token_endpoint_auth_method"),
        (
            replace(CLIENT, token_endpoint_auth_method=("none", "client_secret_basic")),
            "oidc.token_endpoint_auth_method",
        ),
        (replace(CLIENT, token_endpoint_auth_method=()), "oidc.token_endpoint_auth_method"),
        (replace(CLIENT, token_endpoint_auth_method=("none",), pkce="optional"), "oidc.pkce"),
        (replace(CLIENT, grant_types=("implicit",)), "oidc.grant_types"),
        (replace(CLIENT, scopes=("profile",)), "oidc.scopes"),
        (replace(CLIENT, scopes=("openid", "admin")), "oidc.scopes"),
        (replace(CLIENT, id_token_signed_response_alg="none"), "oidc.id_token_signed_response_alg"),
        (replace(CLIENT, claims={"team": "user.secret"}), "oidc.claims.team"),
        (replace(CLIENT, initiate_login_uri="http://board.example/login"), "oidc.initiate_login_uri"),
        (replace(PROVIDER, entity_id=""), "saml.entity_id"),
        (replace(PROVIDER, entity_id="x" * 1025), "saml.entity_id"),
        (replace(PROVIDER, acs_urls=()), "saml.acs_urls"),
        (replace(PROVIDER, sign="none"), "saml.sign"),
        (replace(PROVIDER, signature_algorithm="rsa-sha1"), "saml.signature_algorithm"),
        (replace(PROVIDER, name_id_from="user.secret"), "saml.name_id.from"),
        (replace(PROVIDER, relay_state="x" * 81), "saml.relay_state"),
        (replace(PROVIDER, attributes={"a": AttributeRule("user.id", "x")}), "saml.attributes.a.name_format"),
        (replace(PROVIDER, signing_certificates=("nonsense",)), "saml.signing_certificates[0]"),
        (replace(PROVIDER, require_signed_requests=True), "saml.require_signed_requests"),
        (replace(PROVIDER, authn_context="\ud800"), "saml.authn_context"),
        (replace(PROVIDER, name_id_from="constant:\ud800"), "saml.name_id.from"),
        (replace(CLIENT, claims={"team": "constant:a\0"}), "oidc.claims.team"),
        (Bookmark("javascript:alert(1)"), "bookmark.url"),
        (Bookmark("https://user:pw@x.example"), "bookmark.url"),
    ],
)
def test_each_wrong_field_is_named(kind: AppKind, path: str) -> None:
    assert paths(kind) == [path]


@pytest.mark.parametrize("slug", ["", "Wiki", "a b", "-a", "a-", "a/b", "..", "portal", "admin", "x" * 65, "ä"])
def test_slugs_are_plain_and_the_portals_own_names_are_taken(slug: str) -> None:
    assert paths(slug=slug) == ["slug"]


@pytest.mark.parametrize("name", sorted(RESERVED_CLAIMS))
def test_a68_no_configuration_writes_a_claim_that_we_answer_for(name: str) -> None:
    assert paths(replace(CLIENT, claims={name: "constant:x"})) == [f"oidc.claims.{name}"]


def test_every_fault_is_found_at_once() -> None:
    assert paths(replace(CLIENT, pkce="off", scopes=()), slug="A", name="", start_url="x") == [
        "slug",
        "name",
        "start_url",
        "oidc.scopes",
        "oidc.scopes",
        "oidc.pkce",
    ]


def test_weak_keys_are_refused_and_expired_certificates_accepted() -> None:
    assert paths(replace(PROVIDER, signing_certificates=(certificate(),), require_signed_requests=True)) == []
    weak = certificate(rsa.generate_private_key(65537, WEAK_BITS))
    assert paths(replace(PROVIDER, signing_certificates=(weak,))) == ["saml.signing_certificates[0]"]
