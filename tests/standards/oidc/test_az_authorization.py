"""STANDARDS 1.1: the authorization endpoint (OIDC Core 3.1.2, RFC 6749 3 and 4.1, RFC 9207)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from doorward.apps import AppState
from doorward.clock import HOUR, MINUTE, SECOND
from doorward.organization import Mfa, Settings
from doorward.signin import Method
from support.oidc import ISSUER, World, answer_of, asked, code_of, read_token

DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")


def refused(world: World, **changed: str | None) -> dict[str, str]:
    """What the client is told of a request by somebody who is signed in."""
    answer = answer_of(world.browser(world.person).authorize(**changed))
    assert "code" not in answer
    assert answer["iss"] == ISSUER
    assert DESCRIPTION.fullmatch(answer.get("error_description", ""))
    return answer


def test_az01_get_and_post_are_both_accepted(world: World) -> None:
    browser = world.browser(world.person)
    assert code_of(browser.authorize())
    posted = browser.post()
    assert posted.status_code == 303
    assert code_of(browser.get(posted.headers["location"]))


def test_az02_unknown_parameters_and_order_do_not_matter(world: World) -> None:
    browser = world.browser(world.person)
    assert code_of(browser.authorize(foo="bar", resource_set="x"))
    assert code_of(browser.http.get("/oidc/authorize", params=dict(reversed(asked().items()))))
    assert code_of(browser.authorize(scope="email openid profile"))


def test_az02_unknown_scopes_are_left_out_and_the_answer_says_so(world: World) -> None:
    code = code_of(world.browser(world.person).authorize(scope="openid nonsense email"))
    assert world.client().tokens(code)["scope"] == "openid email"


def test_az03_an_empty_parameter_counts_as_omitted(world: World) -> None:
    answer = answer_of(world.browser(world.person).authorize(state="", nonce="", prompt="", max_age=""))
    assert "state" not in answer
    assert "code" in answer


@pytest.mark.parametrize("name", ["scope", "state", "response_type", "nonce", "code_challenge", "anything"])
def test_az03_a_repeated_parameter_is_told_to_the_client(world: World, name: str) -> None:
    pairs = [*asked().items(), (name, "x"), (name, "y")]
    answer = answer_of(world.browser(world.person).http.get("/oidc/authorize", params=pairs))
    assert answer["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": None},
        {"client_id": ""},
        {"client_id": "nobody"},
        {"client_id": "BOARD"},
        {"client_id": "x" * 5000},
        {"redirect_uri": None},
        {"redirect_uri": ""},
        {"redirect_uri": "https://evil.example/cb"},
    ],
)
def test_az04_without_a_known_client_and_address_nothing_leads_anywhere(
    world: World, changed: dict[str, str | None]
) -> None:
    for browser in (world.browser(), world.browser(world.person)):
        answer = browser.authorize(**changed)
        assert 400 <= answer.status_code < 500
        assert "location" not in answer.headers
        assert "evil.example" not in answer.text
        assert world.audit()[0][0] == "app.refused"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_az04_a_doubled_client_or_address_is_trusted_by_nobody(world: World, name: str) -> None:
    pairs = [*asked().items(), (name, asked()[name])]
    answer = world.browser(world.person).http.get("/oidc/authorize", params=pairs)
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "raw", [b"client_id=%00", b"client_id=%ff", b"a=1&" * 100, b"state=" + b"x" * 40_000, b"%", b"&&&"]
)
def test_az04_a_damaged_query_is_a_page(world: World, raw: bytes) -> None:
    answer = world.browser(world.person).http.get("/oidc/authorize?" + raw.decode("latin-1"))
    assert 400 <= answer.status_code < 500
    assert "location" not in answer.headers


def test_az06_a_registered_query_stays_in_the_answer(world: World) -> None:
    uri = "https://board.example/cb?tenant=a%20b"
    world.make_client("query", redirect_uris=(uri,))
    location = world.browser(world.person).authorize(client_id="query", redirect_uri=uri).headers["location"]
    assert location.startswith(uri + "&code=")


def test_az07_a_missing_response_type_is_told(world: World) -> None:
    assert refused(world, response_type=None)["error"] == "invalid_request"


@pytest.mark.parametrize("kind", ["token", "id_token token", "code token", "id_token", "code id_token", "none", "CODE"])
def test_az07_other_response_types_are_refused(world: World, kind: str) -> None:
    assert refused(world, response_type=kind)["error"] == "unsupported_response_type"


@pytest.mark.parametrize("state", ["a", "ü ß / ? & = + %20 \" ' <", "x" * 4096, "0"])
def test_az08_state_comes_back_unchanged(world: World, state: str) -> None:
    assert answer_of(world.browser(world.person).authorize(state=state))["state"] == state
    assert refused(world, state=state, response_type="token")["state"] == state


def test_az08_no_state_gives_none_and_an_endless_one_is_refused(world: World) -> None:
    assert "state" not in answer_of(world.browser(world.person).authorize(state=None))
    endless = refused(world, state="x" * 4097)
    assert endless["error"] == "invalid_request"
    assert "state" not in endless


@pytest.mark.parametrize("nonce", ["n" * 64, "n" * 1024, "ü /?&"])
def test_az09_the_nonce_stands_unchanged_in_the_id_token(world: World, nonce: str) -> None:
    tokens = world.client().tokens(code_of(world.browser(world.person).authorize(nonce=nonce)))
    assert read_token(world, str(tokens["id_token"]))[1]["nonce"] == nonce


def test_az09_the_nonce_is_optional_and_an_endless_one_refused(world: World) -> None:
    tokens = world.client().tokens(code_of(world.browser(world.person).authorize(nonce=None)))
    assert "nonce" not in read_token(world, str(tokens["id_token"]))[1]
    assert refused(world, nonce="n" * 1025)["error"] == "invalid_request"


def test_az10_an_error_carries_error_state_and_iss(world: World) -> None:
    answer = refused(world, scope="profile")
    assert answer["error"] == "invalid_scope"
    assert set(answer) == {"error", "error_description", "state", "iss"}


def test_az11_prompt_none_without_a_session(world: World) -> None:
    answer = answer_of(world.browser().authorize(prompt="none"))
    assert answer["error"] == "login_required"


def test_az11_prompt_none_that_needs_a_second_factor(world: World) -> None:
    browser = world.browser(world.person, methods=(Method.PASSWORD,))
    assert "code" in answer_of(browser.authorize(prompt="none"))
    world.settle(Settings(mfa=Mfa(required=True, enrolment_days=0)))
    assert answer_of(browser.authorize(prompt="none"))["error"] in {"interaction_required", "login_required"}


def test_az11_prompt_none_of_somebody_without_the_application(world: World) -> None:
    answer = answer_of(world.browser(world.other).authorize(prompt="none"))
    assert answer["error"] == "access_denied"
    assert set(answer) == {"error", "state", "iss"}


@pytest.mark.parametrize("prompt", ["none login", "login none", "none consent", "nonsense"])
def test_az11_prompt_none_stands_alone(world: World, prompt: str) -> None:
    assert refused(world, prompt=prompt)["error"] == "invalid_request"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_az12_az13_prompt_login_and_select_account_sign_in_again(world: World, prompt: str) -> None:
    browser = world.browser(world.person)
    before = world.clock()
    world.clock.advance(5 * MINUTE)
    to_sign_in = browser.authorize(prompt=prompt)
    assert to_sign_in.headers["location"].startswith("/login?tx=")
    resume = world.pending_address()
    assert browser.get(resume).headers["location"].startswith("/login?tx=")
    world.clock.advance(MINUTE)
    browser.sign_in(world.person)
    tokens = world.client().tokens(code_of(browser.get(resume)))
    assert read_token(world, str(tokens["id_token"]))[1]["auth_time"] == world.clock() // SECOND > before // SECOND


def test_az12_a_code_alone_on_another_page_is_no_new_sign_in(world: World) -> None:
    browser = world.browser(world.person)
    world.clock.advance(5 * MINUTE)
    browser.authorize(prompt="login")
    resume = world.pending_address()
    world.clock.advance(MINUTE)
    world.prove_again(browser, Method.TOTP)
    assert browser.get(resume).headers["location"].startswith("/login?tx=")


def test_az13_prompt_consent_is_given_by_the_organisation(world: World) -> None:
    assert code_of(world.browser(world.person).authorize(prompt="consent"))


def test_az14_max_age_asks_again_when_the_sign_in_is_older(world: World) -> None:
    browser = world.browser(world.person)
    signed_in = world.clock()
    world.clock.advance(10 * SECOND)
    tokens = world.client().tokens(code_of(browser.authorize(max_age="10")))
    assert read_token(world, str(tokens["id_token"]))[1]["auth_time"] == signed_in // SECOND
    assert browser.authorize(max_age="9").headers["location"].startswith("/login?tx=")
    assert browser.authorize(max_age="0").headers["location"].startswith("/login?tx=")
    assert answer_of(browser.authorize(max_age="9", prompt="none"))["error"] == "login_required"


def test_az14_after_max_age_0_the_new_sign_in_is_enough(world: World) -> None:
    browser = world.browser(world.person)
    world.clock.advance(MINUTE)
    browser.authorize(max_age="0")
    resume = world.pending_address()
    world.clock.advance(3 * MINUTE)
    browser.sign_in(world.person)
    world.clock.advance(MINUTE)
    assert code_of(browser.get(resume))


@pytest.mark.parametrize("max_age", ["-1", "1.5", "a", "1e3", "9" * 30, "+5", "\N{ARABIC-INDIC DIGIT FIVE}"])
def test_az14_max_age_is_a_number_of_seconds(world: World, max_age: str) -> None:
    assert refused(world, max_age=max_age)["error"] == "invalid_request"


def test_az16_a_login_hint_fills_in_and_reveals_nothing(world: World) -> None:
    answers = {}
    for hint in ("alice", "nobody-at-all"):
        browser = world.browser()
        to_sign_in = browser.authorize(login_hint=hint)
        shown = browser.get(to_sign_in.headers["location"])
        assert hint in shown.text
        answers[hint] = (shown.status_code, len(shown.text) - len(hint) * shown.text.count(hint))
    assert answers["alice"] == answers["nobody-at-all"]
    assert code_of(world.browser(world.person).authorize(login_hint="bob"))


@pytest.mark.parametrize("hint", ["x" * 5000, "a\nb", "<script>"])
def test_az16_a_hostile_hint_does_no_harm(world: World, hint: str) -> None:
    browser = world.browser()
    shown = browser.get(browser.authorize(login_hint=hint).headers["location"])
    assert shown.status_code == 200
    assert "<script>" not in shown.text.replace("<script src", "").replace("<script type", "")


def test_az17_display_and_locales_never_cause_an_error(world: World) -> None:
    browser = world.browser(world.person)
    for changed in (
        {"display": "page"},
        {"display": "popup"},
        {"display": "holodeck"},
        {"ui_locales": "de fr-CA xx"},
        {"claims_locales": "de"},
        {"acr_values": "urn:x urn:y"},
    ):
        assert code_of(browser.authorize(**changed))


def test_az18_acr_values_are_asked_for_once_and_never_an_error(world: World) -> None:
    browser = world.browser(world.person, methods=(Method.PASSWORD,))
    world.clock.advance(MINUTE)
    mfa = "https://refeds.org/profile/mfa"
    assert code_of(browser.authorize(acr_values=mfa, prompt="none"))
    assert browser.authorize(acr_values=mfa).headers["location"].startswith("/login?tx=")
    resume = world.pending_address()
    world.clock.advance(MINUTE)
    browser.sign_in(world.person, methods=(Method.PASSWORD,))
    tokens = world.client().tokens(code_of(browser.get(resume)))
    assert read_token(world, str(tokens["id_token"]))[1]["acr"] == "urn:doorward:acr:password"


def test_az19_the_claims_parameter_is_ignored_but_must_be_json(world: World) -> None:
    browser = world.browser(world.person)
    wanted = '{"userinfo":{"name":{"essential":true}},"id_token":{"acr":{"essential":true}}}'
    assert code_of(browser.authorize(claims=wanted))
    for damaged in ("{", "[]", "null", '"x"', "[" * 5000):
        assert refused(world, claims=damaged)["error"] == "invalid_request"


def test_az20_a_claimed_subject_is_never_somebody_else(world: World) -> None:
    browser = world.browser(world.person)
    own = f'{{"id_token":{{"sub":{{"value":"{world.person.id}"}}}}}}'
    others = f'{{"userinfo":{{"sub":{{"value":"{world.other.id}"}}}}}}'
    world.clock.advance(SECOND)
    assert code_of(browser.authorize(claims=own))
    assert answer_of(browser.authorize(claims=others, prompt="none"))["error"] == "login_required"
    assert browser.authorize(claims=others).headers["location"].startswith("/login?tx=")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ],
)
def test_az21_request_objects_are_refused_by_their_own_error(world: World, name: str, error: str) -> None:
    assert refused(world, **{name: "eyJhbGciOiJub25lIn0.e30."})["error"] == error


@pytest.mark.parametrize("mode", ["fragment", "form_post", "jwt", "web_message"])
def test_az22_modes_that_are_not_offered_are_refused(world: World, mode: str) -> None:
    assert refused(world, response_mode=mode)["error"] == "invalid_request"
    assert code_of(world.browser(world.person).authorize(response_mode="query"))


def test_az23_the_answer_is_a_303(world: World) -> None:
    browser = world.browser(world.person)
    assert browser.post().status_code == 303
    assert browser.authorize().status_code == 303


def test_az24_there_is_no_cors_at_the_authorization_endpoint(world: World) -> None:
    browser = world.browser(world.person)
    answer = browser.http.get("/oidc/authorize", params=asked(), headers={"origin": "https://board.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert browser.http.options("/oidc/authorize", headers={"origin": "https://board.example"}).status_code == 405


def test_az25_error_pages_cannot_be_framed(world: World) -> None:
    answer = world.browser().authorize(client_id="nobody")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] in {"no-referrer", "strict-origin"}
    assert answer.headers["cache-control"] == "no-store"


def test_az28_every_answer_names_its_issuer(world: World) -> None:
    browser = world.browser(world.person)
    assert answer_of(browser.authorize())["iss"] == ISSUER
    for changed in ({"response_type": None}, {"prompt": "none login"}, {"request": "x"}):
        assert answer_of(browser.authorize(**changed))["iss"] == ISSUER


def test_az29_codes_are_long_random_and_kept_as_hashes(world: World) -> None:
    browser = world.browser(world.person)
    codes = {code_of(browser.authorize()) for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) >= 43 for code in codes)
    kept = str(world.rows("oidc_grants"))
    assert not any(code in kept for code in codes)


def test_az31_a_request_belongs_to_the_browser_that_made_it(world: World) -> None:
    mine, theirs = world.browser(), world.browser(world.other)
    mine.authorize()
    resume = world.pending_address()
    stolen = theirs.get(resume)
    assert stolen.status_code == 400
    assert "location" not in stolen.headers


def test_ss03_a_person_without_a_group_gets_the_page_and_nothing_leaves(world: World) -> None:
    answer = world.browser(world.other).authorize()
    assert answer.status_code == 403
    assert "location" not in answer.headers
    assert "board.example" not in answer.text
    assert world.audit()[0] == ("app.refused", "not_assigned")
    assert world.rows("oidc_grants") == []


@pytest.mark.parametrize("state", [AppState.OFF, AppState.DRAFT])
def test_ss03_an_application_that_is_not_active_opens_for_nobody(world: World, state: AppState) -> None:
    world.make_client("closed", state=state)
    for browser in (world.browser(), world.browser(world.person)):
        answer = browser.authorize(client_id="closed")
        assert answer.status_code == 403
        assert "location" not in answer.headers
    assert answer_of(world.browser().authorize(client_id="closed", prompt="none"))["error"] == "access_denied"


def test_ss03_mfa_required_covers_an_application_that_comes_first(world: World) -> None:
    browser = world.browser(world.person, methods=(Method.PASSWORD,))
    world.settle(Settings(mfa=Mfa(required=True, enrolment_days=0)))
    assert browser.authorize().headers["location"].startswith("/login?tx=")


def test_ss01_auth_time_is_that_of_the_real_sign_in(world: World) -> None:
    browser = world.browser(world.person)
    signed_in = world.clock()
    world.clock.advance(30 * MINUTE)
    tokens = world.client().tokens(code_of(browser.authorize()))
    assert read_token(world, str(tokens["id_token"]))[1]["auth_time"] == signed_in // SECOND


def test_a_session_that_is_over_leads_to_the_sign_in(world: World) -> None:
    browser = world.browser(world.person)
    world.clock.advance(2 * HOUR)
    assert browser.authorize().headers["location"].startswith("/login?tx=")


def test_a_browser_that_guesses_ahead_opens_nothing(world: World) -> None:
    browser = world.browser(world.person)
    for header in ("sec-purpose", "purpose"):
        answer = browser.http.get("/oidc/authorize", params=asked(), headers={header: "prefetch;prerender"})
        assert answer.status_code == 403
    assert world.rows("oidc_grants") == []


def test_di09_another_host_never_gets_into_an_answer(world: World) -> None:
    answer = world.http.get("/oidc/authorize", params=asked(), headers={"host": "evil.example"})
    assert answer.status_code == 307
    assert urlsplit(answer.headers["location"]).netloc == "id.example"
