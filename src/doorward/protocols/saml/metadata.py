"""The metadata document: what this identity provider is and offers, and nothing that it does not offer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from doorward.protocols.saml.names import DS, EMAIL_ADDRESS, MD, MDUI, POST, REDIRECT, SAMLP, XML, Element, tag

MEDIA_TYPE: Final = "application/samlmetadata+xml"  # SAML Metadata §4.1.1

_SPACE: Final = {"md": MD, "ds": DS, "mdui": MDUI}
_CACHE_FOR: Final = "PT1H"  # short, so that a roll-over of keys is seen soon


@dataclass(frozen=True, slots=True)
class Description:
    """What the document tells. `certificates` are base64 DER, the one in use first (SM-04, SM-11)."""

    entity_id: str
    sso_url: str
    certificates: Sequence[str]
    name: str
    portal_url: str
    technical_contact: str | None


def metadata(description: Description) -> bytes:
    """Write one EntityDescriptor with one IDPSSODescriptor (SAML Metadata §2.3.2 and §2.4.3; SM-01 to SM-03)."""
    entity = etree.Element(
        tag(MD, "EntityDescriptor"),
        {"entityID": description.entity_id, "cacheDuration": _CACHE_FOR},
        nsmap=_SPACE,
    )
    # Each provider decides by its own registration whether its requests must be signed; none has to in general.
    role = etree.SubElement(
        entity,
        tag(MD, "IDPSSODescriptor"),
        {"protocolSupportEnumeration": SAMLP, "WantAuthnRequestsSigned": "false"},
    )
    extensions = etree.SubElement(role, tag(MD, "Extensions"))
    info = etree.SubElement(extensions, tag(MDUI, "UIInfo"))
    _localised(info, tag(MDUI, "DisplayName"), description.name)
    for certificate in description.certificates:
        key = etree.SubElement(role, tag(MD, "KeyDescriptor"), {"use": "signing"})
        data = etree.SubElement(etree.SubElement(key, tag(DS, "KeyInfo")), tag(DS, "X509Data"))
        etree.SubElement(data, tag(DS, "X509Certificate")).text = certificate
    etree.SubElement(role, tag(MD, "NameIDFormat")).text = EMAIL_ADDRESS
    for binding in (REDIRECT, POST):
        service = {"Binding": binding, "Location": description.sso_url}
        etree.SubElement(role, tag(MD, "SingleSignOnService"), service)
    _add_people(entity, description)
    return etree.tostring(entity, encoding="utf-8", xml_declaration=True)


def _add_people(entity: Element, description: Description) -> None:
    organization = etree.SubElement(entity, tag(MD, "Organization"))
    _localised(organization, tag(MD, "OrganizationName"), description.name)
    _localised(organization, tag(MD, "OrganizationDisplayName"), description.name)
    _localised(organization, tag(MD, "OrganizationURL"), description.portal_url)
    if description.technical_contact is not None:
        contact = etree.SubElement(entity, tag(MD, "ContactPerson"), {"contactType": "technical"})
        etree.SubElement(contact, tag(MD, "EmailAddress")).text = f"mailto:{description.technical_contact}"


def _localised(parent: Element, name: str, text: str) -> None:
    etree.SubElement(parent, name, {tag(XML, "lang"): "en"}).text = text
