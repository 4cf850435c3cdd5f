"""The first page: tiles, search, favourites, and at most one banner."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.apps import by_slug, given_to, set_favourite, tiles_for
from doorward.clock import Instant
from doorward.directory import dismiss_nag
from doorward.organization import Organization, current
from doorward.pages.portal.routing import named, portal_page
from doorward.pages.portal.sections import Home, arrange
from doorward.signin import Audience, Method, Session, accounts
from doorward.signin.accounts import Factors
from doorward.signin.factors.recovery import COUNT
from doorward.signin.policy import SetUpDue, set_up_due
from doorward.web import Refusal, Refused, read_form, read_query, redirect, render, session_of, site_of
from doorward.web.texts import _, counted

_MOST_SLUG = 64


@dataclass(frozen=True, slots=True)
class Banner:
    """What the page asks the person to do, once, above everything else."""

    head: str
    line: str
    act: str
    href: str
    may_close: bool


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [
        portal_page("/", show),
        portal_page("/apps/{slug}/favourite", favourite, methods=("POST",)),
        portal_page("/banner/dismiss", dismiss, methods=("POST",)),
    ]


async def show(request: Request) -> Response:
    """Show the person's applications; `q` searches them."""
    session, site = session_of(request), site_of(request)
    query = read_query(request).one("q")
    now = site.clock()

    def work(connection: Connection) -> tuple[Home, Banner | None]:
        factors = accounts.factors_of(connection, Audience.PERSON, session.person.id)
        home = arrange(tiles_for(connection, session.person.id), query)
        return home, banner_for(session, factors, current(connection), now)

    home, banner = await site.db.read(work)
    return await render(request, "portal/home.html", {"current": "apps", "home": home, "banner": banner})


async def favourite(request: Request) -> Response:
    """Star an application of the person's own, or take the star away."""
    form = await read_form(request)
    slug = named(request, "slug")[:_MOST_SLUG]
    starred = form.needed("favourite") == "yes"
    person = session_of(request).person

    def work(connection: Connection) -> bool:
        app = by_slug(connection, slug)
        # An application that is not theirs and one that does not exist are the same here.
        if app is None or not given_to(connection, app.id, person.id):
            return False
        set_favourite(connection, person.id, app.id, starred=starred)
        return True

    if not await site_of(request).db.write(work, durable=False):
        raise Refused(Refusal.NOT_FOUND)
    return redirect("/")


async def dismiss(request: Request) -> Response:
    """Close 'Add a second way to verify' for good."""
    person = session_of(request).person
    await site_of(request).db.write(lambda connection: dismiss_nag(connection, person.id), durable=False)
    return redirect("/")


def banner_for(session: Session, factors: Factors, organization: Organization, now: Instant) -> Banner | None:
    """Choose the one banner: what is due or runs low outranks a second way to verify."""
    person = session.person
    if not factors.is_enough:
        due = set_up_due(Audience.PERSON, organization.settings, person.mfa_required, person.mfa_due_from, now)
        if not isinstance(due, SetUpDue):
            return None
        days = due.days_left
        return Banner(
            counted("{n} day left to set up a second step", "{n} days left to set up a second step", days).format(
                n=days
            ),
            _("{org} asks for a second step at sign-in. It takes two minutes and your phone.").format(
                org=organization.name
            ),
            _("Set it up"),
            "/security/authenticators/new",
            may_close=False,
        )
    if factors.recovery_left < COUNT and any(proof.method is Method.RECOVERY_CODE for proof in session.proofs):
        left = factors.recovery_left
        return Banner(
            counted("You used a recovery code. {n} is left.", "You used a recovery code. {n} are left.", left).format(
                n=left
            ),
            _("Make new ones on the Security page."),
            _("Make new codes"),
            "/security/recovery-codes",
            may_close=False,
        )
    if person.nag_dismissed or len(factors.held) > 1:
        return None
    return Banner(
        _("Add a second way to verify"),
        _("If you lose your phone, recovery codes or another authenticator will still let you in."),
        _("Add one"),
        "/security",
        may_close=True,
    )
