# Security: what leaves to a client, and where to (tests/protocols/oidc/test_resume.py, tests/standards/oidc/).
"""Answering an authorization request: a code, an error, a page of ours, or first the sign-in.

Nothing leaves before its record is committed. One light commit keeps the code, the launch, and the audit event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from doorward import signin
from doorward.apps import App, launch_event, note_launch, note_opened
from doorward.apps.access import Reason as AccessReason
from doorward.audit import Event, Json, record
from doorward.clock import Instant
from doorward.protocols.oidc import grants, pending
from doorward.protocols.oidc.clients import Sight
from doorward.protocols.oidc.redirects import completed
from doorward.protocols.oidc.refusals import Reason, Refused
from doorward.protocols.oidc.request import AuthorizationRequest
from doorward.signin import Audience, Demands, Heading, Session
from doorward.signin.destination import OidcRequest
from doorward.web import SsoRefusal, browser_hash, caller_of, redirect, site_of, sso_error
from doorward.web.visit import visit_of

_PAGES: Final[Mapping[str, SsoRefusal]] = {
    AccessReason.APP_OFF.value: SsoRefusal.APP_OFF,
    AccessReason.APP_DRAFT.value: SsoRefusal.APP_OFF,
    AccessReason.NOT_ASSIGNED.value: SsoRefusal.NOT_ASSIGNED,
    Reason.UNKNOWN_CLIENT.value: SsoRefusal.APP_UNKNOWN,
    Reason.REQUEST_GONE.value: SsoRefusal.REPLAYED,
    Reason.REQUEST_EXPIRED.value: SsoRefusal.EXPIRED,
}
"""The page for each reason; all others mean that the request could not be checked."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A request under way: its client as the person sees it, and the row in which it waited, if it did."""

    http: Request
    sight: Sight
    request: AuthorizationRequest
    now: Instant
    row_id: str | None = None

    @property
    def app(self) -> App:
        """The application that asks."""
        return self.sight.client.app


async def issue(asking: Asking, session: Session) -> Response:
    """Issue a code: one light commit, then the way back to the client."""
    site, request, app, now = site_of(asking.http), asking.request, asking.app, asking.now
    code = grants.new_code()
    details: dict[str, Json] = {"protocol": "oidc", "from": "application", "redirect_uri": request.redirect_uri}
    details |= {"scope": list(request.scope), "amr": session.amr}
    event = launch_event(caller_of(asking.http), session, app, details)
    browser = browser_hash(asking.http) if asking.row_id is not None else ""

    def work(connection: Connection) -> bool:
        if asking.row_id is not None and not pending.use_up(connection, asking.row_id, browser, now):
            return False
        grants.issue(connection, site.vault, code, request, session, now)
        note_launch(connection, session.person.id, app.id, now)
        if not asking.sight.noted:
            note_opened(connection, session.id, app.id, {}, now)
        record(connection, event, now)
        return True

    if not await site.db.write(work, durable=False):
        return await turn_away(asking.http, Reason.REQUEST_GONE.value, app)
    return _back(asking.http, request.redirect_uri, {"code": code, "state": request.state})


async def sign_in_first(asking: Asking, *, fresh: bool) -> Response:
    """Save the request for this browser and lead to the sign-in, which comes back to it."""
    site, browser, app, now = site_of(asking.http), browser_hash(asking.http), asking.app, asking.now
    demands = Demands(fresh=fresh, hint=asking.request.login_hint)

    def work(connection: Connection) -> str | None:
        if asking.row_id is None:
            row_id = pending.save(connection, asking.request, browser, now)
        elif pending.keep(connection, asking.row_id, browser, now):
            row_id = asking.row_id
        else:
            return None
        heading = Heading(OidcRequest(row_id), app.name, app.slug, (asking.request.redirect_uri,), demands)
        return signin.begin(connection, Audience.PERSON, browser, heading, now)

    transaction_id = await site.db.write(work, durable=False)
    if transaction_id is None:
        return await turn_away(asking.http, Reason.REQUEST_GONE.value, app)
    return redirect(f"/login?tx={transaction_id}")


async def tell(asking: Asking, error: Refused, why: str) -> Response:
    """Tell the client why it gets no code, once for a request that waited."""
    site, now, app = site_of(asking.http), asking.now, asking.app
    event = _refused(asking.http, app, why, {"error": error.code.value})
    browser = browser_hash(asking.http) if asking.row_id is not None else ""

    def work(connection: Connection) -> bool:
        if asking.row_id is not None and not pending.use_up(connection, asking.row_id, browser, now):
            return False
        record(connection, event, now)
        return True

    if not await site.db.write(work, durable=False):
        return await turn_away(asking.http, Reason.REQUEST_GONE.value, app)
    return _told(asking.http, asking.request.redirect_uri, asking.request.state, error)


async def tell_unaccepted(http: Request, app: App, redirect_uri: str, state: str | None, error: Refused) -> Response:
    """Tell the client that its request is none that is granted; its address was checked before."""
    site, now = site_of(http), site_of(http).clock()
    event = _refused(http, app, error.reason.value, {"error": error.code.value, "detail": error.description})
    await site.db.write(lambda connection: record(connection, event, now), durable=False)
    return _told(http, redirect_uri, state, error)


async def turn_away(http: Request, reason: str, app: App | None = None, detail: str = "") -> Response:
    """Show that the application was not opened; nothing about the person leaves, and nothing leads anywhere (AZ-04)."""
    site, now = site_of(http), site_of(http).clock()
    event = _refused(http, app, reason, {"detail": detail} if detail else {})
    await site.db.write(lambda connection: record(connection, event, now), durable=False)
    lines = {"reason": reason, "detail": detail} if detail else {"reason": reason}
    return await sso_error(http, _PAGES.get(reason, SsoRefusal.REQUEST_INVALID), app, lines)


def _told(http: Request, redirect_uri: str, state: str | None, error: Refused) -> Response:
    described = error.description or None
    return _back(http, redirect_uri, {"error": error.code.value, "error_description": described, "state": state})


def _back(http: Request, redirect_uri: str, answer: Mapping[str, str | None]) -> Response:
    """Lead back to the client; every answer names its issuer (RFC 9207 §2; AZ-28).

    By 303, so that a form that was posted here is never posted on (RFC 9700 §4.12; AZ-23).
    """
    location = completed(redirect_uri, {**answer, "iss": site_of(http).deployment.base_url})
    # The registered address as it is: what quotes it once more would change the string that was compared.
    return Response(None, 303, {"location": location, "cache-control": "no-store"})


def _refused(http: Request, app: App | None, reason: str, details: Mapping[str, Json]) -> Event:
    whole: dict[str, Json] = {"protocol": "oidc", **details}
    return launch_event(caller_of(http), visit_of(http).session, app, whole, refused_for=reason)
