"""AZ-05, A47, A48, A58: redirect addresses are compared as strings; parsers have nothing to disagree about."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.apps.rules import redirect_refusal
from doorward.protocols.oidc.redirects import completed, is_registered
from support.oidc import World, code_of

REGISTERED = "https://board.example/cb"

DIFFERENTIALS = [
    "https://board.example/cb/",
    "https://board.example/cb?",
    "https://board.example/cb?x=y",
    "https://board.example/cb#",
    "https://board.example/cb#@evil.example",
    "https://board.example/CB",
    "https://BOARD.example/cb",
    "HTTPS://board.example/cb",
    "http://board.example/cb",
    "https://board.example:443/cb",
    "https://board.example./cb",
    "https://board.example/./cb",
    "https://board.example/x/../cb",
    "https://board.example/x/..;/cb",
    "https://board.example/%2e%2e/cb",
    "https://board.example/c%62",
    "https://board.example//cb",
    "https://board.example/cb/..",
    "https://board.example\\cb",
    "https://board.example/cb\\",
    "https:board.example/cb",
    "https:/board.example/cb",
    "https:///board.example/cb",
    "//board.example/cb",
    "/cb",
    "cb",
    "https://user@board.example/cb",
    "https://board.example@evil.example/cb",
    "https://board.example:pass@evil.example/cb",
    "https://board.example%40evil.example/cb",
    "https://evil.example\\@board.example/cb",
    "https://evil.example/https://board.example/cb",
    "https://evil.example#https://board.example/cb",
    "https://evil.example?https://board.example/cb",
    "https://board.example.evil.example/cb",
    "https://board.exampl\u0435/cb",
    "https://board.example\u3002/cb",
    "https://board.example/cb\t",
    "https://board.example/cb\n",
    "https://board.example/cb\r\nSet-Cookie: x=y",
    " https://board.example/cb",
    "https://board.example/cb ",
    "https://board.example/cb%00",
    "https://board.example/cb%0d%0aLocation:%20https://evil.example",
    "javascript:alert(1)//https://board.example/cb",
    "data:text/html,https://board.example/cb",
    "https://[::ffff:board.example]/cb",
    "https://*.example/cb",
    "https://board.example/*",
]


@pytest.mark.parametrize("uri", DIFFERENTIALS)
def test_az05_a47_what_is_not_the_same_string_is_not_the_same_address(uri: str) -> None:
    assert not is_registered(uri, (REGISTERED,))


def test_a47_none_of_them_leads_anywhere(world: World) -> None:
    browser = world.browser(world.person)
    for uri in DIFFERENTIALS:
        answer = browser.authorize(redirect_uri=uri)
        assert answer.status_code == 400, uri
        assert "location" not in answer.headers
        assert "example" not in uri or quote(uri, safe="") not in answer.text


@given(st.text(max_size=40))
def test_a47_only_the_registered_string_itself_matches(tail: str) -> None:
    assert is_registered(REGISTERED + tail, (REGISTERED,)) == (tail == "")
    assert is_registered(tail + REGISTERED, (REGISTERED,)) == (tail == "")


@pytest.mark.parametrize(
    ("registered", "asked", "same"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", True),
        ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", True),
        ("http://[::1]:8080/cb?x=y", "http://[::1]:9/cb?x=y", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb/", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb?x", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:99999/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.2:1/cb", False),
        ("http://127.0.0.1/cb", "http://[::1]:1/cb", False),
        ("http://127.0.0.1/cb", "http://localhost:1/cb", False),
        ("http://127.0.0.1/cb", "https://127.0.0.1:1/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:\N{ARABIC-INDIC DIGIT ONE}/cb", False),
        ("http://localhost:3000/cb", "http://localhost:3001/cb", False),
        ("https://board.example:8443/cb", "https://board.example:8444/cb", False),
    ],
)
def test_az05_only_the_port_of_a_loopback_literal_may_vary(registered: str, asked: str, same: bool) -> None:
    assert is_registered(asked, (registered,)) is same


def test_az05_a_native_application_gets_its_code_on_the_port_it_has(world: World) -> None:
    world.make_client(
        "native", secret=None, token_endpoint_auth_method=("none",), redirect_uris=("http://127.0.0.1/cb",)
    )
    here = "http://127.0.0.1:51004/cb"
    code = code_of(world.browser(world.person).authorize(client_id="native", redirect_uri=here), here)
    assert world.client("native", None, "http://127.0.0.1:51005/cb").redeem(code).status_code == 400
    code = code_of(world.browser(world.person).authorize(client_id="native", redirect_uri=here), here)
    assert world.client("native", None, here).redeem(code).status_code == 200


def test_a_private_use_scheme_gets_its_code(world: World) -> None:
    uri = "com.example.app:/cb"
    world.make_client("phone", secret=None, token_endpoint_auth_method=("none",), redirect_uris=(uri,))
    code = code_of(world.browser(world.person).authorize(client_id="phone", redirect_uri=uri), uri)
    assert world.client("phone", None, uri).redeem(code).status_code == 200


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "data:text/html,x", "https://a.example/cb#x", "https://*/cb"])
def test_a48_what_runs_or_is_a_pattern_is_never_registered(uri: str) -> None:
    assert redirect_refusal(uri) is not None


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
def test_a58_a_registered_query_cannot_stand_for_our_answer(name: str) -> None:
    assert redirect_refusal(f"https://board.example/cb?{name}=x") is not None


def test_az06_an_answer_is_added_to_what_is_registered() -> None:
    assert completed("https://a.example/cb", {"code": "x", "state": None}) == "https://a.example/cb?code=x"
    assert completed("https://a.example/cb?t=1", {"state": "a b&c"}) == "https://a.example/cb?t=1&state=a+b%26c"
