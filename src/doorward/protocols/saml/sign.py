# Security: what a provider trusts (tests/standards/saml/test_rs_messages.py; RS-04, RS-05).
"""Signing our own messages: one enveloped signature with a reference to its parent (SAML Core §5.4).

Exclusive canonicalisation is lxml's, the signature `cryptography`'s. An element is canonicalised before its signature
is put in, which is the same as taking it out again (the enveloped transform), and only once.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lxml import etree

from doorward.protocols.saml.names import DS, ENVELOPED, EXCLUSIVE_C14N, SAML, SHA256, Element, tag

_ISSUER: Final = tag(SAML, "Issuer")

# One Reference to the parent, with the two transforms that SAML allows (SAML Core §5.4.2 to §5.4.4). It is only copied.
_SIGNATURE: Final = etree.fromstring(
    f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"/>'
    f'<ds:SignatureMethod/><ds:Reference><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/>'
    f'<ds:Transform Algorithm="{EXCLUSIVE_C14N}"/></ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"/>'
    "<ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>"
    "<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>"
)


@dataclass(frozen=True, slots=True)
class Signer:
    """A key in use: its algorithm's name on the wire, what signs octets with it, and its certificate in base64."""

    algorithm: str
    sign: Callable[[bytes], bytes]
    certificate: str


def sign(element: Element, signer: Signer) -> None:
    """Sign `element` by its ID and put the signature behind its Issuer (RS-05). It must not be changed afterwards."""
    signature = deepcopy(_SIGNATURE)
    signed_info, value, key_info = signature
    _, method, reference = signed_info
    method.set("Algorithm", signer.algorithm)
    reference.set("URI", f"#{element.get('ID')}")
    reference[2].text = b64encode(sha256(_canonical(element)).digest()).decode("ascii")
    value.text = b64encode(signer.sign(_canonical(signed_info))).decode("ascii")
    key_info[0][0].text = signer.certificate
    issuer = element[0]
    if issuer.tag != _ISSUER:
        raise ValueError("a signature follows the Issuer")
    issuer.addnext(signature)


def serialised(element: Element) -> bytes:
    """Write a message as UTF-8 without declaration or document type (RS-16)."""
    return etree.tostring(element, encoding="utf-8", xml_declaration=False)


def _canonical(element: Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
