"""The Security page: methods, password, sessions and recent sign-ins of the person who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.audit import Actor, Caller, Event, Outcome, record, sign_ins_of
from doorward.clock import Instant
from doorward.organization import Settings, current
from doorward.pages.portal.devices import describe
from doorward.pages.portal.freshness import HOME
from doorward.pages.portal.notices import notice_of
from doorward.pages.portal.routing import named, portal_page
from doorward.pages.portal.sign_ins import SignInLine, told
from doorward.signin import Audience, Session, accounts, sessions
from doorward.signin.accounts import Factors
from doorward.signin.factors.authenticator import MOST_APPS
from doorward.signin.factors.recovery import COUNT, were_made
from doorward.signin.policy import mfa_required
from doorward.signin.proof import Method
from doorward.signin.sessions import SessionFacts
from doorward.web import Refusal, Refused, caller_of, read_query, redirect, render, session_of, site_of
from doorward.web.texts import _

_SHOWN: Final = 3
_ALL: Final = 100
_LOW: Final = 3


@dataclass(frozen=True, slots=True)
class AuthenticatorRow:
    """An authenticator app. `spoken` names it where only its button is read aloud."""

    id: str
    name: str
    spoken: str
    created_at: Instant
    last_used_at: Instant | None
    may_remove: bool


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """The recovery codes that are left, and whether there were any."""

    left: int
    all: int
    is_low: bool
    were_made: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A running session, by the device it runs on."""

    id: str
    device: str
    device_kind: str
    address: str
    last_seen_at: Instant
    is_this: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the page shows."""

    factors: Factors
    codes_were_made: bool
    mfa_required: bool
    password_changed_at: Instant | None
    sessions: tuple[SessionRow, ...]
    sign_ins: tuple[SignInLine, ...]


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [
        portal_page(HOME, show),
        portal_page("/security/sign-ins", sign_ins),
        portal_page("/security/sessions/end-others", end_others, methods=("POST",)),
        portal_page("/security/sessions/{id}/end", end, methods=("POST",)),
    ]


async def show(request: Request) -> Response:
    """Show the page; `done` says what happened just before."""
    session, site = session_of(request), site_of(request)
    done, now = read_query(request).one("done"), site.clock()
    overview = await site.db.read(lambda connection: _look(connection, session, now))
    held = [each for each in overview.factors.held if each.method is Method.TOTP]
    may_remove = len(held) > 1 or not overview.mfa_required
    rows = [
        AuthenticatorRow(
            each.id, each.name, each.name or _("authenticator app"), each.created_at, each.last_used_at, may_remove
        )
        for each in held
    ]
    left = overview.factors.recovery_left
    values = {
        "current": "security",
        "notice": notice_of(done),
        "authenticators": rows,
        "may_add": len(held) < MOST_APPS,
        "recovery": RecoveryRow(left, COUNT, left <= _LOW, overview.codes_were_made) if held else None,
        "mfa_required": overview.mfa_required,
        "password_changed_at": overview.password_changed_at,
        "sessions": overview.sessions,
        "sign_ins": overview.sign_ins[:_SHOWN],
        "more_sign_ins": len(overview.sign_ins) > _SHOWN,
    }
    return await render(request, "portal/security.html", values)


async def sign_ins(request: Request) -> Response:
    """Show the newest hundred sign-ins and tries."""
    person = session_of(request).person
    entries = await site_of(request).db.read(lambda connection: sign_ins_of(connection, person.id, _ALL))
    return await render(request, "portal/sign_ins.html", {"current": "security", "sign_ins": told(entries)})


async def end(request: Request) -> Response:
    """End one of the person's other sessions; its next request is answered by the sign-in (A16)."""
    session, site, caller = session_of(request), site_of(request), caller_of(request)
    wanted, now = named(request, "id"), site.clock()

    def work(connection: Connection) -> bool:
        settings = current(connection).settings
        own = {facts.id for facts in _running(connection, session, settings, now)}
        if wanted not in own or not sessions.end(connection, Audience.PERSON, wanted, "ended_by_person", now):
            return False
        _record(connection, session, caller, now, {"session": wanted})
        return True

    if not await site.db.write(work):
        raise Refused(Refusal.NOT_FOUND)
    return redirect(f"{HOME}?done=ended" if wanted != session.id else "/login")


async def end_others(request: Request) -> Response:
    """End every session of the person but this one."""
    session, site, caller = session_of(request), site_of(request), caller_of(request)
    now = site.clock()

    def work(connection: Connection) -> None:
        ended = sessions.end_all(connection, Audience.PERSON, session.person.id, "ended_by_person", now, but=session.id)
        _record(connection, session, caller, now, {"ended": ended})

    await site.db.write(work)
    return redirect(f"{HOME}?done=ended-others")


def _look(connection: Connection, session: Session, now: Instant) -> Overview:
    person, settings = session.person, current(connection).settings
    entries = sign_ins_of(connection, person.id, _SHOWN + 1)
    return Overview(
        factors=accounts.factors_of(connection, Audience.PERSON, person.id),
        codes_were_made=were_made(connection, Audience.PERSON, person.id),
        mfa_required=mfa_required(Audience.PERSON, settings, person.mfa_required),
        password_changed_at=accounts.password_changed_at(connection, Audience.PERSON, person.id),
        sessions=tuple(
            sorted(
                (_row(facts, session.id) for facts in _running(connection, session, settings, now)),
                key=lambda row: (not row.is_this, -row.last_seen_at),
            )
        ),
        sign_ins=tuple(told(entries)),
    )


def _running(connection: Connection, session: Session, settings: Settings, now: Instant) -> list[SessionFacts]:
    return sessions.of_account(connection, Audience.PERSON, session.person.id, settings, now)


def _row(facts: SessionFacts, this: str) -> SessionRow:
    device = describe(facts.user_agent)
    browser = device.browser or _("Unknown browser")
    name = _("{browser} on {system}").format(browser=browser, system=device.system) if device.system else browser
    return SessionRow(facts.id, name, device.kind.value, facts.address, facts.last_seen_at, facts.id == this)


def _record(
    connection: Connection, session: Session, caller: Caller, now: Instant, details: dict[str, str | int]
) -> None:
    event = Event(
        "session.ended",
        Outcome.SUCCESS,
        Actor.person(session.person.id),
        caller,
        person_id=session.person.id,
        session_id=session.id,
        details=details,
    )
    record(connection, event, now)
