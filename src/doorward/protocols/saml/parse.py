# Security: every octet of a stranger's XML passes through here (tests/standards/saml/test_corpus.py; XA-01 to XA-19).
"""Reading a message: from octets to a `ReceivedRequest`, which nobody has checked yet.

There is one parser. It never sees a document type, entity, comment, CDATA section or processing instruction: in
well-formed XML `<!` and `<?` begin nothing else, so they are refused by their octets before parsing. What is left
has one reading, in which the text of an element is one text node.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from lxml import etree

from doorward.protocols.saml.names import DS, SAML, SAMLP, Element, tag
from doorward.protocols.saml.refusals import Reason, Refused

MAX_MESSAGE_BYTES: Final = 64 * 1024
_MAX_DEPTH: Final = 24
_MAX_ELEMENTS: Final = 1_000
_MAX_ATTRIBUTES: Final = 32
_MAX_VALUE: Final = 1_024

_DECLARATION: Final = re.compile(
    rb"""\A<\?xml\s+version\s*=\s*(["'])1\.0\1(?:\s+encoding\s*=\s*(["'])[Uu][Tt][Ff]-8\2)?"""
    rb"""(?:\s+standalone\s*=\s*(["'])(?:yes|no)\3)?\s*\?>"""
)
_REQUEST: Final = tag(SAMLP, "AuthnRequest")
_ISSUER: Final = tag(SAML, "Issuer")
_SUBJECT: Final = tag(SAML, "Subject")
_NAME_ID_POLICY: Final = tag(SAMLP, "NameIDPolicy")
_AUTHN_CONTEXT: Final = tag(SAMLP, "RequestedAuthnContext")
_SIGNATURE: Final = tag(DS, "Signature")
_ONCE: Final = frozenset(
    {
        *(_ISSUER, _SUBJECT, _NAME_ID_POLICY, _AUTHN_CONTEXT),
        *(tag(SAML, "Conditions"), tag(SAMLP, "Scoping"), tag(SAMLP, "Extensions")),
    }
)


@dataclass(frozen=True, slots=True)
class NameIdPolicy:
    """What a provider wants as name identifier (SAML Core §3.4.1.1)."""

    format: str | None
    sp_name_qualifier: str | None


@dataclass(frozen=True, slots=True)
class AuthnContext:
    """What a provider wants to have been proved (SAML Core §3.3.2.2.1)."""

    comparison: str
    classes: tuple[str, ...]
    has_declarations: bool


@dataclass(frozen=True, slots=True)
class RequestedSubject:
    """The person whom a provider wants to see signed in. `name_id` is None where it is named in another way."""

    name_id: str | None
    format: str | None
    has_confirmation: bool


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """An AuthnRequest as somebody sent it. Nothing in it may be acted on: `accept.py` makes an `AcceptedRequest`.

    `issuer` and `id` are None where they are missing; texts stand exactly as they were sent.
    """

    id: str | None
    version: str | None
    issue_instant: str | None
    issuer: str | None
    issuer_format: str | None
    destination: str | None
    acs_url: str | None
    acs_index: str | None
    protocol_binding: str | None
    force_authn: str | None
    is_passive: str | None
    name_id_policy: NameIdPolicy | None
    authn_context: AuthnContext | None
    subject: RequestedSubject | None


@cache
def safe_parser() -> etree.XMLParser:
    """Give the only kind of parser that reads foreign XML: no entities, no network, no DTD, no huge tree."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        collect_ids=False,
        encoding="utf-8",
    )


def parse_message(octets: bytes) -> Element:
    """Parse a whole message, within the caps on size, depth, elements and attributes.

    Raises:
        Refused: it is too large, no XML, or holds markup that no SAML message needs.
    """
    if len(octets) > MAX_MESSAGE_BYTES:
        raise Refused(Reason.TOO_LARGE, "the message is larger than 64 KiB")
    body = _DECLARATION.sub(b"", octets, count=1)
    _check_octets(body)
    try:
        root = etree.fromstring(body.lstrip(b" \t\r\n"), safe_parser())
    except etree.XMLSyntaxError as error:
        raise Refused(Reason.NOT_XML, str(error.msg)) from error
    _check_shape(root)
    return root


def _check_octets(body: bytes) -> None:
    """Refuse other encodings (UTF-16, overlong forms, a byte order mark) and every markup but elements."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(Reason.ENCODING, "the message is not UTF-8") from error
    if text.startswith("\ufeff") or "\0" in text:
        raise Refused(Reason.ENCODING, "the message begins with a byte order mark or holds NUL")
    if "<!" in text:
        raise Refused(Reason.MARKUP_REFUSED, "a document type, comment or CDATA section")
    if "<?" in text:
        raise Refused(Reason.MARKUP_REFUSED, "a processing instruction or a second declaration")


def _check_shape(root: Element) -> None:
    seen_ids: set[str] = set()
    elements = 0
    waiting = [(root, 1)]
    while waiting:
        element, depth = waiting.pop()
        elements += 1
        if elements > _MAX_ELEMENTS or depth > _MAX_DEPTH or len(element.attrib) > _MAX_ATTRIBUTES:
            raise Refused(Reason.TOO_LARGE, "too many elements or attributes, or nested too deeply")
        for name, value in element.attrib.items():
            # Whatever a consumer takes for an identifier must be one: two elements of one name confuse verifiers.
            if str(name).rpartition("}")[2].lower() == "id":
                if str(value) in seen_ids:
                    raise Refused(Reason.MALFORMED, "two elements have the same identifier")
                seen_ids.add(str(value))
        waiting.extend((child, depth + 1) for child in element)


def read_request(root: Element) -> ReceivedRequest:
    """Read the fields of an AuthnRequest. The type of the message is checked before anything else (XA-19).

    Raises:
        Refused: it is another message, or an element stands twice, in the wrong place or with the wrong content.
    """
    if root.tag != _REQUEST:
        raise Refused(Reason.NOT_A_REQUEST, "the message is not an AuthnRequest")
    children: dict[str, Element] = {}
    for child in root:
        name = str(child.tag)
        if name in children and name in _ONCE:
            raise Refused(Reason.MALFORMED, f"{name} stands twice")
        children[name] = child
    if sum(1 for _ in root.iter(_REQUEST)) > 1:
        raise Refused(Reason.MALFORMED, "a request within the request")
    issuer = children.get(_ISSUER)
    return ReceivedRequest(
        id=_attribute(root, "ID"),
        version=_attribute(root, "Version"),
        issue_instant=_attribute(root, "IssueInstant"),
        issuer=None if issuer is None else _leaf(issuer),
        issuer_format=None if issuer is None else _attribute(issuer, "Format"),
        destination=_attribute(root, "Destination"),
        acs_url=_attribute(root, "AssertionConsumerServiceURL"),
        acs_index=_attribute(root, "AssertionConsumerServiceIndex"),
        protocol_binding=_attribute(root, "ProtocolBinding"),
        force_authn=_attribute(root, "ForceAuthn"),
        is_passive=_attribute(root, "IsPassive"),
        name_id_policy=_name_id_policy(children.get(_NAME_ID_POLICY)),
        authn_context=_authn_context(children.get(_AUTHN_CONTEXT)),
        subject=_subject(children.get(_SUBJECT)),
    )


def signatures_in(root: Element) -> list[Element]:
    """List every signature element, wherever it stands."""
    return list(root.iter(_SIGNATURE))


def _attribute(element: Element, name: str) -> str | None:
    value = element.get(name)
    if value is not None and len(value) > _MAX_VALUE:
        raise Refused(Reason.TOO_LARGE, f"{name} is too long")
    return None if value is None else str(value)


def _leaf(element: Element) -> str:
    """Give the whole text of an element that holds nothing but text."""
    if len(element):
        raise Refused(Reason.MALFORMED, "an element where only text belongs")
    text = str(element.text or "")
    if len(text) > _MAX_VALUE:
        raise Refused(Reason.TOO_LARGE, "a text is too long")
    return text


def _name_id_policy(element: Element | None) -> NameIdPolicy | None:
    if element is None:
        return None
    return NameIdPolicy(_attribute(element, "Format"), _attribute(element, "SPNameQualifier"))


def _authn_context(element: Element | None) -> AuthnContext | None:
    if element is None:
        return None
    return AuthnContext(
        comparison=_attribute(element, "Comparison") or "exact",
        classes=tuple(_leaf(child).strip() for child in element.findall(tag(SAML, "AuthnContextClassRef"))),
        has_declarations=element.find(tag(SAML, "AuthnContextDeclRef")) is not None,
    )


def _subject(element: Element | None) -> RequestedSubject | None:
    if element is None:
        return None
    name_id = element.find(tag(SAML, "NameID"))
    return RequestedSubject(
        name_id=None if name_id is None else _leaf(name_id),
        format=None if name_id is None else _attribute(name_id, "Format"),
        has_confirmation=element.find(tag(SAML, "SubjectConfirmation")) is not None,
    )
