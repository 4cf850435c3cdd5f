"""A new claim of the ID Token is noticed by registration and discovery."""

from __future__ import annotations

from doorward.apps import AppId
from doorward.apps.rules import RESERVED_CLAIMS
from doorward.protocols.oidc.discovery import metadata
from doorward.protocols.oidc.grants import Grant, Granted
from doorward.protocols.oidc.tokens import Issuance, id_claims

GRANT = Grant(
    "grant", AppId("app"), "session", Granted("alice", "https://board.example/cb", ("openid",), "n", None, 0, (), "")
)
CLAIMS = id_claims(Issuance("https://id.example", "board", GRANT, {}, "token", 0), "access token")


def test_no_rule_of_an_application_can_write_what_we_write() -> None:
    assert set(CLAIMS) <= RESERVED_CLAIMS


def test_every_claim_of_the_id_token_is_published() -> None:
    published = metadata("https://id.example")["claims_supported"]
    assert isinstance(published, list)
    # OIDC Core §3.1.3.6: at_hash says nothing about anybody.
    assert set(CLAIMS) - {"at_hash"} <= set(published)
