"""Signing keys and their certificates: made at first need, published, kept sealed.

Owns the keys with which protocols sign, one in use for each use, and what is published of them. Never signs a message
of a protocol itself and never hands out a private part beyond this process. Read `keeping.py` first, then `key.py`.
"""

from __future__ import annotations

from doorward.keys.keeping import KeyMissing, current_key, ensure_keys, list_keys, published, signing_key
from doorward.keys.key import KeyState, KeyUse, PublishedKey, SigningKey

__all__ = [
    "KeyMissing",
    "KeyState",
    "KeyUse",
    "PublishedKey",
    "SigningKey",
    "current_key",
    "ensure_keys",
    "list_keys",
    "published",
    "signing_key",
]
