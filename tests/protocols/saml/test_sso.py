"""Launches by SAML as conversations with the composed application, on both databases."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from doorward.apps import AttributeRule, SamlProvider
from doorward.clock import MINUTE, SECOND, iso
from doorward.organization import Mfa
from doorward.signin import Method
from doorward.store import schema
from support.house import BASE, PASSWORD, Browser, House
from support.saml import (
    ACS,
    ENTITY_ID,
    SAML,
    Asks,
    Posted,
    posted,
    posted_by,
    redirect_query,
    rsa_pair,
    signed_message,
    signed_query,
)

PASSWORD_CLASS = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
REFEDS_MFA = "https://refeds.org/profile/mfa"
PROVIDER = SamlProvider(
    ENTITY_ID,
    (ACS,),
    attributes={"mail": AttributeRule("user.email"), "uid": AttributeRule("user.username", "uri")},
    groups_attribute="memberOf",
)


def asks(house: House, **fields: object) -> Asks:
    return Asks(**{"destination": f"{BASE}/saml/sso", "issued": house.clock(), **fields})


def wiki(house: House, provider: SamlProvider = PROVIDER, **fields: object) -> None:
    house.application("wiki", kind=provider, **fields)


def alice(house: House, *, groups: tuple[str, ...] = ("engineering",), **fields: object) -> object:
    return house.person("alice", groups=groups, email="alice@acme.example", **fields)


def redirected(browser: Browser, request: Asks, relay_state: str | None = None, **headers: str) -> object:
    return browser.get(f"/saml/sso?{redirect_query(request.xml(), relay_state)}", **headers)


def answered(response: object) -> Posted:
    assert response.status_code == 200, response.text
    return posted_by(response.text)


def reasons(house: House) -> list[str | None]:
    return [entry.event.reason for entry in house.events("app.refused")]


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
    assert {"session_index": first, "name_id": "alice@acme.example"}.items() <= noted[0].items()


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


def sign_in(house: House, browser: Browser, address: str, name: str = "alice") -> str:
    """Go through the sign-in that waits at `address`; gives where it leads."""
    fields = {"tx": address.partition("tx=")[2]}
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get(address).text)[1]
    for path, more in (
        ("/login", {"username": name}),
        ("/login/password", {"password": PASSWORD}),
        ("/login/code", {"code": house.code()}),
    ):
        led = browser.raw_post(path, {"csrf": token, **fields, **more})
        if path == "/login/password":
            page = browser.get(led.headers["location"]).text if led.status_code == 303 else led.text
            method = re.search(r'name="method" value="([^"]+)"', page)
            if method:
                browser.raw_post("/login/method", {"csrf": token, **fields, "method": method[1]})
    assert led.status_code == 303, led.text
    if len([cookie for cookie in browser.client.cookies.jar if cookie.name == "doorward"]) > 1:
        browser.client.cookies.delete("doorward", domain="", path="/")  # a browser keeps one cookie of a name
    return str(led.headers["location"])


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
    stranger = TestClient(house.app, base_url=BASE, follow_redirects=False)
    fields = {"SAMLRequest": posted(asks(house).xml()), "RelayState": "p"}
    headers = {"origin": "https://wiki.example", "sec-fetch-site": "cross-site"}
    led = stranger.post("/saml/sso", data=fields, headers=headers)
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


# ------------------------------------------------------------------------------- what a request may ask


def test_sr13_force_authn_is_not_satisfied_by_the_session(house: House) -> None:
    wiki(house)
    person = alice(house)
    browser = house.signed_in(person, age=MINUTE)
    led = redirected(browser, asks(house, more={"ForceAuthn": "true"}))
    assert led.status_code == 303
    assert led.headers["location"].startswith("/login?tx=")
    house.clock.advance(20 * SECOND)
    sent = answered(browser.get(sign_in(house, browser, led.headers["location"])))
    statement = sent.assertions[0].find(f"{{{SAML}}}AuthnStatement")
    assert statement.get("AuthnInstant") == iso(house.clock())


def test_sr13_force_authn_wants_the_second_factor_again_too(house: House) -> None:
    """A session whose code is new and whose password is old was not authenticated anew."""
    wiki(house)
    browser = house.signed_in(alice(house), age=MINUTE)
    led = browser.client.post("/saml/sso", data={"SAMLRequest": posted(asks(house, more={"ForceAuthn": "1"}).xml())})
    house.clock.advance(20 * SECOND)
    proofs = [{"method": "password", "at": house.clock() - MINUTE}, {"method": "totp", "at": house.clock()}]
    sessions = schema.PERSON.sessions
    values = {"proofs": proofs, "authenticated_at": house.clock()}
    house.store.write(lambda c: c.execute(sessions.update().values(values)))
    assert browser.get(led.headers["location"]).headers["location"].startswith("/login?tx=")


@pytest.mark.parametrize("more", [{"IsPassive": "true"}, {"IsPassive": "1", "ForceAuthn": "1"}])
def test_sr14_is_passive_without_a_session_is_told_no_passive(house: House, more: dict[str, str]) -> None:
    wiki(house)
    sent = answered(redirected(house.browser(), asks(house, more=more), "r"))
    assert sent.statuses == ["Responder", "NoPassive"]
    assert sent.assertions == []
    assert sent.response.get("InResponseTo") == "_r1"
    assert sent.fields["RelayState"] == "r"


def test_sr14_is_passive_with_a_session_opens(house: House) -> None:
    wiki(house)
    person = alice(house)
    passive = asks(house, more={"IsPassive": "true"})
    assert answered(redirected(house.signed_in(person), passive)).statuses == ["Success"]
    forced = asks(house, more={"IsPassive": "true", "ForceAuthn": "true"})
    browser = house.signed_in(person, age=MINUTE)
    assert answered(redirected(browser, forced)).statuses == ["Responder", "NoPassive"]


def test_sr14_is_passive_tells_nothing_of_somebody_without_a_group(house: House) -> None:
    wiki(house)
    browser = house.signed_in(alice(house, groups=()))
    sent = answered(redirected(browser, asks(house, more={"IsPassive": "true"})))
    assert sent.statuses == ["Responder", "NoPassive"]


def _wants(name: str, comparison: str = "exact") -> str:
    return (
        f'<samlp:RequestedAuthnContext Comparison="{comparison}"><saml:AuthnContextClassRef>{name}'
        "</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
    )


def test_sr15_ss02_a_password_session_never_passes_for_a_second_factor(house: House) -> None:
    house.settings(mfa=Mfa(required=False))
    wiki(house)
    person = alice(house, totp=False)
    browser = house.signed_in(person, Method.PASSWORD, age=MINUTE)
    sent = answered(redirected(browser, asks(house, inside=_wants(PASSWORD_CLASS))))
    assert sent.text(".//saml:AuthnContextClassRef") == PASSWORD_CLASS
    led = redirected(browser, asks(house, inside=_wants(REFEDS_MFA)))
    assert led.headers["location"].startswith("/login?tx=")
    passive = asks(house, inside=_wants(REFEDS_MFA), more={"IsPassive": "true"})
    assert answered(redirected(browser, passive)).statuses == ["Responder", "NoPassive"]


def test_sr17_somebody_who_has_no_second_factor_is_not_asked_for_ever(house: House) -> None:
    house.settings(mfa=Mfa(required=False))
    wiki(house)
    person = alice(house, totp=False)
    browser = house.signed_in(person, Method.PASSWORD, age=MINUTE)
    led = browser.client.post("/saml/sso", data={"SAMLRequest": posted(asks(house, inside=_wants(REFEDS_MFA)).xml())})
    house.clock.advance(20 * SECOND)
    values = {"proofs": [{"method": "password", "at": house.clock()}], "authenticated_at": house.clock()}
    house.store.write(lambda c: c.execute(schema.PERSON.sessions.update().values(values)))
    sent = answered(browser.get(led.headers["location"]))
    assert sent.statuses == ["Responder", "NoAuthnContext"]


def test_sr15_what_nobody_can_satisfy_is_told_at_once(house: House) -> None:
    wiki(house)
    sent = answered(redirected(house.browser(), asks(house, inside=_wants("urn:x509"))))
    assert sent.statuses == ["Requester", "NoAuthnContext"]


def test_mfa_required_covers_saml(house: House) -> None:
    """A session that proved a password alone leads through the sign-in once the days of enrolment are over."""
    house.settings(mfa=Mfa(required=True, enrolment_days=0))
    wiki(house)
    browser = house.signed_in(alice(house), Method.PASSWORD)
    for page in (redirected(browser, asks(house)), browser.get("/saml/apps/wiki/launch")):
        assert page.headers["location"].startswith("/login?tx=")


def test_sr19_a_request_for_somebody_else_gets_no_assertion(house: House) -> None:
    wiki(house)
    browser = house.signed_in(alice(house))
    subject = "<saml:Subject><saml:NameID>{}</saml:NameID></saml:Subject>"
    own = asks(house, inside=subject.format("alice@acme.example"))
    assert answered(redirected(browser, own)).statuses == ["Success"]
    for other in ("bob@acme.example", "ALICE@acme.example", "alice@acme.example ", "alice"):
        sent = answered(redirected(browser, asks(house, inside=subject.format(other))))
        assert sent.statuses == ["Responder", "UnknownPrincipal"]
        assert sent.assertions == []


def test_rs15_an_error_tells_a_status_and_nothing_of_the_person(house: House) -> None:
    wiki(house)
    browser = house.signed_in(alice(house))
    policy = '<samlp:NameIDPolicy Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"/>'
    sent = answered(redirected(browser, asks(house, inside=policy), "r"))
    assert sent.statuses == ["Requester", "InvalidNameIDPolicy"]
    assert sent.action == ACS
    assert sent.assertions == []
    assert sent.response.get("InResponseTo") == "_r1"
    assert b"alice" not in sent.octets
    assert reasons(house) == ["name_id_policy"]
    assert house.events("app.launched") == []


def test_rs15_a_request_without_a_valid_id_is_answered_without_naming_it(house: House) -> None:
    wiki(house)
    sent = answered(redirected(house.browser(), asks(house, id='1"><x')))
    assert sent.statuses == ["Requester"]
    assert sent.response.get("InResponseTo") is None


def test_sr10_an_unknown_address_gets_no_response(house: House) -> None:
    wiki(house)
    page = redirected(house.signed_in(alice(house)), asks(house, acs_url="https://evil.example/acs"))
    assert page.status_code == 400
    assert "SAMLResponse" not in page.text
    assert "action=" not in page.text
    assert "evil.example" not in page.headers["content-security-policy"]
    [entry] = house.events("app.refused")
    assert entry.event.reason == "acs_unknown"
    assert entry.event.caller.reference in page.text


def test_sr12_the_same_request_twice_is_two_answers_and_no_mixed_up_state(house: House) -> None:
    wiki(house)
    person = alice(house)
    query = redirect_query(asks(house).xml())
    one, two = house.signed_in(person), house.browser()
    first = answered(one.get(f"/saml/sso?{query}"))
    second = answered(one.get(f"/saml/sso?{query}"))
    assert first.response.get("ID") != second.response.get("ID")
    assert two.get(f"/saml/sso?{query}").status_code == 303


def test_sr23_a_thousand_waiting_requests_are_small_rows_that_expire(house: House) -> None:
    wiki(house)
    browser = house.browser()
    for _ in range(30):
        redirected(browser, asks(house), "r" * 80)
    count = select(func.count()).select_from(schema.PERSON.transactions)
    assert house.store.read(lambda c: c.execute(count).scalar_one()) <= 20
    rows = house.store.read(lambda c: c.execute(select(schema.saml_requests)).all())
    assert all(row.expires_at <= house.clock() + 60 * MINUTE for row in rows)
    assert all(len(str(row.details)) < 1000 for row in rows)
    assert "cookie" not in str(browser.client.cookies).lower() or len(str(browser.client.cookies)) < 400


# ---------------------------------------------------------------------------------------------- signatures


def test_sr06_a_provider_with_a_key_may_sign_by_either_binding(house: House) -> None:
    pair = rsa_pair()
    wiki(house, replace(PROVIDER, signing_certificates=(pair.pem,), require_signed_requests=True))
    browser = house.signed_in(alice(house))
    query = redirect_query(asks(house).xml(), "r", pair)
    assert answered(browser.get(f"/saml/sso?{query}")).statuses == ["Success"]
    led = browser.client.post("/saml/sso", data={"SAMLRequest": posted(signed_message(asks(house).xml(), pair))})
    assert answered(browser.get(led.headers["location"])).statuses == ["Success"]
    for refused, reason in (
        (redirect_query(asks(house).xml(), "r"), "signature_missing"),
        (redirect_query(asks(house).xml(), "r", rsa_pair(which=1)), "signature_invalid"),
        (query.replace("RelayState=r", "RelayState=s"), "signature_invalid"),
        (signed_query(redirect_query(asks(house, destination=None).xml()), pair), "destination"),
    ):
        assert browser.get(f"/saml/sso?{refused}").status_code == 400
        assert reasons(house)[0] == reason


def test_sr06_a77_taking_a_key_away_ends_its_trust_at_once(house: House) -> None:
    one, two = rsa_pair(), rsa_pair(which=1)
    app = house.application(
        "wiki", kind=replace(PROVIDER, signing_certificates=(one.pem, two.pem), require_signed_requests=True)
    )
    browser = house.signed_in(alice(house))
    query = redirect_query(asks(house).xml(), None, two)
    assert answered(browser.get(f"/saml/sso?{query}")).statuses == ["Success"]
    config = house.store.read(lambda c: c.execute(select(schema.apps.c.config)).scalar_one())
    values = {"config": {**config, "signing_certificates": [one.pem]}}
    house.store.write(lambda c: c.execute(schema.apps.update().where(schema.apps.c.id == app.id).values(values)))
    assert browser.get(f"/saml/sso?{query}").status_code == 400


@pytest.mark.parametrize("path", ["/saml/sso", "/saml/sso?SAMLRequest=", "/saml/sso?SAMLRequest=%00", "/saml/sso?a=b"])
def test_an_empty_or_damaged_query_is_a_page_with_a_reference(house: House, path: str) -> None:
    page = house.browser().get(path)
    assert page.status_code == 400
    [entry] = house.events("app.refused")
    assert entry.event.caller.reference in page.text


@pytest.mark.parametrize(
    "body",
    [b"", b"SAMLRequest=", b"SAMLRequest=a&SAMLRequest=b", b"SAMLRequest=%ff", b"SAMLRequest=%00", b"x" * 400_000],
    ids=["empty", "no value", "doubled", "no text", "NUL", "too large"],
)
def test_an_empty_or_damaged_form_is_a_page_and_an_event(house: House, body: bytes) -> None:
    page = house.browser().raw_post("/saml/sso", body)
    assert page.status_code in {400, 413}
    assert len(house.events("app.refused")) == 1
