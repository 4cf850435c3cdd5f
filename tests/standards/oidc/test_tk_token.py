"""STANDARDS 1.2 and 1.5: the token endpoint, its tokens, and PKCE (RFC 6749, RFC 7636, RFC 9068, OIDC Core 2)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from doorward import apps, directory
from doorward.apps import AppState
from doorward.apps.app import said_of
from doorward.audit import Actor, Caller
from doorward.clock import MINUTE, SECOND
from doorward.directory import PersonState
from doorward.organization import Mfa, Settings
from doorward.signin import Audience, Method, sessions
from support.oidc import (
    CHALLENGE,
    ISSUER,
    REDIRECT,
    SECRET,
    VERIFIER,
    World,
    answer_of,
    basic,
    challenge,
    code_of,
    read_token,
    verifier,
)


def fresh_code(world: World, **changed: str | None) -> str:
    return code_of(world.browser(world.person).authorize(**changed), changed.get("redirect_uri") or REDIRECT)


def test_tk01_only_a_form_that_is_posted_is_read(world: World) -> None:
    assert world.http.get("/oidc/token").status_code == 405
    as_json = world.http.post("/oidc/token", json={"grant_type": "authorization_code", "code": "x"})
    assert as_json.status_code == 400
    assert as_json.json()["error"] == "invalid_request"
    assert world.http.post("/oidc/token", content=b"").json()["error"] == "invalid_request"


@pytest.mark.parametrize("body", [b"code=%ff", b"code=%00", b"a=" + b"x" * 100_000, b"code=1&code=2", b"a=1&a=1"])
def test_tk01_a_damaged_form_is_refused(world: World, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", "authorization": basic("board", SECRET)}
    answer = world.http.post("/oidc/token", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_tk02_answers_are_json_and_never_kept(world: World) -> None:
    good = world.client().redeem(fresh_code(world))
    bad = world.client().redeem("nothing")
    for answer in (good, bad):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["pragma"] == "no-cache"
        assert answer.headers["content-type"] == "application/json"
    assert good.json()["token_type"] == "Bearer"
    assert good.json()["expires_in"] <= 600


@pytest.mark.parametrize(
    "header",
    [
        basic("board", "wrong"),
        basic("nobody", SECRET),
        basic("board", ""),
        basic("", SECRET),
        "Basic !!!",
        "Basic " + base64.b64encode(b"board").decode(),
        "Basic " + base64.b64encode(b"board:\xff").decode(),
        "Basic " + base64.b64encode(b"board:%ff").decode(),
        "Basic " + base64.b64encode(b"board:a%00b").decode(),
        "Basic " + "A" * 10_000,
        "Bearer x",
        "Basic",
    ],
)
def test_tk03_a60_a_wrong_client_is_told_so_with_401(world: World, header: str) -> None:
    code = fresh_code(world)
    answer = world.client().redeem(code, headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client"}
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert world.client().redeem(code).status_code == 200  # the code was not touched


def test_tk03_a_refused_client_is_recorded(world: World) -> None:
    world.client().redeem("x", headers={"authorization": basic("board", "wrong")})
    assert world.audit()[0] == ("oidc.token_refused", "client_secret")


def test_tk04_basic_is_form_decoded_in_both_halves(world: World) -> None:
    secret = "pä+ss:%2Bword-0123456789"
    world.make_client("odd", client_id="b:o+a%r", secret=secret)
    assert world.client("b:o+a%r", secret).redeem("nothing").json()["error"] == "invalid_grant"


def test_tk05_two_methods_at_once_are_refused(world: World) -> None:
    answer = world.client().redeem(fresh_code(world), client_secret=SECRET)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


def test_tk05_another_method_than_the_registered_one_is_refused(world: World) -> None:
    post = world.client().redeem(fresh_code(world), headers={}, client_id="board", client_secret=SECRET)
    none = world.client().redeem(fresh_code(world), headers={}, client_id="board")
    world.make_client("spa", secret=None, token_endpoint_auth_method=("none",))
    shown = world.client("spa", None).redeem("x", headers={"authorization": basic("spa", "")}, client_id="spa")
    jwt_bearer = world.client().redeem("x", headers={}, client_assertion="a.b.c", client_id="board")
    nobody = world.client().redeem("x", headers={}, client_id=None)
    for answer in (post, none, shown, jwt_bearer, nobody):
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_tk06_client_id_in_the_body_names_the_same_client(world: World) -> None:
    assert world.client().redeem(fresh_code(world), client_id="board").status_code == 200
    answer = world.client().redeem(fresh_code(world), client_id="another")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_tk07_a49_a_code_of_another_client_is_never_redeemed(world: World) -> None:
    world.make_client("another")
    code = fresh_code(world)
    assert world.client("another").redeem(code).json() == {"error": "invalid_grant"}
    assert world.client().redeem(code).status_code == 200
    assert world.client("another").redeem(code).json() == {"error": "invalid_grant"}


def test_tk08_the_redirect_uri_must_be_the_same(world: World) -> None:
    world.make_client("two", redirect_uris=(REDIRECT, REDIRECT + "2"))
    for changed in (REDIRECT + "2", REDIRECT + "/", None):
        code = fresh_code(world, client_id="two")
        client = world.client("two")
        assert client.redeem(code, redirect_uri=changed).json() == {"error": "invalid_grant"}
        assert client.redeem(code).json() == {"error": "invalid_grant"}  # nobody tries twice


def test_tk09_a_second_use_voids_what_came_of_the_first(world_anywhere: World) -> None:
    world = world_anywhere
    client, code = world.client(), fresh_code(world)
    token = str(client.tokens(code)["access_token"])
    assert client.userinfo(token).status_code == 200
    world.clock.advance(30 * SECOND)
    assert client.redeem(code).json() == {"error": "invalid_grant"}
    assert world.audit()[0] == ("oidc.token_refused", "code_reused")
    assert client.userinfo(token).status_code == 401


def test_tk09_a_second_use_after_its_time_still_voids(world: World) -> None:
    client, code = world.client(), fresh_code(world)
    token = str(client.tokens(code)["access_token"])
    world.clock.advance(5 * MINUTE)
    assert client.redeem(code).json() == {"error": "invalid_grant"}
    assert client.userinfo(token).status_code == 401


def test_tk10_a_code_lives_for_sixty_seconds(world: World) -> None:
    in_time, late = fresh_code(world), fresh_code(world)
    world.clock.advance(60 * SECOND - 1)
    assert world.client().redeem(in_time).status_code == 200
    world.clock.advance(1)
    assert world.client().redeem(late).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("grant", ["password", "client_credentials", "refresh_token", "implicit", "x" * 3000])
def test_tk11_other_grants_do_not_exist(world: World, grant: str) -> None:
    answer = world.client().redeem(fresh_code(world), grant_type=grant)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_tk11_missing_parts_are_named(world: World) -> None:
    assert world.client().redeem("x", grant_type=None).json()["error"] == "invalid_request"
    assert world.client().redeem(None).json()["error"] == "invalid_request"


def test_tk18_the_id_token_says_what_it_must(world: World) -> None:
    browser = world.browser(world.person)
    tokens = world.client().tokens(code_of(browser.authorize()))
    header, claims = read_token(world, str(tokens["id_token"]))
    now = world.clock() // SECOND
    assert header["alg"] == "RS256"
    assert header["typ"] == "JWT"
    assert claims["iss"] == ISSUER
    assert claims["aud"] == "board"
    assert claims["sub"] == world.person.id
    assert claims["iat"] == now
    assert int(str(claims["exp"])) > now
    assert claims["nonce"] == "a-nonce"
    assert claims["auth_time"] == now
    assert claims["sid"] == browser.session_id
    assert "azp" not in claims
    digest = sha256(str(tokens["access_token"]).encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert {"name", "email"}.isdisjoint(claims)


def test_tk19_the_subject_stays_when_the_person_is_renamed(world: World) -> None:
    first = world.client().tokens(fresh_code(world))
    renamed = replace(world.person, username="alice-hargreaves", email="alice.h@acme.example")
    world.write(lambda c: directory.change_person(c, renamed, Actor.system(), Caller.local(), world.clock()))
    second = world.client().tokens(fresh_code(world))
    subs = [read_token(world, str(tokens["id_token"]))[1]["sub"] for tokens in (first, second)]
    assert subs == [world.person.id, world.person.id]


@pytest.mark.parametrize(
    ("methods", "amr", "acr"),
    [
        ((Method.PASSWORD,), ["pwd"], "urn:doorward:acr:password"),
        ((Method.PASSWORD, Method.TOTP), ["pwd", "otp", "mfa"], "https://refeds.org/profile/mfa"),
        ((Method.PASSWORD, Method.RECOVERY_CODE), ["pwd", "otp", "mfa"], "https://refeds.org/profile/mfa"),
    ],
)
def test_tk21_ss02_amr_and_acr_say_what_happened(
    world: World, methods: tuple[Method, ...], amr: list[str], acr: str
) -> None:
    browser = world.browser(world.person, methods=methods)
    tokens = world.client().tokens(code_of(browser.authorize()))
    for name in ("id_token", "access_token"):
        claims = read_token(world, str(tokens[name]))[1]
        assert claims["amr"] == amr
        assert claims["acr"] == acr


def test_tk21_a_later_step_up_does_not_change_an_earlier_code(world: World) -> None:
    browser = world.browser(world.person, methods=(Method.PASSWORD,))
    code = code_of(browser.authorize())
    world.clock.advance(10 * SECOND)
    world.prove_again(browser, Method.TOTP)
    claims = read_token(world, str(world.client().tokens(code)["id_token"]))[1]
    assert claims["amr"] == ["pwd"]


def test_tk22_the_access_token_is_one_of_rfc_9068(world: World) -> None:
    tokens = world.client().tokens(fresh_code(world))
    header, claims = read_token(world, str(tokens["access_token"]))
    assert header["typ"] == "at+jwt"
    assert header["alg"] == "RS256"
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "auth_time", "acr", "amr"} <= set(claims)
    assert claims["aud"] == ISSUER
    assert int(str(claims["exp"])) - int(str(claims["iat"])) <= 600


def test_tk23_tokens_of_one_kind_are_not_taken_for_another(world: World) -> None:
    tokens = world.client().tokens(fresh_code(world))
    assert world.client().userinfo(str(tokens["id_token"])).status_code == 401
    hint = answer_of(world.browser(world.person).authorize(id_token_hint=str(tokens["access_token"])))
    assert hint["error"] == "invalid_request"


def test_az15_a_hint_of_the_same_person_succeeds_even_when_it_is_old(world: World) -> None:
    hint = str(world.client().tokens(fresh_code(world))["id_token"])
    world.clock.advance(40 * MINUTE)
    browser = world.browser(world.person)
    assert code_of(browser.authorize(id_token_hint=hint, prompt="none"))


def test_az15_a_hint_of_another_person_is_login_required(world: World) -> None:
    hint = str(world.client().tokens(fresh_code(world))["id_token"])
    world.make_client("wiki", groups=("staff",))
    browser = world.browser(world.other)
    world.clock.advance(SECOND)
    assert answer_of(browser.authorize(id_token_hint=hint, prompt="none"))["error"] == "login_required"
    assert browser.authorize(id_token_hint=hint).headers["location"].startswith("/login?tx=")
    resume = world.pending_address()
    world.clock.advance(SECOND)
    browser.sign_in(world.other)
    assert answer_of(browser.get(resume))["error"] == "login_required"


def test_az15_a54_forged_hints_are_refused(world: World) -> None:
    _, claims = read_token(world, str(world.client().tokens(fresh_code(world))["id_token"]))
    foreign = RSAKey.generate_key(2048, {"kid": "foreign"})
    kid = world.http.get("/oidc/jwks").json()["keys"][0]["kid"]
    public = json.dumps(world.http.get("/oidc/jwks").json()["keys"][0]).encode()
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    forged = [
        jwt.encode({"alg": "RS256", "kid": kid, "typ": "JWT"}, claims, foreign),
        jwt.encode(
            {"alg": "RS256", "kid": "foreign", "typ": "JWT", "jwk": foreign.as_dict(private=False)}, claims, foreign
        ),
        jwt.encode({"alg": "HS256", "kid": kid, "typ": "JWT"}, claims, OctKey.import_key(public)),
        f"{unsigned}.{body}.",
        f"{unsigned}.{body}.AAAA",
        "a.b.c",
        "x",
        "." * 3000,
    ]
    browser = world.browser(world.person)
    for hint in forged:
        assert answer_of(browser.authorize(id_token_hint=hint))["error"] == "invalid_request", hint[:80]


def test_az15_a_hint_for_another_client_is_refused(world: World) -> None:
    world.make_client("another")
    hint = str(world.client("another").tokens(fresh_code(world, client_id="another"))["id_token"])
    assert answer_of(world.browser(world.person).authorize(id_token_hint=hint))["error"] == "invalid_request"


def test_tk25_the_answer_names_the_scope(world: World) -> None:
    world.make_client("narrow", scopes=("openid", "email"))
    tokens = world.client("narrow").tokens(fresh_code(world, client_id="narrow"))
    assert tokens["scope"] == "openid email"


# ------------------------------------------------------------------------------------------------- PKCE


def test_pk01_public_clients_always_need_pkce(world: World) -> None:
    world.make_client("spa", secret=None, token_endpoint_auth_method=("none",))
    answer = answer_of(
        world.browser(world.person).authorize(client_id="spa", code_challenge=None, code_challenge_method=None)
    )
    assert answer["error"] == "invalid_request"
    code = fresh_code(world, client_id="spa")
    assert world.client("spa", None).redeem(code).status_code == 200


def test_pk01_pkce_is_required_unless_the_client_says_otherwise(world: World) -> None:
    answer = answer_of(world.browser(world.person).authorize(code_challenge=None, code_challenge_method=None))
    assert answer["error"] == "invalid_request"
    world.make_client("old", pkce="optional")
    code = fresh_code(world, client_id="old", code_challenge=None, code_challenge_method=None)
    assert world.client("old").redeem(code, code_verifier=None).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "s256"},
        {"code_challenge": None},
        {"code_challenge": "short"},
        {"code_challenge": CHALLENGE + "A"},
        {"code_challenge": "!" * 43},
    ],
)
def test_pk02_only_s256_is_accepted(world: World, changed: dict[str, str | None]) -> None:
    world.make_client("old", pkce="optional")
    for client_id in ("board", "old"):
        answer = answer_of(world.browser(world.person).authorize(client_id=client_id, **changed))
        assert answer["error"] == "invalid_request"


@pytest.mark.parametrize("shown", [None, "wrong" * 10, "short", "a" * 129, VERIFIER + " ", CHALLENGE, VERIFIER[:-1]])
def test_pk03_a_wrong_verifier_uses_the_code_up(world: World, shown: str | None) -> None:
    code = fresh_code(world)
    assert world.client().redeem(code, code_verifier=shown).json() == {"error": "invalid_grant"}
    assert world.client().redeem(code).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("made", ["a" * 43, "~._-" + "Z9" * 62, None])
def test_pk03_verifiers_from_43_to_128_characters_hold(world: World, made: str | None) -> None:
    shown = made or verifier()
    code = fresh_code(world, code_challenge=challenge(shown))
    assert world.client().redeem(code, code_verifier=shown).status_code == 200


def test_pk04_a50_a_verifier_without_a_challenge_is_a_downgrade(world: World) -> None:
    world.make_client("old", pkce="optional")
    code = fresh_code(world, client_id="old", code_challenge=None, code_challenge_method=None)
    assert world.client("old").redeem(code).json() == {"error": "invalid_grant"}


def test_bc01_a_challenge_that_was_sent_is_always_checked(world: World) -> None:
    world.make_client("old", pkce="optional")
    code = fresh_code(world, client_id="old")
    assert world.client("old").redeem(code, code_verifier=None).json() == {"error": "invalid_grant"}


# ----------------------------------------------------------------------- whatever ended in between counts


def suspend(world: World, _session_id: str) -> None:
    world.write(lambda c: directory.set_state(c, world.person.id, PersonState.SUSPENDED, world.clock()))


def remove(world: World, _session_id: str) -> None:
    world.write(lambda c: directory.remove_person(c, world.person.id, Actor.system(), Caller.local(), world.clock()))


def end_session(world: World, session_id: str) -> None:
    world.write(lambda c: sessions.end(c, Audience.PERSON, session_id, "test", world.clock()))


def leave_group(world: World, _session_id: str) -> None:
    world.put_into(world.person, ("staff",))


def switch_off(world: World, _session_id: str) -> None:
    off = replace(said_of(world.board), state=AppState.OFF)
    world.write(lambda c: apps.change_app(c, world.board.id, off, Actor.system(), Caller.local(), world.clock()))


def require_mfa(world: World, _session_id: str) -> None:
    world.settle(Settings(mfa=Mfa(required=True, enrolment_days=0)))


@pytest.mark.parametrize("change", [suspend, remove, end_session, leave_group, switch_off, require_mfa])
def test_a17_a95_ss03_what_ended_between_code_and_token_counts(
    world_anywhere: World, change: Callable[[World, str], None]
) -> None:
    world = world_anywhere
    browser = world.browser(world.person, methods=(Method.PASSWORD,))
    code = code_of(browser.authorize())
    change(world, browser.session_id)
    assert world.client().redeem(code).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize("change", [suspend, remove, end_session, leave_group, switch_off, require_mfa])
def test_ui07_a17_a51_a95_what_ended_counts_on_the_next_userinfo(
    world: World, change: Callable[[World, str], None]
) -> None:
    browser = world.browser(world.person, methods=(Method.PASSWORD,))
    token = str(world.client().tokens(code_of(browser.authorize()))["access_token"])
    assert world.client().userinfo(token).status_code == 200
    change(world, browser.session_id)
    answer = world.client().userinfo(token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a08_nothing_else_passes_for_a_code(world: World) -> None:
    browser = world.browser()
    browser.authorize()
    request_id = world.pending_address().rsplit("/", 1)[1]
    signed_in = world.browser(world.person)
    handle = str(signed_in.http.cookies["__Host-doorward"])
    for value in (request_id, handle, signed_in.session_id, "", " ", "x" * 5000, "\N{SNOWMAN}"):
        answer = world.client().redeem(value)
        assert answer.status_code == 400
        assert answer.json()["error"] in {"invalid_grant", "invalid_request"}


def test_a56_no_altered_code_is_taken(world: World) -> None:
    code = fresh_code(world)
    for index in range(len(code)):
        altered = code[:index] + ("A" if code[index] != "A" else "B") + code[index + 1 :]
        assert world.client().redeem(altered).json() == {"error": "invalid_grant"}
    for shorter in (code[:-1], code[1:], code + "A"):
        assert world.client().redeem(shorter).json() == {"error": "invalid_grant"}
    assert world.client().redeem(code).status_code == 200
