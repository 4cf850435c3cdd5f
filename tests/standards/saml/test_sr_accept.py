"""Accepting an AuthnRequest (STANDARDS 2.2): each rule with what keeps it and what breaks it. No database, no HTTP."""

from __future__ import annotations

import pytest

from doorward.apps import App, SamlProvider
from doorward.clock import MINUTE, SECOND
from doorward.protocols.saml.accept import AcceptedRequest, request_from_json, request_to_json
from doorward.protocols.saml.bindings import from_query
from doorward.protocols.saml.context import AskedContext, asked_context, context_for, needs_second_factor
from doorward.protocols.saml.names import MICROSOFT_MFA, PASSWORD_CLASS, REFEDS_MFA, REFEDS_SFA, TIME_SYNC_TOKEN_CLASS
from doorward.protocols.saml.parse import AuthnContext
from doorward.protocols.saml.receive import accepted, known, opened
from doorward.protocols.saml.refusals import Answered, Reason, Refused, SamlError
from doorward.signin import Method, Proof
from support.clocks import START
from support.saml import ACS, ENDPOINT, ENTITY_ID, STATUS, Asks, redirect_query, saml_app

OTHER_ACS = "https://wiki.example/other"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
TWO = saml_app(SamlProvider(ENTITY_ID, (ACS, OTHER_ACS)))


def judge(asks: Asks, *apps: App, relay_state: str | None = None) -> AcceptedRequest:
    message = from_query(redirect_query(asks.xml(), relay_state).encode())
    received = opened(message)
    registered = [app for app in apps or (TWO,) if app.kind.entity_id == received.issuer]
    return accepted(known(received, registered, ENDPOINT), message.relay_state, START)


def refused(asks: Asks, *apps: App) -> Reason:
    with pytest.raises(Refused) as error:
        judge(asks, *apps)
    return error.value.reason


def told(asks: Asks, *apps: App) -> tuple[Reason, list[str]]:
    with pytest.raises(Answered) as error:
        judge(asks, *apps)
    codes = [error.value.top] if error.value.nested is None else [error.value.top, error.value.nested]
    return error.value.reason, [code.removeprefix(STATUS) for code in codes]


def test_a_plain_request_is_accepted_and_survives_its_row() -> None:
    request = judge(Asks(), relay_state="r")
    assert request.acs_url == ACS
    assert (request.request_id, request.relay_state, request.accepted_at) == ("_r1", "r", START)
    assert request_from_json(request_to_json(request)) == request


# ------------------------------------------------------------------------------------------ who, and where to


@pytest.mark.parametrize("issuer", [None, "", "https://wiki.example/saml/", "https://WIKI.example/saml", "other"])
def test_sr09_a_missing_or_unknown_issuer_is_told_nothing(issuer: str | None) -> None:
    assert refused(Asks(issuer=issuer)) in {Reason.ISSUER, Reason.UNKNOWN_PROVIDER}


def test_sr09_an_issuer_of_another_format_is_told_nothing() -> None:
    assert refused(Asks(issuer_format=EMAIL)) is Reason.ISSUER
    assert judge(Asks(issuer_format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity")).acs_url == ACS


@pytest.mark.parametrize("entity_id", ["google.com/a/acme.example", "Dropbox", "urn:amazon:webservices", " padded "])
def test_catalogue_1_an_entity_id_is_any_string_compared_exactly(entity_id: str) -> None:
    app = saml_app(SamlProvider(entity_id, (ACS,)))
    assert judge(Asks(issuer=entity_id), app).app_id == app.id


@pytest.mark.parametrize(
    "url",
    [
        "https://wiki.example/acs",
        "https://wiki.example/acs?tenant=a",
        ACS + "/",
        ACS + "&y=2",
        ACS.upper(),
        "https://wiki.example:443/acs?tenant=a&x=1",
        "https://wiki.example.evil.tld/acs?tenant=a&x=1",
        "https://user@wiki.example/acs?tenant=a&x=1",
        "https://wiki.example/a/../acs?tenant=a&x=1",
        "javascript:alert(1)",
        "",
    ],
)
def test_sr10_sr11_a76_only_the_exact_address_is_taken(url: str) -> None:
    assert refused(Asks(acs_url=url)) is Reason.ACS_UNKNOWN


def test_catalogue_4_a_near_miss_is_explained_to_the_admin() -> None:
    with pytest.raises(Refused, match=r"differs from .* by a trailing slash"):
        judge(Asks(acs_url=ACS + "/"))
    with pytest.raises(Refused, match="by its query"):
        judge(Asks(acs_url="https://wiki.example/acs?other=1"))


def test_sr10_neither_url_nor_index_means_the_first_address() -> None:
    assert judge(Asks(acs_url=None)).acs_url == ACS


@pytest.mark.parametrize(("index", "url"), [("0", ACS), ("1", OTHER_ACS)])
def test_sr10_an_index_chooses_an_address(index: str, url: str) -> None:
    assert judge(Asks(acs_url=None, more={"AssertionConsumerServiceIndex": index})).acs_url == url


@pytest.mark.parametrize("index", ["2", "-1", "", "a", "0.0", "\u0661", "99999999999999999999", "+1", " 1"])
def test_sr10_an_index_that_is_unknown_or_no_number_is_refused(index: str) -> None:
    assert refused(Asks(acs_url=None, more={"AssertionConsumerServiceIndex": index})) is Reason.ACS_UNKNOWN


def test_sr10_url_and_index_together_are_refused() -> None:
    assert refused(Asks(more={"AssertionConsumerServiceIndex": "0"})) is Reason.ACS_CONFLICT


def test_sr10_another_response_binding_is_told_unsupported_binding() -> None:
    artifact = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"
    expected = (Reason.BINDING, ["Requester", "UnsupportedBinding"])
    assert told(Asks(more={"ProtocolBinding": artifact})) == expected
    post = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    assert judge(Asks(more={"ProtocolBinding": post})).acs_url == ACS


def test_catalogue_2_one_entity_id_of_two_applications_is_told_apart_by_address() -> None:
    one = saml_app(SamlProvider(ENTITY_ID, (ACS,)), slug="one")
    two = saml_app(SamlProvider(ENTITY_ID, (OTHER_ACS,)), slug="two")
    assert judge(Asks(acs_url=OTHER_ACS), one, two).app_id == two.id
    assert refused(Asks(acs_url=None), one, two) is Reason.AMBIGUOUS_PROVIDER
    index = Asks(acs_url=None, more={"AssertionConsumerServiceIndex": "0"})
    assert refused(index, one, two) is Reason.AMBIGUOUS_PROVIDER


@pytest.mark.parametrize(
    "destination",
    ["", "https://evil.example/saml/sso", ENDPOINT + "/", ENDPOINT + "?a=1", "http://id.acme.example/saml/sso"],
)
def test_sr07_a_request_for_another_address_is_refused(destination: str) -> None:
    assert refused(Asks(destination=destination)) is Reason.DESTINATION


def test_sr07_an_unsigned_request_may_leave_its_destination_out() -> None:
    assert judge(Asks(destination=None)).acs_url == ACS


# ------------------------------------------------------------------------------------- version, identity, time


@pytest.mark.parametrize(
    ("version", "nested"),
    [("2.1", ["RequestVersionTooHigh"]), ("3.0", ["RequestVersionTooHigh"]), ("1.1", ["RequestVersionTooLow"])]
    + [(version, []) for version in (None, "", "2", "two", "2.0.0")],
)
def test_sr08_another_version_is_told_version_mismatch(version: str | None, nested: list[str]) -> None:
    assert told(Asks(version=version)) == (Reason.VERSION, ["VersionMismatch", *nested])


@pytest.mark.parametrize("name", [None, "", "1abc", "a b", "a:b", "-a", "_" + "a" * 300, "_a\n"])
def test_sr08_a_missing_or_wrong_id_is_told_requester(name: str | None) -> None:
    assert told(Asks(id=name)) == (Reason.ID, ["Requester"])


@pytest.mark.parametrize("off", [-5 * MINUTE, -3 * MINUTE, 0, 3 * MINUTE, 5 * MINUTE])
def test_sr08_a_clock_five_minutes_off_is_tolerated_either_way(off: int) -> None:
    assert judge(Asks(issued=START + off)).acs_url == ACS


@pytest.mark.parametrize("off", [-5 * MINUTE - SECOND, 5 * MINUTE + SECOND, -24 * 60 * MINUTE])
def test_sr08_an_older_or_later_request_is_told_request_denied(off: int) -> None:
    assert told(Asks(issued=START + off)) == (Reason.ISSUE_INSTANT, ["Requester", "RequestDenied"])


@pytest.mark.parametrize(
    "text", [None, "", "now", "2026-11-24", "2026-13-24T06:00:00Z", "1795500000", "2026-11-24T06:00:00Zx", "T06:00Z"]
)
def test_sr08_a_missing_or_wrong_issue_instant_is_told_requester(text: str | None) -> None:
    assert told(Asks(issued=text)) == (Reason.ISSUE_INSTANT, ["Requester"])


@pytest.mark.parametrize("text", ["06:00:00.123Z", "06:00:00.1234567Z", "06:00:00", "07:00:00+01:00"])
def test_sr08_the_forms_of_xs_date_time_are_read(text: str) -> None:
    assert judge(Asks(issued=f"2026-11-24T{text}")).acs_url == ACS


# ------------------------------------------------------------------------------------------------- what is asked


@pytest.mark.parametrize("text", ["true", "1", " true "])
def test_sr13_sr14_both_forms_of_true_are_read(text: str) -> None:
    request = judge(Asks(more={"ForceAuthn": text, "IsPassive": text}))
    assert request.force_authn
    assert request.is_passive


@pytest.mark.parametrize("text", ["TRUE", "yes", "2", ""])
def test_sr13_sr14_what_is_neither_true_nor_false_is_told_so(text: str) -> None:
    if text == "":
        assert not judge(Asks(more={"ForceAuthn": text})).force_authn
    else:
        assert told(Asks(more={"ForceAuthn": text})) == (Reason.MALFORMED, ["Requester"])


@pytest.mark.parametrize(
    "policy",
    [
        "<samlp:NameIDPolicy/>",
        '<samlp:NameIDPolicy AllowCreate="false"/>',
        f'<samlp:NameIDPolicy Format="{EMAIL}"/>',
        '<samlp:NameIDPolicy Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"/>',
        f'<samlp:NameIDPolicy SPNameQualifier="{ENTITY_ID}"/>',
    ],
)
def test_sr18_a_policy_that_fits_the_configured_format_is_accepted(policy: str) -> None:
    assert judge(Asks(inside=policy)).acs_url == ACS


@pytest.mark.parametrize(
    "policy",
    [
        f'<samlp:NameIDPolicy Format="{TRANSIENT}"/>',
        '<samlp:NameIDPolicy Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"/>',
        '<samlp:NameIDPolicy Format="urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted"/>',
        '<samlp:NameIDPolicy Format=""/>',
        '<samlp:NameIDPolicy SPNameQualifier="https://other.example"/>',
    ],
)
def test_sr18_another_policy_is_told_invalid_name_id_policy(policy: str) -> None:
    assert told(Asks(inside=policy)) == (Reason.NAME_ID_POLICY, ["Requester", "InvalidNameIDPolicy"])


def test_sr19_a_subject_by_name_id_is_kept_for_comparison() -> None:
    subject = "<saml:Subject><saml:NameID>alice@acme.example</saml:NameID></saml:Subject>"
    assert judge(Asks(inside=subject)).subject == "alice@acme.example"


@pytest.mark.parametrize(
    "subject",
    [
        "<saml:Subject/>",
        "<saml:Subject><saml:EncryptedID/></saml:Subject>",
        f'<saml:Subject><saml:NameID Format="{TRANSIENT}">x</saml:NameID></saml:Subject>',
        "<saml:Subject><saml:NameID></saml:NameID></saml:Subject>",
        '<saml:Subject><saml:NameID>a</saml:NameID><saml:SubjectConfirmation Method="m"/></saml:Subject>',
    ],
)
def test_sr20_a_subject_that_cannot_be_compared_is_told_request_unsupported(subject: str) -> None:
    assert told(Asks(inside=subject)) == (Reason.SUBJECT_UNSUPPORTED, ["Requester", "RequestUnsupported"])


def test_sr20_what_we_do_not_need_is_tolerated() -> None:
    inside = (
        '<samlp:Extensions><x:any xmlns:x="urn:x" x:a="1"/></samlp:Extensions>'
        '<saml:Conditions NotBefore="2026-11-24T06:00:00Z"/>'
        '<samlp:Scoping ProxyCount="2"><samlp:RequesterID>a</samlp:RequesterID></samlp:Scoping>'
    )
    more = {"Consent": "urn:oasis:names:tc:SAML:2.0:consent:unspecified", "ProviderName": "Wiki", "x": "1"}
    assert judge(Asks(inside=inside, more={**more, "AttributeConsumingServiceIndex": "1"})).acs_url == ACS


# ------------------------------------------------------------------------------------------ authentication contexts

PASSWORD = (Proof(Method.PASSWORD, 1),)
CODE = (*PASSWORD, Proof(Method.TOTP, 2))
RECOVERY = (*PASSWORD, Proof(Method.RECOVERY_CODE, 2))
OWN = "https://wiki.example/strong"


@pytest.mark.parametrize(
    ("comparison", "classes", "proofs", "expected"),
    [
        ("exact", (PASSWORD_CLASS,), PASSWORD, PASSWORD_CLASS),
        ("exact", (PASSWORD_CLASS,), CODE, PASSWORD_CLASS),
        ("exact", (REFEDS_SFA,), PASSWORD, REFEDS_SFA),
        ("exact", (REFEDS_MFA,), PASSWORD, None),
        ("exact", (REFEDS_MFA,), CODE, REFEDS_MFA),
        ("exact", (REFEDS_MFA,), RECOVERY, REFEDS_MFA),
        ("exact", (MICROSOFT_MFA,), CODE, MICROSOFT_MFA),
        ("exact", (TIME_SYNC_TOKEN_CLASS,), CODE, TIME_SYNC_TOKEN_CLASS),
        ("exact", (TIME_SYNC_TOKEN_CLASS,), RECOVERY, None),
        ("exact", (REFEDS_MFA, PASSWORD_CLASS), PASSWORD, PASSWORD_CLASS),
        ("exact", (PASSWORD_CLASS, REFEDS_MFA), CODE, PASSWORD_CLASS),
        ("exact", (OWN,), CODE, OWN),
        ("exact", (OWN,), PASSWORD, None),
        ("minimum", (PASSWORD_CLASS,), CODE, PASSWORD_CLASS),
        ("minimum", (PASSWORD_CLASS,), PASSWORD, PASSWORD_CLASS),
        ("minimum", (REFEDS_MFA,), PASSWORD, None),
        ("minimum", (TIME_SYNC_TOKEN_CLASS,), RECOVERY, OWN),
        ("maximum", (PASSWORD_CLASS,), CODE, PASSWORD_CLASS),
        ("maximum", (REFEDS_MFA,), CODE, OWN),
        ("maximum", (REFEDS_MFA,), PASSWORD, PASSWORD_CLASS),
        ("better", (PASSWORD_CLASS,), CODE, OWN),
        ("better", (PASSWORD_CLASS,), PASSWORD, None),
        ("better", (REFEDS_MFA,), CODE, None),
        ("exact", (), CODE, None),
    ],
)
def test_sr15_sr16_sr17_the_class_named_is_true_and_satisfies_what_was_asked(
    comparison: str, classes: tuple[str, ...], proofs: tuple[Proof, ...], expected: str | None
) -> None:
    assert context_for(AskedContext(comparison, classes), proofs, OWN) == expected


@pytest.mark.parametrize(
    ("proofs", "own", "expected"),
    [
        (PASSWORD, None, PASSWORD_CLASS),
        (PASSWORD, OWN, PASSWORD_CLASS),
        (CODE, None, REFEDS_MFA),
        (CODE, OWN, OWN),
        (CODE, PASSWORD_CLASS, PASSWORD_CLASS),
    ],
)
def test_sr16_ss02_without_a_wish_the_class_tells_what_was_done(
    proofs: tuple[Proof, ...], own: str | None, expected: str
) -> None:
    assert context_for(None, proofs, own) == expected


@pytest.mark.parametrize(
    ("comparison", "classes", "has_declarations"),
    [
        ("exact", ("urn:oasis:names:tc:SAML:2.0:ac:classes:X509",), False),
        ("exact", (), True),
        ("exact", (), False),
        ("exact", (PASSWORD_CLASS,), True),
        ("better", (REFEDS_MFA,), False),
        ("minimum", ("urn:unknown",), False),
        ("sideways", (PASSWORD_CLASS,), False),
    ],
)
def test_sr15_what_nobody_can_satisfy_is_told_no_authn_context(
    comparison: str, classes: tuple[str, ...], has_declarations: bool
) -> None:
    with pytest.raises(Answered) as error:
        asked_context(AuthnContext(comparison, classes, has_declarations), None)
    assert (error.value.top, error.value.nested) == (STATUS + "Requester", STATUS + "NoAuthnContext")


def test_sr15_classes_that_we_do_not_know_are_left_out_and_the_rest_is_kept() -> None:
    asked = AuthnContext("exact", ("urn:unknown", REFEDS_MFA, PASSWORD_CLASS), has_declarations=False)
    assert asked_context(asked, None) == AskedContext("exact", (REFEDS_MFA, PASSWORD_CLASS))


def test_sr15_a_request_names_its_classes_in_order() -> None:
    inside = (
        '<samlp:RequestedAuthnContext Comparison="minimum">'
        f"<saml:AuthnContextClassRef>\n {REFEDS_MFA} </saml:AuthnContextClassRef>"
        f"<saml:AuthnContextClassRef>{PASSWORD_CLASS}</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>"
    )
    assert judge(Asks(inside=inside)).context == AskedContext("minimum", (REFEDS_MFA, PASSWORD_CLASS))


def test_sr17_only_some_wishes_need_a_second_factor() -> None:
    assert needs_second_factor(AskedContext("exact", (REFEDS_MFA,)), None)
    assert needs_second_factor(AskedContext("better", (PASSWORD_CLASS,)), None)
    assert not needs_second_factor(AskedContext("exact", (REFEDS_MFA, PASSWORD_CLASS)), None)
    assert not needs_second_factor(None, None)


def test_a78_the_fault_of_an_unknown_provider_does_not_depend_on_what_it_asks() -> None:
    """Whoever is not registered learns nothing but that, whatever else is wrong with the request."""
    for asks in (Asks(), Asks(version="1.1"), Asks(id=None), Asks(acs_url="https://evil.example/")):
        with pytest.raises(SamlError) as error:
            accepted(known(opened(from_query(redirect_query(asks.xml()).encode())), [], ENDPOINT), None, START)
        assert error.value.reason is Reason.UNKNOWN_PROVIDER
