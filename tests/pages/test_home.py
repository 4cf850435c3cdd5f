"""The first page: tiles, sections, search, favourites, banners."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from doorward.apps import AppState
from doorward.apps.kinds import Bookmark
from doorward.clock import DAY, MINUTE
from doorward.organization import Mfa
from doorward.signin import Audience, Method
from doorward.signin.factors import recovery
from support.house import House


def test_the_portal_leads_somebody_without_a_session_to_the_sign_in(quick_house: House) -> None:
    answer = quick_house.browser().get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_portal_shows_the_applications_of_the_persons_groups_in_sections(house: House) -> None:
    alice = house.person("alice", groups=["engineering", "everyone"])
    house.application("wiki")
    house.application("lunch", groups=["everyone"])
    house.application("chat", groups=["everyone", "engineering"])
    house.application("payroll", groups=["finance"])
    page = house.signed_in(alice).get("/")
    assert page.status_code == 200
    headings = re.findall(r'<h2 id="section-\d+">([^<]+)</h2>', page.text)
    assert headings == ["Engineering", "Everyone at Acme"]
    assert page.text.count('href="/apps/chat/launch"') == 1
    assert "Payroll" not in page.text


def test_hidden_applications_drafts_and_those_switched_off_are_left_out(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    house.application("hidden", hidden=True)
    house.application("draft", state=AppState.DRAFT)
    house.application("off", state=AppState.OFF)
    assert "No apps yet" in house.signed_in(alice).get("/").text


def test_an_empty_portal_says_what_to_do_and_whom_to_ask(quick_house: House) -> None:
    page = quick_house.signed_in(quick_house.person("bruno")).get("/")
    assert "Your apps appear here as soon as Acme IT gives you one." in page.text
    assert 'href="mailto:help@acme.example"' in page.text


def test_the_search_works_without_script_and_ignores_case_and_accents(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    quick_house.application("cafe", name="Café")
    quick_house.application("wiki", description="What we know")
    browser = quick_house.signed_in(alice)
    found = browser.get("/?q=CAFE").text
    assert "Café" in found
    assert 'href="/apps/wiki/launch"' not in found
    assert 'href="/apps/wiki/launch"' in browser.get("/?q=we+know").text
    assert "data-search-nothing>" in browser.get("/?q=nothing").text


def test_a_star_is_given_and_taken_by_post(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    house.application("wiki")
    browser = house.signed_in(alice)
    for _twice in range(2):
        answer = browser.post("/apps/wiki/favourite", page="/", favourite="yes")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'id="favourites"' in browser.get("/").text
    browser.post("/apps/wiki/favourite", page="/", favourite="no")
    assert 'id="favourites"' not in browser.get("/").text


def test_a_star_for_what_is_not_the_persons_is_refused_like_what_does_not_exist(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    house.application("payroll", groups=["finance"])
    browser = house.signed_in(alice)
    answers = [browser.post(f"/apps/{slug}/favourite", favourite="yes") for slug in ("payroll", "nobody")]
    assert [answer.status_code for answer in answers] == [404, 404]


def test_the_five_applications_opened_last_are_shown_newest_first(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    browser = house.signed_in(alice)
    for number in range(7):
        house.application(f"app-{number}")
        house.clock.advance(MINUTE)
        browser.get(f"/apps/app-{number}/launch")
    recent = browser.get("/").text.split('class="recent"')[1].split("</ul>")[0]
    assert re.findall(r"/apps/(app-\d)/launch", recent) == [f"app-{number}" for number in (6, 5, 4, 3, 2)]


def test_a_bookmark_without_a_description_shows_where_it_leads(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    quick_house.application("handbook", kind=Bookmark("https://handbook.example/start"))
    assert "handbook.example" in quick_house.signed_in(alice).get("/").text


def test_the_days_left_for_a_second_step_are_shown_until_one_is_set_up(quick_house: House) -> None:
    newbie = quick_house.person("newbie", totp=False)
    page = quick_house.signed_in(newbie, Method.PASSWORD).get("/").text
    assert "7 days left to set up a second step" in page
    assert page.count('class="banner"') == 1
    assert "/banner/dismiss" not in page


def test_a_second_step_that_is_due_now_comes_before_every_page(house: House) -> None:
    newbie = house.person("newbie", totp=False)
    browser = house.signed_in(newbie, Method.PASSWORD)
    assert browser.get("/").status_code == 200
    house.settings(mfa=Mfa(required=True, enrolment_days=0))
    for path in ("/", "/security", "/profile"):
        answer = browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")


def test_the_banner_about_a_second_way_closes_for_good(house: House) -> None:
    alice = house.person("alice")
    house.store.write(lambda c: _drop_recovery_codes(c, alice.id))
    browser = house.signed_in(alice)
    assert "Add a second way to verify" in browser.get("/").text
    assert browser.post("/banner/dismiss").status_code == 303
    assert "Add a second way to verify" not in browser.get("/").text
    house.clock.advance(DAY)
    assert "Add a second way to verify" not in house.signed_in(alice).get("/").text


def test_a90_names_from_elsewhere_are_shown_as_text(quick_house: House) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    alice = quick_house.person("alice", groups=["engineering", "<b>x</b>"], name=evil)
    quick_house.application("wiki", name=evil, description=evil)
    quick_house.application("bold", groups=["<b>x</b>"])
    browser = quick_house.signed_in(alice)
    for path in ("/", "/?q=%3Cscript%3E", "/security", "/profile"):
        page = browser.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
        assert "<b>x" not in page.text.lower()
        assert "script-src 'self'" in page.headers["content-security-policy"]


def test_two_hundred_applications_are_shown_in_one_page(quick_house: House) -> None:
    alice = quick_house.person("alice", groups=["engineering"])
    for number in range(200):
        quick_house.application(f"app-{number}", name=f"{'Very long name ' * 12}{number}"[:200])
    page = quick_house.signed_in(alice).get("/")
    assert page.text.count('class="tile"') == 200


def _drop_recovery_codes(connection: Connection, person_id: str) -> None:
    recovery.drop_codes(connection, Audience.PERSON, person_id)
