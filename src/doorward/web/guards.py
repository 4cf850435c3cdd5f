# Security: no route without a guard, no change without a token (tests/web/test_guards.py, tests/web/test_csrf.py).
"""Routes and their guards. `page` is the only way to make a route, and it cannot be made without saying who may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias, assert_never
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from doorward.web.csrf import check_csrf
from doorward.web.current import current_admin_session, current_session
from doorward.web.forms import FORM_LIMIT
from doorward.web.refusals import Refusal, Refused
from doorward.web.rendering import redirect
from doorward.web.visit import path_of, visit_of

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]

_SAFE: Final = frozenset({"GET", "HEAD"})
_PURPOSES: Final = (b"sec-purpose", b"purpose", b"x-moz")
_AHEAD: Final = frozenset({"prefetch", "prerender", "preview"})


class Guard(Enum):
    """Who may ask."""

    PUBLIC = "public"
    """Everybody: the sign-in itself and the pages around it."""
    PERSON = "person"
    """A person with a session; everybody else is led to the sign-in."""
    ADMIN = "admin"
    """An administrator with a session; everybody else is led to the administrators' sign-in."""
    PROTOCOL = "protocol"
    """Software, which proves itself by the means of its protocol. No cookie is a proof here, and no form is ours."""
    MACHINE = "machine"
    """A probe or a browser that asks for what is the same for everybody: nothing is looked up."""


class Csrf(Enum):
    """Whether a state-changing request must carry the token of one of our pages."""

    CHECKED = "checked"
    UNSAFE_UNCHECKED = "unsafe_unchecked"
    """For a route that changes nothing that a cookie stands for. Say beside it why that is so."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A handler behind its guard: an ASGI application."""

    handler: Handler
    guard: Guard
    csrf: Csrf
    form_limit: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through to the handler, or answer why not."""
        request = Request(scope, receive, send)
        answer = await self._let_in(request) or await self.handler(request)
        await answer(scope, receive, send)

    async def _let_in(self, request: Request) -> Response | None:
        """Give the answer to somebody who may not come in. Raises what `check_csrf` raises."""
        if self.guard in (Guard.PROTOCOL, Guard.MACHINE):
            return None
        if request.method not in _SAFE and self.csrf is Csrf.CHECKED:
            # Before anything is looked up: a forged request costs no query and learns nothing.
            await check_csrf(request, self.form_limit)
        match self.guard:
            case Guard.PUBLIC:
                return None  # a page that is rendered reads the organisation then
            case Guard.PERSON:
                if await current_session(request) is None:
                    return _led_to("/login", request)
            case Guard.ADMIN:
                if await current_admin_session(request) is None:
                    return _led_to("/admin/login", request)
            case _:
                assert_never(self.guard)
        return None


def page(
    path: str,
    handler: Handler,
    *,
    guard: Guard,
    methods: Sequence[str] = ("GET",),
    csrf: Csrf = Csrf.CHECKED,
    form_limit: int = FORM_LIMIT,
) -> Route:
    """Make the route of a handler. HEAD goes with GET. A form on it may have `form_limit` bytes."""
    return Route(path, Guarded(handler, guard, csrf, form_limit), methods=list(methods), name=handler.__name__)


def unguarded(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """List the routes that `page` did not make; the application does not start with one."""
    return [route for route in routes if not (isinstance(route, Route) and isinstance(route.endpoint, Guarded))]


def refuse_prefetch(request: Request) -> None:
    """Turn away a browser that loads ahead: it must neither open an application nor leave a trace of having done so.

    Raises:
        Refused: the browser says that nobody asked for this yet (SIGNIN, 'Flow').
    """
    visit = visit_of(request)
    purposes = ";".join(visit.header(name) for name in _PURPOSES).lower()
    if any(part.strip() in _AHEAD for part in purposes.split(";")):
        raise Refused(Refusal.FORBIDDEN, "prefetch")


def _led_to(sign_in: str, request: Request) -> Response:
    """Lead to a sign-in that comes back here. Only what can be opened by a GET can be come back to."""
    path = path_of(request)
    if request.method not in _SAFE or path in {"/", "/admin"}:
        return redirect(sign_in)
    return redirect(f"{sign_in}?to={quote(path, safe='/')}")
