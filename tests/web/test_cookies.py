"""Cookies: SE-03, A12."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from doorward.web import Cookie, Guard, browser_handle, cookie_of, drop_cookie, page, put_cookie, sent_browser_handle

if TYPE_CHECKING:
    from conftest import Door, DoorMaker


async def set_all(request: Request) -> Response:
    for cookie in Cookie:
        put_cookie(request, cookie, "value-1_2")
    return PlainTextResponse("set")


async def drop_all(request: Request) -> Response:
    for cookie in Cookie:
        drop_cookie(request, cookie)
    return PlainTextResponse("dropped")


async def tell(request: Request) -> Response:
    sent = sent_browser_handle(request)
    return PlainTextResponse(f"{sent} {browser_handle(request) == cookie_of(request, Cookie.BROWSER)}")


async def twice(request: Request) -> Response:
    put_cookie(request, Cookie.SESSION, "first")
    put_cookie(request, Cookie.SESSION, "second")
    return PlainTextResponse("set")


ROUTES = [
    page("/t/set", set_all, guard=Guard.PUBLIC),
    page("/t/drop", drop_all, guard=Guard.PUBLIC),
    page("/t/tell", tell, guard=Guard.PUBLIC),
    page("/t/twice", twice, guard=Guard.PUBLIC),
]


def attributes(header: str) -> tuple[str, set[str]]:
    name, *rest = [part.strip() for part in header.split(";")]
    return name.split("=")[0], {each.lower() for each in rest}


def test_se03_a12_over_https_every_cookie_is_bound_to_this_host(opens: DoorMaker) -> None:
    with opens(base_url="https://id.example", routes=ROUTES) as door:
        answer = door.client.get("/t/set")
    found = dict(attributes(each) for each in answer.headers.get_list("set-cookie"))
    assert set(found) == {
        "__Host-doorward",
        "__Host-doorward-admin",
        "__Host-doorward-browser",
        "__Host-doorward-known",
        "doorward-theme",
    }
    for name, told in found.items():
        assert {"secure", "httponly", "path=/"} <= told, name
        assert not any(each.startswith("domain") for each in told)
        assert f"samesite={'strict' if name.endswith('admin') else 'lax'}" in told, name
    assert "max-age=7776000" in found["__Host-doorward-known"]
    assert not any(each.startswith("max-age") for each in found["__Host-doorward"])


def test_over_http_on_loopback_the_same_cookies_have_neither_prefix_nor_secure(opens: DoorMaker) -> None:
    with opens(routes=ROUTES) as door:
        answer = door.client.get("/t/set")
    found = dict(attributes(each) for each in answer.headers.get_list("set-cookie"))
    assert set(found) == {cookie.value for cookie in Cookie}
    assert all("secure" not in told and "httponly" in told for told in found.values())


def test_a_dropped_cookie_ends_at_once(opens: DoorMaker) -> None:
    with opens(routes=ROUTES) as door:
        answer = door.client.get("/t/drop")
    assert all("Max-Age=0" in each for each in answer.headers.get_list("set-cookie"))


def test_the_browser_gets_one_handle_and_keeps_it(opens: DoorMaker) -> None:
    with opens(routes=ROUTES) as door:
        first = door.client.get("/t/tell")
        assert first.text == "None True"
        handle = door.client.cookies["doorward-browser"]
        assert len(handle) == 43
        second = door.client.get("/t/tell")
        assert second.text == f"{handle} True"
        assert "set-cookie" not in second.headers


def test_two_values_for_one_name_leave_as_the_last_one(opens: DoorMaker) -> None:
    with opens(routes=ROUTES) as door:
        answer = door.client.get("/t/twice")
    assert [each.split(";")[0] for each in answer.headers.get_list("set-cookie")] == ["doorward=second"]


def test_the_first_page_that_holds_a_form_sets_the_handle_and_nothing_else(door: Door) -> None:
    answer = door.client.get("/login")
    assert [each.split("=")[0] for each in answer.headers.get_list("set-cookie")] == ["doorward-browser"]
    assert door.client.get("/no-such-page").headers.get_list("set-cookie") == []


@pytest.mark.parametrize("header", ["=", ";;;", "a" * 20_000, "doorward", "doorward==;doorward=", "\xff\xfe=1", '"="'])
def test_a_malformed_cookie_header_is_nobody(door: Door, header: str) -> None:
    answer = door.client.get("/", headers=[(b"cookie", header.encode("latin-1"))])
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_a22_no_other_handle_of_ours_is_a_session(door: Door) -> None:
    door.client.get("/login")
    handle = door.client.cookies["doorward-browser"]
    for name in ("doorward", "doorward-admin"):
        door.client.cookies.set(name, handle)
    assert door.client.get("/").headers["location"] == "/login"
    assert door.client.get("/admin").headers["location"] == "/admin/login"


@pytest.mark.parametrize("value", ["a b", "a;b", 'a"b', "a,b", "a\\b", "a\r\nSet-Cookie: x=1", "ä"])
def test_a_value_that_could_break_the_header_is_refused(opens: DoorMaker, value: str) -> None:
    async def bad(request: Request) -> Response:
        put_cookie(request, Cookie.THEME, value)
        return PlainTextResponse("set")

    with opens(routes=[page("/t/bad", bad, guard=Guard.PUBLIC)]) as door:
        answer = door.client.get("/t/bad")
    assert answer.status_code == 500
    assert "set-cookie" not in answer.headers
