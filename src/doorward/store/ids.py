"""Identifiers: UUIDv7 (RFC 9562 §5.7), so that keys need no sequence and new rows lie together."""

from __future__ import annotations

import secrets

from doorward.clock import Instant


def new_id(now: Instant) -> str:
    """Make a UUIDv7 as text: 48 bits of milliseconds, 74 random bits."""
    value = (now & (2**48 - 1)) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def new_handle() -> str:
    """Make an unguessable handle of 256 bits for a cookie or an address, URL-safe."""
    return secrets.token_urlsafe(32)
