"""What browsers, probes and reporters ask for at fixed addresses: static files, liveness, readiness, security.txt."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from doorward.clock import DAY, iso
from doorward.store import StorageAway
from doorward.store.migrate import HEAD, current_revision
from doorward.web.assets import headers_of
from doorward.web.guards import Guard, page
from doorward.web.refusals import Refusal, Refused
from doorward.web.rendering import load_organization
from doorward.web.site import site_of
from doorward.web.visit import path_of, visit_of

_PROMISE_DAYS: Final = 180


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [
        page("/static/{name}", static, guard=Guard.MACHINE),
        page("/healthz", alive, guard=Guard.MACHINE),
        page("/readyz", ready, guard=Guard.MACHINE),
        page("/robots.txt", robots, guard=Guard.MACHINE),
        page("/.well-known/security.txt", security_txt, guard=Guard.PUBLIC),
    ]


async def static(request: Request) -> Response:
    """Serve a static file under the name that holds its hash."""
    asset = site_of(request).templates.assets.find(path_of(request))
    if asset is None:
        raise Refused(Refusal.NOT_FOUND)
    is_packed = asset.packed is not None and "gzip" in visit_of(request).header(b"accept-encoding")
    answer = Response(asset.packed if is_packed else asset.body)
    answer.raw_headers = headers_of(asset, is_packed=is_packed)
    return answer


async def alive(_request: Request) -> Response:
    """Tell that the process answers, whatever its database does."""
    return _plain("alive")


async def ready(request: Request) -> Response:
    """Tell whether sign-ins can be answered: the database is reached and of this version."""
    try:
        found = await site_of(request).db.read(current_revision)
    except StorageAway:
        return _plain("the database is away", 503)
    if found != HEAD:
        return _plain("the database is of another version", 503)
    return _plain("ready")


async def robots(_request: Request) -> Response:
    """Keep sign-in pages out of search engines."""
    return _plain("User-agent: *\nDisallow: /")


async def security_txt(request: Request) -> Response:
    """Tell whom to write to about a hole (RFC 9116); without a contact there is no such file."""
    support = (await load_organization(request)).support
    contact = f"mailto:{support.email}" if support.email else support.url
    if not contact:
        raise Refused(Refusal.NOT_FOUND)
    site = site_of(request)
    lines = [
        f"Contact: {contact}",
        f"Expires: {iso(site.clock() + _PROMISE_DAYS * DAY)}",
        "Preferred-Languages: en",
        f"Canonical: {site.deployment.base_url}/.well-known/security.txt",
    ]
    return _plain("\n".join(lines))


def _plain(text: str, status: int = 200) -> Response:
    return PlainTextResponse(text + "\n", status, {"cache-control": "no-store"})
