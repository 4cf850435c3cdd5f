"""Where a launch leads: to an address of the application or of its protocol, which decides again anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never
from urllib.parse import quote, urlencode, urlsplit

from doorward.apps.app import App
from doorward.apps.kinds import Bookmark, OidcClient, SamlProvider


def launch_address(app: App, issuer: str | None = None) -> str | None:
    """Give the address that opens `app` from its tile; None where only the application itself can begin.

    `start_url` outranks the rest. An OpenID Connect client that can be told to begin is told so with `issuer`
    (OIDC Core §4); of any other the home page is opened, at the origin of its first redirect address.
    """
    if app.start_url is not None:
        return app.start_url
    match app.kind:
        case Bookmark(url):
            return url
        case OidcClient(initiate_login_uri=begin, redirect_uris=redirects):
            if begin is None:
                return _home_of(redirects)
            if issuer is None:
                return begin
            return f"{begin}{'&' if '?' in begin else '?'}{urlencode({'iss': issuer})}"
        case SamlProvider(idp_initiated=allowed):
            return None if allowed is False else f"/saml/apps/{quote(app.slug)}/launch"
        case _:
            assert_never(app.kind)


def _home_of(redirects: Sequence[str]) -> str | None:
    """Give the home page of a web application by its first redirect address; an app of a phone has none."""
    for address in redirects:
        parts = urlsplit(address)
        if parts.scheme in {"http", "https"} and parts.netloc:
            return f"{parts.scheme}://{parts.netloc}/"
    return None


def may_begin_here(app: App) -> bool:
    """Tell whether a SAML application accepts an assertion it did not ask for: by default where it has no start."""
    if not isinstance(app.kind, SamlProvider):
        return False
    return app.start_url is None if app.kind.idp_initiated is None else app.kind.idp_initiated
