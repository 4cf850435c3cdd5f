"""What comes in broken, doubled, forged or from elsewhere: a 4xx page, never a 500, never a change (A25, SE-07)."""

from __future__ import annotations

import pytest
from starlette.routing import Route

from doorward.audit import tail
from doorward.directory import people
from doorward.pages import admin, portal
from doorward.web.guards import Guard, Guarded
from support.house import PASSWORD, Browser, House

_ID = "0199f0a0-0000-7000-8000-000000000000"


def _addresses(method: str) -> list[str]:
    """List the addresses of the portal and of the administrators that take a method."""
    routes = [route for route in (*portal.routes(), *admin.routes()) if isinstance(route, Route)]
    taken = [route.path for route in routes if method in (route.methods or ())]
    return [path.replace("{slug}", "wiki").replace("{id}", _ID) for path in taken]


POSTS, GETS = _addresses("POST"), _addresses("GET")
FIELDS = {
    "name": "Mallory",
    "theme": "dark",
    "locale": "en",
    "favourite": "yes",
    "current": PASSWORD,
    "new": "nine purple giraffes on parade",
    "phone": "+351 21",
    "kind": "person",
    "id": _ID,
    "method": "totp",
    "code": "123456",
    "to": "/security",
}
BODIES = {
    "nothing": b"",
    "no value": b"csrf=",
    "no name": b"=x&&&=",
    "one megabyte": b"name=" + b"x" * 1_048_576,
    "a thousand fields": b"&".join(b"f%d=x" % n for n in range(1000)),
    "NUL": b"name=a%00b",
    "raw NUL": b"name=a\0b",
    "invalid UTF-8": b"name=%ff%fe",
    "raw invalid UTF-8": b"name=\xff\xfe",
    "lone surrogate": b"name=%ed%a0%80",
    "not a form": b'{"name": "x"}',
}


@pytest.fixture
def browsers(quick_house: House) -> tuple[Browser, Browser]:
    """A person and an administrator who are signed in."""
    alice = quick_house.person("alice", groups=["engineering"])
    quick_house.application("wiki")
    return quick_house.signed_in(alice), quick_house.signed_in(quick_house.admin("root@acme.example"))


def _for(path: str, browsers: tuple[Browser, Browser]) -> tuple[Browser, str]:
    """Choose who asks, with the token of a page of theirs."""
    person_browser, admin_browser = browsers
    if path.startswith("/admin"):
        return admin_browser, admin_browser.token("/admin")
    return person_browser, person_browser.token()


def _events(house: House) -> set[str]:
    return {entry.event.action for entry in house.store.read(lambda c: tail(c, 1000))}


@pytest.mark.parametrize("path", POSTS)
def test_a25_se07_every_form_without_our_token_is_refused(
    quick_house: House, browsers: tuple[Browser, Browser], path: str
) -> None:
    browser, token = _for(path, browsers)
    stranger = quick_house.signed_in(quick_house.person("mallory"))
    other = stranger.token()
    before = _events(quick_house)
    wrong = {
        "none": browser.raw_post(path, FIELDS),
        "empty": browser.raw_post(path, {**FIELDS, "csrf": ""}),
        "wrong": browser.raw_post(path, {**FIELDS, "csrf": "0" * 64}),
        "of another browser": browser.raw_post(path, {**FIELDS, "csrf": other}),
        "cross-site": browser.raw_post(path, {**FIELDS, "csrf": token}, **{"sec-fetch-site": "cross-site"}),
        "same-site": browser.raw_post(path, {**FIELDS, "csrf": token}, **{"sec-fetch-site": "same-site"}),
        "origin": browser.raw_post(path, {**FIELDS, "csrf": token}, origin="https://evil.example"),
        "no origin": browser.raw_post(path, {**FIELDS, "csrf": token}, origin="null"),
    }
    assert {name: answer.status_code for name, answer in wrong.items()} == dict.fromkeys(wrong, 403)
    assert _events(quick_house) == before


@pytest.mark.parametrize("path", GETS)
def test_a25_reading_changes_nothing(quick_house: House, browsers: tuple[Browser, Browser], path: str) -> None:
    browser = browsers[1] if path.startswith("/admin") else browsers[0]
    before = _events(quick_house), quick_house.store.read(people)
    for query in ("", "?name=Mallory&theme=dark&favourite=yes&id=x&code=123456&new=x&done=removed"):
        answer = browser.get(path + query)
        assert answer.status_code < 500
    assert (_events(quick_house) - {"app.launched"}, quick_house.store.read(people)) == before


@pytest.mark.parametrize("path", POSTS)
def test_forms_sent_by_get_are_not_taken(browsers: tuple[Browser, Browser], path: str) -> None:
    browser = browsers[1] if path.startswith("/admin") else browsers[0]
    answer = browser.get(path)
    assert answer.status_code in {200, 303, 404, 405}


@pytest.mark.parametrize("path", POSTS)
def test_broken_forms_are_4xx_pages_with_a_reference(browsers: tuple[Browser, Browser], path: str) -> None:
    browser, token = _for(path, browsers)
    for name, body in BODIES.items():
        for sent in (body, b"csrf=" + token.encode() + b"&" + body):
            answer = browser.raw_post(path, sent)
            assert answer.status_code < 500, name
            if answer.status_code >= 400 and answer.status_code != 422:
                assert "Reference" in answer.text, name


@pytest.mark.parametrize("path", POSTS)
def test_doubled_fields_are_refused(quick_house: House, browsers: tuple[Browser, Browser], path: str) -> None:
    browser, token = _for(path, browsers)
    before = _events(quick_house)
    for name in FIELDS:
        doubled = f"csrf={token}&{name}=a&{name}=b".encode()
        assert browser.raw_post(path, doubled).status_code == 400
    assert browser.raw_post(path, f"csrf={token}&csrf={token}".encode()).status_code == 400
    assert _events(quick_house) == before


@pytest.mark.parametrize("path", GETS)
def test_broken_queries_are_never_a_500(browsers: tuple[Browser, Browser], path: str) -> None:
    browser = browsers[1] if path.startswith("/admin") else browsers[0]
    for query in ("?q=a&q=b", "?q=%00", "?q=%ff", "?to=%00&done=%ff", "?" + "q" * 40_000, "?&&=&q"):
        assert browser.get(path + query).status_code < 500, query[:20]


@pytest.mark.parametrize("path", POSTS)
def test_without_a_session_every_form_leads_to_the_sign_in(quick_house: House, path: str) -> None:
    browser = quick_house.browser()
    token = browser.token("/admin/login" if path.startswith("/admin") else "/login")
    answer = browser.raw_post(path, {**FIELDS, "csrf": token})
    assert answer.status_code == 303
    assert answer.headers["location"] == ("/admin/login" if path.startswith("/admin") else "/login")


def test_every_page_of_the_portal_needs_a_session_but_those_that_say_why_not() -> None:
    routes = [route for route in portal.routes() if isinstance(route, Route)]
    open_ = {
        route.path
        for route in routes
        if isinstance(route.endpoint, Guarded) and route.endpoint.guard is not Guard.PERSON
    }
    # A launch without a session begins a sign-in; the well-known address is the same for everybody.
    assert open_ == {"/apps/{slug}/launch", "/.well-known/change-password"}
