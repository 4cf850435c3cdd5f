"""XA-21: the service provider of the demo takes a good assertion once, and nothing else."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from doorward.cli.demo_apps.saml_app import Refused, ServiceProvider
from doorward.clock import HOUR, MINUTE, Instant, from_datetime, system_clock
from doorward.protocols.saml import build, sign
from doorward.protocols.saml.names import EMAIL_ADDRESS, RSA_SHA256, SAML, Element, tag

_IDP = "http://localhost:8000/saml/metadata"
_TAMPERED = b"mallory@acme.example"


def _signer() -> sign.Signer:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    now = datetime.fromtimestamp(system_clock() / 1000, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    return sign.Signer(
        RSA_SHA256, lambda octets: key.sign(octets, padding.PKCS1v15(), hashes.SHA256()), b64encode(der).decode()
    )


@pytest.fixture(scope="module")
def signer() -> sign.Signer:
    return _signer()


@pytest.fixture
def provider(signer: sign.Signer) -> ServiceProvider:
    provider = ServiceProvider("http://localhost:8001", "http://localhost:8000", system_clock)
    idp = {
        "entityId": _IDP,
        "singleSignOnService": {"url": "http://localhost:8000/saml/sso"},
        "x509cert": signer.certificate,
    }
    provider.known = OneLogin_Saml2_Settings({**provider._own_settings(), "idp": idp})
    return provider


def _keep(_response: Element, _assertion: Element) -> None:
    """Change nothing."""


def answer(
    provider: ServiceProvider,
    signer: sign.Signer,
    *,
    now: Instant | None = None,
    destination: str | None = None,
    audience: str | None = None,
    issuer: str = _IDP,
    asked: str | None = None,
    change: Callable[[Element, Element], None] = _keep,
    signs: tuple[str, ...] = ("assertion", "response"),
) -> str:
    at = system_clock() if now is None else now
    envelope = build.Envelope("_response", issuer, destination or provider.acs, asked, at)
    statement = build.Statement(
        assertion_id="_assertion",
        audience=audience or provider.entity_id,
        name_id="alice@acme.example",
        name_id_format=EMAIL_ADDRESS,
        session_index="_session",
        session_ends_at=at + HOUR,
        authn_instant=at,
        authn_context="urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
        attributes=(build.Attribute("mail", "urn:oasis:names:tc:SAML:2.0:attrname-format:basic", ("a@acme.example",)),),
    )
    response, assertion = build.success(envelope, statement)
    change(response, assertion)
    if "assertion" in signs:
        sign.sign(assertion, signer)
    if "response" in signs:
        sign.sign(response, signer)
    return b64encode(sign.serialised(response)).decode("ascii")


def _recipient(address: str) -> Callable[[Element, Element], None]:
    def change(_response: Element, assertion: Element) -> None:
        for data in assertion.iter(tag(SAML, "SubjectConfirmationData")):
            data.set("Recipient", address)

    return change


def test_xa21_a_good_assertion_is_taken(provider: ServiceProvider, signer: sign.Signer) -> None:
    accepted = provider.accept(answer(provider, signer))
    assert accepted.name_id == "alice@acme.example"
    assert accepted.attributes == {"mail": ["a@acme.example"]}
    assert not accepted.was_asked_for


@pytest.mark.parametrize("signs", [(), ("assertion",), ("response",)])
def test_xa21_what_is_not_signed_whole_is_refused(
    provider: ServiceProvider, signer: sign.Signer, signs: tuple[str, ...]
) -> None:
    with pytest.raises(Refused):
        provider.accept(answer(provider, signer, signs=signs))


def test_xa21_another_key_is_refused(provider: ServiceProvider) -> None:
    with pytest.raises(Refused):
        provider.accept(answer(provider, _signer()))


@pytest.mark.parametrize("away", [-20 * MINUTE, 20 * MINUTE])
def test_xa21_an_expired_assertion_and_one_from_the_future_are_refused(
    provider: ServiceProvider, signer: sign.Signer, away: int
) -> None:
    with pytest.raises(Refused):
        provider.accept(answer(provider, signer, now=system_clock() + away))


def test_xa21_a_replayed_assertion_is_refused(provider: ServiceProvider, signer: sign.Signer) -> None:
    encoded = answer(provider, signer)
    provider.accept(encoded)
    with pytest.raises(Refused, match="used already"):
        provider.accept(encoded)


@pytest.mark.parametrize("audience", ["http://localhost:8001/metadat", "http://localhost:8001/metadata/", "other"])
def test_xa21_another_audience_is_refused(provider: ServiceProvider, signer: sign.Signer, audience: str) -> None:
    with pytest.raises(Refused):
        provider.accept(answer(provider, signer, audience=audience))


@pytest.mark.parametrize(
    "address", ["http://localhost:8001/acs/more", "http://evil.example/?http://localhost:8001/acs", "http://localhost"]
)
def test_xa21_another_recipient_is_refused(provider: ServiceProvider, signer: sign.Signer, address: str) -> None:
    with pytest.raises(Refused):
        provider.accept(answer(provider, signer, change=_recipient(address)))


def test_xa21_a_missing_recipient_is_refused(provider: ServiceProvider, signer: sign.Signer) -> None:
    def change(_response: Element, assertion: Element) -> None:
        for data in assertion.iter(tag(SAML, "SubjectConfirmationData")):
            del data.attrib["Recipient"]

    with pytest.raises(Refused):
        provider.accept(answer(provider, signer, change=change))


def test_xa21_another_destination_is_refused(provider: ServiceProvider, signer: sign.Signer) -> None:
    def change(response: Element, _assertion: Element) -> None:
        response.set("Destination", "http://localhost:8001/acs?more")

    with pytest.raises(Refused):
        provider.accept(answer(provider, signer, change=change))


def test_xa21_another_issuer_is_refused(provider: ServiceProvider, signer: sign.Signer) -> None:
    with pytest.raises(Refused):
        provider.accept(answer(provider, signer, issuer="http://evil.example/metadata"))


def test_xa21_a_changed_octet_is_refused(provider: ServiceProvider, signer: sign.Signer) -> None:
    changed = b64decode(answer(provider, signer)).replace(b"alice@acme.example", _TAMPERED)
    assert _TAMPERED in changed
    with pytest.raises(Refused):
        provider.accept(b64encode(changed).decode("ascii"))


def test_an_answer_to_a_request_that_is_not_open_is_refused(provider: ServiceProvider, signer: sign.Signer) -> None:
    with pytest.raises(Refused, match="did not make"):
        provider.accept(answer(provider, signer, asked="_never-asked"))


def test_a_request_is_answered_once(provider: ServiceProvider, signer: sign.Signer) -> None:
    provider.memory.asked("_asked", from_datetime(datetime.fromtimestamp(system_clock() / 1000, UTC)))

    def rename(_response: Element, assertion: Element) -> None:
        assertion.set("ID", "_another")

    assert provider.accept(answer(provider, signer, asked="_asked")).was_asked_for
    with pytest.raises(Refused, match="did not make"):
        provider.accept(answer(provider, signer, asked="_asked", change=rename))


@pytest.mark.parametrize(
    "encoded", ["", "%%%", "PHg+", b64encode(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").decode()]
)
def test_what_is_no_response_is_refused(provider: ServiceProvider, encoded: str) -> None:
    with pytest.raises(Refused):
        provider.accept(encoded)
