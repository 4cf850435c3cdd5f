"""Bad input: always a 4xx page with a reference, never a 500 (the issue's 'Bad input'; A45, A91)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorward.web import BadInput, Form, Guard, page, read_body, read_form, read_query
from doorward.web.forms import FORM_LIMIT, parse_fields

if TYPE_CHECKING:
    from conftest import Door, DoorMaker

FORM = {"content-type": "application/x-www-form-urlencoded"}
REFERENCE = re.compile(r"<code>[0-9A-Z]{4}-[0-9A-Z]{4}</code>")


async def echo(request: Request) -> Response:
    first, second = await read_form(request), await read_form(request)
    return JSONResponse({"fields": dict(first.fields), "same": first == second})


async def asked(request: Request) -> Response:
    return JSONResponse(dict(read_query(request).fields))


async def small(request: Request) -> Response:
    return JSONResponse(len(await read_body(request, 10)))


ROUTES = [
    page("/t/echo", echo, guard=Guard.PROTOCOL, methods=("POST",)),
    page("/t/asked", asked, guard=Guard.PUBLIC),
    page("/t/small", small, guard=Guard.PROTOCOL, methods=("POST",)),
]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"a=1&b=%C3%A4+x", FORM, 200),
        (b"", {}, 200),
        (b"a=1", FORM | {"content-type": "Application/X-WWW-Form-URLEncoded; charset=UTF-8"}, 200),
        (b"a=1&a=2", FORM, 400),
        (b"a=1&a=1", FORM, 400),
        (b"a=%00", FORM, 400),
        (b"a=\x00", FORM, 400),
        (b"%00=a", FORM, 400),
        (b"a=%ff", FORM, 400),
        (b"a=\xff", FORM, 400),
        (b"a=%ED%A0%80", FORM, 400),
        ("&".join(f"f{n}=" for n in range(65)).encode(), FORM, 400),
        (b"a=" + b"x" * FORM_LIMIT, FORM, 413),
        (b"a=" + b"x" * 1_048_576, FORM, 413),
        (b'{"a": 1}', {"content-type": "application/json"}, 415),
        (b"a=1", {"content-type": "text/plain"}, 415),
        (b"--x\r\n", {"content-type": "multipart/form-data; boundary=x"}, 415),
        (b"a=1", {"content-type": "\xff"}, 415),
    ],
)
def test_a_form_is_read_strictly(opens: DoorMaker, body: bytes, headers: dict[str, str], status: int) -> None:
    with opens(routes=ROUTES) as door:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        answer = door.client.post("/t/echo", content=body, headers=raw)
    assert answer.status_code == status
    if status != 200:
        assert REFERENCE.search(answer.text)
        assert answer.headers["cache-control"] == "no-store"


def test_a_form_is_parsed_once(opens: DoorMaker) -> None:
    with opens(routes=ROUTES) as door:
        answer = door.client.post("/t/echo", content=b"a=1&empty=", headers=FORM)
    assert answer.json() == {"fields": {"a": "1", "empty": ""}, "same": True}


@pytest.mark.parametrize("length", ["11", "99999999999999999999", "1e9"])
def test_a_length_that_is_too_large_is_refused_before_the_body_is_read(opens: DoorMaker, length: str) -> None:
    with opens(routes=ROUTES) as door:
        answer = door.client.post("/t/small", content=b"x" * 11, headers={"content-length": length})
    assert answer.status_code == 413


@pytest.mark.parametrize("query", ["a=1&a=2", "a=%00", "a=%ff", "&".join(f"f{n}=1" for n in range(99))])
def test_a_query_is_read_as_strictly(opens: DoorMaker, query: str) -> None:
    with opens(routes=ROUTES) as door:
        assert door.client.get(f"/t/asked?{query}").status_code == 400
        assert door.client.get("/t/asked?a=1&b=").json() == {"a": "1", "b": ""}


def test_a_query_that_is_too_long_is_refused(opens: DoorMaker) -> None:
    with opens(routes=ROUTES) as door:
        assert door.client.get("/t/asked?a=" + "x" * 33_000).status_code == 414
        assert door.client.get("/t/asked?a=" + "x" * 65_000).status_code == 414


def test_a_missing_field_is_empty_and_a_needed_one_is_refused() -> None:
    form = Form({"a": ""})
    assert form.one("a") == form.one("b") == ""
    for name in ("a", "b"):
        with pytest.raises(BadInput):
            form.needed(name)


@given(st.binary(max_size=200))
def test_whatever_octets_arrive_they_are_fields_or_bad_input(raw: bytes) -> None:
    try:
        fields = parse_fields(raw)
    except BadInput:
        return
    for text in (*fields, *fields.values()):
        assert "\0" not in text
        text.encode("utf-8")


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=8))
def test_what_a_browser_writes_is_read_back(fields: dict[str, str]) -> None:
    clean = {name.replace("\0", ""): value.replace("\0", "") for name, value in fields.items()}
    clean = {n.encode("utf-8", "ignore").decode(): v.encode("utf-8", "ignore").decode() for n, v in clean.items()}
    assert parse_fields(urlencode(clean).encode()) == clean


PATHS = ["/login", "/login?tx=", "/login?to=", "/admin/login", "/logout", "/", "/security", "/apps/x/launch"]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(PATHS),
    st.binary(max_size=60),
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
)
def test_no_request_of_any_kind_is_a_500(shared_door: Door, path: str, body: bytes, method: str) -> None:
    answer = shared_door.client.request(method, path, content=body, headers=FORM)
    assert answer.status_code < 500
    answer = shared_door.client.post(path.split("?", maxsplit=1)[0], content=b"csrf=" + body, headers=FORM)
    assert 400 <= answer.status_code < 500
