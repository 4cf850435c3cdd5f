# Security: what leaves to a provider, and where to (tests/protocols/saml/, tests/standards/saml/).
"""Answering a launch: read everything, decide, build and sign, record, and only then show the page that posts it.

Building and signing stand between two units of work, so that no lock is held while a key signs. Nothing leaves before
its record is committed.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from doorward import signin
from doorward.apps import App, SamlProvider, launch_event, note_launch, note_opened_once
from doorward.apps.access import Reason as AccessReason
from doorward.apps.registry import Belonging, belonging
from doorward.audit import Json, record
from doorward.clock import Instant
from doorward.deployment import Deployment
from doorward.keys import SigningKey
from doorward.protocols.saml import pending
from doorward.protocols.saml.accept import NAME_ID_FORMATS, AcceptedRequest
from doorward.protocols.saml.build import Envelope, Statement, failure, success
from doorward.protocols.saml.decide import Case, Open, SignIn, Tell, TurnAway, outcome_for
from doorward.protocols.saml.names import RSA_SHA256, Element
from doorward.protocols.saml.post_page import Carried, post_page
from doorward.protocols.saml.refusals import Answered, Reason, SamlError
from doorward.protocols.saml.sign import Signer, serialised, sign
from doorward.protocols.saml.statement import attributes_for
from doorward.signin import Audience, Demands, Heading, Session
from doorward.signin.destination import Destination, Launch, SamlRequest
from doorward.store import Purpose, Vault
from doorward.web import (
    Site,
    SsoRefusal,
    browser_hash,
    caller_of,
    current_session,
    load_organization,
    redirect,
    site_of,
    sso_error,
)

_MAX_DETAIL: Final = 300
_NOBODY: Final = Belonging(frozenset(), given=False)

_PAGES: Final[Mapping[str, SsoRefusal]] = {
    AccessReason.APP_OFF.value: SsoRefusal.APP_OFF,
    AccessReason.APP_DRAFT.value: SsoRefusal.APP_OFF,
    AccessReason.NOT_ASSIGNED.value: SsoRefusal.NOT_ASSIGNED,
    Reason.UNKNOWN_PROVIDER.value: SsoRefusal.APP_UNKNOWN,
    Reason.UNKNOWN_APP.value: SsoRefusal.APP_UNKNOWN,
    Reason.NOT_IDP_INITIATED.value: SsoRefusal.NO_START,
    Reason.REQUEST_GONE.value: SsoRefusal.REPLAYED,
    Reason.REQUEST_EXPIRED.value: SsoRefusal.EXPIRED,
}
"""The page for each reason; all others mean that the request could not be checked."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A launch of an application: its request if there is one, and the row in which that waited, if it did."""

    app: App
    provider: SamlProvider
    acs_url: str
    request: AcceptedRequest | None
    row_id: str | None = None

    @property
    def in_response_to(self) -> str | None:
        """The request's ID; None where nobody asked."""
        return None if self.request is None else self.request.request_id

    @property
    def relay_state(self) -> str | None:
        """What goes back unchanged; without a request only what is configured (SIGNIN, 'Flow')."""
        return self.provider.relay_state if self.request is None else self.request.relay_state


def entity_id(deployment: Deployment) -> str:
    """Name this identity provider: stable, and the address of its metadata (SM-01)."""
    return f"{deployment.base_url}/saml/metadata"


def belonging_of(connection: Connection, app: App, session: Session | None) -> Belonging:
    """Read what the person's groups say about an application; of nobody, nothing."""
    return _NOBODY if session is None else belonging(connection, app.id, session.person.id)


async def answer(request: Request, asking: Asking, its: Belonging, key: SigningKey) -> Response:
    """Answer a launch. `its` was read in one unit of work with the application and the session."""
    now = site_of(request).clock()
    settings = (await load_organization(request)).settings
    case = Case(asking.app, asking.provider, its.given, its.groups, settings, asking.request)
    outcome = outcome_for(case, await current_session(request), now)
    match outcome:
        case SignIn(fresh):
            return await _sign_in_first(request, asking, now, fresh=fresh)
        case TurnAway(reason):
            return await turn_away(request, reason, asking.app)
        case Tell(error):
            return await tell(request, asking, error, key)
        case Open():
            return await _open(_Opening(request, asking, its.groups, outcome, now), key)
        case _:
            assert_never(outcome)


async def turn_away(request: Request, reason: str, app: App | None = None, detail: str = "") -> Response:
    """Show that the application was not opened; nothing about the person leaves."""
    site, caller, now = site_of(request), caller_of(request), site_of(request).clock()
    session = await current_session(request)
    event = launch_event(caller, session, app, _details(None, detail), refused_for=reason)
    await site.db.write(lambda c: record(c, event, now), durable=False)
    return await sso_error(
        request, _PAGES.get(reason, SsoRefusal.REQUEST_INVALID), app, {"reason": reason, "detail": detail[:_MAX_DETAIL]}
    )


async def turn_away_for(request: Request, error: SamlError, app: App | None = None) -> Response:
    """Show that a request was refused."""
    return await turn_away(request, error.reason.value, app, error.detail)


async def tell(request: Request, asking: Asking, error: Answered, key: SigningKey) -> Response:
    """Tell the provider by a status why it gets no assertion, at its checked address and signed (RS-15)."""
    site, caller, now = site_of(request), caller_of(request), site_of(request).clock()
    session = await current_session(request)
    response = failure(_envelope(asking, site, now), error.top, error.nested)
    sign(response, _signer(key))
    details = _details(asking, error.detail)
    event = launch_event(caller, session, asking.app, details, refused_for=error.reason.value)
    browser = browser_hash(request)

    def work(connection: Connection) -> bool:
        if asking.row_id is not None and not pending.use_up(connection, asking.row_id, browser, now):
            return False
        record(connection, event, now)
        return True

    if not await site.db.write(work, durable=False):
        return await turn_away(request, Reason.REQUEST_GONE.value, asking.app)
    return await _posted(request, asking, response, opened=False)


@dataclass(frozen=True, slots=True)
class _Opening:
    request: Request
    asking: Asking
    groups: frozenset[str]
    decided: Open
    now: Instant


async def _open(opening: _Opening, key: SigningKey) -> Response:
    """Build, sign, record in one light commit, and show the page."""
    asking, session, now = opening.asking, opening.decided.session, opening.now
    site = site_of(opening.request)
    session_index = _session_index(site.vault, session.id, asking.app.id)
    response = _signed_success(opening, session_index, _signer(key))
    details = {**_details(asking), "authn_context": opening.decided.authn_context, "amr": session.amr}
    event = launch_event(caller_of(opening.request), session, asking.app, details)
    seen = {
        "session_index": session_index,
        "name_id": opening.decided.name_id,
        "name_id_format": NAME_ID_FORMATS[asking.provider.name_id_format],
    }
    browser = browser_hash(opening.request) if asking.row_id is not None else ""

    def work(connection: Connection) -> bool:
        if asking.row_id is not None and not pending.use_up(connection, asking.row_id, browser, now):
            return False
        note_launch(connection, session.person.id, asking.app.id, now)
        note_opened_once(connection, session.id, asking.app.id, seen, now)
        record(connection, event, now)
        return True

    if not await site.db.write(work, durable=False):
        return await turn_away(opening.request, Reason.REQUEST_GONE.value, asking.app)
    return await _posted(opening.request, asking, response, opened=True)


def _signed_success(opening: _Opening, session_index: str, signer: Signer) -> Element:
    asking, session = opening.asking, opening.decided.session
    response, assertion = success(
        _envelope(asking, site_of(opening.request), opening.now),
        Statement(
            assertion_id=_new_id(),
            audience=asking.provider.entity_id,
            name_id=opening.decided.name_id,
            name_id_format=NAME_ID_FORMATS[asking.provider.name_id_format],
            session_index=session_index,
            session_ends_at=session.expires_at,
            authn_instant=session.authenticated_at,
            authn_context=opening.decided.authn_context,
            attributes=attributes_for(asking.provider, session.person, opening.groups, asking.app),
        ),
    )
    # The assertion first: the signature of the Response covers that of the assertion.
    if asking.provider.sign in {"assertion", "both"}:
        sign(assertion, signer)
    if asking.provider.sign in {"response", "both"}:
        sign(response, signer)
    return response


async def _sign_in_first(request: Request, asking: Asking, now: Instant, *, fresh: bool) -> Response:
    """Save the request for this browser and lead to the sign-in, which comes back to it."""
    site, browser = site_of(request), browser_hash(request)
    waiting = asking.request
    hint = (waiting.subject if waiting is not None else None) or ""

    def work(connection: Connection) -> str | None:
        destination: Destination = Launch(asking.app.slug)
        if waiting is not None:
            if asking.row_id is None:
                row_id = pending.save(connection, waiting, browser, now)
            elif pending.keep(connection, asking.row_id, browser, now):
                row_id = asking.row_id
            else:
                return None
            destination = SamlRequest(row_id)
        heading = Heading(destination, asking.app.name, asking.app.slug, demands=Demands(fresh=fresh, hint=hint))
        return signin.begin(connection, Audience.PERSON, browser, heading, now)

    transaction_id = await site.db.write(work, durable=False)
    if transaction_id is None:
        return await turn_away(request, Reason.REQUEST_GONE.value, asking.app)
    return redirect(f"/login?tx={transaction_id}")


async def _posted(request: Request, asking: Asking, response: Element, *, opened: bool) -> Response:
    encoded = b64encode(serialised(response)).decode("ascii")
    return await post_page(request, Carried(asking.app, asking.acs_url, encoded, asking.relay_state, opened))


def _envelope(asking: Asking, site: Site, now: Instant) -> Envelope:
    return Envelope(_new_id(), entity_id(site.deployment), asking.acs_url, asking.in_response_to or None, now)


def _new_id() -> str:
    """Make an xs:ID of 128 random bits (RS-02)."""
    return f"_{secrets.token_hex(16)}"


def _session_index(vault: Vault, session_id: str, app_id: str) -> str:
    """Name a session to one provider: the same at each launch, and worth nothing elsewhere (RS-09)."""
    return "_" + vault.mac(Purpose.HANDLES, f"saml session index {app_id} {session_id}")[:40]


def _signer(key: SigningKey) -> Signer:
    return Signer(RSA_SHA256, key.sign, key.certificate_base64)


def _details(asking: Asking | None, detail: str = "") -> dict[str, Json]:
    details: dict[str, Json] = {"protocol": "saml"}
    if asking is not None:
        details |= {"from": "portal" if asking.request is None else "application", "acs_url": asking.acs_url}
    if detail:
        details["detail"] = detail[:_MAX_DETAIL]
    return details
