# Security: what a provider trusts (tests/standards/saml/test_rs_signature.py; RS-04, RS-05).
"""Signing our own messages: one enveloped signature with a reference to its parent (SAML Core §5.4).

Exclusive canonicalisation is lxml's, the signature `cryptography`'s. An element is canonicalised before its signature
is put in, which is the same as taking it out again (the enveloped transform), and only once.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lxml import etree

from doorward.protocols.saml.names import DS, ENVELOPED, EXCLUSIVE_C14N, SAML, SHA256, Element, tag

_SPACE: Final = {"ds": DS}
_ISSUER: Final = tag(SAML, "Issuer")
_SIGNATURE: Final = tag(DS, "Signature")
_SIGNED_INFO: Final = tag(DS, "SignedInfo")
_C14N_METHOD: Final = tag(DS, "CanonicalizationMethod")
_SIGNATURE_METHOD: Final = tag(DS, "SignatureMethod")
_REFERENCE: Final = tag(DS, "Reference")
_TRANSFORMS: Final = tag(DS, "Transforms")
_TRANSFORM: Final = tag(DS, "Transform")
_DIGEST_METHOD: Final = tag(DS, "DigestMethod")
_DIGEST_VALUE: Final = tag(DS, "DigestValue")
_SIGNATURE_VALUE: Final = tag(DS, "SignatureValue")
_KEY_INFO: Final = tag(DS, "KeyInfo")
_X509_DATA: Final = tag(DS, "X509Data")
_X509_CERTIFICATE: Final = tag(DS, "X509Certificate")


@dataclass(frozen=True, slots=True)
class Signer:
    """A key in use: its algorithm's name on the wire, what signs octets with it, and its certificate in base64."""

    algorithm: str
    sign: Callable[[bytes], bytes]
    certificate: str


def sign(element: Element, signer: Signer) -> None:
    """Sign `element` by its ID and put the signature behind its Issuer (RS-05). It must not be changed afterwards."""
    digest = b64encode(sha256(_canonical(element)).digest()).decode("ascii")
    signature = etree.Element(_SIGNATURE, nsmap=_SPACE)
    signed_info = _add_signed_info(signature, str(element.get("ID")), digest, signer.algorithm)
    value = etree.SubElement(signature, _SIGNATURE_VALUE)
    value.text = b64encode(signer.sign(_canonical(signed_info))).decode("ascii")
    key_info = etree.SubElement(signature, _KEY_INFO)
    data = etree.SubElement(key_info, _X509_DATA)
    etree.SubElement(data, _X509_CERTIFICATE).text = signer.certificate
    issuer = element[0]
    if issuer.tag != _ISSUER:
        raise ValueError("a signature follows the Issuer")
    issuer.addnext(signature)


def serialised(element: Element) -> bytes:
    """Write a message as UTF-8 without declaration or document type (RS-16)."""
    return etree.tostring(element, encoding="utf-8", xml_declaration=False)


def _add_signed_info(signature: Element, target: str, digest: str, algorithm: str) -> Element:
    """One Reference to the parent, with the two transforms that SAML allows (SAML Core §5.4.2 to §5.4.4)."""
    signed_info = etree.SubElement(signature, _SIGNED_INFO)
    etree.SubElement(signed_info, _C14N_METHOD, {"Algorithm": EXCLUSIVE_C14N})
    etree.SubElement(signed_info, _SIGNATURE_METHOD, {"Algorithm": algorithm})
    reference = etree.SubElement(signed_info, _REFERENCE, {"URI": f"#{target}"})
    transforms = etree.SubElement(reference, _TRANSFORMS)
    etree.SubElement(transforms, _TRANSFORM, {"Algorithm": ENVELOPED})
    etree.SubElement(transforms, _TRANSFORM, {"Algorithm": EXCLUSIVE_C14N})
    etree.SubElement(reference, _DIGEST_METHOD, {"Algorithm": SHA256})
    etree.SubElement(reference, _DIGEST_VALUE).text = digest
    return signed_info


def _canonical(element: Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
