# Security: private keys are made and read here (tests/keys/test_keys.py).
"""One signing key: RSA of 2048 bits with a self-signed certificate, named by the thumbprint of its public part."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from doorward.clock import SECOND, Instant

BITS: Final = 2048
"""The least that is accepted anywhere (DI-07). 3072 bits sign three times slower and few verifiers gain from it."""

EXPONENT: Final = 65_537
CERTIFICATE_YEARS: Final = 10
"""Certificates only carry the key: service providers pin them, and an expired one would end every sign-in."""

ALGORITHM: Final = "RS256"


class KeyUse(StrEnum):
    """What a key signs. A key of one protocol never signs for another."""

    OIDC = "oidc"
    SAML = "saml"


class KeyState(StrEnum):
    """Where a key is in its life: published before its first use, in use, published until what it signed is over."""

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """A key with its private part, for this process alone. `certificate_der` is its self-signed certificate.

    Two are equal only if they are the same object, so that what is made from one can be kept beside it.
    """

    kid: str
    algorithm: str
    private_key: RSAPrivateKey = field(repr=False)
    certificate_der: bytes = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Sign octets with RSASSA-PKCS1-v1_5 and SHA-256 (RFC 7518 §3.3; XML Signature's rsa-sha256)."""
        return self.private_key.sign(data, PKCS1v15(), SHA256())

    @property
    def certificate_base64(self) -> str:
        """The certificate as XML carries it: base64 of its DER form in one line."""
        return b64encode(self.certificate_der).decode("ascii")


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """What everybody may know of a key. `retired_at` is when a retired one stops being published."""

    kid: str
    use: KeyUse
    algorithm: str
    state: KeyState
    certificate_der: bytes = field(repr=False)
    created_at: Instant
    retired_at: Instant | None

    @property
    def public_key(self) -> RSAPublicKey:
        """The public part, as its certificate holds it."""
        return cast("RSAPublicKey", self._certificate.public_key())

    @property
    def certificate_base64(self) -> str:
        """The certificate as XML carries it: base64 of its DER form in one line."""
        return b64encode(self.certificate_der).decode("ascii")

    @property
    def certificate_pem(self) -> str:
        """The certificate as service providers import it."""
        return self._certificate.public_bytes(Encoding.PEM).decode("ascii")

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint of the certificate, as people compare it: pairs of digits with colons."""
        return sha256(self.certificate_der).digest().hex(":").upper()

    @property
    def _certificate(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.certificate_der)


def make_key(use: KeyUse, now: Instant) -> SigningKey:
    """Make a key and its certificate, which holds from a day before `now` for ten years."""
    private_key = generate_private_key(EXPONENT, BITS)
    kid = thumbprint(private_key.public_key())
    return SigningKey(kid, ALGORITHM, private_key, _certificate(private_key, use, kid, now))


def private_der(key: SigningKey) -> bytes:
    """Write the private part as PKCS#8 DER, to be sealed at once."""
    return key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def key_from_der(kid: str, algorithm: str, der: bytes, certificate_der: bytes) -> SigningKey:
    """Read a key that `private_der` wrote.

    Raises:
        ValueError: it is none.
    """
    # Its seal has proved that it is what was written, so the slow check of its numbers is left out.
    private_key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(private_key, RSAPrivateKey):
        raise ValueError(f"key {kid} is no RSA key")  # noqa: TRY004 - the row is wrong, not a type in the code
    return SigningKey(kid, algorithm, private_key, certificate_der)


def thumbprint(public_key: RSAPublicKey) -> str:
    """Name a public key by its JWK thumbprint (RFC 7638 §3), so that no two keys share a `kid`."""
    numbers = public_key.public_numbers()
    members = {"e": base64url_number(numbers.e), "kty": "RSA", "n": base64url_number(numbers.n)}
    written = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return _base64url(sha256(written.encode()).digest())


def base64url_number(number: int) -> str:
    """Write a number as Base64urlUInt (RFC 7518 §2)."""
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _certificate(private_key: RSAPrivateKey, use: KeyUse, kid: str, now: Instant) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"Doorward {use.value} signing {kid[:8]}")])
    begins = datetime.fromtimestamp(now // SECOND, UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365 * CERTIFICATE_YEARS + 3))
        .sign(private_key, SHA256())
    )
    return made.public_bytes(Encoding.DER)
