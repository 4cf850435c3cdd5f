# Security: factors are added, replaced and removed from these pages (tests/pages/test_security.py; A36).
"""Authenticator apps and recovery codes of a person who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import quote, urlencode

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.audit import Actor
from doorward.directory import Person
from doorward.organization import Organization, current
from doorward.pages import sentences
from doorward.pages.portal.freshness import HOME, unproved
from doorward.pages.portal.routing import BOTH, named, portal_page
from doorward.pages.portal.sentences import said
from doorward.signin import Audience, accounts, enrol
from doorward.signin.factors import FACTORS, Held, authenticator, totp
from doorward.signin.factors.authenticator import MOST_APPS
from doorward.signin.factors.recovery import were_made
from doorward.signin.flow import Said
from doorward.signin.policy import mfa_required
from doorward.signin.proof import Method
from doorward.web import (
    BadInput,
    Form,
    Refusal,
    Refused,
    caller_of,
    load_organization,
    read_form,
    read_query,
    redirect,
    render,
    session_of,
    site_of,
)
from doorward.web.qr import qr_svg
from doorward.web.texts import _

_MOST_NAME: Final = 64
_NEW: Final = "/security/authenticators/new"
_CODES: Final = "/security/recovery-codes"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A set-up that waits for its first code, with whom and what its page names."""

    person: Person
    organization: Organization
    pending: enrol.Pending


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [
        portal_page(_NEW, add, methods=BOTH),
        portal_page("/security/authenticators/{id}/replace", replace, methods=BOTH),
        portal_page("/security/authenticators/{id}/remove", remove, methods=BOTH),
        portal_page("/security/authenticators/set-up/{id}", set_up, methods=BOTH),
        portal_page(_CODES, recovery_codes, methods=BOTH),
    ]


async def add(request: Request) -> Response:
    """Begin one more authenticator app."""
    asked = await unproved(request, _NEW)
    if asked is not None:
        return asked
    if await _count(request) >= MOST_APPS:
        return redirect(f"{HOME}?done=full")
    if request.method == "GET":
        return await render(request, "portal/authenticator.html", {"current": "security", "action": _NEW, "name": ""})
    return await _begin(request, await read_form(request), None)


async def replace(request: Request) -> Response:
    """Begin an authenticator app that takes the place of another; until it is confirmed the other one works."""
    held = await _own(request)
    here = f"/security/authenticators/{held.id}/replace"
    asked = await unproved(request, here)
    if asked is not None:
        return asked
    if request.method == "GET":
        values = {"current": "security", "action": here, "name": held.name, "replaces": True}
        return await render(request, "portal/authenticator.html", values)
    return await _begin(request, await read_form(request), held.id)


async def remove(request: Request) -> Response:
    """Ask, then remove an authenticator app; the last one only where no second step is required."""
    held = await _own(request)
    here = f"/security/authenticators/{held.id}/remove"
    asked = await unproved(request, here)
    if asked is not None:
        return asked
    if request.method == "GET":
        return await render(request, "portal/ask.html", {"current": "security", "action": here, **_removal(held)})
    owner, site, person = _owner(request), site_of(request), session_of(request).person
    now = site.clock()

    def work(connection: Connection) -> bool:
        settings = current(connection).settings
        may_be_last = not mfa_required(Audience.PERSON, settings, person.mfa_required)
        return enrol.remove(connection, owner, held.id, now, may_be_last=may_be_last)

    return redirect(f"{HOME}?done={'removed' if await site.db.write(work) else 'last'}")


async def set_up(request: Request) -> Response:
    """Show the QR code of a set-up that waits, and confirm it by its first code."""
    enrolment_id = named(request, "id")
    owner, site, person = _owner(request), site_of(request), session_of(request).person
    now = site.clock()
    asked = await unproved(request, HOME)
    if asked is not None:
        return asked

    pending = await site.db.read(lambda c: enrol.pending(c, site.vault, owner, enrolment_id, now))
    if pending is None:
        return redirect(f"{HOME}?done=gone")
    waiting = Waiting(person, await load_organization(request), pending)
    if request.method == "GET":
        name = _name(read_query(request))
        return await _show_set_up(request, waiting, name, "")
    form = await read_form(request)
    name, code = _name(form), form.one("code")
    if not code.strip():
        return await _show_set_up(request, waiting, name, sentences.code_empty())
    tidied = FACTORS[Method.TOTP].tidy(code)
    if tidied is None:
        return await _show_set_up(request, waiting, name, said(Said.CODE_MALFORMED, waiting.organization.user_label))

    def confirm(connection: Connection) -> enrol.Result:
        return enrol.confirm(connection, site.vault, current(connection), owner, enrolment_id, tidied, now, name=name)

    result = await site.db.write(confirm)
    match result:
        case enrol.Confirmed(codes):
            done = "replaced" if pending.replaces_id else "added"
            return (
                await _show_codes(request, codes, _("Your authenticator app is set up."))
                if codes
                else redirect(f"{HOME}?done={done}")
            )
        case enrol.WrongFirstCode():
            wrong = said(Said.SET_UP_WRONG, waiting.organization.user_label)
            return await _show_set_up(request, waiting, name, wrong)
        case enrol.Gone():
            return redirect(f"{HOME}?done=gone")
        case _:
            assert_never(result)


async def recovery_codes(request: Request) -> Response:
    """Ask, then make ten new recovery codes and show them this once."""
    asked = await unproved(request, _CODES)
    if asked is not None:
        return asked
    owner, site = _owner(request), site_of(request)
    if await _count(request) == 0:
        # Recovery codes count, but never as the only method.
        return redirect(HOME)
    person_id = session_of(request).person.id
    has_some = await site.db.read(lambda connection: were_made(connection, Audience.PERSON, person_id))
    if request.method == "GET":
        values = _renewal() if has_some else _first_codes()
        return await render(request, "portal/ask.html", {"current": "security", "action": _CODES, **values})
    now = site.clock()
    codes = await site.db.write(lambda connection: enrol.new_recovery_codes(connection, site.vault, owner, now))
    renewed = _("Your new recovery codes are made. The old ones no longer work.")
    return await _show_codes(request, codes, renewed if has_some else _("Your recovery codes are made."))


def _renewal() -> dict[str, str]:
    return {
        "heading": _("Make new recovery codes?"),
        "line": _("You get ten new ones. Those you have now stop working."),
        "act": _("Make new codes"),
    }


def _first_codes() -> dict[str, str]:
    return {
        "heading": _("Make recovery codes"),
        "line": _("You get ten codes. If you lose your phone, one of these lets you in."),
        "act": _("Make codes"),
    }


async def _begin(request: Request, form: Form, replaces_id: str | None) -> Response:
    owner, site, name = _owner(request), site_of(request), _name(form)
    now = site.clock()

    def work(connection: Connection) -> str:
        return enrol.begin(connection, site.vault, owner, now, replaces_id=replaces_id)

    enrolment_id = await site.db.write(work)
    return redirect(f"/security/authenticators/set-up/{quote(enrolment_id)}?{urlencode({'name': name})}")


async def _show_set_up(request: Request, waiting: Waiting, name: str, error: str) -> Response:
    key = authenticator.base32(waiting.pending.seed)
    label, period = waiting.organization.user_label, waiting.organization.settings.totp.period_seconds
    values = {
        "current": "security",
        "action": f"/security/authenticators/set-up/{waiting.pending.id}",
        "name": name,
        "label": label,
        "qr_svg": Markup(qr_svg(totp.key_uri(label, waiting.person.username, key, period))),  # noqa: S704 - squares drawn by us
        "key": totp.in_fours(key),
        "field_error": error or None,
    }
    return await render(request, "portal/set_up.html", values, status=422 if error else 200)


async def _show_codes(request: Request, codes: tuple[str, ...], done: str) -> Response:
    return await render(request, "portal/recovery_codes.html", {"current": "security", "codes": codes, "done": done})


async def _own(request: Request) -> Held:
    """Find the authenticator that the address names among the person's own.

    Raises:
        Refused: it is not theirs.
    """
    wanted, person = named(request, "id"), session_of(request).person
    held = await site_of(request).db.read(
        lambda connection: accounts.factors_of(connection, Audience.PERSON, person.id).held
    )
    for each in held:
        if each.method is Method.TOTP and each.id == wanted:
            return each
    raise Refused(Refusal.NOT_FOUND)


async def _count(request: Request) -> int:
    person = session_of(request).person
    return await site_of(request).db.read(lambda c: authenticator.count(c, Audience.PERSON, person.id))


def _owner(request: Request) -> enrol.Owner:
    session = session_of(request)
    return enrol.Owner(
        audience=Audience.PERSON,
        id=session.person.id,
        bound_to=enrol.bound_to_session(session.id),
        actor=Actor.person(session.person.id),
        caller=caller_of(request),
        browser_id=session.facts.browser_id,
    )


def _removal(held: Held) -> dict[str, object]:
    return {
        "heading": _("Remove {name}?").format(name=f"“{held.name}”" if held.name else _("this authenticator app")),
        "line": _("Its codes stop working at once. Your other methods stay."),
        "act": _("Remove"),
        "is_danger": True,
    }


def _name(form: Form) -> str:
    """Read the name a person gives an app: one line, nothing that cannot be shown."""
    name = " ".join(form.one("name").split())
    if len(name) > _MOST_NAME or not all(letter.isprintable() for letter in name):
        raise BadInput("the name of an authenticator app is too long or cannot be shown")
    return name
