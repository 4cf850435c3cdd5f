# Security: what leaves about a person (tests/protocols/oidc/test_claims.py, tests/standards/oidc/; A66, A68).
"""The claims about a person, by scope and by the application's own rules. Pure.

What the person has not got is left out, never null or empty (OIDC Core §5.3.2). Claims that Doorward answers for
cannot be written by configuration: registration refuses them, and here they would be dropped; `tokens.py` writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from doorward.apps import App, OidcClient
from doorward.apps.rules import RESERVED_CLAIMS
from doorward.apps.values import claim, groups_out
from doorward.audit import Json
from doorward.clock import SECOND
from doorward.directory import Person

_ADDRESS: Final = ("formatted", "street_address", "locality", "region", "postal_code", "country")  # OIDC Core §5.1.1
_VERIFIED: Final = {"email": ("email_verified", "user.email"), "phone_number": ("phone_number_verified", "user.phone")}
"""The claim that vouches for another, and the one source for which it is true."""

CLAIMS: Final = (
    "sub",
    "name",
    "given_name",
    "family_name",
    "preferred_username",
    "locale",
    "updated_at",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "address",
    "groups",
)
"""What `claims_of` can give to every application; what an application's own rules add is its own affair."""


def claims_of(person: Person, groups: Collection[str], client: App, scope: Collection[str]) -> dict[str, Json]:
    """Give the claims that `scope` and the rules of an application release, without `sub`."""
    given: dict[str, Json] = {}
    for word, release in _BY_SCOPE.items():
        if word in scope:
            given |= release(person)
    if "groups" in scope:
        given["groups"] = groups_out(groups, client)
    if isinstance(client.kind, OidcClient):
        _add_own(given, client.kind.claims, person, groups, client)
    return {name: value for name, value in given.items() if value not in (None, "", [], {})}


def _add_own(
    given: dict[str, Json], rules: Mapping[str, str], person: Person, groups: Collection[str], client: App
) -> None:
    for name, source in rules.items():
        if name in RESERVED_CLAIMS:
            continue
        given[name] = claim(source, person, groups, client)
        vouching, true_source = _VERIFIED.get(name, ("", ""))
        if vouching and source != true_source:
            # We vouch for the mail address and number of the person's own record alone (A66).
            given.pop(vouching, None)


def _profile(person: Person) -> dict[str, Json]:
    return {
        "name": person.name,
        "given_name": person.given_name,
        "family_name": person.family_name,
        "preferred_username": person.username,
        "locale": person.locale,
        "updated_at": person.changed_at // SECOND,
    }


def _email(person: Person) -> dict[str, Json]:
    return {"email": person.email, "email_verified": person.email_verified} if person.email else {}


def _phone(person: Person) -> dict[str, Json]:
    # Nothing here verifies a number, so none is called verified.
    return {"phone_number": person.phone, "phone_number_verified": False} if person.phone else {}


def _address(person: Person) -> dict[str, Json]:
    held = person.address or {}
    return {"address": {name: held[name] for name in _ADDRESS if held.get(name)}}


_BY_SCOPE: Final[Mapping[str, Callable[[Person], dict[str, Json]]]] = {
    # OIDC Core §5.4
    "profile": _profile,
    "email": _email,
    "phone": _phone,
    "address": _address,
}
