"""Building what leaves: Response, Assertion and their statuses. Pure: identifiers and `now` are given.

Each function writes one paragraph of the standard. Values are put in as text nodes, so that nothing of a person can
become markup (RS-14). What is built here is signed by `sign.py` and not changed afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from doorward.clock import MINUTE, Instant, iso
from doorward.protocols.saml.names import BEARER, SAML, SAMLP, Element, Status, tag

VALID_FOR: Final = 5 * MINUTE
"""How long an assertion may be used, and how far a provider's clock may be behind (RS-07, RS-18)."""

_ASSERTION_SPACE: Final = {"saml": SAML}
_PROTOCOL_SPACE: Final = {"samlp": SAMLP, "saml": SAML}
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_RESPONSE: Final = tag(SAMLP, "Response")
_STATUS: Final = tag(SAMLP, "Status")
_STATUS_CODE: Final = tag(SAMLP, "StatusCode")
_STATUS_MESSAGE: Final = tag(SAMLP, "StatusMessage")
_ISSUER: Final = tag(SAML, "Issuer")
_ATTRIBUTE: Final = tag(SAML, "Attribute")
_ATTRIBUTE_VALUE: Final = tag(SAML, "AttributeValue")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every Response carries. `in_response_to` is None for one that nobody asked for (RS-17)."""

    response_id: str
    issuer: str
    destination: str
    in_response_to: str | None
    now: Instant


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute with its values in order; `name_format` is the name on the wire."""

    name: str
    name_format: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of a person: who, to whom, how and when they were authenticated, and their attributes.

    `authn_instant` is the time of the real authentication, `session_index` names the session to this provider alone.
    """

    assertion_id: str
    audience: str
    name_id: str
    name_id_format: str
    session_index: str
    session_ends_at: Instant
    authn_instant: Instant
    authn_context: str
    attributes: Sequence[Attribute] = ()


def xml_text(value: str) -> str:
    """Replace what XML 1.0 cannot carry (control characters, lone surrogates) by U+FFFD."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value)


def is_xml_text(value: str) -> bool:
    """Tell whether XML can carry `value` as it is."""
    return _NOT_XML.search(value) is None


def success(envelope: Envelope, statement: Statement) -> tuple[Element, Element]:
    """Build the Response of a launch and give it with its one Assertion (SAML Profiles §4.1.4.2; RS-02, RS-03)."""
    response = _response(envelope)
    etree.SubElement(etree.SubElement(response, _STATUS), _STATUS_CODE, {"Value": Status.SUCCESS.value})
    assertion = _assertion(envelope, statement)
    response.append(assertion)
    return response, assertion


def failure(envelope: Envelope, top: Status, nested: Status | None) -> Element:
    """Build the Response that tells a provider why it gets no assertion (SAML Core §3.2.2.1; RS-15).

    The message is the same for every failure: it says nothing about a person.
    """
    response = _response(envelope)
    status = etree.SubElement(response, _STATUS)
    code = etree.SubElement(status, _STATUS_CODE, {"Value": top.value})
    if nested is not None:
        etree.SubElement(code, _STATUS_CODE, {"Value": nested.value})
    etree.SubElement(status, _STATUS_MESSAGE).text = "The request could not be granted."
    return response


def _response(envelope: Envelope) -> Element:
    """SAML Core §3.2.2, with the Destination that SAML Bindings §3.5.5.2 asks of a signed message."""
    attributes = {
        "ID": envelope.response_id,
        "Version": "2.0",
        "IssueInstant": iso(envelope.now),
        "Destination": envelope.destination,
    }
    if envelope.in_response_to is not None:
        attributes["InResponseTo"] = envelope.in_response_to
    response = etree.Element(_RESPONSE, attributes, nsmap=_PROTOCOL_SPACE)
    etree.SubElement(response, _ISSUER).text = envelope.issuer
    return response


def _assertion(envelope: Envelope, statement: Statement) -> Element:
    """SAML Core §2.3.3. The namespace stands on the assertion itself: it is signed and read apart from its Response."""
    assertion = etree.Element(
        tag(SAML, "Assertion"),
        {"ID": statement.assertion_id, "Version": "2.0", "IssueInstant": iso(envelope.now)},
        nsmap=_ASSERTION_SPACE,
    )
    etree.SubElement(assertion, _ISSUER).text = envelope.issuer
    _add_subject(assertion, envelope, statement)
    _add_conditions(assertion, envelope, statement)
    _add_authn_statement(assertion, statement)
    _add_attributes(assertion, statement.attributes)
    return assertion


def _add_subject(assertion: Element, envelope: Envelope, statement: Statement) -> None:
    """SAML Core §2.4; SAML Profiles §4.1.4.2: Recipient and NotOnOrAfter, and no NotBefore (RS-07)."""
    subject = etree.SubElement(assertion, tag(SAML, "Subject"))
    name_id = etree.SubElement(subject, tag(SAML, "NameID"), {"Format": statement.name_id_format})
    name_id.text = statement.name_id
    confirmation = etree.SubElement(subject, tag(SAML, "SubjectConfirmation"), {"Method": BEARER})
    data = {"NotOnOrAfter": iso(envelope.now + VALID_FOR), "Recipient": envelope.destination}
    if envelope.in_response_to is not None:
        data["InResponseTo"] = envelope.in_response_to
    etree.SubElement(confirmation, tag(SAML, "SubjectConfirmationData"), data)


def _add_conditions(assertion: Element, envelope: Envelope, statement: Statement) -> None:
    """SAML Core §2.5.1. NotBefore lies back, so that a provider whose clock is behind takes it too (RS-08, RS-18)."""
    times = {"NotBefore": iso(envelope.now - VALID_FOR), "NotOnOrAfter": iso(envelope.now + VALID_FOR)}
    conditions = etree.SubElement(assertion, tag(SAML, "Conditions"), times)
    restriction = etree.SubElement(conditions, tag(SAML, "AudienceRestriction"))
    etree.SubElement(restriction, tag(SAML, "Audience")).text = statement.audience


def _add_authn_statement(assertion: Element, statement: Statement) -> None:
    """SAML Core §2.7.2: the true time (SS-01), the session as this provider knows it, the class that is true."""
    authn = etree.SubElement(
        assertion,
        tag(SAML, "AuthnStatement"),
        {
            "AuthnInstant": iso(statement.authn_instant),
            "SessionIndex": statement.session_index,
            "SessionNotOnOrAfter": iso(statement.session_ends_at),
        },
    )
    context = etree.SubElement(authn, tag(SAML, "AuthnContext"))
    etree.SubElement(context, tag(SAML, "AuthnContextClassRef")).text = statement.authn_context


def _add_attributes(assertion: Element, attributes: Sequence[Attribute]) -> None:
    """SAML Core §2.7.3, with one AttributeValue for each value (RS-12); none where there is nothing to say."""
    if not attributes:
        return
    holder = etree.SubElement(assertion, tag(SAML, "AttributeStatement"))
    for attribute in attributes:
        named = {"Name": attribute.name, "NameFormat": attribute.name_format}
        element = etree.SubElement(holder, _ATTRIBUTE, named)
        for value in attribute.values:
            etree.SubElement(element, _ATTRIBUTE_VALUE).text = xml_text(value)
