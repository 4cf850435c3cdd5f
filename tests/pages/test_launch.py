"""Opening applications from their tiles."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import Connection

from doorward.apps import AppState, OidcClient, change_app
from doorward.apps.app import said_of
from doorward.organization import Mfa
from doorward.signin import Method
from support.house import LOCAL, SYSTEM, House


def test_with_a_session_an_application_opens_at_once_and_is_recorded(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    app = house.application("handbook")
    browser = house.signed_in(alice)
    answer = browser.get("/apps/handbook/launch")
    assert (answer.status_code, answer.headers["location"]) == (303, "https://handbook.example/start")
    [entry] = house.events("app.launched")
    event = entry.event
    assert (event.person_id, event.app_id, event.session_id) == (alice.id, app.id, browser.session_id)


def test_without_a_session_the_person_signs_in_first_and_the_page_says_where_to(house: House) -> None:
    house.application("handbook", name="The Handbook")
    browser = house.browser()
    answer = browser.get("/apps/handbook/launch")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?tx=")
    page = browser.get(answer.headers["location"])
    assert "The Handbook" in page.text
    assert "https://handbook.example" in page.headers["content-security-policy"]


def test_what_is_not_active_is_not_named_before_the_sign_in(quick_house: House) -> None:
    quick_house.application("secret", name="Project Chimera", state=AppState.DRAFT)
    browser = quick_house.browser()
    page = browser.get(browser.get("/apps/secret/launch").headers["location"])
    assert page.status_code == 200
    assert "Chimera" not in page.text


def test_an_application_of_other_groups_is_refused_with_its_reason(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    house.application("payroll", groups=["finance"])
    page = house.signed_in(alice).get("/apps/payroll/launch")
    assert page.status_code == 403
    assert "Payroll has not been given to you yet." in page.text
    [entry] = house.events("app.refused")
    assert entry.event.reason == "not_assigned"
    assert entry.event.caller.reference in page.text


def test_a_removed_group_counts_on_the_very_next_launch(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    house.application("wiki")
    browser = house.signed_in(alice)
    assert browser.get("/apps/wiki/launch").status_code == 303
    house.take_out_of_all_groups(alice)
    assert browser.get("/apps/wiki/launch").status_code == 403


def test_an_application_that_is_switched_off_says_so(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    app = quick_house.application("wiki")

    def switch_off(connection: Connection) -> None:
        new = dataclasses.replace(said_of(app), state=AppState.OFF)
        change_app(connection, app.id, new, SYSTEM, LOCAL, quick_house.clock())

    quick_house.store.write(switch_off)
    page = quick_house.signed_in(alice).get("/apps/wiki/launch")
    assert page.status_code == 403
    assert "switched off" in page.text


def test_an_unknown_application_is_told_like_one_that_never_was(quick_house: House) -> None:
    page = quick_house.signed_in(quick_house.person("alice")).get("/apps/nothing/launch")
    assert page.status_code == 400
    assert "not known here" in page.text


@pytest.mark.parametrize("header", ["sec-purpose", "purpose", "x-moz"])
def test_a_prefetch_opens_nothing_and_leaves_no_trace(quick_house: House, header: str) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    quick_house.application("wiki")
    answer = quick_house.signed_in(alice).get("/apps/wiki/launch", **{header: "prefetch;anonymous-client-ip"})
    assert answer.status_code == 403
    assert quick_house.events("app.launched") == []


def test_a_link_of_another_site_asks_first_and_opens_only_then(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    house.application("wiki")
    browser = house.signed_in(alice)
    page = browser.get("/apps/wiki/launch", **{"sec-fetch-site": "cross-site"})
    assert page.status_code == 200
    assert "Open Wiki?" in page.text
    assert house.events("app.launched") == []
    assert browser.get("/apps/wiki/launch").status_code == 303


def test_a_link_of_another_site_does_not_name_what_is_not_the_persons(quick_house: House) -> None:
    alice = quick_house.person("alice")
    quick_house.application("payroll", name="Payroll of the board", groups=["finance"])
    page = quick_house.signed_in(alice).get("/apps/payroll/launch", **{"sec-fetch-site": "cross-site"})
    assert "Payroll of the board" not in page.text


def test_an_absent_fetch_header_is_accepted(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    quick_house.application("wiki")
    answer = quick_house.signed_in(alice).client.get("/apps/wiki/launch")
    assert answer.status_code == 303


def test_a_hidden_application_is_still_usable(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    quick_house.application("wiki", hidden=True)
    assert quick_house.signed_in(alice).get("/apps/wiki/launch").status_code == 303


def test_an_application_without_a_start_says_where_it_is_opened(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    quick_house.application("board", kind=OidcClient("board", ("app.board://cb",)))
    page = quick_house.signed_in(alice).get("/apps/board/launch")
    assert page.status_code == 404
    assert "has no address at which it can be opened from here" in page.text


def test_a_start_address_outranks_what_the_protocol_would_do(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    kind = OidcClient("board", ("https://board.example/cb",))
    quick_house.application("board", kind=kind, start_url="https://board.example/login")
    assert quick_house.signed_in(alice).get("/apps/board/launch").headers["location"] == "https://board.example/login"


def test_a_password_alone_opens_nothing_where_a_second_factor_is_held(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"], mfa_required=True)
    quick_house.settings(mfa=Mfa(enrolment_days=0))
    quick_house.application("wiki")
    answer = quick_house.signed_in(alice, Method.PASSWORD).get("/apps/wiki/launch")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?tx=")


@pytest.mark.parametrize("slug", ["..", "%2e%2e", "a%00b", "%ff", "A" * 200, "a%2Fb", "x%0d%0ay"])
def test_strange_slugs_are_no_page(quick_house: House, slug: str) -> None:
    answer = quick_house.signed_in(quick_house.person("alice")).get(f"/apps/{slug}/launch")
    assert 400 <= answer.status_code < 500
