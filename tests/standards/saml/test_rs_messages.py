"""What leaves (STANDARDS 2.1 and 2.3): shape, signatures, values. Judged by libraries that are not ours."""

from __future__ import annotations

import shutil
import subprocess
import xml.parsers.expat
import xml.sax.saxutils
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import onelogin.saml2
import pytest
import signxml
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from doorward.clock import HOUR, MINUTE
from doorward.keys import KeyUse, SigningKey
from doorward.keys.key import make_key
from doorward.protocols.saml.build import Attribute, Envelope, Statement, failure, is_xml_text, success, xml_text
from doorward.protocols.saml.metadata import Description, metadata
from doorward.protocols.saml.names import (
    EMAIL_ADDRESS,
    NAME_FORMAT_BASIC,
    REFEDS_MFA,
    RSA_SHA256,
    Status,
)
from doorward.protocols.saml.sign import Signer, serialised, sign
from support.clocks import START
from support.saml import ACS, DS, ENTITY_ID, NAMES, SAML, SAMLP

IDP = "https://id.acme.example/saml/metadata"
ENVELOPE = Envelope("_response", IDP, ACS, "_r1", START)
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
SCHEMAS = Path(onelogin.saml2.__file__).parent / "schemas"
HOW = ("response", "assertion", "both")


@cache
def key() -> SigningKey:
    return make_key(KeyUse.SAML, START)


def signer() -> Signer:
    return Signer(RSA_SHA256, key().sign, key().certificate_base64)


def statement(name_id: str = "alice@acme.example", attributes: Sequence[Attribute] = ()) -> Statement:
    return Statement(
        assertion_id="_assertion",
        audience=ENTITY_ID,
        name_id=name_id,
        name_id_format=EMAIL_ADDRESS,
        session_index="_session",
        session_ends_at=START + HOUR,
        authn_instant=START - MINUTE,
        authn_context=REFEDS_MFA,
        attributes=attributes,
    )


def sent(how: str = "both", envelope: Envelope = ENVELOPE, said: Statement | None = None) -> bytes:
    response, assertion = success(envelope, said or statement(attributes=[attribute("a", "b", "c")]))
    if how != "response":
        sign(assertion, signer())
    if how != "assertion":
        sign(response, signer())
    return serialised(response)


def attribute(name: str, *values: str) -> Attribute:
    return Attribute(name, NAME_FORMAT_BASIC, values)


@cache
def schema(name: str) -> etree.XMLSchema:
    """The OASIS schemas, as a library for service providers ships them."""
    return etree.XMLSchema(etree.parse(str(SCHEMAS / name)))


def places(how: str) -> list[str]:
    return {"response": ["./"], "assertion": [f"./{{{SAML}}}Assertion/"], "both": ["./", f"./{{{SAML}}}Assertion/"]}[
        how
    ]


# ---------------------------------------------------------------------------------------------- signatures


@pytest.mark.parametrize("how", HOW)
def test_rs04_rs05_signxml_verifies_what_it_is_told_is_signed(how: str) -> None:
    certificate = x509.load_der_x509_certificate(key().certificate_der)
    for place in places(how):
        config = signxml.verifier.SignatureConfiguration(
            location=place,
            signature_methods=frozenset({signxml.SignatureMethod.RSA_SHA256}),
            digest_algorithms=frozenset({signxml.DigestAlgorithm.SHA256}),
            verification_time=certificate.not_valid_before_utc,
        )
        result = signxml.XMLVerifier().verify(sent(how), x509_cert=certificate, expect_config=config, id_attribute="ID")
        expected = f"{{{SAMLP}}}Response" if place == "./" else f"{{{SAML}}}Assertion"
        assert result.signed_xml.tag == expected


@pytest.mark.parametrize("how", HOW)
def test_rs04_rs05_python_xmlsec_verifies_each_signature(how: str) -> None:
    root = etree.fromstring(sent(how))
    xmlsec.tree.add_ids(root, ["ID"])
    signatures = list(root.iter(f"{{{DS}}}Signature"))
    assert len(signatures) == len(places(how))
    for signature in signatures:
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(_pem(), xmlsec.KeyFormat.CERT_PEM)
        context.verify(signature)


@pytest.mark.parametrize("how", HOW)
def test_rs04_rs05_the_xmlsec1_program_verifies_each_signature(how: str, tmp_path: Path) -> None:
    program = shutil.which("xmlsec1")
    assert program is not None, "make setup installs it"
    known = ["--id-attr:ID", f"{SAMLP}:Response", "--id-attr:ID", f"{SAML}:Assertion"]
    (tmp_path / "certificate.pem").write_bytes(_pem())
    (tmp_path / "message.xml").write_bytes(sent(how))
    for name, namespace in (("Response", SAMLP), ("Assertion", SAML)):
        if (name == "Response" and how == "assertion") or (name == "Assertion" and how == "response"):
            continue
        node = (
            "/*/*[local-name()='Assertion']/*[local-name()='Signature']"
            if name == "Assertion"
            else ("/*/*[local-name()='Signature']")
        )
        done = subprocess.run(
            [program, "--verify", "--pubkey-cert-pem", "certificate.pem", "--node-xpath", node, *known, "message.xml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (namespace, done.stderr)


@pytest.mark.parametrize("how", HOW)
def test_rs05_a_signature_has_the_one_shape_of_the_standard(how: str) -> None:
    root = etree.fromstring(sent(how))
    for signature in root.iter(f"{{{DS}}}Signature"):
        parent = signature.getparent()
        assert parent[0].tag == f"{{{SAML}}}Issuer"
        assert parent[1] is signature
        [reference] = signature.iter(f"{{{DS}}}Reference")
        assert reference.get("URI") == f"#{parent.get('ID')}"
        assert [t.get("Algorithm") for t in reference.iter(f"{{{DS}}}Transform")] == [
            f"{DS}enveloped-signature",
            "http://www.w3.org/2001/10/xml-exc-c14n#",
        ]
        [digest] = signature.iter(f"{{{DS}}}DigestMethod")
        assert digest.get("Algorithm") == "http://www.w3.org/2001/04/xmlenc#sha256"
        assert signature.findtext(".//ds:X509Certificate", namespaces=NAMES) == key().certificate_base64


def _pem() -> bytes:
    return x509.load_der_x509_certificate(key().certificate_der).public_bytes(Encoding.PEM)


def test_rs05_an_assertion_that_is_taken_out_of_its_response_still_verifies() -> None:
    root = etree.fromstring(sent())
    alone = etree.fromstring(etree.tostring(root.find("saml:Assertion", NAMES)))
    xmlsec.tree.add_ids(alone, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(_pem(), xmlsec.KeyFormat.CERT_PEM)
    context.verify(alone.find("ds:Signature", NAMES))


# ---------------------------------------------------------------------------------------------------- shape


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("in_response_to", ["_r1", None])
def test_rs02_a_response_is_valid_against_the_oasis_schema(how: str, in_response_to: str | None) -> None:
    envelope = Envelope("_response", IDP, ACS, in_response_to, START)
    schema("saml-schema-protocol-2.0.xsd").assertValid(etree.fromstring(sent(how, envelope)))


@pytest.mark.parametrize(
    ("top", "nested"),
    [
        (Status.REQUESTER, None),
        (Status.REQUESTER, Status.INVALID_NAME_ID_POLICY),
        (Status.RESPONDER, Status.NO_PASSIVE),
        (Status.VERSION_MISMATCH, Status.VERSION_TOO_HIGH),
    ],
)
def test_rs15_an_error_is_valid_and_holds_no_assertion(top: Status, nested: Status | None) -> None:
    response = failure(ENVELOPE, top, nested)
    sign(response, signer())
    root = etree.fromstring(serialised(response))
    schema("saml-schema-protocol-2.0.xsd").assertValid(root)
    assert list(root.iter(f"{{{SAML}}}Assertion")) == []
    assert [code.get("Value") for code in root.iter(f"{{{SAMLP}}}StatusCode")] == [
        status.value for status in (top, nested) if status is not None
    ]


def test_rs03_one_assertion_one_statement_and_at_most_one_of_attributes() -> None:
    root = etree.fromstring(sent())
    for name, count in (("Assertion", 1), ("AuthnStatement", 1), ("AttributeStatement", 1), ("NameID", 1)):
        assert len(list(root.iter(f"{{{SAML}}}{name}"))) == count
    bare = etree.fromstring(sent(said=statement()))
    assert list(bare.iter(f"{{{SAML}}}AttributeStatement")) == []


def test_rs07_the_bearer_confirmation_has_no_not_before() -> None:
    [data] = etree.fromstring(sent()).iter(f"{{{SAML}}}SubjectConfirmationData")
    assert set(data.attrib) == {"NotOnOrAfter", "Recipient", "InResponseTo"}


def test_rs16_no_document_type_and_the_same_tree_in_expat() -> None:
    octets = sent()
    assert b"<!" not in octets
    assert b"<?" not in octets
    kinds: list[str] = []
    parser = xml.parsers.expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = lambda name, _attributes: kinds.append(name)
    parser.Parse(octets, True)  # noqa: FBT003 - its only form
    assert kinds == [str(element.tag).removeprefix("{") for element in etree.fromstring(octets).iter()]


# --------------------------------------------------------------------------------------------------- values

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=300)
XML_TEXT = ANY_TEXT.filter(is_xml_text)


def told(octets: bytes) -> list[str]:
    """The values as a reader sees them: by another parser, after it checked nothing."""
    root = ET.fromstring(octets)  # noqa: S314 - our own message
    return ["".join(value.itertext()) for value in root.iter(f"{{{SAML}}}AttributeValue")]


@settings(max_examples=200, deadline=None)
@given(st.lists(XML_TEXT, min_size=1, max_size=5))
def test_rs12_rs13_every_value_goes_round_unchanged(values: list[str]) -> None:
    assert told(sent("response", said=statement(attributes=[attribute("a", *values)]))) == values


@settings(max_examples=200, deadline=None)
@given(XML_TEXT.filter(bool))
def test_rs14_a_name_identifier_goes_round_as_itself(name: str) -> None:
    root = ET.fromstring(sent("response", said=statement(name)))  # noqa: S314 - our own message
    [element] = root.iter(f"{{{SAML}}}NameID")
    assert len(element) == 0
    assert element.text == name


@pytest.mark.parametrize(
    "value",
    [
        "",
        "R&D",
        "<script>",
        "a\"b'c",
        "admin@acme.example<!---->.evil.example",
        "<![CDATA[x]]>",
        "]]>",
        "&#x41;&amp;",
        "\U0001f98a \u00e9 \u202e",
        "a\r\nb\tc\n",
        " padded ",
        "x" * 256,
    ],
)
def test_rs12_rs13_rs14_a70_special_characters_go_round_and_never_become_markup(value: str) -> None:
    octets = sent(said=statement(attributes=[attribute("a", value)]))
    assert told(octets) == [value]
    assert b"<!--" not in octets
    [element] = etree.fromstring(octets).iter(f"{{{SAML}}}AttributeValue")
    assert len(element) == 0


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_rs12_characters_that_xml_cannot_carry_are_replaced(value: str) -> None:
    assert is_xml_text(xml_text(value))
    assert len(xml_text(value)) == len(value)
    assert told(sent("response", said=statement(attributes=[attribute("a", value)]))) == [xml_text(value)]


@pytest.mark.parametrize("value", ["\0", "\x01", "\x1b[31m", "\ud800", "\ufffe", "\x7f"[:0] + "\x0b"])
def test_rs12_control_characters_and_lone_surrogates_do_not_break_a_message(value: str) -> None:
    assert told(sent(said=statement(attributes=[attribute("a", value)]))) == [xml_text(value)]


# ------------------------------------------------------------------------------------------------- metadata


def described(*certificates: str, contact: str | None = "help@acme.example", name: str = "Acme") -> Description:
    return Description(
        entity_id=IDP,
        sso_url="https://id.acme.example/saml/sso",
        certificates=certificates or (key().certificate_base64,),
        name=name,
        portal_url="https://id.acme.example/",
        technical_contact=contact,
    )


@pytest.mark.parametrize("contact", ["help@acme.example", None])
@pytest.mark.parametrize("name", ["Acme", 'R&D <"> Ünïcode'])
def test_sm01_metadata_is_valid_against_the_oasis_schema(contact: str | None, name: str) -> None:
    root = etree.fromstring(metadata(described(contact=contact, name=name)))
    schema("saml-schema-metadata-2.0.xsd").assertValid(root)
    assert root.tag == f"{{{MD}}}EntityDescriptor"
    assert len(str(root.get("entityID"))) <= 256


def test_sm02_sm03_what_is_offered_is_told_and_nothing_else() -> None:
    root = etree.fromstring(metadata(described()))
    [role] = root.iter(f"{{{MD}}}IDPSSODescriptor")
    assert role.get("WantAuthnRequestsSigned") == "false"
    services = {
        str(s.get("Binding")).rpartition(":")[2]: s.get("Location") for s in role.iter(f"{{{MD}}}SingleSignOnService")
    }
    assert services == dict.fromkeys(("HTTP-Redirect", "HTTP-POST"), "https://id.acme.example/saml/sso")
    assert [key.get("use") for key in role.iter(f"{{{MD}}}KeyDescriptor")] == ["signing"]
    for absent in ("SingleLogoutService", "ArtifactResolutionService", "AttributeService", "NameIDMappingService"):
        assert list(root.iter(f"{{{MD}}}{absent}")) == []
    assert role.get("errorURL") is None


def test_sm04_sm11_every_published_key_stands_in_the_metadata_the_one_in_use_first() -> None:
    second = make_key(KeyUse.SAML, START).certificate_base64
    root = etree.fromstring(metadata(described(key().certificate_base64, second)))
    assert [c.text for c in root.iter(f"{{{DS}}}X509Certificate")] == [key().certificate_base64, second]
    certificate = x509.load_der_x509_certificate(key().certificate_der)
    assert certificate.public_key().key_size >= 2048
    assert b64encode(key().certificate_der).decode() == key().certificate_base64
