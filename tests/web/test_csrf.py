"""No change without a page of ours: SE-07, A25, A2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from doorward.web import Guard, page
from doorward.web.guards import Csrf, Guarded

if TYPE_CHECKING:
    from conftest import Door, DoorMaker

TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def token(door: Door, path: str = "/login") -> str:
    found = TOKEN.search(door.client.get(path).text)
    assert found is not None
    return found[1]


def post(door: Door, path: str, fields: dict[str, str], **headers: str) -> tuple[int, str]:
    answer = door.client.post(path, data=fields, headers=headers)
    return answer.status_code, answer.text


OWN = {"sec-fetch-site": "same-origin", "origin": "http://localhost:8000"}


def test_a_form_of_our_own_page_goes_through(door: Door) -> None:
    answer = door.client.post("/login", data={"csrf": token(door), "username": "alice"}, headers=OWN)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?tx=")


def test_an_old_browser_that_sends_neither_header_needs_the_token_alone(door: Door) -> None:
    answer = door.client.post("/login", data={"csrf": token(door), "username": "alice"})
    assert answer.status_code == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "nonsense"])
def test_se07_a_form_of_another_site_is_refused_even_with_the_token(door: Door, site: str) -> None:
    fields = {"csrf": token(door), "username": "alice"}
    headers = OWN | {"sec-fetch-site": site}
    status, text = post(door, "/login", fields, **headers)
    assert (status == 303) if not site else (status == 403 and "another site" in text)


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", "http://localhost:8001", "https://localhost:8000", "http://localhost"]
)
def test_se07_another_origin_is_refused_even_with_the_token(door: Door, origin: str) -> None:
    status, _text = post(door, "/login", {"csrf": token(door), "username": "alice"}, origin=origin)
    assert status == 403


@pytest.mark.parametrize("given", ["", "0" * 64, "x", "\N{BULLET}" * 64])
def test_a25_without_the_token_nothing_happens(door: Door, given: str) -> None:
    token(door)
    status, text = post(door, "/login", {"csrf": given, "username": "alice"}, **OWN)
    assert status == 403
    assert "out of date" in text


def test_a_token_of_another_browser_is_worthless(door: Door) -> None:
    stolen = token(door)
    door.client.cookies.clear()
    token(door)
    assert post(door, "/login", {"csrf": stolen, "username": "alice"}, **OWN)[0] == 403


def test_without_our_cookie_the_page_says_so(door: Door) -> None:
    given = token(door)
    door.client.cookies.clear()
    status, text = post(door, "/login", {"csrf": given, "username": "alice"}, **OWN)
    assert status == 400
    assert "Your browser did not send our cookie. Allow cookies for localhost:8000, then start again." in text


def test_se07_a25_every_route_that_changes_something_refuses_a_form_without_token(door: Door) -> None:
    token(door)
    seen = 0
    for route in door.app.routes:
        if not isinstance(route, Route) or not isinstance(route.endpoint, Guarded):
            continue
        if route.endpoint.guard in (Guard.PROTOCOL, Guard.MACHINE):
            assert route.endpoint.guard is Guard.PROTOCOL or route.methods <= {"GET", "HEAD"}, route.path
            continue
        assert route.endpoint.csrf is Csrf.CHECKED, f"{route.path} is not checked; say why in this test"
        for method in (route.methods or set()) - {"GET", "HEAD"}:
            path = re.sub(r"\{\w+\}", "0199", route.path)
            status = door.client.request(method, path, data={"username": "alice"}, headers=OWN).status_code
            assert status == 403, (method, path)
            seen += 1
    assert seen >= 20


def test_a_route_may_say_that_a_cookie_stands_for_nothing_it_changes(opens: DoorMaker) -> None:
    async def take(_request: Request) -> Response:
        return PlainTextResponse("taken")

    routes = [page("/t/take", take, guard=Guard.PUBLIC, methods=("POST",), csrf=Csrf.UNSAFE_UNCHECKED)]
    with opens(routes=routes) as door:
        assert door.client.post("/t/take").text == "taken"
