# Security: the outermost layer; what passes it reached every request and every answer (tests/web/test_edge.py).
"""The edge of the server: each request arrives here first and each answer leaves here last.

It refuses another Host, gives the request its visit, adds cookies and security headers to the answer, turns what was
raised into a page with a reference, and writes one line to the log. A plain ASGI layer: it costs microseconds.
"""

from __future__ import annotations

import traceback
from time import perf_counter
from typing import Final, Protocol, cast
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorward.store import StorageAway
from doorward.web import texts
from doorward.web.errors import refuse
from doorward.web.refusals import Refusal, Refused
from doorward.web.site import SITE, Site
from doorward.web.visit import Visit, arrive

ANY_HOST: Final = frozenset({"/healthz", "/readyz"})
"""Asked by probes under whatever address they know."""

_LONGEST_ADDRESS: Final = 64 * 1024

_YEAR: Final = 31_536_000

_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # The origin alone, never a path: a sign-in's address is nobody else's business. Not `no-referrer`, under which
    # browsers send our own forms with `Origin: null`.
    (b"referrer-policy", b"strict-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        (
            b"publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), microphone=(), "
            b"geolocation=(), payment=(), usb=(), browsing-topics=()"
        ),
    ),
)

_NO_PAGE: Final = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox"
"""The policy of what is no page: a browser that shows it nevertheless runs nothing."""


class _State(Protocol):
    site: Site


class _Application(Protocol):
    state: _State


class Edge:
    """The outermost layer of one server."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`; its site is opened in its lifespan."""
        self._app: Final = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await _Answering(self._app, scope, cast("_Application", scope["app"]).state.site, send).run(receive)


class _Answering:
    """One request on its way through the edge."""

    def __init__(self, app: ASGIApp, scope: Scope, site: Site, send: Send) -> None:
        self._app: Final = app
        self._send: Final = send
        self._scope: Final = scope
        self._site: Final = site
        scope[SITE] = site
        self._visit: Final[Visit] = arrive(scope, site)
        self._begun: Final = perf_counter()
        self._status = 0

    async def run(self, receive: Receive) -> None:
        """Answer, whatever happens."""
        if len(texts.languages()) > 1:
            texts.language.set(texts.chosen(self._visit.header(b"accept-language")))
        try:
            early = await self._turned_away(receive)
            if early is None:
                await self._app(self._scope, receive, self._leave)
            else:
                await early(self._scope, receive, self._leave)
        except Exception as error:  # noqa: BLE001 - the outermost edge: whatever it is becomes a page and a log line
            await self._mend(error, receive)
        self._log()

    async def _turned_away(self, receive: Receive) -> Response | None:
        """Answer what never reaches a route: another Host, an endless address."""
        scope, deployment = self._scope, self._site.deployment
        path = cast("str", scope["path"])
        if len(cast("bytes", scope["query_string"])) + len(path) > _LONGEST_ADDRESS:
            return await refuse(Request(scope, receive), Refusal.TOO_LONG)
        hosts = self._visit.all(b"host")
        own = deployment.base_url.partition("://")[2]
        if (len(hosts) == 1 and hosts[0].lower() == own) or path in ANY_HOST:
            return None
        if scope["method"] not in {"GET", "HEAD"}:
            return await refuse(Request(scope, receive), Refusal.WRONG_HOST)
        # Built from the base URL alone: nothing of the Host that was asked for gets into an address (A15).
        query = cast("bytes", scope["query_string"])
        target = deployment.base_url + quote(path, safe="/%:@!$&'()*+,;=~") + _query(query)
        return RedirectResponse(target, 307, {"cache-control": "no-store"})

    async def _leave(self, message: Message) -> None:
        """Send a part of the answer; with its start go the cookies and the security headers."""
        if message["type"] == "http.response.start":
            self._status = cast("int", message["status"])
            message["headers"] = _completed(cast("list[tuple[bytes, bytes]]", message["headers"]), self._visit)
        await self._send(message)

    async def _mend(self, error: Exception, receive: Receive) -> None:
        """Turn what was raised into an answer, unless one is under way already."""
        request = Request(self._scope, receive)
        refusal, headers = _refusal_for(error)
        self._tell(refusal, error)
        if self._status:
            # Half an answer cannot be taken back: the connection is cut, so that nobody takes it for a whole one.
            raise error
        self._visit.set_cookies.clear()
        try:
            answer = await refuse(request, refusal, headers=headers)
        except Exception as another:  # noqa: BLE001 - the page of the error is itself broken: still no stack trace
            self._tell(Refusal.INTERNAL, another)
            answer = Response(f"Something went wrong here. Reference: {self._visit.reference}\n", 500)
        await answer(self._scope, receive, self._leave)

    def _tell(self, refusal: Refusal, error: Exception) -> None:
        log = self._site.log
        if refusal is Refusal.INTERNAL:
            where = "".join(traceback.format_exception(error))
            log.error("unexpected", request=self._visit.reference, path=self._scope["path"], trace=where)
        elif refusal is Refusal.STORAGE_AWAY:
            log.error("storage_away", request=self._visit.reference, detail=str(error)[:500])
        else:
            log.info("refused", request=self._visit.reference, code=refusal.value, detail=str(error)[:200])

    def _log(self) -> None:
        took = (perf_counter() - self._begun) * 1000
        self._site.log.info(
            "request",
            request=self._visit.reference,
            method=self._scope["method"],
            # The path alone: queries carry codes and requests.
            path=self._scope["path"],
            status=self._status,
            ms=round(took, 2),
            address=self._visit.address,
        )


def _refusal_for(error: Exception) -> tuple[Refusal, dict[str, str]]:
    match error:
        case Refused():
            return error.refusal, {}
        case StorageAway():
            return Refusal.STORAGE_AWAY, {}
        case HTTPException(status_code=404):
            return Refusal.NOT_FOUND, {}
        case HTTPException(status_code=405):
            return Refusal.METHOD, dict(error.headers or {})
        case HTTPException(status_code=status) if 400 <= status < 500:
            return Refusal.BAD_INPUT, {}
        case _:
            return Refusal.INTERNAL, {}


def _completed(headers: list[tuple[bytes, bytes]], visit: Visit) -> list[tuple[bytes, bytes]]:
    """Add what every answer carries; a page's own policy stands, as do the headers that a route has set itself."""
    given = {name for name, _value in headers}
    whole = [*headers, *(pair for pair in _HEADERS if pair[0] not in given)]
    if b"content-security-policy" not in given:
        whole.append((b"content-security-policy", _NO_PAGE))
    if visit.site.deployment.is_secure:
        whole.append((b"strict-transport-security", b"max-age=%d" % _YEAR))
    whole.extend((b"set-cookie", cookie.encode("ascii")) for cookie in visit.set_cookies.values())
    return whole


def _query(raw: bytes) -> str:
    text = quote(raw.decode("latin-1"), safe="%/?:@!$&'()*+,;=~-._")
    return f"?{text}" if text else ""
