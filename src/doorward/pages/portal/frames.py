"""What every page of the portal does first: a session that must prove more is led to the sign-in and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import Final, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from doorward.signin import Audience, Heading, perform
from doorward.signin.destination import Destination, Own, Portal
from doorward.signin.effects import Browser
from doorward.signin.policy import session_suffices
from doorward.web import Guard, browser_hash, caller_of, load_organization, page, redirect, session_of, site_of
from doorward.web.guards import Handler
from doorward.web.visit import path_of

BOTH: Final = ("GET", "POST")


def portal_page(path: str, handler: Handler, *, methods: Sequence[str] = ("GET",)) -> Route:
    """Make the route of a page for people who are signed in, and who proved what the organisation now asks.

    A second factor that was required since the sign-in, with no enrolment days left, comes before any page (SIGNIN, 2).
    """

    @wraps(handler)
    async def guarded(request: Request) -> Response:
        session, site = session_of(request), site_of(request)
        settings = (await load_organization(request)).settings
        person = session.person
        if session_suffices(settings, person.mfa_required, person.mfa_due_from, session.proofs, site.clock()):
            return await handler(request)
        here = path_of(request)
        destination: Destination = Portal() if here == "/" or request.method == "POST" else Own(here)
        browser = Browser(browser_hash(request), caller_of(request))
        return redirect(f"/login?tx={await perform.begin(site, Audience.PERSON, browser, Heading(destination))}")

    return page(path, guarded, guard=Guard.PERSON, methods=methods)


def named(request: Request, name: str) -> str:
    """Give the part of the address that a route calls `name`."""
    return cast("str", request.path_params[name])
