# Security: everything that a client sends is read here (tests/protocols/oidc/test_received.py).
"""Parameters of a request, read strictly: bounded, UTF-8 without NUL, an empty one as if it was not sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

MAX_BYTES: Final = 32 * 1024
_MOST_FIELDS: Final = 64
FORM_TYPE: Final = "application/x-www-form-urlencoded"


class Unreadable(Exception):
    """What was sent are no parameters: too much, no UTF-8, or NUL in it."""


@dataclass(frozen=True, slots=True)
class Received:
    """The parameters of a request. Of one in `doubled` only the first value stands here."""

    fields: Mapping[str, str]
    doubled: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        """Give a parameter; one without a value is omitted (RFC 6749 §3.1)."""
        return self.fields.get(name)

    def words(self, name: str) -> tuple[str, ...]:
        """Give a parameter that is a list of words with spaces between, each once."""
        return tuple(dict.fromkeys(self.fields.get(name, "").split()))


def parameters(raw: bytes) -> Received:
    """Read `application/x-www-form-urlencoded` parameters.

    Raises:
        Unreadable: they are too many or too long, no UTF-8, or hold NUL.
    """
    if len(raw) > MAX_BYTES:
        raise Unreadable("too long")
    if raw.count(b"&") >= _MOST_FIELDS:
        raise Unreadable("too many parameters")
    fields: dict[str, str] = {}
    doubled: set[str] = set()
    try:
        for pair in raw.decode("utf-8").split("&"):
            escaped, _, value = pair.partition("=")
            if value:
                name = _plain(escaped)
                if name in fields:
                    doubled.add(name)
                fields.setdefault(name, _plain(value))
    except ValueError as error:  # UnicodeDecodeError is one
        raise Unreadable("no UTF-8") from error
    if b"\0" in raw or b"%00" in raw:
        raise Unreadable("NUL")
    return Received(fields, frozenset(doubled))


def _plain(text: str) -> str:
    """Undo the escapes of a part that has some; most have none."""
    return unquote_plus(text, errors="strict") if "%" in text or "+" in text else text
