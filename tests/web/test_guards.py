"""Routes and guards: none without one, and each keeps out whom it must (SE-10, A2, A92)."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from doorward import server
from doorward.web import Guard, current_session, page, session_of
from doorward.web.guards import Guarded, unguarded
from doorward.web.lazily import LazyRoom

if TYPE_CHECKING:
    from conftest import Door, DoorMaker

PUBLIC = re.compile(
    r"/(admin/)?login(/[a-z-]+)?|/(admin/)?logout|/apps/\{slug\}/launch|/\.well-known/(security\.txt|change-password)"
)
"""Every page that somebody without a session may open; a new one must be put here on purpose."""


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


def test_a_route_without_a_guard_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        page("/x", hello)  # pyright: ignore[reportCallIssue]


def test_an_application_with_an_unguarded_route_does_not_start(
    opens: DoorMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_routes", lambda: [Route("/x", hello)])
    with pytest.raises(TypeError, match="without a guard"), opens():
        pass


def test_a_lazy_room_with_an_unguarded_route_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("doorward.protocols.saml.routes")
    monkeypatch.setattr(module, "routes", lambda: [Route("/saml/x", hello)])
    with pytest.raises(TypeError, match=r"guards\.page"):
        LazyRoom("doorward.protocols.saml.routes", ("/saml",)).load()


def test_every_route_of_the_product_is_guarded_and_public_ones_are_on_the_list(door: Door) -> None:
    seen = 0
    for route in door.app.routes:
        if isinstance(route, LazyRoom):
            assert unguarded(route.load().routes) == []
            continue
        assert isinstance(route, Route)
        assert isinstance(route.endpoint, Guarded)
        seen += 1
        if route.endpoint.guard is Guard.PUBLIC:
            assert PUBLIC.fullmatch(route.path), f"{route.path} is open to everybody"
        if route.path.startswith("/admin") and not PUBLIC.fullmatch(route.path):
            assert route.endpoint.guard is Guard.ADMIN, route.path
    assert seen >= 40


def test_pages_of_people_and_administrators_lead_to_their_own_sign_in(door: Door) -> None:
    for route in door.app.routes:
        if (
            not isinstance(route, Route)
            or not isinstance(route.endpoint, Guarded)
            or "GET" not in (route.methods or ())
        ):
            continue
        path = re.sub(r"\{\w+\}", "0199", route.path)
        sign_in = {Guard.PERSON: "/login", Guard.ADMIN: "/admin/login"}.get(route.endpoint.guard)
        if sign_in is None:
            continue
        answer = door.client.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].split("?")[0] == sign_in, path
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/security", "/profile"])
def test_se10_the_way_back_is_a_path_of_ours(door: Door, path: str) -> None:
    assert door.client.get(path).headers["location"] == f"/login?to={path}"


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "/security/../../x", "/x\r\ny",
     "/%2f%2fevil.example", "javascript:alert(1)", "/security?x=//evil", " /security", "/security\x00"],
)  # fmt: skip
def test_se10_a_way_back_to_elsewhere_is_dropped(door: Door, to: str) -> None:
    answer = door.client.get("/login", params={"to": to})
    assert answer.status_code in (200, 400)
    assert 'name="to"' not in answer.text
    assert "evil" not in answer.text


async def who(request: Request) -> Response:
    session = await current_session(request)
    return PlainTextResponse("nobody" if session is None else session.person.username)


async def wrongly(request: Request) -> Response:
    return PlainTextResponse(session_of(request).person.username)


def test_a_protocol_route_reads_no_session_by_itself(opens: DoorMaker) -> None:
    routes = [page("/t/who", who, guard=Guard.PROTOCOL), page("/t/wrong", wrongly, guard=Guard.PROTOCOL)]
    with opens(routes=routes) as door:
        assert door.client.get("/t/who").text == "nobody"
        assert door.client.get("/t/wrong").status_code == 500


def test_head_is_answered_like_get_and_never_changes_anything(door: Door) -> None:
    assert door.client.head("/login").status_code == 200
    assert door.client.head("/security").status_code == 303
