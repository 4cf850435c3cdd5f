"""The first page."""

from __future__ import annotations

from support.house import House


def test_the_portal_leads_somebody_without_a_session_to_the_sign_in(quick_house: House) -> None:
    answer = quick_house.browser().get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_portal_shows_the_applications_of_the_persons_groups(house: House) -> None:
    alice = house.person("alice", groups=["engineering"])
    house.application("wiki")
    house.application("payroll", groups=["finance"])
    page = house.signed_in(alice).get("/")
    assert page.status_code == 200
    assert "Wiki" in page.text
    assert "Payroll" not in page.text
