"""From a template to an answer: what every page is given, and the headers that hold its browser to our rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from doorward.organization import Organization, current
from doorward.web import texts
from doorward.web.cookies import Cookie, read_cookie
from doorward.web.csrf import FIELD, token_of
from doorward.web.visit import Visit, path_of, visit_of

_THEMES: Final = frozenset({"light", "dark"})
_UNREAD: Final = Organization("Doorward")

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
"""LOOK.md 'Budget and CSP'; `form-action` stands last, so that a page can add to it."""


class _CsrfField:
    """The hidden field of a form. Made only where a form asks for it: then the browser also gets its handle."""

    def __init__(self, visit: Visit) -> None:
        self._visit: Final = visit

    def __html__(self) -> str:
        return f'<input type="hidden" name="{FIELD}" value="{token_of(self._visit)}">'

    def __str__(self) -> str:
        return self.__html__()


async def load_organization(request: Request) -> Organization:
    """Read the organisation for the page that answers `request`.

    Raises:
        StorageAway: the database cannot be asked.
    """
    visit = visit_of(request)
    if visit.organization is None:
        remember(visit, await visit.site.db.read(current))
    return organization_of(visit)


def remember(visit: Visit, organization: Organization) -> None:
    """Keep the organisation that was read for this request, and as the last one that was read at all."""
    visit.organization = organization
    visit.site.templates.organization = organization


def organization_of(visit: Visit) -> Organization:
    """Give the organisation as this request read it, or as it was last read."""
    return visit.organization or visit.site.templates.organization or _UNREAD


async def render(
    request: Request,
    template: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    form_action: Sequence[str] = (),
) -> Response:
    """Answer with a page.

    `form_action` names addresses where a form of this page may end after redirects: their origins are allowed, because
    Chromium applies `form-action` to the redirect after a form as well.

    Raises:
        StorageAway: the organisation was not read yet and the database cannot be asked.
    """
    visit = visit_of(request)
    if visit.organization is None and status < 400:
        # A refusal must not need the database, which may be away, nor let anybody ask it for nothing.
        await load_organization(request)
    body = visit.site.templates.render(template, {**_given(visit, path_of(request)), **values})
    headers = {
        "content-security-policy": policy(form_action),
        "cache-control": "no-store",
    }
    return Response(body, status, headers, "text/html")


def redirect(address: str, *, status: int = 303) -> Response:
    """Lead on to `address` by a GET (303): a path of ours or a registered address, for which the caller answers."""
    return RedirectResponse(address, status, {"cache-control": "no-store"})


def policy(form_action: Sequence[str] = ()) -> str:
    """Write the Content-Security-Policy of a page."""
    origins = dict.fromkeys(origin for address in form_action if (origin := _origin(address)) is not None)
    return " ".join([_POLICY, *origins])


def _given(visit: Visit, path: str) -> dict[str, object]:
    organization = organization_of(visit)
    theme = read_cookie(visit, Cookie.THEME)
    session, admin_session = visit.session, visit.admin_session
    return {
        "org": organization,
        "support": organization.support,
        "contact": organization.support.contact,
        "theme": theme if theme in _THEMES else "system",
        "here": path,
        "lang": texts.language.get(),
        "direction": texts.direction(),
        "csrf": _CsrfField(visit),
        "demo": visit.site.deployment.demo,
        "host": urlsplit(visit.site.deployment.base_url).netloc,
        "reference": visit.reference,
        "now": visit.site.clock(),
        "person": None if session is None else session.person,
        "admin": None if admin_session is None else admin_session.admin,
        "error": None,
        "field_error": None,
        "audience": "person",
        "app": None,
    }


_OF_ALL: Final = ("org", "support", "contact", "theme", "lang", "direction", "demo", "host", "audience")


def impersonal(request: Request) -> dict[str, object]:
    """Give what pages are given, without what belongs to one person or request: for `Templates.once`.

    A list of what may be in it: whatever a layout comes to need is missing at first, and the page's tests fail.
    """
    given = _given(visit_of(request), path_of(request))
    return {name: given[name] for name in _OF_ALL}


def _origin(address: str) -> str | None:
    """Give the source expression of an address: its origin, or its scheme where that has none (an app of a phone)."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = parts.scheme
    if not scheme.replace("+", "").replace("-", "").replace(".", "").isalnum() or not scheme.isascii():
        return None
    if scheme not in {"http", "https"}:
        return f"{scheme}:"
    if not host or any(character in host for character in " ;,'\"") or not host.isascii():
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" + (f":{port}" if port is not None else "")
