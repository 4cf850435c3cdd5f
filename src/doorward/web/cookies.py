# Security: names and attributes of every cookie (tests/web/test_cookies.py; A12).
"""Every cookie of the product, and the only place that reads or sets one.

With an https base URL the names begin with `__Host-` and the cookies are Secure: no sub-domain and no plain
connection can set or read them. With http (loopback base URLs alone) they have neither, because browsers refuse
the prefix without Secure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final, assert_never

from starlette.requests import HTTPConnection

from doorward.clock import DAY, SECOND
from doorward.signin import browsers
from doorward.store import Purpose, new_handle
from doorward.web.visit import Visit, visit_of

_PREFIX: Final = "__Host-"
_MOST_BYTES: Final = 16_384
_THEME_DAYS: Final = 365


class Cookie(Enum):
    """The cookies, by what they hold. All but the theme are random handles, worthless without our database."""

    SESSION = "doorward"
    ADMIN_SESSION = "doorward-admin"
    BROWSER = "doorward-browser"
    KNOWN_BROWSER = "doorward-known"
    THEME = "doorward-theme"


@dataclass(frozen=True, slots=True)
class _Kind:
    same_site: str
    days: int | None
    is_prefixed: bool = True


@cache
def _kind(cookie: Cookie) -> _Kind:
    match cookie:
        case Cookie.SESSION | Cookie.BROWSER:
            # Lax, so that a person who follows a link from an application is still signed in.
            return _Kind("Lax", None)
        case Cookie.ADMIN_SESSION:
            return _Kind("Strict", None)
        case Cookie.KNOWN_BROWSER:
            return _Kind("Lax", browsers.LIFETIME // DAY)
        case Cookie.THEME:
            return _Kind("Lax", _THEME_DAYS, is_prefixed=False)
        case _:
            assert_never(cookie)


def cookie_of(request: HTTPConnection, cookie: Cookie) -> str | None:
    """Read a cookie that the browser sent, or that this request has set already."""
    return read_cookie(visit_of(request), cookie)


def read_cookie(visit: Visit, cookie: Cookie) -> str | None:
    """Read a cookie of a visit."""
    if visit.cookies is None:
        visit.cookies = _parsed("; ".join(visit.all(b"cookie")))
    return visit.cookies.get(_name(visit, cookie)) or None


def put_cookie(request: HTTPConnection, cookie: Cookie, value: str, *, days: int | None = None) -> None:
    """Set a cookie with the answer to `request`. `days` keeps it longer than the browser runs."""
    _set(visit_of(request), cookie, value, days)


def drop_cookie(request: HTTPConnection, cookie: Cookie) -> None:
    """Take a cookie away with the answer to `request`."""
    _set(visit_of(request), cookie, "", 0)


def browser_handle(request: HTTPConnection) -> str:
    """Give the random handle of this browser, and set it with the answer if it has none yet."""
    return handle_of(visit_of(request))


def browser_hash(request: HTTPConnection) -> str:
    """Give what the database keeps of this browser's handle, to bind a sign-in or a pending request to it."""
    return visit_of(request).site.vault.mac(Purpose.HANDLES, f"browser {browser_handle(request)}")


def handle_of(visit: Visit) -> str:
    """Give the browser's handle of a visit; see `browser_handle`."""
    if visit.browser is None:
        sent = read_cookie(visit, Cookie.BROWSER)
        if sent is None:
            sent = new_handle()
            _set(visit, Cookie.BROWSER, sent, None)
        visit.browser = sent
    return visit.browser


def sent_browser_handle(request: HTTPConnection) -> str | None:
    """Give the handle that the browser sent with `request`; None if it sent none."""
    visit = visit_of(request)
    return None if _name(visit, Cookie.BROWSER) in visit.set_cookies else read_cookie(visit, Cookie.BROWSER)


def _name(visit: Visit, cookie: Cookie) -> str:
    is_prefixed = visit.site.deployment.is_secure and _kind(cookie).is_prefixed
    return _PREFIX + cookie.value if is_prefixed else cookie.value


def _set(visit: Visit, cookie: Cookie, value: str, days: int | None) -> None:
    if not (value.isascii() and (value.isprintable() or not value)) or any(c in value for c in ' ",;\\'):
        raise ValueError("a cookie of ours holds letters, digits, - and _ alone")
    kind, name = _kind(cookie), _name(visit, cookie)
    parts = [f"{name}={value}", "Path=/", "HttpOnly", f"SameSite={kind.same_site}"]
    lasts = kind.days if days is None else days
    if lasts is not None:
        parts.append(f"Max-Age={lasts * DAY // SECOND}")
    if visit.site.deployment.is_secure:
        parts.append("Secure")
    # By name, so that the last value of a request is the only one: two for one name confuse browsers.
    visit.set_cookies[name] = "; ".join(parts)
    if visit.cookies is not None:
        visit.cookies[name] = value
    if cookie is Cookie.BROWSER:
        visit.browser = value or None


def _parsed(header: str) -> dict[str, str]:
    """Split a Cookie header (RFC 6265 §4.2.1). Of a doubled name the first counts: browsers send the narrower first."""
    found: dict[str, str] = {}
    for pair in header[:_MOST_BYTES].split(";"):
        name, sep, value = pair.strip().partition("=")
        if sep and name not in found:
            found[name] = value
    return found
