"""The vault: one master key, a sub-key for each use (HKDF-SHA256), sealed columns and keyed hashes.

A sealed value carries the id of its key and is bound to table, column and row, so that a value
that is moved to another row does not open. Handles and codes of high entropy are kept as HMAC only.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MASTER_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"


class Purpose(StrEnum):
    """What a sub-key is for. A value made under one purpose is worthless under another."""

    SEAL = "seal"
    CSRF = "csrf"
    HANDLES = "handles"
    NAMES = "names"
    RECOVERY_CODES = "recovery codes"
    CLIENT_SECRETS = "client secrets"
    CODES = "codes"


class SealBroken(Exception):
    """A sealed value does not open: another master key, or the value was altered or moved."""


class Vault:
    """Seals what must be read again and hashes what need only be recognised."""

    def __init__(self, master_key: bytes) -> None:
        """Derive the sub-keys of `master_key` (32 bytes)."""
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key has {len(master_key)} bytes; it needs {MASTER_KEY_BYTES}")
        self._keys = {purpose: _derive(master_key, purpose) for purpose in Purpose}
        self._aead = AESGCM(self._keys[Purpose.SEAL])
        self.key_id: Final = hashlib.sha256(b"doorward key id" + self._keys[Purpose.SEAL]).digest()[:4]

    def seal(self, plain: bytes, *, table: str, column: str, row: str) -> bytes:
        """Encrypt `plain` with AES-256-GCM, bound to the place where it will lie."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + self.key_id + nonce + self._aead.encrypt(nonce, plain, _place(table, column, row))

    def unseal(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """Decrypt what `seal` made for the same place.

        Raises:
            SealBroken: the value was made by another key, altered, or moved.
        """
        if sealed[:1] != _VERSION or sealed[1:5] != self.key_id:
            raise SealBroken(f"{table}.{column} was sealed with another master key")
        nonce, box = sealed[5 : 5 + _NONCE_BYTES], sealed[5 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, box, _place(table, column, row))
        except (InvalidTag, ValueError) as broken:
            raise SealBroken(f"{table}.{column} was altered or moved") from broken

    def mac(self, purpose: Purpose, value: str) -> str:
        """Hash `value` under the sub-key of `purpose` (HMAC-SHA256), as 64 hexadecimal digits."""
        return hmac.digest(self._keys[purpose], value.encode("utf-8", "surrogatepass"), "sha256").hex()


def same_secret(one: str, other: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _derive(master_key: bytes, purpose: Purpose) -> bytes:
    return HKDF(SHA256(), 32, None, b"doorward " + purpose.value.encode()).derive(master_key)


def _place(table: str, column: str, row: str) -> bytes:
    return f"{table}\0{column}\0{row}".encode()
