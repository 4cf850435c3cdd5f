"""How the portal's routes are made, and how the parts of their addresses are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from starlette.requests import Request
from starlette.routing import Route

from doorward.web import Guard, Refusal, Refused, page
from doorward.web.guards import Handler

BOTH: Final = ("GET", "POST")


def portal_page(path: str, handler: Handler, *, methods: Sequence[str] = ("GET",)) -> Route:
    """Make the route of a page for people who are signed in, with all that the organisation asks of them now."""
    return page(path, handler, guard=Guard.PERSON, methods=methods)


def named(request: Request, name: str) -> str:
    """Give the part of the address that a route calls `name`.

    Raises:
        Refused: it holds NUL, which no name of ours holds and PostgreSQL takes in no text.
    """
    part = cast("str", request.path_params[name])
    if "\0" in part:
        raise Refused(Refusal.NOT_FOUND)
    return part
