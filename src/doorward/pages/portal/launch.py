# Security: whether an application opens is asked here at every launch (tests/pages/test_launch.py).
"""Opening an application from its tile: decided, recorded, and led to an address that decides again anyway."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, assert_never

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.apps import (
    App,
    AppState,
    Bookmark,
    by_slug,
    given_to,
    launch_address,
    launch_event,
    note_launch,
)
from doorward.apps.access import Allow, Decision, Demands, Deny, Proofs, ProveMore, Question, Reason, decide
from doorward.audit import Caller, record
from doorward.clock import Instant
from doorward.organization import current
from doorward.pages.portal.routing import named
from doorward.pages.portal.sections import Card, card_of
from doorward.signin import Audience, Heading, Session, perform
from doorward.signin.destination import Launch
from doorward.signin.effects import Browser
from doorward.web import (
    Guard,
    Refusal,
    Refused,
    SsoRefusal,
    app_mark,
    browser_hash,
    caller_of,
    current_session,
    page,
    redirect,
    refuse_prefetch,
    render,
    site_of,
    sso_error,
)
from doorward.web.visit import visit_of

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A launch of somebody who is signed in: the application if there is one, and what was decided."""

    app: App | None
    decision: Decision | None
    address: str | None


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [page("/apps/{slug}/launch", launch, guard=Guard.PUBLIC)]


async def launch(request: Request) -> Response:
    """Open an application. Without a session the person signs in first and comes back here."""
    refuse_prefetch(request)
    site, slug = site_of(request), named(request, "slug")
    if _SLUG.fullmatch(slug) is None:
        raise Refused(Refusal.NOT_FOUND)
    session = await current_session(request)
    if session is None:
        return await _sign_in_first(request, slug)
    if visit_of(request).header(b"sec-fetch-site") == "cross-site":
        return await _ask_first(request, session, slug)
    caller, now, base_url = caller_of(request), site.clock(), site.deployment.base_url

    def work(connection: Connection) -> Asked:
        asked = _decide(connection, session, slug, base_url, now)
        _record(connection, asked, session, caller, now)
        return asked

    return await _answer(request, await site.db.write(work, durable=False))


async def _answer(request: Request, asked: Asked) -> Response:
    app = asked.app
    if app is None or asked.decision is None:
        return await sso_error(request, SsoRefusal.APP_UNKNOWN)
    match asked.decision:
        case Allow():
            if asked.address is None:
                return await sso_error(request, SsoRefusal.NO_START, app_mark(app.name, app.slug))
            return redirect(asked.address)
        case ProveMore():
            return await _sign_in_first(request, app.slug)
        case Deny(reason):
            return await sso_error(
                request, _REFUSALS.get(reason, SsoRefusal.NOT_ASSIGNED), app_mark(app.name, app.slug)
            )
        case _:
            assert_never(asked.decision)


_REFUSALS: Final = {Reason.APP_OFF: SsoRefusal.APP_OFF, Reason.APP_DRAFT: SsoRefusal.APP_OFF}


def _decide(connection: Connection, session: Session, slug: str, base_url: str, now: Instant) -> Asked:
    app = by_slug(connection, slug)
    if app is None:
        return Asked(None, None, None)
    person = session.person
    question = Question(
        person=person,
        app=app,
        given=given_to(connection, app.id, person.id),
        proof=Proofs(session.proofs, session.authenticated_at),
        demands=Demands(),
        settings=current(connection).settings,
        now=now,
    )
    return Asked(app, decide(question), launch_address(app, base_url))


def _record(connection: Connection, asked: Asked, session: Session, caller: Caller, now: Instant) -> None:
    """Record the outcome. A protocol records its own at its address: here its launch is only on its way."""
    app = asked.app
    match asked.decision:
        case Allow() if app is not None:
            if not isinstance(app.kind, Bookmark):
                return
            note_launch(connection, session.person.id, app.id, now)
            reason = None
        case Deny(why):
            reason = why.value
        case ProveMore():
            return
        case _:
            reason = SsoRefusal.APP_UNKNOWN.value
    record(connection, launch_event(caller, session, app, {"from": "portal"}, refused_for=reason), now)


async def _sign_in_first(request: Request, slug: str) -> Response:
    site = site_of(request)
    app = await site.db.read(lambda connection: by_slug(connection, slug))
    # What is not active is not named to somebody who has not signed in.
    shown = app if app is not None and app.state is AppState.ACTIVE else None
    leads_to = launch_address(app, site.deployment.base_url) if app is not None else None
    heading = Heading(
        Launch(slug),
        shown.name if shown else None,
        shown.slug if shown else None,
        leads_to=(leads_to,) if shown and leads_to is not None and "://" in leads_to else (),
    )
    browser = Browser(browser_hash(request), caller_of(request))
    return redirect(f"/login?tx={await perform.begin(site, Audience.PERSON, browser, heading)}")


async def _ask_first(request: Request, session: Session, slug: str) -> Response:
    """Ask before another site's link opens an application; only what the person may see is named."""
    site = site_of(request)

    def work(connection: Connection) -> Card | None:
        app = by_slug(connection, slug)
        given = app is not None and given_to(connection, app.id, session.person.id)
        return card_of(app) if app is not None and given else None

    card = await site.db.read(work)
    if card is None:
        card = Card(slug, slug, "", leads_outside=False, favourite=False, opened_at=None)
    return await render(request, "portal/launch.html", {"current": "apps", "card": card})
