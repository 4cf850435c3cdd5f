# Security: no state changes but by our own pages (tests/web/test_csrf.py; A25, SE-07).
"""The check that a form came from a page of ours: where the browser says it comes from, and a token bound to it.

The token is the HMAC of the browser's random handle under a sub-key: a page elsewhere can neither read nor make it,
and one that was stolen from another browser is worthless in this one.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from doorward.store import Purpose, same_secret
from doorward.web.cookies import handle_of, sent_browser_handle
from doorward.web.forms import read_form
from doorward.web.refusals import Refusal, Refused
from doorward.web.visit import Visit, visit_of

FIELD: Final = "csrf"

_OWN_FETCH: Final = frozenset({"same-origin", "none"})
"""What a browser says of a form of our own origin; `none` is a page that the person loads again themselves."""


def token_of(visit: Visit) -> str:
    """Make the token of the forms of this visit's browser."""
    return visit.site.vault.mac(Purpose.CSRF, handle_of(visit))


async def check_csrf(request: Request, limit: int) -> None:
    """Let a state-changing request through only if a page of ours sent it.

    Raises:
        Refused: it comes from another site, without our cookie, or from a page of another browser handle.
        BadInput: the form cannot be read.
    """
    visit = visit_of(request)
    site = visit.header(b"sec-fetch-site")
    origin = visit.header(b"origin")
    if (site and site not in _OWN_FETCH) or (origin and origin != visit.site.deployment.base_url):
        raise Refused(Refusal.CROSS_SITE, f"sec-fetch-site {site[:20]!r}, origin {origin[:100]!r}")
    form = await read_form(request, limit)
    handle = sent_browser_handle(request)
    if handle is None:
        raise Refused(Refusal.NO_COOKIE)
    if not same_secret(form.one(FIELD), visit.site.vault.mac(Purpose.CSRF, handle)):
        raise Refused(Refusal.STALE_PAGE)
