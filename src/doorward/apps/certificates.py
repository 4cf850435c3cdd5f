"""Certificates of service providers: bare keys in PEM or base64, whose dates and issuers are not looked at.

Expired certificates are accepted on purpose: a certificate in metadata only carries a key (SAML2Int SDP-MD, IIP-MD12).
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

LEAST_RSA_BITS: Final = 2048
LEAST_EC_BITS: Final = 256
MAX_PEM: Final = 16_384


class BadCertificate(ValueError):
    """Text that is no certificate, or one whose key is too weak."""


def pem_of(text: str) -> str:
    """Turn a certificate in PEM, or the bare base64 of metadata, into canonical PEM.

    Raises:
        BadCertificate: it is none, or its key is neither RSA of 2048 bits nor elliptic of 256 at least.
    """
    # A tenth of a second that only the registration of a SAML provider needs.
    from cryptography import x509  # noqa: PLC0415 - quick start
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415 - quick start
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - quick start

    if len(text) > MAX_PEM:
        raise BadCertificate("this certificate is too long")
    try:
        if "-----BEGIN" in text:
            certificate = x509.load_pem_x509_certificate(text.strip().encode())
        else:
            certificate = x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
        key = certificate.public_key()
    except (ValueError, binascii.Error, UnicodeError) as error:
        raise BadCertificate("this is no certificate in PEM") from error
    is_rsa = isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS
    is_elliptic = isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= LEAST_EC_BITS
    if not is_rsa and not is_elliptic:
        raise BadCertificate(f"its key is too weak: RSA of {LEAST_RSA_BITS} bits or elliptic of {LEAST_EC_BITS}")
    return certificate.public_bytes(Encoding.PEM).decode()
