"""STANDARDS 1.4: userinfo and bearer use (OIDC Core 5.3, RFC 6750), and who may read across origins."""

from __future__ import annotations

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from doorward.clock import HOUR, MINUTE, SECOND
from doorward.keys import KeyUse, signing_key
from doorward.protocols.oidc import jose
from support.oidc import ISSUER, SECRET, World, basic, code_of, read_token

ORIGIN = "https://board.example"


def token_of(world: World, **changed: str | None) -> str:
    return str(world.client().tokens(code_of(world.browser(world.person).authorize(**changed)))["access_token"])


def forged(world: World, kind: str = "at+jwt", **changed: object) -> str:
    """A token that our own key signs, with claims that are changed (None: left out)."""
    _, claims = read_token(world, token_of(world))
    key = world.read(lambda c: signing_key(c, world.vault, KeyUse.OIDC))
    kept = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    return jose.signed(kept, kind, key)  # type: ignore[arg-type]


def test_ui01_get_and_post_by_header_and_post_by_form(world: World) -> None:
    token = token_of(world)
    header = {"authorization": f"Bearer {token}"}
    answers = [
        world.http.get("/oidc/userinfo", headers=header),
        world.http.post("/oidc/userinfo", headers=header),
        world.http.post("/oidc/userinfo", data={"access_token": token}),
        world.http.get("/oidc/userinfo", headers={"authorization": f"bearer {token}"}),
    ]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["sub"] == world.person.id


def test_ui01_a_token_in_the_query_is_refused(world: World) -> None:
    answer = world.http.get("/oidc/userinfo", params={"access_token": token_of(world)})
    assert answer.status_code == 400
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


def test_ui02_the_subject_is_that_of_the_id_token(world: World) -> None:
    tokens = world.client().tokens(code_of(world.browser(world.person).authorize()))
    claims = read_token(world, str(tokens["id_token"]))[1]
    assert world.client().userinfo(str(tokens["access_token"])).json()["sub"] == claims["sub"]


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", set()),
        ("openid email", {"email", "email_verified"}),
        ("openid phone", {"phone_number", "phone_number_verified"}),
        ("openid address", {"address"}),
        ("openid groups", {"groups"}),
        (
            "openid profile",
            {"name", "given_name", "family_name", "preferred_username", "locale", "updated_at"},
        ),
    ],
)
def test_ui03_each_scope_releases_its_claims_alone(world: World, scope: str, names: set[str]) -> None:
    assert set(world.client().userinfo(token_of(world, scope=scope)).json()) == names | {"sub"}


def test_ui03_what_somebody_has_not_got_is_left_out(world: World) -> None:
    bare = world.make_person("carol", groups=("engineering",))
    tokens = world.client().tokens(code_of(world.browser(bare).authorize()))
    claims = world.client().userinfo(str(tokens["access_token"])).json()
    assert set(claims) == {"sub", "name", "preferred_username", "updated_at", "groups"}
    assert None not in claims.values()


def test_ui04_types_are_those_of_the_standard(world: World) -> None:
    claims = world.client().userinfo(token_of(world)).json()
    assert claims["email_verified"] is True
    assert claims["phone_number_verified"] is False
    assert isinstance(claims["updated_at"], int)
    assert claims["address"] == {"formatted": "1 High Street\nOxford", "locality": "Oxford"}
    assert claims["groups"] == ["engineering", "staff"]


def test_ui05_without_a_token_a_bare_challenge(world: World) -> None:
    for headers in ({}, {"authorization": basic("board", SECRET)}):
        answer = world.http.get("/oidc/userinfo", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.content == b""


@pytest.mark.parametrize("token", ["x", "a.b.c", "", "x" * 20_000, "\u00fc", "e30.e30.", ".".join(["A" * 100] * 3)])
def test_ui05_a_bad_token_is_invalid_token(world: World, token: str) -> None:
    answer = world.http.get("/oidc/userinfo", headers={"authorization": f"Bearer {token}".encode()})
    assert answer.status_code == 401
    assert token == "" or 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_ui05_two_transports_at_once_are_refused(world: World) -> None:
    token = token_of(world)
    answer = world.http.post(
        "/oidc/userinfo", data={"access_token": token}, headers={"authorization": f"Bearer {token}"}
    )
    doubled = world.http.post(
        "/oidc/userinfo",
        content=f"access_token={token}&access_token={token}",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    for each in (answer, doubled):
        assert each.status_code == 400
        assert 'error="invalid_request"' in each.headers["www-authenticate"]


def test_ui05_a_token_without_openid_lacks_scope(world: World) -> None:
    answer = world.client().userinfo(forged(world, scope="profile"))
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_ui05_an_expired_token_is_invalid(world: World) -> None:
    token = token_of(world)
    world.clock.advance(10 * MINUTE - SECOND)
    assert world.client().userinfo(token).status_code == 200
    world.clock.advance(SECOND)
    assert world.client().userinfo(token).status_code == 401


def test_ui07_an_idle_session_ends_what_came_of_it(world: World) -> None:
    token = token_of(world)
    assert world.client().userinfo(token).status_code == 200
    world.clock.advance(HOUR)
    assert world.client().userinfo(token).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "board"},
        {"aud": None},
        {"aud": []},
        {"aud": ["board"]},
        {"exp": None},
        {"exp": "4102444800"},
        {"exp": True},
        {"iat": None},
        {"iat": 4_102_444_800, "exp": 4_102_444_900},
        {"sub": None},
        {"sub": ""},
        {"sub": "somebody-else"},
        {"gid": None},
        {"gid": "unknown"},
    ],
)
def test_a55_every_claim_of_a_token_is_checked(world: World, changed: dict[str, object]) -> None:
    assert world.client().userinfo(forged(world, **changed)).status_code == 401


def test_a55_the_unchanged_claims_are_accepted(world: World) -> None:
    assert world.client().userinfo(forged(world)).status_code == 200
    assert world.client().userinfo(forged(world, aud=[ISSUER, "x"])).status_code == 200


@pytest.mark.parametrize("kind", ["JWT", "logout+jwt", "AT+JWT", "jwt", "application/at+jwt"])
def test_tk23_only_the_type_of_an_access_token_is_one(world: World, kind: str) -> None:
    assert world.client().userinfo(forged(world, kind)).status_code == 401


def test_a54_algorithms_and_keys_of_others_are_refused(world: World) -> None:
    _, claims = read_token(world, token_of(world))
    jwk = world.http.get("/oidc/jwks").json()["keys"][0]
    foreign = RSAKey.generate_key(2048)
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    secret = OctKey.import_key(json.dumps(jwk).encode())
    made = [
        f"{header}.{body}.",
        jwt.encode({"alg": "HS256", "kid": jwk["kid"], "typ": "at+jwt"}, claims, secret),
        jwt.encode({"alg": "RS256", "kid": jwk["kid"], "typ": "at+jwt"}, claims, foreign),
        jwt.encode({"alg": "RS256", "typ": "at+jwt", "jwk": foreign.as_dict(private=False)}, claims, foreign),
        jwt.encode({"alg": "RS256", "kid": "other", "typ": "at+jwt"}, claims, foreign),
    ]
    for token in made:
        assert world.client().userinfo(token).status_code == 401


def test_a54_a_critical_header_that_nobody_knows_is_refused(world: World) -> None:
    _, claims = read_token(world, token_of(world))
    key = world.read(lambda c: signing_key(c, world.vault, KeyUse.OIDC))
    parts = [{"alg": "RS256", "kid": key.kid, "typ": "at+jwt", "crit": ["x"], "x": 1}, claims]
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    token = signed + b"." + base64.urlsafe_b64encode(key.sign(signed)).rstrip(b"=")
    assert world.client().userinfo(token.decode()).status_code == 401


def test_a54_a_token_without_kid_is_none_of_ours(world: World) -> None:
    _, claims = read_token(world, token_of(world))
    key = world.read(lambda c: signing_key(c, world.vault, KeyUse.OIDC))
    ours = RSAKey.import_key(key.private_key)
    assert world.client().userinfo(jwt.encode({"alg": "RS256", "typ": "at+jwt"}, claims, ours)).status_code == 401


def test_a56_no_altered_token_is_accepted(world: World) -> None:
    token = token_of(world)
    for index in range(0, len(token), 7):
        altered = token[:index] + ("A" if token[index] != "A" else "B") + token[index + 1 :]
        assert world.client().userinfo(altered).status_code == 401
    for shorter in (token[:-4], token[: len(token) // 2], token + "AAAA", token.rsplit(".", 1)[0]):
        assert world.client().userinfo(shorter).status_code == 401


def test_a_key_of_saml_never_signs_for_openid_connect(world: World) -> None:
    _, claims = read_token(world, token_of(world))
    key = world.read(lambda c: signing_key(c, world.vault, KeyUse.SAML))
    assert world.client().userinfo(jose.signed(claims, "at+jwt", key)).status_code == 401  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------- CORS


def test_ui08_public_documents_may_be_read_by_everybody(world: World) -> None:
    for path in ("/oidc/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        answer = world.http.get(path, headers={"origin": "https://anybody.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


def test_ui08_tokens_and_userinfo_are_read_by_the_clients_own_origins_alone(world: World) -> None:
    token = token_of(world)
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None), ("null", None), (ORIGIN + ":8443", None)):
        headers = {"origin": origin, "authorization": f"Bearer {token}"}
        info = world.http.get("/oidc/userinfo", headers=headers)
        headers = {"origin": origin, "authorization": basic("board", SECRET)}
        code = code_of(world.browser(world.person).authorize())
        redeemed = world.client().redeem(code, headers=headers)
        for answer in (info, redeemed):
            assert answer.status_code == 200
            assert answer.headers.get("access-control-allow-origin") == allowed
            assert answer.headers["vary"] == "origin"
            assert "access-control-allow-credentials" not in answer.headers


def test_ui08_a_preflight_is_answered_for_registered_origins(world: World) -> None:
    for path in ("/oidc/userinfo", "/oidc/token"):
        asking = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}
        good = world.http.options(path, headers={"origin": ORIGIN, **asking})
        assert good.status_code == 204
        assert good.headers["access-control-allow-origin"] == ORIGIN
        assert "authorization" in good.headers["access-control-allow-headers"]
        for origin in ("https://evil.example", "null", "x" * 5000):
            bad = world.http.options(path, headers={"origin": origin, **asking})
            assert "access-control-allow-origin" not in bad.headers


# ------------------------------------------------------------------------------- claims of an application


def test_claims_of_an_applications_own_rules(world: World) -> None:
    world.make_client(
        "own",
        claims={
            "team": "user.attributes.department",
            "badges": "user.attributes.badges",
            "number": "user.number",
            "plan": "constant:gold",
            "missing": "user.attributes.nothing",
            "teams": "group_map",
            "email": "user.username",
        },
        groups_filter="eng",
        group_map={"staff": "everybody"},
    )
    client = world.client("own")
    tokens = client.tokens(code_of(world.browser(world.person).authorize(client_id="own")))
    claims = client.userinfo(str(tokens["access_token"])).json()
    assert claims["team"] == "R&D"
    assert claims["badges"] == ["a", "b"]
    assert claims["number"] == world.person.number
    assert claims["plan"] == "gold"
    assert claims["teams"] == "everybody"
    assert claims["groups"] == ["engineering"]
    assert claims["email"] == "alice"
    assert "email_verified" not in claims  # A66: not vouched for, as it is not the person's own address
    assert "missing" not in claims


def test_claims_in_id_token_puts_them_there_too(world: World) -> None:
    world.make_client("own", claims={"team": "user.attributes.department"}, claims_in_id_token=True)
    tokens = world.client("own").tokens(code_of(world.browser(world.person).authorize(client_id="own")))
    claims = read_token(world, str(tokens["id_token"]))[1]
    assert claims["team"] == "R&D"
    assert claims["email"] == "alice@acme.example"
    assert claims["groups"] == ["engineering", "staff"]
    assert claims["sub"] == world.person.id


def test_a95_a_changed_group_is_told_on_the_next_request(world: World) -> None:
    token = token_of(world)
    world.put_into(world.person, ("engineering", "night shift"))
    assert world.client().userinfo(token).json()["groups"] == ["engineering", "night shift"]
