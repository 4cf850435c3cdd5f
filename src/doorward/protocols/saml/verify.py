# Security: what a stranger's signature is worth (tests/standards/saml/test_sr_signature.py; SR-03 to SR-06, XA-06 on).
"""Checking the signatures of providers, with the keys that were registered for them and no others.

A certificate is a bare key here: neither its dates nor its issuer count, because trust comes from the registration
alone (SDP-IDP32, A77), and removing it there ends the trust at once. What a message says about its own key is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import Certificate, load_pem_x509_certificate
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from doorward.protocols.saml.bindings import QuerySignature
from doorward.protocols.saml.names import DS, ENVELOPED, EXCLUSIVE_C14N, SAMLP, Element, tag
from doorward.protocols.saml.parse import parse_message, safe_parser, signatures_in
from doorward.protocols.saml.refusals import Reason, Refused

_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_RSA: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    f"{_MORE}rsa-sha256": hashes.SHA256,
    f"{_MORE}rsa-sha384": hashes.SHA384,
    f"{_MORE}rsa-sha512": hashes.SHA512,
}
_ECDSA: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    f"{_MORE}ecdsa-sha256": hashes.SHA256,
    f"{_MORE}ecdsa-sha384": hashes.SHA384,
    f"{_MORE}ecdsa-sha512": hashes.SHA512,
}
_METHODS: Final = frozenset(SignatureMethod(name) for name in (*_RSA, *_ECDSA))
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_LEAST_RSA_BITS: Final = 2048
_LEAST_EC_BITS: Final = 256


def verify_query(signature: QuerySignature, certificates: Sequence[str]) -> None:
    """Check a signature of the Redirect binding against every registered key (SM-06).

    Raises:
        Refused: the algorithm is not allowed, or no key made it.
    """
    if signature.algorithm not in _RSA and signature.algorithm not in _ECDSA:
        raise Refused(Reason.SIGNATURE_ALGORITHM, f"SigAlg {signature.algorithm[:100]}")
    for certificate in _loaded(certificates):
        if _made_by(certificate, signature):
            return
    raise Refused(Reason.SIGNATURE_INVALID, "no registered key made this signature")


def verify_embedded(root: Element, certificates: Sequence[str]) -> Element:
    """Check the enveloped signature of a message and give back what was signed, parsed from the signed octets.

    Only the returned element may be read: whatever else stood in the message was signed by nobody (XA-18, A69).

    Raises:
        Refused: the signature is not in the one shape that SAML Core §5.4 allows, or no key made it.
    """
    _check_shape(root)
    for certificate in _loaded(certificates):
        signed = _signed_by(certificate, root)
        if signed is not None:
            message = parse_message(signed)
            if message.tag != root.tag or message.get("ID") != root.get("ID"):
                raise Refused(Reason.SIGNATURE_INVALID, "something else than the message was signed")
            return message
    raise Refused(Reason.SIGNATURE_INVALID, "no registered key made this signature")


def check_signature_places(root: Element) -> None:
    """Check that a message holds no signature but one as a child of the root, known keys or not.

    Raises:
        Refused: a signature stands elsewhere, or there are several.
    """
    found = signatures_in(root)
    if len(found) > 1 or any(signature.getparent() is not root for signature in found):
        raise Refused(Reason.SIGNATURE_INVALID, "a signature stands where none belongs")


def _check_shape(root: Element) -> None:
    """One reference to the root by its ID; the enveloped transform, then exclusive c14n; nothing else.

    Checked before any of it is computed: XSLT, XPath, external references and HMAC never reach a library.
    """
    check_signature_places(root)
    signature = root.find(tag(DS, "Signature"))
    signed_info = None if signature is None else signature.find(tag(DS, "SignedInfo"))
    if root.tag != tag(SAMLP, "AuthnRequest") or signature is None or signed_info is None:
        raise Refused(Reason.SIGNATURE_INVALID, "there is no complete signature")
    if signature.find(tag(DS, "Object")) is not None:
        raise Refused(Reason.SIGNATURE_INVALID, "the signature carries an object")
    references = signed_info.findall(tag(DS, "Reference"))
    if len(references) != 1 or references[0].get("URI") != f"#{root.get('ID')}" or not root.get("ID"):
        raise Refused(Reason.SIGNATURE_INVALID, "the signature is not over the message and nothing else")
    method = signed_info.find(tag(DS, "SignatureMethod"))
    if method is None or method.get("Algorithm") not in {*_RSA, *_ECDSA} or len(method):
        raise Refused(Reason.SIGNATURE_ALGORITHM, f"{None if method is None else method.get('Algorithm')}")
    digest = references[0].find(tag(DS, "DigestMethod"))
    if digest is None or digest.get("Algorithm") not in {known.value for known in _DIGESTS}:
        raise Refused(Reason.SIGNATURE_ALGORITHM, f"digest {None if digest is None else digest.get('Algorithm')}")
    transforms = [element.get("Algorithm") for element in references[0].iterfind(f"{tag(DS, 'Transforms')}/*")]
    c14n = signed_info.find(tag(DS, "CanonicalizationMethod"))
    if transforms != [ENVELOPED, EXCLUSIVE_C14N] or c14n is None or c14n.get("Algorithm") != EXCLUSIVE_C14N:
        raise Refused(Reason.SIGNATURE_INVALID, "other transforms than enveloped and exclusive c14n")


def _signed_by(certificate: Certificate, root: Element) -> bytes | None:
    config = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        ignore_ambiguous_key_info=True,  # what a message says about its key is not read (XA-13)
        verification_time=certificate.not_valid_before_utc,  # a bare key has no dates
    )
    try:
        verify = cast("Callable[..., object]", getattr(XMLVerifier(), "verify"))  # noqa: B009 - its types are partial
        result = verify(root, x509_cert=certificate, parser=safe_parser(), id_attribute="ID", expect_config=config)
    # A damaged signature shows in many ways: not base64, not its schema, not the key's kind. All mean the same.
    except (SignXMLException, InvalidSignature, etree.LxmlError, ValueError, TypeError, AttributeError, LookupError):
        return None
    return result.signed_data if isinstance(result, VerifyResult) else None


def _made_by(certificate: Certificate, signature: QuerySignature) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and signature.algorithm in _RSA:
            key.verify(signature.value, signature.signed, padding.PKCS1v15(), _RSA[signature.algorithm]())
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and signature.algorithm in _ECDSA:
            scheme = ec.ECDSA(_ECDSA[signature.algorithm]())
            key.verify(_as_der(signature.value, key.key_size), signature.signed, scheme)
            return True
    except InvalidSignature:
        pass
    return False


def _as_der(value: bytes, key_bits: int) -> bytes:
    """Read an ECDSA signature as XML Signature writes it, r and s side by side (RFC 4050 §3.3)."""
    half = (key_bits + 7) // 8
    if len(value) != 2 * half:
        raise InvalidSignature
    return encode_dss_signature(int.from_bytes(value[:half]), int.from_bytes(value[half:]))


def _loaded(certificates: Sequence[str]) -> list[Certificate]:
    """Load the registered certificates whose keys are strong enough (SM-04)."""
    loaded = [load_pem_x509_certificate(pem.encode("ascii")) for pem in certificates]
    return [certificate for certificate in loaded if _is_strong(certificate)]


def _is_strong(certificate: Certificate) -> bool:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _LEAST_RSA_BITS
    return isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= _LEAST_EC_BITS
