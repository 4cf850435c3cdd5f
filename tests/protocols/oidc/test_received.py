"""Whatever is sent is read or refused, never half of it."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from doorward.apps import App, AppState, OidcClient
from doorward.apps.app import AppId
from doorward.protocols.oidc.accept import accepted, addressed
from doorward.protocols.oidc.received import Received, Unreadable, parameters
from doorward.protocols.oidc.refusals import Refused, Untrusted
from doorward.protocols.oidc.request import Client, request_from_json, request_to_json

KIND = OidcClient("board", ("https://board.example/cb",), pkce="optional")
BOARD = App(AppId("a"), "board", "Board", KIND, AppState.ACTIVE, None, False, None, None, {}, 0, 0)  # noqa: FBT003
NAMES = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "prompt",
    "max_age",
    "code_challenge",
    "claims",
    "code_challenge_method",
    "acr_values",
    "login_hint",
    "id_token_hint",
    "request",
    "request_uri",
    "registration",
]
GOOD = {"client_id": "board", "redirect_uri": "https://board.example/cb", "response_type": "code", "scope": "openid"}
WORDS = st.sampled_from(["", "none", "login", "openid", "code", "S256", "query", "0", "{}", '{"id_token":[]}'])


def no_hint(_hint: str) -> str:
    raise ValueError


@given(st.binary(max_size=300))
def test_any_octets_are_parameters_or_unreadable(raw: bytes) -> None:
    with suppress(Unreadable):
        found = parameters(raw)
        assert all("\0" not in value and value for value in found.fields.values())


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=20), max_size=8))
def test_what_was_written_is_read(fields: dict[str, str]) -> None:
    with suppress(Unreadable):
        assert parameters(urlencode(fields).encode()) == Received(fields)


@given(st.dictionaries(st.sampled_from(NAMES), st.one_of(st.text(min_size=1, max_size=50), WORDS), max_size=10))
def test_every_request_is_accepted_or_refused_by_name(changed: dict[str, str]) -> None:
    received = Received({name: value for name, value in (GOOD | changed).items() if value})
    try:
        asked = addressed(received, Client(BOARD, KIND))
        request = accepted(asked, received, no_hint, 1)
    except (Untrusted, Refused):
        return
    assert request_from_json(request_to_json(request)) == request
    assert "openid" in request.scope
