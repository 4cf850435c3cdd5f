# Security: who may read about a person, at each request anew (tests/standards/oidc/test_ui_userinfo.py; A17, A51, A95).
"""The userinfo endpoint: an access token of ours for the claims of its scope, while everything behind it still stands.

The token proves what was granted; session, person, groups, application and grant are read at each use, so that an end
of any of them counts on the very next request (UI-07).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorward.audit import Json
from doorward.clock import Instant
from doorward.directory import groups_of
from doorward.keys import KeyUse, published
from doorward.organization import current
from doorward.protocols.oidc import clients, cors, grants, jose
from doorward.protocols.oidc.claims import claims_of
from doorward.protocols.oidc.received import FORM_TYPE, MAX_BYTES, Received, Unreadable, parameters
from doorward.protocols.oidc.request import Client
from doorward.protocols.oidc.token import access_refusal
from doorward.signin import sessions
from doorward.web import BadInput, read_body, site_of
from doorward.web.visit import visit_of

_HEADERS: Final = {"cache-control": "no-store", "pragma": "no-cache"}
_SCHEME: Final = "bearer "


class BearerRefused(Exception):
    """The token is not accepted (RFC 6750 §3.1). Without an error the client is only told that it needs one."""

    def __init__(self, status: int, error: str | None = None) -> None:
        """Name status and error."""
        super().__init__(error or "no token")
        self.status = status
        self.error = error


@dataclass(frozen=True, slots=True)
class _Known:
    """Whom a token speaks of, and to which client."""

    client: Client
    claims: Mapping[str, Json]


async def userinfo(request: Request) -> Response:
    """GET and POST /oidc/userinfo (OIDC Core §5.3.1)."""
    site, now = site_of(request), site_of(request).clock()
    try:
        token = await _token(request)
        known = await site.db.read(lambda connection: _known(connection, token, site.deployment.base_url, now))
    except BearerRefused as refused:
        return cors.open_to(_refusal(refused), request, None)
    return cors.open_to(JSONResponse(dict(known.claims), headers=_HEADERS), request, known.client)


async def _token(request: Request) -> str:
    """Take the token from its one place (RFC 6750 §2; UI-01, UI-05).

    Raises:
        BearerRefused: there is none, it stands in two places, or in the query, which ends up in logs.
    """
    in_query = "access_token" in _parameters(_query(request)).fields
    in_body: str | None = None
    if request.method == "POST":
        in_body = (await _form(request)).get("access_token")
    headers = visit_of(request).all(b"authorization")
    if in_query or len(headers) > 1 or (headers and in_body is not None):
        raise BearerRefused(400, "invalid_request")
    if in_body is not None:
        return in_body
    if not headers or not headers[0].lower().startswith(_SCHEME):
        raise BearerRefused(401)
    return headers[0][len(_SCHEME) :].strip()


async def _form(request: Request) -> Received:
    kind = visit_of(request).header(b"content-type").split(";")[0].strip().lower()
    try:
        body = await read_body(request, MAX_BYTES)
    except BadInput as error:
        raise BearerRefused(400, "invalid_request") from error
    received = _parameters(body if kind == FORM_TYPE else b"")
    if received.doubled:
        raise BearerRefused(400, "invalid_request")
    return received


def _parameters(raw: bytes) -> Received:
    try:
        return parameters(raw)
    except Unreadable as error:
        raise BearerRefused(400, "invalid_request") from error


def _query(request: Request) -> bytes:
    query = request.scope["query_string"]  # pyright: ignore[reportAny] - ASGI's scope is untyped
    return query if isinstance(query, bytes) else b""


def _known(connection: Connection, token: str, issuer: str, now: Instant) -> _Known:
    """Find out whom a token speaks of, if everything behind it stands at `now`."""
    try:
        claims = jose.verified(token, jose.ACCESS_TOKEN, published(connection, KeyUse.OIDC, now))
        subject = jose.check_issued(claims, issuer, issuer)
        jose.check_time(claims, now)
    except jose.BadToken as error:
        raise BearerRefused(401, "invalid_token") from error
    if "openid" not in str(claims.get("scope", "")).split():
        raise BearerRefused(403, "insufficient_scope")
    grant = grants.standing(connection, str(claims.get("gid", "")))
    if grant is None or grant.granted.person_id != subject:
        raise BearerRefused(401, "invalid_token")
    client = clients.find_by_app(connection, grant.app_id)
    session = sessions.find_by_id(connection, grant.session_id, current(connection).settings, now)
    if client is None or session is None or session.person.id != subject:
        raise BearerRefused(401, "invalid_token")
    if access_refusal(connection, client, session, now) is not None:
        raise BearerRefused(401, "invalid_token")
    person = session.person
    given = claims_of(person, groups_of(connection, person.id), client.app, grant.granted.scope)
    return _Known(client, {**given, "sub": person.id})


def _refusal(refused: BearerRefused) -> Response:
    """Answer in the form of RFC 6750 §3: without a token, without an error."""
    if refused.error is None:
        return Response(status_code=401, headers={**_HEADERS, "www-authenticate": "Bearer"})
    challenge = f'Bearer error="{refused.error}"'
    if refused.error == "insufficient_scope":
        challenge += ', scope="openid"'
    headers = {**_HEADERS, "www-authenticate": challenge}
    return JSONResponse({"error": refused.error}, refused.status, headers=headers)
