# Security: who is signed in is read here and nowhere else (tests/web/test_guards.py).
"""Who asks: the session behind the cookie, read once for each request and joined with the person's present state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request

from doorward.clock import Instant
from doorward.organization import Organization, current
from doorward.signin import AdminSession, Audience, Session, sessions
from doorward.signin.sessions import SessionFacts
from doorward.store import StorageAway
from doorward.web.cookies import Cookie, read_cookie
from doorward.web.rendering import remember
from doorward.web.visit import Visit, visit_of

T = TypeVar("T")


async def current_session(request: Request) -> Session | None:
    """Give the session of the person who asks, if there is one. With it the organisation is read.

    Raises:
        StorageAway: the database cannot be asked.
    """
    visit = visit_of(request)
    if not visit.is_session_read:
        await read_with_session(request, lambda _connection, _session: None)
    return visit.session


async def read_with_session(request: Request, work: Callable[[Connection, Session | None], T]) -> T:
    """Read the session of the person who asks, and in the same unit of work what `work` reads with it.

    Raises:
        StorageAway: the database cannot be asked.
    """
    visit = visit_of(request)
    handle = read_cookie(visit, Cookie.SESSION)
    site, now = visit.site, visit.site.clock()

    def look_up(connection: Connection) -> tuple[Organization, Session | None, T]:
        organization, session = current(connection), None
        if handle:
            session = sessions.find(connection, site.vault, handle, organization.settings, now)
        return organization, session, work(connection, session)

    organization, visit.session, found = await site.db.read(look_up)
    visit.is_session_read = True
    remember(visit, organization)
    if visit.session is not None:
        await _touch(visit, Audience.PERSON, visit.session.facts, now)
    return found


async def current_admin_session(request: Request) -> AdminSession | None:
    """Give the session of the administrator who asks, if there is one. With it the organisation is read.

    Raises:
        StorageAway: the database cannot be asked.
    """
    visit = visit_of(request)
    handle = read_cookie(visit, Cookie.ADMIN_SESSION)
    site, now = visit.site, visit.site.clock()

    def look_up(connection: Connection) -> tuple[AdminSession | None, Organization]:
        organization = current(connection)
        if not handle:
            return None, organization
        return sessions.find_admin(connection, site.vault, handle, organization.settings, now), organization

    if visit.admin_session is None:
        visit.admin_session, organization = await site.db.read(look_up)
        remember(visit, organization)
        if visit.admin_session is not None:
            await _touch(visit, Audience.ADMIN, visit.admin_session.facts, now)
    return visit.admin_session


def session_of(request: Request) -> Session:
    """Give the session of a route that is guarded by `Guard.PERSON`."""
    session = visit_of(request).session
    if session is None:
        raise LookupError("only a route with Guard.PERSON has a session")
    return session


def admin_of(request: Request) -> AdminSession:
    """Give the session of a route that is guarded by `Guard.ADMIN`."""
    session = visit_of(request).admin_session
    if session is None:
        raise LookupError("only a route with Guard.ADMIN has an administrator's session")
    return session


async def _touch(visit: Visit, audience: Audience, facts: SessionFacts, now: Instant) -> None:
    """Note that the session is in use, once a minute at most."""
    if now - facts.last_seen_at < sessions.TOUCH_EVERY:
        return
    try:
        await visit.site.db.write(lambda c: sessions.touch(c, audience, facts.id, now), durable=False)
    except StorageAway:
        # Without it the session goes idle sooner than it need, which harms nobody; the page can still be read.
        return
