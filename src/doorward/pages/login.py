# Security: the pages of the sign-in (tests/browser/test_signin.py, tests/attacks/).
"""The sign-in as pages: each form becomes one call of `signin.perform`, each answer a page or the way on.

The same pages serve people at /login and administrators at /admin/login; a `Door` says which. Nothing is decided
here: `Answer` says where the sign-in stands, `STAGES` which page that is, and `_way_on` where a whole one leads.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.clock import SECOND, units_until
from doorward.organization import Organization
from doorward.pages import sentences, stages
from doorward.pages.stages import Problem
from doorward.signin import AdminSession, Audience, Heading, Method, Session, flow, perform
from doorward.signin.answers import Answer, Held, NotJudged, Shown, look
from doorward.signin.destination import AdminHome, Destination, Launch, OidcRequest, Own, Portal, SamlRequest
from doorward.signin.effects import Browser, SignedIn
from doorward.signin.factors import FACTORS
from doorward.signin.flow import NotNow, Stage
from doorward.signin.guesses import Slowed
from doorward.signin.transaction import Lost, TimedOut, Transaction
from doorward.store.once import Paused
from doorward.web import (
    Cookie,
    Guard,
    browser_hash,
    caller_of,
    cookie_of,
    current_admin_session,
    current_session,
    load_organization,
    page,
    put_cookie,
    read_form,
    read_query,
    redirect,
    sent_browser_handle,
    site_of,
)
from doorward.web.guards import Handler

_OWN_PATHS: Final = re.compile(r"/(?:security|profile)(?:/[a-z0-9-]{1,40}){0,3}")
_MOST_TYPED: Final = 320


@dataclass(frozen=True, slots=True)
class Door:
    """One of the two sign-ins."""

    audience: Audience
    base: str
    home: Destination

    async def session(self, request: Request) -> Session | AdminSession | None:
        """Read the session that this door's cookie stands for."""
        if self.audience is Audience.PERSON:
            return await current_session(request)
        return await current_admin_session(request)

    async def browser(self, request: Request) -> Browser:
        """Gather what the sign-in is told of the browser that asks."""
        previous = await self.session(request)
        known = cookie_of(request, Cookie.KNOWN_BROWSER) if self.audience is Audience.PERSON else None
        return Browser(browser_hash(request), caller_of(request), known, previous)

    def at(self, transaction_id: str) -> str:
        """Write the address of a sign-in under way."""
        return f"{self.base}?tx={transaction_id}"


PEOPLE: Final = Door(Audience.PERSON, "/login", Portal())
ADMINS: Final = Door(Audience.ADMIN, "/admin/login", AdminHome())


def routes() -> list[BaseRoute]:
    """List the addresses of both sign-ins."""
    return [route for door in (PEOPLE, ADMINS) for route in _door_routes(door)]


def _door_routes(door: Door) -> list[BaseRoute]:
    async def show(request: Request) -> Response:
        return await _show(request, door)

    async def post_username(request: Request) -> Response:
        return await _post_username(request, door)

    async def post_again(request: Request) -> Response:
        return await _post_again(request, door)

    def post(take: Step) -> Handler:
        async def post_step(request: Request) -> Response:
            return await _step(request, door, take)

        return post_step

    forms: dict[str, Handler] = {"": post_username, "/again": post_again}
    forms |= {f"/{name}": post(take) for name, take in _STEPS.items()}
    return [
        page(door.base, show, guard=Guard.PUBLIC),
        *(page(door.base + path, form, guard=Guard.PUBLIC, methods=("POST",)) for path, form in forms.items()),
    ]


# ------------------------------------------------------------------------------- showing where it stands


async def _show(request: Request, door: Door) -> Response:
    query = read_query(request)
    transaction_id, to = query.one("tx"), query.one("to")
    if not transaction_id:
        if await door.session(request) is not None:
            return redirect(_own_path(to) or _way_on(door.home))
        return await stages.username(request, door.audience, door.base, typed="", to=_own_path(to) or "")
    answer = await look(site_of(request), door.audience, await door.browser(request), transaction_id)
    if isinstance(answer, Shown) and query.one("change"):
        return await stages.username_of(request, door.audience, door.base, answer.transaction)
    return await _answered(request, door, answer, is_look=True)


async def _answered(request: Request, door: Door, answer: Answer, *, is_look: bool = False) -> Response:
    """Turn the sign-in's answer into a page, or into the way on."""
    match answer:
        case Shown():
            if not is_look and answer.said is None and answer.fault is None and not answer.codes:
                return redirect(door.at(answer.transaction.id))
            return await stages.stage(request, door.audience, door.base, answer)
        case SignedIn():
            return await _signed_in(request, door, answer)
        case Held():
            return await _held(request, door, answer)
        case NotJudged():
            problem = Problem(sentences.busy(), 503, retry_after=5)
            return await _problem(request, door, answer.transaction, problem)
        case TimedOut():
            return await stages.timed_out(request, door.audience, door.base, answer)
        case Lost():
            return await _lost(request, door)
        case _:
            assert_never(answer)


async def _problem(request: Request, door: Door, transaction: Transaction | None, problem: Problem) -> Response:
    """Show the stage again with what is wrong; nothing of the sign-in has changed."""
    if transaction is None:
        return await _lost(request, door)
    answer = await look(site_of(request), door.audience, await door.browser(request), transaction.id)
    if isinstance(answer, Shown):
        return await stages.stage(request, door.audience, door.base, answer, problem)
    return await _answered(request, door, answer, is_look=True)


async def _held(request: Request, door: Door, answer: Held) -> Response:
    if isinstance(answer.why, Paused):
        return await stages.paused(request, door.audience, door.base, answer.transaction, answer.why.until)
    seconds = units_until(answer.why.until, answer.now, SECOND)
    sentence = sentences.slowed(seconds) if isinstance(answer.why, Slowed) else sentences.waiting(seconds)
    return await _problem(request, door, answer.transaction, Problem(sentence, 429, retry_after=seconds))


async def _lost(request: Request, door: Door) -> Response:
    """This browser has no such sign-in: its cookie did not come, or it ended here before (a step back, another tab)."""
    if sent_browser_handle(request) is None:
        return await stages.no_cookie(request, door.audience, door.base)
    if await door.session(request) is not None:
        return redirect(_way_on(door.home))
    return await stages.timed_out(request, door.audience, door.base, None)


async def _signed_in(request: Request, door: Door, answer: SignedIn) -> Response:
    organization = await load_organization(request)
    is_person = door.audience is Audience.PERSON
    cookie = Cookie.SESSION if is_person else Cookie.ADMIN_SESSION
    put_cookie(request, cookie, answer.session_handle, days=_session_days(organization) if is_person else None)
    if answer.known_handle is not None:
        put_cookie(request, Cookie.KNOWN_BROWSER, answer.known_handle)
    return redirect(_way_on(answer.heading.destination))


def _session_days(organization: Organization) -> int | None:
    sessions = organization.settings.sessions
    return max(1, -(-sessions.lifetime_hours // 24)) if sessions.persistent_cookie else None


def _way_on(destination: Destination) -> str:
    """Where a whole sign-in leads: the only reader of a destination."""
    match destination:
        case Portal():
            return "/"
        case Own(path):
            return path
        case Launch(slug):
            return f"/apps/{slug}/launch"
        case OidcRequest(request_id):
            return f"/oidc/resume/{request_id}"
        case SamlRequest(request_id):
            return f"/saml/resume/{request_id}"
        case AdminHome():
            return "/admin"
        case _:
            assert_never(destination)


# ------------------------------------------------------------------------------------------------ forms


async def _post_username(request: Request, door: Door) -> Response:
    form = await read_form(request)
    typed, transaction_id, to = form.one("username").strip(), form.one("tx"), _own_path(form.one("to"))
    site, browser = site_of(request), await door.browser(request)
    if not typed or len(typed) > _MOST_TYPED:
        empty = sentences.username_empty() if door.audience is Audience.PERSON else sentences.email_empty()
        return await stages.username(
            request, door.audience, door.base, typed="", to=to or "", tx=transaction_id, field_error=empty, status=422
        )
    heading = Heading(Own(to) if to and door.audience is Audience.PERSON else door.home)
    if transaction_id:
        found = await look(site, door.audience, browser, transaction_id)
        if isinstance(found, Shown) and found.transaction.state.stage in {Stage.USERNAME, Stage.PASSWORD}:
            answer = await perform.give_name(site, door.audience, browser, transaction_id, typed)
            return await _answered(request, door, answer)
        if isinstance(found, Shown):
            heading = found.transaction.heading
        elif isinstance(found, TimedOut):
            heading = found.heading
    return redirect(door.at(await perform.begin(site, door.audience, browser, heading, typed)))


async def _post_again(request: Request, door: Door) -> Response:
    form = await read_form(request)
    begun = await perform.begin_again(site_of(request), door.audience, await door.browser(request), form.one("tx"))
    return redirect(door.base if isinstance(begun, Lost) else door.at(begun))


@dataclass(frozen=True, slots=True)
class _Given:
    """One step's form, with what it needs to be carried out."""

    request: Request
    door: Door
    browser: Browser
    tx: str
    fields: dict[str, str]

    def one(self, name: str) -> str:
        """Give a field; a missing one is empty."""
        return self.fields.get(name, "")


Step: TypeAlias = Callable[[_Given], Awaitable["Answer | Problem"]]


async def _step(request: Request, door: Door, take: Step) -> Response:
    """Carry a step out. What does not belong to the present stage shows the present stage (A1, A2)."""
    form = await read_form(request)
    given = _Given(request, door, await door.browser(request), form.one("tx"), dict(form.fields))
    try:
        answer = await take(given)
    except NotNow:
        return redirect(door.at(given.tx)) if given.tx else redirect(door.base)
    if isinstance(answer, Problem):
        found = await look(site_of(request), door.audience, given.browser, given.tx)
        if isinstance(found, Shown):
            return await stages.stage(request, door.audience, door.base, found, answer)
        answer = found
    return await _answered(request, door, answer)


async def _password(given: _Given) -> Answer | Problem:
    typed = given.one("password")
    if not typed:
        return Problem(sentences.password_empty(), 422, is_field=True)
    return await perform.give_password(site_of(given.request), given.door.audience, given.browser, given.tx, typed)


async def _method(given: _Given) -> Answer:
    named = given.one("method")
    method = Method(named) if named in FACTORS else None
    return await perform.choose(site_of(given.request), given.door.audience, given.browser, given.tx, method)


async def _code(given: _Given) -> Answer | Problem:
    return await _by_code(given, Method.TOTP, sentences.code_empty())


async def _recovery(given: _Given) -> Answer | Problem:
    return await _by_code(given, Method.RECOVERY_CODE, sentences.recovery_empty())


async def _by_code(given: _Given, method: Method, empty: str) -> Answer | Problem:
    typed = given.one("code")
    if not typed.strip():
        return Problem(empty, 422, is_field=True)
    site, door = site_of(given.request), given.door
    return await perform.give_code(site, door.audience, given.browser, given.tx, method, typed)


async def _set_up(given: _Given) -> Answer | Problem:
    typed = given.one("code")
    if not typed.strip():
        return Problem(sentences.code_empty(), 422, is_field=True)
    return await perform.confirm_set_up(site_of(given.request), given.door.audience, given.browser, given.tx, typed)


async def _later(given: _Given) -> Answer:
    site, door = site_of(given.request), given.door
    return await perform.go_on(site, door.audience, given.browser, given.tx, flow.SetUpLater())


async def _codes_saved(given: _Given) -> Answer:
    site, door = site_of(given.request), given.door
    return await perform.go_on(site, door.audience, given.browser, given.tx, flow.CodesSaved())


async def _new_password(given: _Given) -> Answer:
    site, door = site_of(given.request), given.door
    return await perform.give_new_password(site, door.audience, given.browser, given.tx, given.one("password"))


def _own_path(to: str) -> str | None:
    """Take only a page of ours from a fixed list as a place to come back to (SE-10)."""
    return to if _OWN_PATHS.fullmatch(to) else None


_STEPS: Final[Mapping[str, Step]] = {
    "password": _password,
    "method": _method,
    "code": _code,
    "recovery": _recovery,
    "set-up": _set_up,
    "later": _later,
    "codes-saved": _codes_saved,
    "new-password": _new_password,
}
"""What each form of a sign-in under way is taken by, under its last path segment."""
