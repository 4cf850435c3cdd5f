"""What a request may ask, and how it proves where it comes from: conversations with the composed application."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from doorward.clock import MINUTE, SECOND, iso
from doorward.organization import Mfa
from doorward.signin import Method
from doorward.store import schema
from support.house import House
from support.saml import (
    ACS,
    SAML,
    posted,
    redirect_query,
    rsa_pair,
    signed_message,
    signed_query,
)
from support.saml_house import (
    PASSWORD_CLASS,
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


@pytest.fixture
def house(quick_house: House) -> House:
    """What is asked here lies above the store: the quick database is enough."""
    return quick_house


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
