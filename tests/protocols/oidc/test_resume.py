"""Requests that wait: for the sign-in, for their own browser, and once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward import apps
from doorward.apps.app import said_of
from doorward.audit import Actor, Caller
from doorward.clock import MINUTE
from support.oidc import REDIRECT, World, answer_of, asked, code_of


def test_without_a_session_the_sign_in_leads_back_and_on_to_the_application(world_anywhere: World) -> None:
    world = world_anywhere
    browser = world.browser()
    to_sign_in = browser.authorize(state="kept")
    assert to_sign_in.status_code == 303
    assert to_sign_in.headers["location"].startswith("/login?tx=")
    resume = world.pending_address()
    browser.sign_in(world.person)
    answer = answer_of(browser.get(resume))
    assert answer["state"] == "kept"
    assert world.client().redeem(answer["code"]).status_code == 200


def test_az30_two_tabs_do_not_mix(world: World) -> None:
    browser = world.browser()
    addresses = []
    for state in ("one", "two"):
        browser.authorize(state=state)
        addresses.append(world.pending_address())
        world.clock.advance(1)
    browser.sign_in(world.person)
    assert [answer_of(browser.get(address))["state"] for address in reversed(addresses)] == ["two", "one"]


def test_az30_a57_a_request_is_answered_once(world: World) -> None:
    browser = world.browser()
    browser.authorize()
    resume = world.pending_address()
    browser.sign_in(world.person)
    code_of(browser.get(resume))
    again = browser.get(resume)
    assert again.status_code == 400
    assert "location" not in again.headers
    assert len(world.rows("oidc_grants")) == 1
    assert world.audit()[0] == ("app.refused", "request_gone")


def test_az30_an_error_too_is_told_once(world: World) -> None:
    browser = world.browser(world.person)
    posted = browser.post(prompt="none", claims='{"id_token":{"sub":{"value":"x"}}}')
    assert answer_of(browser.get(posted.headers["location"]))["error"] == "login_required"
    assert browser.get(posted.headers["location"]).status_code == 400


def test_another_browser_gets_nothing_of_it(world: World) -> None:
    mine, other = world.browser(), world.browser(world.person)
    mine.authorize()
    resume = world.pending_address()
    assert other.get(resume).status_code == 400
    mine.sign_in(world.person)
    assert code_of(mine.get(resume))


def test_a_posted_request_belongs_to_whoever_comes_for_it_first(world: World) -> None:
    signed_in, later = world.browser(world.person), world.browser(world.person)
    posted = signed_in.post()
    resume = posted.headers["location"]
    assert resume.startswith("/oidc/resume/")
    assert code_of(signed_in.get(resume))
    assert later.get(resume).status_code == 400


def test_a_posted_request_without_a_session_goes_through_the_sign_in(world: World) -> None:
    browser = world.browser()
    posted = browser.post()
    to_sign_in = browser.get(posted.headers["location"])
    assert to_sign_in.headers["location"].startswith("/login?tx=")
    assert world.pending_address() == posted.headers["location"]
    browser.sign_in(world.person)
    assert code_of(browser.get(posted.headers["location"]))


def test_a_posted_request_waits_five_minutes_for_its_browser(world: World) -> None:
    browser = world.browser(world.person)
    resume = browser.post().headers["location"]
    world.clock.advance(5 * MINUTE)
    late = browser.get(resume)
    assert late.status_code == 400
    assert world.audit()[0] == ("app.refused", "request_expired")


def test_a_request_outlives_the_sign_in_but_not_an_hour(world: World) -> None:
    for minutes, good in ((59, True), (60, False)):
        browser = world.browser()
        browser.authorize()
        resume = world.pending_address()
        world.clock.advance(minutes * MINUTE)
        browser.sign_in(world.person)
        answer = browser.get(resume)
        assert (answer.status_code == 303) is good


def test_a95_an_address_that_was_taken_away_meanwhile_gets_nothing(world: World) -> None:
    browser = world.browser()
    browser.authorize()
    resume = world.pending_address()
    browser.sign_in(world.person)
    kind = world.board.kind
    assert isinstance(kind, apps.OidcClient)
    moved = replace(said_of(world.board), kind=replace(kind, redirect_uris=(REDIRECT + "/new",)))
    world.write(lambda c: apps.change_app(c, world.board.id, moved, Actor.system(), Caller.local(), world.clock()))
    answer = browser.get(resume)
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_a_removed_application_gets_nothing(world: World) -> None:
    browser = world.browser()
    browser.authorize()
    resume = world.pending_address()
    browser.sign_in(world.person)
    world.write(lambda c: apps.remove_app(c, world.board, Actor.system(), Caller.local(), world.clock()))
    assert browser.get(resume).status_code == 400


@pytest.mark.parametrize("row_id", ["x", "", "%00", "../token", "a" * 36, "'" * 36, "x" * 5000])
def test_an_invented_id_is_a_page(world: World, row_id: str) -> None:
    answer = world.browser(world.person).get(f"/oidc/resume/{row_id}")
    assert 400 <= answer.status_code < 500
    assert "location" not in answer.headers


def test_the_sign_in_page_of_a_request_may_end_at_the_application(world: World) -> None:
    """Browsers apply a form's policy to the redirects after it."""
    browser = world.browser()
    page = browser.get(browser.authorize().headers["location"])
    assert "form-action 'self' https://board.example" in page.headers["content-security-policy"]
    assert "Board" in page.text


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_a_post_of_another_type_is_a_page(world: World, kind: str) -> None:
    headers = {"content-type": kind} if kind else {}
    answer = world.http.post("/oidc/authorize", content=b"client_id=board", headers=headers)
    assert 400 <= answer.status_code < 500
    assert world.rows("oidc_requests") == []


def test_what_is_refused_is_not_saved(world: World) -> None:
    browser = world.browser()
    for changed in ({"client_id": "nobody"}, {"response_type": "token"}, {"scope": "email"}, {"code_challenge": "x"}):
        browser.post(**changed)
        browser.authorize(**changed)
    assert world.rows("oidc_requests") == []
    too_much = world.http.post("/oidc/authorize", data={**asked(), "state": "x" * 100_000})
    assert 400 <= too_much.status_code < 500
    assert world.rows("oidc_requests") == []
