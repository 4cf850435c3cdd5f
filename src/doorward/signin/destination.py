"""Where a person is heading, as data: a sign-in stores it, one dispatcher reads it, no step knows the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never, cast


@dataclass(frozen=True, slots=True)
class Portal:
    """The User Portal."""


@dataclass(frozen=True, slots=True)
class Own:
    """A page of our own, by path; only paths of a fixed list become one (pages/login.py)."""

    path: str


@dataclass(frozen=True, slots=True)
class Launch:
    """An application that is opened from its tile."""

    slug: str


@dataclass(frozen=True, slots=True)
class OidcRequest:
    """A saved authorization request."""

    id: str


@dataclass(frozen=True, slots=True)
class SamlRequest:
    """A saved AuthnRequest."""

    id: str


@dataclass(frozen=True, slots=True)
class AdminHome:
    """The Admin Portal."""


Destination: TypeAlias = Portal | Own | Launch | OidcRequest | SamlRequest | AdminHome


@dataclass(frozen=True, slots=True)
class Demands:
    """What the destination asks of the sign-in beyond the organisation's settings.

    `fresh`: a real authentication even with a session (ForceAuthn, prompt=login). `hint`: a name to fill in, which
    selects nothing and reveals nothing.
    """

    fresh: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A destination with what the sign-in shows of it.

    `leads_to` names the registered addresses at which the last form may end after redirects: browsers apply a page's
    `form-action` to them as well.
    """

    destination: Destination = field(default_factory=Portal)
    app_name: str | None = None
    app_slug: str | None = None
    leads_to: tuple[str, ...] = ()
    demands: Demands = field(default_factory=Demands)


def heading_to_json(heading: Heading) -> dict[str, object]:
    """Write a heading for the transaction's row."""
    kind, value = _parts(heading.destination)
    return {
        "kind": kind,
        "value": value,
        "app_name": heading.app_name,
        "app_slug": heading.app_slug,
        "leads_to": list(heading.leads_to),
        "fresh": heading.demands.fresh,
        "hint": heading.demands.hint,
    }


def heading_from_json(saved: Mapping[str, object]) -> Heading:
    """Read a heading that `heading_to_json` wrote.

    Raises:
        ValueError: the row was not written by this product.
    """
    value = str(saved["value"])
    made: Destination
    match saved["kind"]:
        case "portal":
            made = Portal()
        case "own":
            made = Own(value)
        case "launch":
            made = Launch(value)
        case "oidc":
            made = OidcRequest(value)
        case "saml":
            made = SamlRequest(value)
        case "admin":
            made = AdminHome()
        case other:
            raise ValueError(f"unknown destination {other!r}")
    name, slug = saved["app_name"], saved["app_slug"]
    return Heading(
        made,
        name if isinstance(name, str) else None,
        slug if isinstance(slug, str) else None,
        tuple(cast("Sequence[str]", saved["leads_to"])),
        Demands(fresh=bool(saved["fresh"]), hint=str(saved["hint"])),
    )


def _parts(destination: Destination) -> tuple[str, str]:
    match destination:
        case Portal():
            return "portal", ""
        case Own(path):
            return "own", path
        case Launch(slug):
            return "launch", slug
        case OidcRequest(request_id):
            return "oidc", request_id
        case SamlRequest(request_id):
            return "saml", request_id
        case AdminHome():
            return "admin", ""
        case _:
            assert_never(destination)
