# Security: which pages of other origins may read answers (tests/standards/oidc/test_ui_userinfo.py).
"""Cross-origin reading: public documents by everybody, tokens and userinfo by the origins of registered clients alone.

Never with credentials: nothing here is proved by a cookie. The authorization endpoint has none of it (AZ-24).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast
from urllib.parse import urlsplit

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from doorward.apps import AppState, OidcClient
from doorward.apps.kinds import kind_from_config
from doorward.audit import Json
from doorward.protocols.oidc.request import Client
from doorward.store import schema
from doorward.web import site_of
from doorward.web.visit import visit_of

_APPS: Final = schema.apps
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_MOST: Final = 512

PUBLIC: Final[Mapping[str, str]] = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}
"""For documents that are the same for everybody: discovery and keys."""


async def preflight(request: Request) -> Response:
    """OPTIONS: say whether a page of this origin may ask (Fetch Standard, CORS protocol)."""
    response = Response(status_code=204, headers={"vary": "origin", "cache-control": "no-store"})
    origin = visit_of(request).header(b"origin")
    if origin and len(origin) <= _MOST and origin in await site_of(request).db.read(registered_origins):
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-allow-methods"] = "GET, POST"
        response.headers["access-control-allow-headers"] = "authorization, content-type"
        response.headers["access-control-max-age"] = "600"
    return response


def open_to(response: Response, request: Request, client: Client | None) -> Response:
    """Let a page of the client's own origins read an answer."""
    response.headers["vary"] = "origin"
    origin = visit_of(request).header(b"origin")
    if origin and client is not None and origin in origins_of(client.oidc):
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-expose-headers"] = "www-authenticate"
    return response


def registered_origins(connection: Connection) -> frozenset[str]:
    """List the origins of all active clients' redirect addresses."""
    query = select(_APPS.c.config).where(_APPS.c.kind == "oidc", _APPS.c.state == AppState.ACTIVE.value)
    configs = cast("Iterable[Mapping[str, Json]]", connection.execute(query).scalars())
    kinds = [kind_from_config("oidc", config) for config in configs]
    return frozenset(origin for kind in kinds if isinstance(kind, OidcClient) for origin in origins_of(kind))


def origins_of(client: OidcClient) -> frozenset[str]:
    """List the origins at which a client's pages live: those of its redirect addresses, as browsers write them."""
    return frozenset(origin for uri in client.redirect_uris if (origin := _origin(uri)) is not None)


def _origin(uri: str) -> str | None:
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS or parts.hostname is None:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
