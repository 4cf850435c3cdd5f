# Security: a password is changed here (tests/pages/test_security.py; PW-10).
"""Changing one's password: a fresh proof, the present password again, and every other session ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.audit import Actor
from doorward.organization import current
from doorward.pages import sentences
from doorward.pages.portal.freshness import HOME, unproved
from doorward.pages.portal.routing import BOTH, portal_page
from doorward.pages.portal.sentences import not_looked, password_rules
from doorward.signin import Audience, accounts, fresh, perform, policy
from doorward.signin.passwords import PasswordFault, least_length
from doorward.web import (
    Cookie,
    Guard,
    caller_of,
    load_organization,
    page,
    put_cookie,
    read_form,
    redirect,
    render,
    session_of,
    site_of,
)
from doorward.web.texts import _

_HERE: Final = "/security/password"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the form is shown again: `current` and `new` stand under their fields, `whole` above both."""

    whole: str | None = None
    current: str | None = None
    new: str | None = None


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [
        portal_page(_HERE, change, methods=BOTH),
        # W3C change-password-url: password managers lead people here; the sign-in comes first where it must.
        page("/.well-known/change-password", well_known, guard=Guard.MACHINE),
    ]


async def well_known(request: Request) -> Response:
    """Lead to the page that changes the password."""
    del request
    return redirect(_HERE)


async def change(request: Request) -> Response:
    """Show the form, and change the password."""
    asked = await unproved(request, _HERE)
    if asked is not None:
        return asked
    if request.method == "GET":
        return await _show(request, None)
    form = await read_form(request)
    refusal = await _change(request, form.one("current"), form.one("new"))
    return redirect(f"{HOME}?done=password") if refusal is None else await _show(request, refusal)


async def _change(request: Request, present: str, new: str) -> Refusal | None:
    """Check both and change the password; gives why not, or None where it was changed."""
    if not present:
        return Refusal(current=sentences.password_empty())
    if not new:
        return Refusal(new=sentences.fault(PasswordFault.EMPTY, least=0))
    site, session, caller = site_of(request), session_of(request), caller_of(request)
    # The rules first: a slip in the new one must not cost a guess at the present one.
    fault = await perform.password_fault(site, Audience.PERSON, session.person.id, new)
    organization = await load_organization(request)
    if fault is not None:
        return Refusal(new=sentences.fault(fault, least=await _least_length(request)))
    result = await fresh.password_is_right(site, session, present, caller)
    if isinstance(result, fresh.NotProved):
        return Refusal(current=_("That is not your present password."))
    if isinstance(result, fresh.NotLooked):
        return Refusal(whole=not_looked(result.why, site.clock(), organization))
    put_cookie(request, Cookie.SESSION, result.session_handle)
    # Not before: 'was used before' said of the present password would be a guess at it that nobody counts (LK-05).
    fault, phc = await perform.unused_password(site, Audience.PERSON, session.person.id, new)
    if fault is not None:
        return Refusal(new=sentences.fault(fault, least=await _least_length(request)))
    if phc is None:
        return Refusal(whole=not_looked(None, site.clock(), organization))
    now = site.clock()

    def work(connection: Connection) -> None:
        accounts.change_password(
            connection,
            Audience.PERSON,
            session.person.id,
            phc,
            history=current(connection).settings.password.history,
            keep_session=session.id,
            keep_browser=session.facts.browser_id,
            actor=Actor.person(session.person.id),
            caller=caller,
            now=now,
        )

    await site.db.write(work)
    return None


async def _show(request: Request, refusal: Refusal | None) -> Response:
    organization = await load_organization(request)
    least = await _least_length(request)
    values = {
        "current": "security",
        "rules": password_rules(least, organization.settings.password),
        "least_length": least,
        "error": refusal.whole if refusal else None,
        "current_error": refusal.current if refusal else None,
        "field_error": refusal.new if refusal else None,
    }
    return await render(request, "portal/password.html", values, status=422 if refusal else 200)


async def _least_length(request: Request) -> int:
    settings = (await load_organization(request)).settings
    required = policy.mfa_required(Audience.PERSON, settings, session_of(request).person.mfa_required)
    return least_length(settings.password, mfa_always=required)
