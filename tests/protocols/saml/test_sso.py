"""Launches by SAML as conversations with the composed application, on both databases."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from doorward.apps import SamlProvider
from doorward.clock import MINUTE, SECOND, iso
from doorward.store import schema
from support.house import BASE, Browser, House
from support.saml import (
    ACS,
    ENTITY_ID,
    SAML,
    posted,
    redirect_query,
)
from support.saml_house import (
    PROVIDER,
    REFEDS_MFA,
    alice,
    answered,
    asks,
    reasons,
    redirected,
    sign_in,
    wiki,
)


def test_sr01_rs02_rs07_rs08_an_active_session_opens_the_application_at_once(house: House) -> None:
    wiki(house)
    browser = house.signed_in(alice(house), age=7 * MINUTE)
    sent = answered(redirected(browser, asks(house), "r/1?a=b&c"))
    assert sent.action == ACS
    assert sent.fields["RelayState"] == "r/1?a=b&c"
    response, [assertion] = sent.response, sent.assertions
    assert sent.statuses == ["Success"]
    assert response.get("InResponseTo") == "_r1"
    assert response.get("Destination") == ACS
    assert response.get("Version") == "2.0"
    assert response.get("IssueInstant") == iso(house.clock())
    assert sent.text("saml:Issuer") == f"{BASE}/saml/metadata"
    assert re.fullmatch(r"_[0-9a-f]{32}", str(response.get("ID")))
    assert response.get("ID") != assertion.get("ID")
    name_id = assertion.find(f".//{{{SAML}}}NameID")
    assert name_id.text == "alice@acme.example"
    assert name_id.get("Format") == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    data = assertion.find(f".//{{{SAML}}}SubjectConfirmationData")
    assert dict(data.attrib) == {
        "NotOnOrAfter": iso(house.clock() + 5 * MINUTE),
        "Recipient": ACS,
        "InResponseTo": "_r1",
    }
    conditions = assertion.find(f"{{{SAML}}}Conditions")
    assert conditions.get("NotBefore") <= iso(house.clock() - 3 * MINUTE)  # RS-18
    assert conditions.get("NotOnOrAfter") == iso(house.clock() + 5 * MINUTE)
    assert [audience.text for audience in conditions.iter(f"{{{SAML}}}Audience")] == [ENTITY_ID]


def test_rs09_ss01_the_time_told_is_that_of_the_real_authentication(house: House) -> None:
    wiki(house)
    person = alice(house)
    browser = house.signed_in(person, age=42 * MINUTE)
    [assertion] = answered(redirected(browser, asks(house))).assertions
    statement = assertion.find(f"{{{SAML}}}AuthnStatement")
    assert statement.get("AuthnInstant") == iso(house.clock() - 42 * MINUTE)
    assert statement.get("SessionNotOnOrAfter") > iso(house.clock())
    assert assertion.findtext(f".//{{{SAML}}}AuthnContextClassRef") == REFEDS_MFA


def test_rs09_the_session_index_is_the_same_for_a_provider_and_tells_others_nothing(house: House) -> None:
    wiki(house)
    other = SamlProvider("https://other.example", ("https://other.example/acs",))
    house.application("other", kind=other)
    person = alice(house)
    browser, second = house.signed_in(person), house.signed_in(person)

    def index(of: Browser, slug: str) -> str:
        [assertion] = answered(of.get(f"/saml/apps/{slug}/launch")).assertions
        return str(assertion.find(f"{{{SAML}}}AuthnStatement").get("SessionIndex"))

    first = index(browser, "wiki")
    assert index(browser, "wiki") == first
    assert len({first, index(browser, "other"), index(second, "wiki")}) == 3
    assert browser.session_id not in first
    assert browser.client.cookies["doorward"] not in first
    noted = house.store.read(lambda c: c.execute(select(schema.session_apps.c.details)).scalars().all())
    assert len(noted) == 3
    [of_wiki] = [details for details in noted if details["session_index"] == first]
    assert of_wiki["name_id"] == "alice@acme.example"


def test_rs12_only_configured_attributes_leave(house: House) -> None:
    wiki(house)
    browser = house.signed_in(alice(house, groups=("engineering", "staff"), phone="+351 1"))
    [assertion] = answered(redirected(browser, asks(house))).assertions
    told = {
        str(a.get("Name")): (str(a.get("NameFormat")).rpartition(":")[2], [v.text for v in a])
        for a in assertion.iter(f"{{{SAML}}}Attribute")
    }
    assert told == {
        "mail": ("basic", ["alice@acme.example"]),
        "uid": ("uri", ["alice"]),
        "memberOf": ("basic", ["engineering", "staff"]),
    }


def test_the_launch_is_recorded_with_what_was_told(house: House) -> None:
    wiki(house)
    person = alice(house)
    browser = house.signed_in(person)
    answered(redirected(browser, asks(house)))
    [entry] = house.events("app.launched")
    assert entry.event.person_id == person.id
    assert entry.event.session_id == browser.session_id
    assert {"protocol": "saml", "from": "application", "acs_url": ACS, "authn_context": REFEDS_MFA}.items() <= (
        entry.event.details.items()
    )
    opened = house.store.read(lambda c: c.execute(select(schema.launches.c.opened_at)).scalars().all())
    assert opened == [house.clock()]


def test_without_a_session_the_same_sign_in_leads_into_the_application(house: House) -> None:
    wiki(house)
    alice(house)
    browser = house.browser()
    led = redirected(browser, asks(house), "deep")
    assert led.status_code == 303
    assert led.headers["location"].startswith("/login?tx=")
    house.clock.advance(20 * SECOND)
    assert "Wiki" in browser.get(led.headers["location"]).text
    led = sign_in(house, browser, led.headers["location"])
    assert led.startswith("/saml/resume/")
    sent = answered(browser.get(led))
    assert sent.statuses == ["Success"]
    assert sent.fields["RelayState"] == "deep"
    assert sent.response.get("InResponseTo") == "_r1"
    # The saved request is good for one answer.
    again = browser.get(led)
    assert again.status_code == 400
    assert "used already" in again.text
    assert reasons(house) == ["request_gone"]


def test_a_saved_request_belongs_to_its_browser(house: House) -> None:
    wiki(house)
    person = alice(house)
    browser = house.browser()
    led = redirected(browser, asks(house)).headers["location"]
    house.clock.advance(20 * SECOND)
    resume = sign_in(house, browser, led)
    stolen = house.signed_in(person)
    assert stolen.get(resume).status_code == 400
    assert answered(browser.get(resume)).statuses == ["Success"]


def test_a_saved_request_waits_an_hour(house: House) -> None:
    wiki(house)
    person = alice(house)
    browser = house.signed_in(person)
    led = browser.client.post("/saml/sso", data={"SAMLRequest": posted(asks(house).xml())})
    house.clock.advance(5 * MINUTE + 1)
    late = browser.get(led.headers["location"])
    assert late.status_code == 400
    assert reasons(house) == ["request_expired"]


def test_sr01_a_post_from_another_site_is_saved_and_answered_by_an_own_address(house: House) -> None:
    """The browser sends no SameSite=Lax cookie with it, and none is changed by its answer."""
    wiki(house)
    browser = house.signed_in(alice(house))
    fields = {"SAMLRequest": posted(asks(house).xml()), "RelayState": "p"}
    headers = {"origin": "https://wiki.example", "sec-fetch-site": "cross-site"}
    led = house.browser().raw_post("/saml/sso", fields, **headers)
    assert led.status_code == 303
    assert "set-cookie" not in led.headers
    assert re.fullmatch(r"/saml/resume/[0-9a-f-]{36}", led.headers["location"])
    sent = answered(browser.get(led.headers["location"], **{"sec-fetch-site": "cross-site"}))
    assert sent.statuses == ["Success"]
    assert sent.fields["RelayState"] == "p"
    assert browser.get(led.headers["location"]).status_code == 400


def test_sr01_a_post_without_a_session_goes_through_the_sign_in(house: House) -> None:
    wiki(house)
    alice(house)
    browser = house.browser()
    led = browser.client.post("/saml/sso", data={"SAMLRequest": posted(asks(house).xml())})
    led = browser.get(led.headers["location"])
    assert led.headers["location"].startswith("/login?tx=")
    house.clock.advance(20 * SECOND)
    assert answered(browser.get(sign_in(house, browser, led.headers["location"]))).statuses == ["Success"]


def test_ss03_somebody_without_a_group_is_turned_away_and_nothing_leaves(house: House) -> None:
    wiki(house)
    browser = house.signed_in(alice(house, groups=("staff",)))
    for page in (redirected(browser, asks(house)), browser.get("/saml/apps/wiki/launch")):
        assert page.status_code == 403
        assert "has not been given to you yet" in page.text
        assert "SAMLResponse" not in page.text
        assert "alice@acme.example" not in page.text
    assert reasons(house) == ["not_assigned", "not_assigned"]


@pytest.mark.parametrize("state", ["draft", "off"])
def test_a18_an_application_that_is_not_active_opens_for_nobody(house: House, state: str) -> None:
    wiki(house, state=type(house.application("x").state)(state))
    browser = house.signed_in(alice(house))
    for page in (redirected(browser, asks(house)), browser.get("/saml/apps/wiki/launch")):
        assert page.status_code == 403
        assert "SAMLResponse" not in page.text


def test_a_name_identifier_that_the_person_does_not_have_opens_nothing(house: House) -> None:
    wiki(house)
    person = house.person("bob", groups=("engineering",))
    page = redirected(house.signed_in(person), asks(house))
    assert page.status_code == 400
    assert reasons(house) == ["no_name_id"]


# ----------------------------------------------------------------------------------------- IdP-initiated


def test_rs17_a_launch_from_here_has_no_in_response_to_and_the_configured_relay_state(house: House) -> None:
    wiki(house, replace(PROVIDER, relay_state="/home"))
    browser = house.signed_in(alice(house))
    sent = answered(browser.get("/saml/apps/wiki/launch?RelayState=evil"))
    assert sent.fields["RelayState"] == "/home"
    assert sent.response.get("InResponseTo") is None
    assert sent.assertions[0].find(f".//{{{SAML}}}SubjectConfirmationData").get("InResponseTo") is None
    assert house.events("app.launched")[0].event.details["from"] == "portal"


def test_sr21_without_a_configured_relay_state_none_is_sent(house: House) -> None:
    wiki(house)
    browser = house.signed_in(alice(house))
    assert "RelayState" not in answered(browser.get("/saml/apps/wiki/launch?RelayState=evil")).fields


@pytest.mark.parametrize(
    ("allowed", "start_url", "opens"),
    [
        (None, None, True),
        (None, "https://wiki.example/login", False),
        (True, "https://wiki.example/login", True),
        (False, None, False),
    ],
)
def test_rs17_a73_only_an_application_that_allows_it_begins_here(
    house: House, allowed: bool | None, start_url: str | None, opens: bool
) -> None:
    wiki(house, replace(PROVIDER, idp_initiated=allowed), start_url=start_url)
    browser = house.signed_in(alice(house))
    page = browser.get("/saml/apps/wiki/launch")
    if opens:
        assert answered(page).statuses == ["Success"]
    else:
        assert page.status_code == 404
        assert reasons(house) == ["not_idp_initiated"]


def test_a_launch_that_another_site_began_is_asked_about_first(house: House) -> None:
    wiki(house)
    browser = house.signed_in(alice(house))
    led = browser.get("/saml/apps/wiki/launch", **{"sec-fetch-site": "cross-site"})
    assert (led.status_code, led.headers["location"]) == (303, "/apps/wiki/launch")
    assert house.events("app.launched") == []


@pytest.mark.parametrize("header", ["sec-purpose", "purpose"])
def test_a_guess_of_the_browser_opens_nothing(house: House, header: str) -> None:
    wiki(house)
    browser = house.signed_in(alice(house))
    for path in ("/saml/apps/wiki/launch", f"/saml/sso?{redirect_query(asks(house).xml())}"):
        assert browser.get(path, **{header: "prefetch;prerender"}).status_code == 403
    assert house.events("app.launched") == []


def test_a_launch_without_a_session_goes_through_the_sign_in(house: House) -> None:
    wiki(house)
    led = house.browser().get("/saml/apps/wiki/launch")
    assert led.status_code == 303
    assert led.headers["location"].startswith("/login?tx=")


def test_an_unknown_application_or_another_kind_is_refused(house: House) -> None:
    house.application("notes")
    browser = house.signed_in(alice(house))
    for slug in ("nothing", "notes"):
        assert browser.get(f"/saml/apps/{slug}/launch").status_code == 400
    assert browser.get("/saml/apps/UPPER%20case/launch").status_code == 404
