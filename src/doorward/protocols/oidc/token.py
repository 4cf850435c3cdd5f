# Security: codes become tokens here (tests/protocols/oidc/test_codes.py, tests/standards/oidc/test_tk_token.py).
"""The token endpoint, from request to answer.

Authenticate the client, redeem the code in one statement, then judge what it was bound to: a code that was shown with
a wrong verifier or address is used up, so that nobody tries twice. Signing stands outside the transaction.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, assert_never

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorward.apps import given_to, verify_client_secret
from doorward.apps.access import Allow, Demands, Deny, Proofs, ProveMore, Question, decide
from doorward.apps.app import AppId
from doorward.audit import Actor, Event, Outcome, record
from doorward.clock import Instant
from doorward.directory import PersonId, groups_of
from doorward.keys import KeyUse, current_key
from doorward.organization import current
from doorward.protocols.oidc import clients, cors, grants
from doorward.protocols.oidc.authenticate import Presented, allowed, presented
from doorward.protocols.oidc.claims import claims_of
from doorward.protocols.oidc.grants import Grant, NoGrant, Spent
from doorward.protocols.oidc.received import FORM_TYPE, MAX_BYTES, Received, Unreadable, parameters
from doorward.protocols.oidc.refusals import Reason, TokenError, TokenRefused
from doorward.protocols.oidc.request import Client
from doorward.protocols.oidc.tokens import Issuance, token_response
from doorward.signin import Session, sessions
from doorward.store import Vault, new_id, same_secret
from doorward.web import BadInput, caller_of, read_body, site_of
from doorward.web.visit import visit_of

_CODE_GRANT: Final = "authorization_code"
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1
_NOBODY: Final = AppId("")
_HEADERS: Final = {"cache-control": "no-store", "pragma": "no-cache"}  # RFC 6749 §5.1
_CHALLENGE: Final = 'Basic realm="Doorward", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class _Redeemed:
    """A code that became a grant, with what its ID Token says beside."""

    grant: Grant
    session: Session
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class _NotRedeemed:
    """A code that did not. `person_id` is known where the code was once issued."""

    refused: TokenRefused
    person_id: str | None = None
    session_id: str | None = None


async def token(request: Request) -> Response:
    """POST /oidc/token."""
    client: Client | None = None
    try:
        received = await _form(request)
        client = await _client(request, received)
        answer = await _redeem(request, client, received)
    except TokenRefused as refused:
        answer = _refusal(refused)
    return cors.open_to(answer, request, client)


async def _form(request: Request) -> Received:
    kind = visit_of(request).header(b"content-type").split(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise TokenRefused(TokenError.INVALID_REQUEST, Reason.CONTENT_TYPE)
    try:
        received = parameters(await read_body(request, MAX_BYTES))
    except (BadInput, Unreadable) as error:
        raise TokenRefused(TokenError.INVALID_REQUEST, Reason.UNREADABLE) from error
    if received.doubled:
        # RFC 6749 §3.2: parameters MUST NOT be included more than once.
        raise TokenRefused(TokenError.INVALID_REQUEST, Reason.DOUBLED)
    return received


async def _client(request: Request, received: Received) -> Client:
    """Find out which client speaks. A refusal of a known one is recorded."""
    site, now = site_of(request), site_of(request).clock()
    shown = presented(received, visit_of(request).all(b"authorization"))
    client, is_right = await site.db.read(lambda connection: _judge_client(connection, site.vault, shown))
    try:
        return allowed(shown, client, is_right=is_right)
    except TokenRefused as refused:
        if client is not None:
            event = _event(request, client, _NotRedeemed(refused))
            await site.db.write(lambda connection: record(connection, event, now), durable=False)
        raise


def _judge_client(connection: Connection, vault: Vault, shown: Presented) -> tuple[Client | None, bool]:
    """Read a client and judge its secret; an unknown one costs the same."""
    client = clients.find(connection, shown.client_id)
    app_id = _NOBODY if client is None else client.app.id
    return client, verify_client_secret(connection, vault, app_id, shown.secret or "")


async def _redeem(request: Request, client: Client, received: Received) -> Response:
    site, now = site_of(request), site_of(request).clock()
    code = _code_of(client, received)

    def work(connection: Connection) -> _Redeemed | _NotRedeemed:
        redeemed = _redeemed(connection, site.vault, client, code, received, now)
        if isinstance(redeemed, _NotRedeemed):
            record(connection, _event(request, client, redeemed), now)
        return redeemed

    redeemed = await site.db.write(work)
    if isinstance(redeemed, _NotRedeemed):
        raise redeemed.refused
    extra = {}
    if client.oidc.claims_in_id_token:
        extra = claims_of(redeemed.session.person, redeemed.groups, client.app, redeemed.grant.granted.scope)
    issuance = Issuance(
        issuer=site.deployment.base_url,
        client_id=client.oidc.client_id,
        grant=redeemed.grant,
        extra=extra,
        token_id=new_id(now),
        now=now,
    )
    key = await current_key(site.db, site.vault, KeyUse.OIDC, now)
    return JSONResponse(token_response(issuance, key), headers=_HEADERS)


def _code_of(client: Client, received: Received) -> str:
    """Give the code that a client redeems (TK-11)."""
    grant_type = received.get("grant_type")
    if grant_type is None:
        raise TokenRefused(TokenError.INVALID_REQUEST, Reason.GRANT_TYPE)
    if grant_type != _CODE_GRANT:
        raise TokenRefused(TokenError.UNSUPPORTED_GRANT_TYPE, Reason.GRANT_TYPE)
    if grant_type not in client.oidc.grant_types:
        raise TokenRefused(TokenError.UNAUTHORIZED_CLIENT, Reason.GRANT_TYPE)
    code = received.get("code")
    if code is None:
        raise TokenRefused(TokenError.INVALID_REQUEST, Reason.CODE_MISSING)
    return code


def _redeemed(
    connection: Connection, vault: Vault, client: Client, code: str, received: Received, now: Instant
) -> _Redeemed | _NotRedeemed:
    """Redeem a code and judge what it was bound to, all in the caller's transaction."""
    taken = grants.redeem(connection, vault, code, client.app.id, now)
    match taken:
        case NoGrant():
            return _NotRedeemed(TokenRefused(TokenError.INVALID_GRANT, Reason.CODE_UNKNOWN))
        case Spent(grant):
            reused = TokenRefused(TokenError.INVALID_GRANT, Reason.CODE_REUSED)
            return _NotRedeemed(reused, grant.granted.person_id, grant.session_id)
        case Grant():
            pass
        case _:
            assert_never(taken)
    refused = binding_refusal(taken, received)
    session = sessions.find_by_id(connection, taken.session_id, current(connection).settings, now)
    if refused is None and (session is None or session.person.id != taken.granted.person_id):
        refused = TokenRefused(TokenError.INVALID_GRANT, Reason.SESSION_OVER)
    if refused is None and session is not None:
        refused = access_refusal(connection, client, session, now)
    if refused is not None or session is None:
        over = TokenRefused(TokenError.INVALID_GRANT, Reason.SESSION_OVER)
        return _NotRedeemed(refused or over, taken.granted.person_id, taken.session_id)
    return _Redeemed(taken, session, groups_of(connection, PersonId(session.person.id)))


def binding_refusal(grant: Grant, received: Received) -> TokenRefused | None:
    """Compare what a redemption shows with what the code was bound to. Pure."""
    granted, verifier = grant.granted, received.get("code_verifier")
    # RFC 6749 §4.1.3: redirect_uri was in the request, so it must be here too, and identical (TK-08).
    if received.get("redirect_uri") != granted.redirect_uri:
        return TokenRefused(TokenError.INVALID_GRANT, Reason.REDIRECT_URI)
    if granted.code_challenge is None:
        # RFC 9700 §2.1.1: a verifier without a challenge means that somebody took the challenge away (PK-04, A50).
        return None if verifier is None else TokenRefused(TokenError.INVALID_GRANT, Reason.VERIFIER)
    if verifier is None or _VERIFIER.fullmatch(verifier) is None:
        return TokenRefused(TokenError.INVALID_GRANT, Reason.VERIFIER)
    if not same_secret(challenge_of(verifier), granted.code_challenge):  # RFC 7636 §4.6
        return TokenRefused(TokenError.INVALID_GRANT, Reason.VERIFIER)
    return None


def challenge_of(verifier: str) -> str:
    """Make the S256 challenge of a verifier (RFC 7636 §4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def access_refusal(connection: Connection, client: Client, session: Session, now: Instant) -> TokenRefused | None:
    """Ask again whether the application is open to the person: on every issuance, not only at the first (SS-03)."""
    decision = decide(
        Question(
            person=session.person,
            app=client.app,
            given=given_to(connection, client.app.id, session.person.id),
            proof=Proofs(session.proofs, session.authenticated_at),
            demands=Demands(),
            settings=current(connection).settings,
            now=now,
        )
    )
    match decision:
        case Allow():
            return None
        case Deny(reason):
            return TokenRefused(TokenError.INVALID_GRANT, Reason.NOT_GRANTED, reason.value)
        case ProveMore(demand):
            return TokenRefused(TokenError.INVALID_GRANT, Reason.NOT_GRANTED, demand.value)
        case _:
            assert_never(decision)


def _refusal(refused: TokenRefused) -> Response:
    """Answer in the form of RFC 6749 §5.2."""
    body = {"error": refused.error.value}
    if refused.description is not None:
        body["error_description"] = refused.description
    response = JSONResponse(body, refused.error.status, headers=_HEADERS)
    if refused.error is TokenError.INVALID_CLIENT:
        # RFC 9110 §15.5.2: a 401 names a scheme, whether or not one was tried.
        response.headers["www-authenticate"] = _CHALLENGE
    return response


def _event(request: Request, client: Client, refusal: _NotRedeemed) -> Event:
    return Event(
        "oidc.token_refused",
        Outcome.REFUSED,
        Actor.nobody(),
        caller_of(request),
        reason=refusal.refused.why,
        person_id=refusal.person_id,
        app_id=client.app.id,
        session_id=refusal.session_id,
        details={"protocol": "oidc", "error": refusal.refused.error.value},
    )
