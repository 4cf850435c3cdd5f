"""Building what leaves: Response, Assertion and their statuses. Pure: identifiers and `now` are given.

A message is a copy of a frame with its places filled in, which takes a third of the time of making each element anew.
Each function fills in one paragraph of the standard. Values are put in as text nodes and attributes, so that nothing of
a person can become markup (RS-14). What is built here is signed by `sign.py` and not changed afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from lxml import etree

from doorward.clock import MINUTE, Instant, iso
from doorward.protocols.saml.names import BEARER, SAML, SAMLP, Element, Status, tag

VALID_FOR: Final = 5 * MINUTE
"""How long an assertion may be used, and how far a provider's clock may be behind (RS-07, RS-18)."""

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_STATUS_CODE: Final = tag(SAMLP, "StatusCode")
_ATTRIBUTE: Final = tag(SAML, "Attribute")
_ATTRIBUTE_VALUE: Final = tag(SAML, "AttributeValue")

_RESPONSE: Final = etree.fromstring(
    f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" Version="2.0"><saml:Issuer/><samlp:Status/>'
    "</samlp:Response>"
)
# Its namespace stands on the assertion itself: it is signed and read apart from its Response.
_ASSERTION: Final = etree.fromstring(
    f'<saml:Assertion xmlns:saml="{SAML}" Version="2.0"><saml:Issuer/>'
    f'<saml:Subject><saml:NameID/><saml:SubjectConfirmation Method="{BEARER}"><saml:SubjectConfirmationData/>'
    "</saml:SubjectConfirmation></saml:Subject>"
    "<saml:Conditions><saml:AudienceRestriction><saml:Audience/></saml:AudienceRestriction></saml:Conditions>"
    "<saml:AuthnStatement><saml:AuthnContext><saml:AuthnContextClassRef/></saml:AuthnContext></saml:AuthnStatement>"
    "</saml:Assertion>"
)


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
    response, status = _response(envelope)
    etree.SubElement(status, _STATUS_CODE, {"Value": Status.SUCCESS.value})
    assertion = _assertion(envelope, statement, str(response.get("IssueInstant")))
    response.append(assertion)
    return response, assertion


def failure(envelope: Envelope, top: Status, nested: Status | None) -> Element:
    """Build the Response that tells a provider why it gets no assertion (SAML Core §3.2.2.1; RS-15).

    The message is the same for every failure: it says nothing about a person.
    """
    response, status = _response(envelope)
    code = etree.SubElement(status, _STATUS_CODE, {"Value": top.value})
    if nested is not None:
        etree.SubElement(code, _STATUS_CODE, {"Value": nested.value})
    etree.SubElement(status, tag(SAMLP, "StatusMessage")).text = "The request could not be granted."
    return response


def _response(envelope: Envelope) -> tuple[Element, Element]:
    """SAML Core §3.2.2, with the Destination that SAML Bindings §3.5.5.2 asks of a signed message."""
    response = deepcopy(_RESPONSE)
    response.set("ID", envelope.response_id)
    response.set("IssueInstant", iso(envelope.now))
    response.set("Destination", envelope.destination)
    if envelope.in_response_to is not None:
        response.set("InResponseTo", envelope.in_response_to)
    issuer, status = response
    issuer.text = envelope.issuer
    return response, status


def _assertion(envelope: Envelope, statement: Statement, issued: str) -> Element:
    """SAML Core §2.3.3."""
    assertion = deepcopy(_ASSERTION)
    assertion.set("ID", statement.assertion_id)
    assertion.set("IssueInstant", issued)
    issuer, subject, conditions, authn = assertion
    issuer.text = envelope.issuer
    expires = iso(envelope.now + VALID_FOR)
    _fill_subject(subject, envelope, statement, expires)
    _fill_conditions(conditions, envelope, statement, expires)
    _fill_authn_statement(authn, statement)
    _add_attributes(assertion, statement.attributes)
    return assertion


def _fill_subject(subject: Element, envelope: Envelope, statement: Statement, expires: str) -> None:
    """SAML Core §2.4; SAML Profiles §4.1.4.2: Recipient and NotOnOrAfter, and no NotBefore (RS-07)."""
    name_id, confirmation = subject
    name_id.set("Format", statement.name_id_format)
    name_id.text = statement.name_id
    data = confirmation[0]
    data.set("NotOnOrAfter", expires)
    data.set("Recipient", envelope.destination)
    if envelope.in_response_to is not None:
        data.set("InResponseTo", envelope.in_response_to)


def _fill_conditions(conditions: Element, envelope: Envelope, statement: Statement, expires: str) -> None:
    """SAML Core §2.5.1. NotBefore lies back, so that a provider whose clock is behind takes it too (RS-08, RS-18)."""
    conditions.set("NotBefore", iso(envelope.now - VALID_FOR))
    conditions.set("NotOnOrAfter", expires)
    conditions[0][0].text = statement.audience


def _fill_authn_statement(authn: Element, statement: Statement) -> None:
    """SAML Core §2.7.2: the true time (SS-01), the session as this provider knows it, the class that is true."""
    authn.set("AuthnInstant", iso(statement.authn_instant))
    authn.set("SessionIndex", statement.session_index)
    authn.set("SessionNotOnOrAfter", iso(statement.session_ends_at))
    authn[0][0].text = statement.authn_context


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
