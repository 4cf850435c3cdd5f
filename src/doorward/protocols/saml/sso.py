# Security: the front doors of SAML (tests/protocols/saml/test_sso.py, tests/standards/saml/).
"""The addresses of SAML, each from request to answer.

`single_sign_on` (HTTP-Redirect): decode, read who asks and what is registered in one unit of work, accept, answer.
`receive_post` (HTTP-POST): the same up to acceptance, then saved and answered by 303 to `resume`, so that the session
cookie comes along. `resume` is also where a sign-in leads back to. `launch` begins here, without a request (RS-17).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from doorward.apps import App, AppId, SamlProvider, by_entity_id, by_id, by_slug
from doorward.apps.launch import may_begin_here
from doorward.apps.registry import Belonging
from doorward.clock import Instant
from doorward.keys import KeyMissing, KeyUse, SigningKey, ensure_keys, published, signing_key
from doorward.organization import Organization, current
from doorward.protocols.saml import pending
from doorward.protocols.saml.accept import AcceptedRequest, valid_id
from doorward.protocols.saml.answer import Asking, answer, belonging_of, entity_id, tell, turn_away, turn_away_for
from doorward.protocols.saml.bindings import MAX_ENCODED, MAX_RELAY_STATE_BYTES, from_form, from_query
from doorward.protocols.saml.metadata import MEDIA_TYPE, Description, metadata
from doorward.protocols.saml.receive import Known, Opened, accepted, known, opened
from doorward.protocols.saml.refusals import Answered, Reason, Refused
from doorward.signin import Session
from doorward.store import Vault
from doorward.web import BadInput, Refusal, read_form, read_with_session, redirect, refuse_prefetch, site_of
from doorward.web import Refused as WebRefused
from doorward.web import browser_hash as browser_hash_of
from doorward.web.visit import visit_of

T = TypeVar("T")

POST_LIMIT: Final = 3 * MAX_ENCODED + 3 * MAX_RELAY_STATE_BYTES + 1024
"""The largest form that can hold a message within the caps, if every octet of it is percent-encoded."""

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class _Registered:
    """What one unit of work read of those registered with an entity ID, each with the groups of the person who asks."""

    apps: list[App]
    belongings: Mapping[AppId, Belonging]
    key: SigningKey


@dataclass(frozen=True, slots=True)
class _Launch:
    """What one unit of work read for a launch of one application."""

    asking: Asking
    belonging: Belonging
    key: SigningKey


async def single_sign_on(request: Request) -> Response:
    """GET /saml/sso: HTTP-Redirect binding. One unit of work reads everything: this is the path of most launches."""
    refuse_prefetch(request)
    try:
        received = opened(from_query(cast("bytes", request.scope["query_string"])))
        registered = await _read(request, _registered_with(request, received.issuer))
        judged = await _accept(request, received, registered)
    except Refused as error:
        return await turn_away_for(request, error)
    if isinstance(judged, Response):
        return judged
    asking, _ = judged
    return await answer(request, asking, registered.belongings[asking.app.id], registered.key)


async def receive_post(request: Request) -> Response:
    """POST /saml/sso: HTTP-POST binding. No cookie is read here; the GET that follows brings it."""
    site = site_of(request)
    try:
        try:
            form = await read_form(request, POST_LIMIT)
        except BadInput as error:
            reason = Reason.TOO_LARGE if error.refusal is Refusal.TOO_LARGE else Reason.PARAMETERS
            raise Refused(reason, str(error)) from error
        received = opened(from_form(form.fields))
        look_up = _registered_with(request, received.issuer)
        registered = await _with_key(request, lambda: site.db.read(lambda c: look_up(c, None)))
        judged = await _accept(request, received, registered)
    except Refused as error:
        return await turn_away_for(request, error)
    if isinstance(judged, Response):
        return judged
    (_, waiting), now = judged, site.clock()
    row_id = await site.db.write(lambda c: pending.save_for_anybody(c, waiting, now), durable=False)
    return redirect(f"/saml/resume/{row_id}")


async def resume(request: Request) -> Response:
    """GET /saml/resume/{id}: answer a request that waited, once and for its own browser alone."""
    refuse_prefetch(request)
    site, now = site_of(request), site_of(request).clock()
    row_id, browser = cast("str", request.path_params["id"]), browser_hash_of(request)

    def work(connection: Connection, session: Session | None) -> _Launch | Reason:
        found = pending.load(connection, row_id, browser, now)
        match found:
            case pending.Gone():
                return Reason.REQUEST_GONE
            case pending.Expired():
                return Reason.REQUEST_EXPIRED
            case pending.Waiting(request=waiting):
                app = by_id(connection, AppId(waiting.app_id))
                asking = None if app is None else _asking(app, waiting, row_id)
                if asking is None:
                    return Reason.ACS_UNKNOWN
                return _launch_of(connection, asking, session, site.vault)

    read = await _read(request, work)
    if isinstance(read, Reason):
        return await turn_away(request, read.value)
    return await answer(request, read.asking, read.belonging, read.key)


async def launch(request: Request) -> Response:
    """GET /saml/apps/{slug}/launch: begin at the identity provider, decided anew (A73)."""
    refuse_prefetch(request)
    slug = cast("str", request.path_params["slug"])
    if _SLUG.match(slug) is None:
        raise WebRefused(Refusal.NOT_FOUND)
    if visit_of(request).header(b"sec-fetch-site") == "cross-site":
        # The portal asks first whether the person wants this; it leads back here from a page of our own.
        return redirect(f"/apps/{slug}/launch")
    vault = site_of(request).vault

    def work(connection: Connection, session: Session | None) -> tuple[App | None, _Launch | None]:
        app = by_slug(connection, slug)
        if app is None or not isinstance(app.kind, SamlProvider):
            return None, None
        if not may_begin_here(app):
            return app, None
        asking = Asking(app, app.kind, app.kind.acs_urls[0], None)
        return app, _launch_of(connection, asking, session, vault)

    app, read = await _read(request, work)
    if app is None:
        return await turn_away(request, Reason.UNKNOWN_APP.value)
    if read is None:
        return await turn_away(request, Reason.NOT_IDP_INITIATED.value, app)
    return await answer(request, read.asking, read.belonging, read.key)


async def show_metadata(request: Request) -> Response:
    """GET /saml/metadata (SM-10)."""
    site, now = site_of(request), site_of(request).clock()

    def work(connection: Connection, _session: Session | None) -> tuple[Organization, list[str]]:
        signing_key(connection, site.vault, KeyUse.SAML)  # where there is none yet, it is made now
        return current(connection), [key.certificate_base64 for key in published(connection, KeyUse.SAML, now)]

    organization, certificates = await _read(request, work)
    body = metadata(
        Description(
            entity_id=entity_id(site.deployment),
            sso_url=_endpoint(request),
            certificates=certificates,
            name=organization.name,
            portal_url=f"{site.deployment.base_url}/",
            technical_contact=organization.support.email,
        )
    )
    headers = {"etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "cache-control": "public, max-age=300"}
    if headers["etag"] in visit_of(request).header(b"if-none-match"):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=MEDIA_TYPE)


async def _accept(
    request: Request, received: Opened, registered: _Registered
) -> tuple[Asking, AcceptedRequest] | Response:
    """Accept a message, or answer what became of it. Raises `Refused` where nobody can be told."""
    judged = known(received, registered.apps, _endpoint(request))
    asker, relay_state, now = judged.asker, received.message.relay_state, site_of(request).clock()
    try:
        waiting = accepted(judged, relay_state, now)
    except Answered as error:
        return await tell(request, _unaccepted(judged, relay_state, now), error, registered.key)
    return Asking(asker.app, asker.provider, asker.acs_url, waiting), waiting


def _registered_with(request: Request, issuer: str) -> Callable[[Connection, Session | None], _Registered]:
    """Make the unit of work that reads what a request is judged and answered by."""
    vault = site_of(request).vault

    def work(connection: Connection, session: Session | None) -> _Registered:
        apps = by_entity_id(connection, issuer)
        belongings = {app.id: belonging_of(connection, app, session) for app in apps}
        return _Registered(apps, belongings, signing_key(connection, vault, KeyUse.SAML))

    return work


def _launch_of(connection: Connection, asking: Asking, session: Session | None, vault: Vault) -> _Launch:
    key = signing_key(connection, vault, KeyUse.SAML)
    return _Launch(asking, belonging_of(connection, asking.app, session), key)


async def _read(request: Request, work: Callable[[Connection, Session | None], T]) -> T:
    return await _with_key(request, lambda: read_with_session(request, work))


async def _with_key(request: Request, read: Callable[[], Awaitable[T]]) -> T:
    """Read with the signing key; where there is none yet, it is made first."""
    try:
        return await read()
    except KeyMissing:
        site, now = site_of(request), site_of(request).clock()
        await site.db.write(lambda c: ensure_keys(c, site.vault, now))
        return await read()


def _unaccepted(judged: Known, relay_state: str | None, now: Instant) -> Asking:
    """Name what an error Response needs: the checked address, and the ID and RelayState that it echoes."""
    asker = judged.asker
    echoed = AcceptedRequest(
        app_id=asker.app.id,
        acs_url=asker.acs_url,
        request_id=valid_id(judged.request) or "",
        relay_state=relay_state,
        accepted_at=now,
        force_authn=False,
        is_passive=False,
        subject=None,
        context=None,
    )
    return Asking(asker.app, asker.provider, asker.acs_url, echoed)


def _asking(app: App, waiting: AcceptedRequest, row_id: str) -> Asking | None:
    """Join a saved request with its application as it is now: an address that was taken away is not answered."""
    provider = app.kind
    if not isinstance(provider, SamlProvider) or waiting.acs_url not in provider.acs_urls:
        return None
    return Asking(app, provider, waiting.acs_url, waiting, row_id)


def _endpoint(request: Request) -> str:
    """Give our address as published: from the configured base URL, whatever Host was asked for (SR-07)."""
    return f"{site_of(request).deployment.base_url}/saml/sso"
