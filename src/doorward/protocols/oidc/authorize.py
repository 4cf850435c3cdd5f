# Security: the front door of OpenID Connect (tests/protocols/oidc/test_resume.py, tests/standards/oidc/).
"""The authorization endpoint, from request to answer.

`authorize` (GET): read the parameters, read client and session, accept, decide, answer. `authorize_post`: the same up
to acceptance, then saved and answered by 303 to `resume`, so that the session cookie comes along (SameSite=Lax).
`resume` is also where a sign-in leads back to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never, cast

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from doorward.clock import Instant
from doorward.keys import KeyUse, PublishedKey, published
from doorward.protocols.oidc import clients, jose, pending
from doorward.protocols.oidc.accept import VerifyHint, accepted, addressed, client_id_of
from doorward.protocols.oidc.answer import Asking, issue, sign_in_first, tell, tell_unaccepted, turn_away
from doorward.protocols.oidc.clients import Sight
from doorward.protocols.oidc.decide import Case, Issue, SignIn, Tell, TurnAway, outcome_for
from doorward.protocols.oidc.names import RESUME
from doorward.protocols.oidc.received import FORM_TYPE, MAX_BYTES, Received, Unreadable, parameters
from doorward.protocols.oidc.redirects import is_registered
from doorward.protocols.oidc.refusals import Reason, Refused, Untrusted
from doorward.signin import Session
from doorward.web import (
    BadInput,
    browser_hash,
    current_session,
    load_organization,
    read_body,
    read_with_session,
    redirect,
    refuse_prefetch,
    site_of,
)
from doorward.web.visit import visit_of


@dataclass(frozen=True, slots=True)
class _Registered:
    """What a request is judged by. `keys` are read only for an id_token_hint."""

    client_id: str
    sight: Sight | None
    keys: list[PublishedKey]
    now: Instant


async def authorize(request: Request) -> Response:
    """GET /oidc/authorize."""
    refuse_prefetch(request)
    try:
        received = parameters(cast("bytes", request.scope["query_string"]))
        # One unit of work for session and client: this is the path of every launch.
        look_up = _look_up(request, received)
        registered = await read_with_session(request, look_up)
        asking = await _accept(request, received, registered)
    except (Unreadable, Untrusted) as error:
        return await _untrusted(request, error)
    return asking if isinstance(asking, Response) else await _answer(asking, await current_session(request))


async def authorize_post(request: Request) -> Response:
    """POST /oidc/authorize. No cookie is read here; the GET that follows brings it."""
    try:
        received = await _form(request)
        look_up = _look_up(request, received)
        registered = await site_of(request).db.read(lambda connection: look_up(connection, None))
        asking = await _accept(request, received, registered)
    except (Unreadable, Untrusted) as error:
        return await _untrusted(request, error)
    if isinstance(asking, Response):
        return asking
    accepted_request, now = asking.request, asking.now
    row_id = await site_of(request).db.write(
        lambda connection: pending.save_for_anybody(connection, accepted_request, now), durable=False
    )
    return redirect(f"{RESUME}/{row_id}")


async def resume(request: Request) -> Response:
    """GET /oidc/resume/{id}: answer a request that waited, once and for its own browser alone."""
    refuse_prefetch(request)
    site, now = site_of(request), site_of(request).clock()
    session = await current_session(request)
    row_id, browser = cast("str", request.path_params["id"]), browser_hash(request)

    def work(connection: Connection) -> Asking | Reason:
        found = pending.load(connection, row_id, browser, now)
        match found:
            case pending.Gone():
                return Reason.REQUEST_GONE
            case pending.Expired():
                return Reason.REQUEST_EXPIRED
            case _:
                sight = clients.sight(connection, session, app_id=found.app_id)
        if sight is None:
            return Reason.UNKNOWN_CLIENT
        # What was registered then may be taken away by now; then nothing is sent there any more (A95).
        if not is_registered(found.redirect_uri, sight.client.oidc.redirect_uris):
            return Reason.REDIRECT_URI
        return Asking(request, sight, found, now, row_id)

    asking = await site.db.read(work)
    if isinstance(asking, Reason):
        return await turn_away(request, asking.value)
    return await _answer(asking, session)


def _look_up(request: Request, received: Received) -> Callable[[Connection, Session | None], _Registered]:
    """Make the unit of work that reads what a request is judged by."""
    client_id, now = client_id_of(received), site_of(request).clock()
    has_hint = received.get("id_token_hint") is not None

    def work(connection: Connection, session: Session | None) -> _Registered:
        keys = published(connection, KeyUse.OIDC, now) if has_hint else []
        return _Registered(client_id, clients.sight(connection, session, client_id=client_id), keys, now)

    return work


async def _accept(request: Request, received: Received, registered: _Registered) -> Asking | Response:
    """Accept a request, or tell its client why not. Raises Untrusted where nobody can be told."""
    sight, now = registered.sight, registered.now
    asked = addressed(received, None if sight is None else sight.client)
    if sight is None:
        raise Untrusted(Reason.UNKNOWN_CLIENT)
    verify_hint = _hint_verifier(registered.keys, site_of(request).deployment.base_url, registered.client_id)
    try:
        return Asking(request, sight, accepted(asked, received, verify_hint, now), now)
    except Refused as error:
        return await tell_unaccepted(request, sight.client.app, asked.redirect_uri, asked.state, error)


async def _answer(asking: Asking, session: Session | None) -> Response:
    organization = await load_organization(asking.http)
    case = Case(asking.app, asking.request, asking.sight.given, organization.settings)
    outcome = outcome_for(case, session, asking.now)
    match outcome:
        case Issue(signed_in):
            return await issue(asking, signed_in)
        case SignIn(fresh):
            return await sign_in_first(asking, fresh=fresh)
        case TurnAway(reason):
            return await turn_away(asking.http, reason, asking.app)
        case Tell(error, why):
            return await tell(asking, error, why)
        case _:
            assert_never(outcome)


async def _untrusted(request: Request, error: Unreadable | Untrusted) -> Response:
    if isinstance(error, Unreadable):
        return await turn_away(request, Reason.UNREADABLE.value, detail=str(error))
    return await turn_away(request, error.reason.value, detail=error.detail)


async def _form(request: Request) -> Received:
    """Read the form of a POST (OIDC Core §3.1.2.1). Raises Unreadable."""
    kind = visit_of(request).header(b"content-type").split(";")[0].strip().lower()
    if kind != FORM_TYPE:
        raise Unreadable("the form has another content type")
    try:
        return parameters(await read_body(request, MAX_BYTES))
    except BadInput as error:
        raise Unreadable(str(error)) from error


def _hint_verifier(keys: list[PublishedKey], issuer: str, client_id: str) -> VerifyHint:
    def verify(hint: str) -> str:
        # OIDC Core §3.1.2.1: a hint may be over; everything else about it must be right (AZ-15).
        return jose.check_issued(jose.verified(hint, jose.ID_TOKEN, keys), issuer, client_id)

    return verify
