# Security: a stranger's RelayState is written into a page here (tests/standards/saml/test_sr21_post_page.py; A75).
"""The page that carries a Response to its provider by the browser (SAML Bindings §3.5.4).

It works without script by its button. Its policy lets its form go to the origin of the one checked address alone, and
RelayState goes back byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from doorward.apps import App
from doorward.web import Cookie, app_mark, cookie_of, load_organization, site_of
from doorward.web.rendering import impersonal, policy
from doorward.web.texts import language

_THEMES: Final = frozenset({"light", "dark"})
_POLICY: Final = "content-security-policy"
_PLACE: Final = "\0"
"""Where a frame of the page has room for what it carries; no page holds it otherwise."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What the page sends: `response` in base64, and a RelayState (None: none is sent, which is not an empty one).

    `opened` is false for a Response that only tells a status.
    """

    app: App
    acs_url: str
    response: str
    relay_state: str | None
    opened: bool


@dataclass(frozen=True, slots=True)
class _Look:
    """Everything that the page depends on but what it carries: of that it knows only whether it is there."""

    organization_version: int
    organization_changed_at: int
    language: str
    theme: str
    app_name: str
    app_slug: str
    acs_url: str
    opened: bool
    has_relay_state: bool


async def post_page(request: Request, carried: Carried) -> Response:
    """Show the page that sends a Response to the one checked address."""
    site, organization = site_of(request), await load_organization(request)
    theme = cookie_of(request, Cookie.THEME)
    look = _Look(
        organization.version,
        organization.changed_at,
        language.get(),
        theme if theme in _THEMES else "system",
        carried.app.name,
        carried.app.slug,
        carried.acs_url,
        carried.opened,
        carried.relay_state is not None,
    )
    frame = site.templates.once(look, lambda: _frame(request, look))
    head, middle, *tail = frame.split(_PLACE)
    inside = "" if carried.relay_state is None else _kept(carried.relay_state)
    body = "".join([head, carried.response, middle, inside, *tail])
    allowed = site.templates.once((_POLICY, carried.acs_url), lambda: _policy(carried.acs_url))
    return Response(body, 200, {_POLICY: allowed, "cache-control": "no-store"}, "text/html")


def _policy(acs_url: str) -> str:
    """Allow the one form of this page to go to the provider and nowhere else: our own forms are not on it."""
    return policy((acs_url,)).replace("form-action 'self' ", "form-action ")


def _frame(request: Request, look: _Look) -> str:
    """Render the page around what it carries. Nothing of a person or a request is given to the template."""
    return site_of(request).templates.render(
        "saml/post.html",
        {
            **impersonal(request),
            "app": app_mark(look.app_name, look.app_slug),
            "acs_url": look.acs_url,
            "opened": look.opened,
            "saml_response": _PLACE,
            "relay_state": _PLACE if look.has_relay_state else None,
        },
    )


def _kept(value: str) -> Markup:
    """Escape a value so that a browser gives it back unchanged: line breaks and tabs too, which markup would alter."""
    kept = str(escape(value)).replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")
    return Markup(kept)  # noqa: S704 - escaped the line before; only references to characters were added
