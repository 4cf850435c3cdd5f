"""Claims about a person: reserved names cannot be written, and what is absent is left out."""

from __future__ import annotations

import pytest

from doorward.apps import App, AppState, OidcClient
from doorward.apps.app import AppId
from doorward.apps.rules import RESERVED_CLAIMS
from doorward.directory import Person, PersonId, PersonState, Theme
from doorward.protocols.oidc.claims import claims_of

PERSON = Person(
    id=PersonId("p"),
    number=1,
    username="alice",
    email="alice@acme.example",
    email_verified=False,
    name="Alice",
    given_name=None,
    family_name="",
    phone=None,
    address={"formatted": "", "country": "UK", "planet": "Earth"},
    locale=None,
    theme=Theme.SYSTEM,
    search_key=True,
    state=PersonState.ACTIVE,
    starts_at=None,
    ends_at=None,
    attributes={"empty": [], "one": ["x"]},
    mfa_required=None,
    mfa_due_from=None,
    nag_dismissed=False,
    last_sign_in_at=None,
    created_at=0,
    changed_at=1_999,
)


def app(**claims: str) -> App:
    kind = OidcClient("board", ("https://board.example/cb",), claims=claims)
    return App(AppId("a"), "board", "Board", kind, AppState.ACTIVE, None, False, None, None, {}, 0, 0)  # noqa: FBT003


ALL = ("openid", "profile", "email", "phone", "address", "groups")


def test_absent_claims_are_left_out() -> None:
    assert claims_of(PERSON, [], app(), ALL) == {
        "name": "Alice",
        "preferred_username": "alice",
        "updated_at": 1,
        "email": "alice@acme.example",
        "email_verified": False,
        "address": {"country": "UK"},
    }


@pytest.mark.parametrize("name", sorted(RESERVED_CLAIMS))
def test_a68_no_rule_writes_a_reserved_claim(name: str) -> None:
    given = claims_of(PERSON, [], app(**{name: "constant:forged"}), ALL)
    assert "forged" not in given.values()


@pytest.mark.parametrize("source", ["user.attributes.empty", "user.attributes.nothing", "user.phone"])
def test_an_empty_source_gives_no_claim(source: str) -> None:
    assert "own" not in claims_of(PERSON, [], app(own=source), ("openid",))


def test_a66_an_address_of_another_source_is_not_vouched_for() -> None:
    assert "email_verified" not in claims_of(PERSON, [], app(email="constant:x@evil.example"), ALL)
    assert claims_of(PERSON, [], app(email="user.email"), ALL)["email_verified"] is False
