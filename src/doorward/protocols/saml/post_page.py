# Security: a stranger's RelayState is written into a page here (tests/standards/saml/test_sr21_relay_state.py; A75).
"""The page that carries a Response to its provider by the browser (SAML Bindings §3.5.4).

It works without script by its button. Its policy lets its form go to the origin of the one checked address alone, and
RelayState goes back byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from doorward.apps import App
from doorward.web import app_mark, render

_POLICY = "content-security-policy"


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


async def post_page(request: Request, carried: Carried) -> Response:
    """Show the page that sends a Response to the one checked address."""
    relay_state = carried.relay_state
    answer = await render(
        request,
        "saml/post.html",
        {
            "app": app_mark(carried.app.name, carried.app.slug),
            "acs_url": carried.acs_url,
            "saml_response": carried.response,
            "relay_state": None if relay_state is None else _kept(relay_state),
            "opened": carried.opened,
        },
        form_action=(carried.acs_url,),
    )
    # This page's one form leads to the provider: our own forms are not on it.
    answer.headers[_POLICY] = answer.headers[_POLICY].replace("form-action 'self' ", "form-action ")
    return answer


def _kept(value: str) -> Markup:
    """Escape a value so that a browser gives it back unchanged: line breaks and tabs too, which markup would alter."""
    kept = str(escape(value)).replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")
    return Markup(kept)  # noqa: S704 - escaped the line before; only references to characters were added
