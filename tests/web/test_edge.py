"""The edge: headers on every answer (SE-08, SE-09), another Host (A15), what is raised, the log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from doorward.store import StorageAway
from doorward.web import Cookie, Guard, page, put_cookie

if TYPE_CHECKING:
    from conftest import Door, DoorMaker

SECRET = "a secret that no page may show"
REFERENCE = re.compile(r"<code>([0-9A-Z]{4}-[0-9A-Z]{4})</code>")


async def broken(request: Request) -> Response:
    put_cookie(request, Cookie.SESSION, "half-made")
    raise RuntimeError(SECRET)


async def away(_request: Request) -> Response:
    raise StorageAway(SECRET)


async def half(_request: Request) -> Response:
    async def parts():  # noqa: ANN202
        yield b"half"
        raise RuntimeError(SECRET)

    return StreamingResponse(parts())


async def own_policy(_request: Request) -> Response:
    headers = {"content-security-policy": "default-src 'none'", "cross-origin-resource-policy": "cross-origin"}
    return PlainTextResponse("own", headers=headers)


ROUTES = [
    page("/t/broken", broken, guard=Guard.PROTOCOL, methods=("GET", "POST")),
    page("/t/away", away, guard=Guard.PROTOCOL),
    page("/t/half", half, guard=Guard.PROTOCOL),
    page("/t/own", own_policy, guard=Guard.PROTOCOL),
]


@pytest.mark.parametrize("path", ["/login", "/", "/nope", "/healthz", "/static/nope", "/t/broken", "/t/away", "/t/own"])
def test_se09_every_answer_carries_the_security_headers(opens: DoorMaker, path: str) -> None:
    with opens(routes=ROUTES) as door:
        headers = door.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "strict-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == ("cross-origin" if path == "/t/own" else "same-origin")
    assert "publickey-credentials-get=(self)" in headers["permissions-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert len(headers.get_list("content-security-policy")) == 1
    assert "strict-transport-security" not in headers
    assert "server" not in headers


def test_se09_https_is_pinned_for_a_year(https_door: Door) -> None:
    assert https_door.client.get("/login").headers["strict-transport-security"] == "max-age=31536000"


def test_se08_the_policy_of_a_page(door: Door) -> None:
    policy = door.client.get("/login").headers["content-security-policy"]
    told = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert told == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "object-src": "'none'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:8001", "localhost:8000.evil.example", ""])
def test_a15_a_page_asked_under_another_host_leads_to_ours(door: Door, host: str) -> None:
    headers = {"host": host, "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    answer = door.client.get("/login?to=/security&x=%0d%0a", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (
        307,
        "http://localhost:8000/login?to=/security&x=%0d%0a",
    )
    assert "evil" not in str(answer.headers) + answer.text


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "/%2f%2fevil.example", "/@evil.example"])
def test_a15_no_path_can_turn_that_address_elsewhere(door: Door, path: str) -> None:
    answer = door.client.get("http://localhost:8000" + path, headers={"host": "other"})
    assert answer.headers["location"].startswith("http://localhost:8000/")


def test_a15_a_form_under_another_host_is_refused(door: Door) -> None:
    answer = door.client.post("/login", data={"username": "alice"}, headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert "evil" not in answer.text


def test_a15_forwarded_headers_never_build_an_address(https_door: Door) -> None:
    headers = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "x-forwarded-port": "1"}
    for path in ("/", "/login", "/security", "/saml/metadata", "/.well-known/openid-configuration"):
        answer = https_door.client.get(path, headers=headers)
        assert "evil.example" not in answer.text + str(answer.headers)
        assert "http://id.example" not in answer.text


def test_two_host_headers_are_not_our_host(door: Door) -> None:
    answer = door.client.get("/login", headers=[(b"host", b"localhost:8000"), (b"host", b"evil.example")])
    assert answer.status_code == 307


def test_probes_are_answered_under_any_host(door: Door) -> None:
    assert door.client.get("/healthz", headers={"host": "10.1.2.3:9"}).text == "alive\n"
    assert door.client.get("/readyz", headers={"host": "10.1.2.3:9"}).text == "ready\n"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_nobody_expected_is_a_page_with_a_reference_and_one_line_in_the_log(opens: DoorMaker, method: str) -> None:
    with opens(routes=ROUTES) as door:
        answer = door.client.request(method, "/t/broken")
        lines = [line for line in door.log() if line["event"] == "unexpected"]
    assert answer.status_code == 500
    found = REFERENCE.search(answer.text)
    assert found is not None
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert "set-cookie" not in answer.headers
    assert [line["request"] for line in lines] == [found[1]]
    assert SECRET in str(lines[0]["trace"])


def test_an_absent_database_says_that_the_account_is_fine(opens: DoorMaker) -> None:
    with opens(routes=ROUTES) as door:
        answer = door.client.get("/t/away")
        lines = [line for line in door.log() if line["event"] == "storage_away"]
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    sentence = "Sign-in is not available at the moment. Nothing is wrong with your account. Try again in a minute."
    assert sentence in answer.text
    assert "Acme" in answer.text
    assert SECRET not in answer.text
    assert SECRET in str(lines[0]["detail"])


def test_half_an_answer_is_cut_off_and_never_ends_as_a_whole_one(opens: DoorMaker) -> None:
    with opens(routes=ROUTES) as door:
        with pytest.raises(RuntimeError):
            door.client.get("/t/half")
        assert any(line["event"] == "unexpected" for line in door.log())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nope", 404), ("GET", "/login/", 404), ("DELETE", "/login", 405), ("GET", "/login/password", 405)],
)
def test_pages_that_are_not_there(door: Door, method: str, path: str, status: int) -> None:
    answer = door.client.request(method, path)
    assert answer.status_code == status
    assert REFERENCE.search(answer.text)
    assert ("allow" in answer.headers) == (status == 405)


def test_software_that_asks_for_json_gets_problem_details(door: Door) -> None:
    answer = door.client.get("/nope", headers={"accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert set(answer.json()) == {"title", "status", "code", "reference"}


def test_the_log_has_one_line_for_each_request_and_no_query(door: Door) -> None:
    door.client.get("/login?to=/security&code=123456", headers={"x-forwarded-for": "203.0.113.9"})
    line = next(line for line in door.log() if line["event"] == "request")
    assert line["path"] == "/login"
    assert line["status"] == 200
    assert "123456" not in str(line)
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", str(line["request"]))


def test_the_reference_of_a_page_is_that_of_its_log_line(door: Door) -> None:
    found = REFERENCE.search(door.client.get("/nope").text)
    assert found is not None
    assert [line["request"] for line in door.log() if line["event"] == "request"] == [found[1]]
