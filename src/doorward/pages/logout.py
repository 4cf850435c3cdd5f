# Security: a session ends here and is dead on the server at once (tests/browser/test_signin.py, A16, SE-07).
"""Signing out: GET asks, POST ends. People and administrators end only their own session."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.apps import opened_in
from doorward.audit import Actor, Event, Outcome, record
from doorward.signin import AdminSession, Audience, Session, sessions
from doorward.web import (
    Cookie,
    Guard,
    caller_of,
    current_admin_session,
    current_session,
    drop_cookie,
    page,
    redirect,
    render,
    site_of,
)
from doorward.web.guards import Handler


@dataclass(frozen=True, slots=True)
class _Exit:
    """One of the two ways out."""

    audience: Audience
    path: str
    sign_in: str
    cookie: Cookie

    async def session(self, request: Request) -> Session | AdminSession | None:
        """Read the session that ends here."""
        if self.audience is Audience.PERSON:
            return await current_session(request)
        return await current_admin_session(request)


Take: TypeAlias = Callable[[Request, _Exit], Awaitable[Response]]

_EXITS: Final = (
    _Exit(Audience.PERSON, "/logout", "/login", Cookie.SESSION),
    _Exit(Audience.ADMIN, "/admin/logout", "/admin/login", Cookie.ADMIN_SESSION),
)


def routes() -> list[BaseRoute]:
    """List the addresses of both ways out."""
    return [route for way in _EXITS for route in _routes(way)]


def _routes(way: _Exit) -> list[BaseRoute]:
    def bound(take: Take) -> Handler:
        async def answer(request: Request) -> Response:
            return await take(request, way)

        return answer

    return [
        page(way.path, bound(_ask), guard=Guard.PUBLIC),
        page(way.path, bound(_end), guard=Guard.PUBLIC, methods=("POST",)),
    ]


async def _ask(request: Request, way: _Exit) -> Response:
    if await way.session(request) is None:
        return redirect(way.sign_in)
    return await render(request, "signin/logout.html", {"audience": way.audience.value})


async def _end(request: Request, way: _Exit) -> Response:
    session = await way.session(request)
    drop_cookie(request, way.cookie)
    open_apps: list[str] = []
    if session is not None:
        site, caller = site_of(request), caller_of(request)
        now = site.clock()

        def work(connection: Connection) -> list[str]:
            if not sessions.end(connection, way.audience, session.id, "signed_out", now):
                return []
            person_id = session.person.id if isinstance(session, Session) else None
            admin_id = None if isinstance(session, Session) else session.admin.id
            event = Event(
                action="session.ended",
                outcome=Outcome.SUCCESS,
                actor=Actor.person(person_id) if person_id else Actor.admin(admin_id or ""),
                caller=caller,
                reason="signed_out",
                person_id=person_id,
                admin_id=admin_id,
                session_id=session.id,
            )
            record(connection, event, now)
            return opened_in(connection, session.id) if person_id else []

        open_apps = await site.db.write(work)
    values = {"audience": way.audience.value, "apps": open_apps, "base": way.sign_in}
    return await render(request, "signin/signed_out.html", values)
