"""The tile of an application without a logo: its initial on one of eleven tints, chosen by its slug."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

TINTS: Final = 11


@dataclass(frozen=True, slots=True)
class AppMark:
    """What a page draws of an application: `initial` on the tint number `tint` (static/base.css)."""

    name: str
    slug: str
    initial: str
    tint: int


def app_mark(name: str, slug: str) -> AppMark:
    """Draw the mark of an application, always the same one for a slug."""
    return AppMark(name, slug, initial_of(name), tint_of(slug))


def tint_of(slug: str) -> int:
    """Choose a tint by the slug; spread, not secret."""
    return zlib.crc32(slug.encode("utf-8", "replace")) % TINTS


def initial_of(name: str) -> str:
    """Give the first letter or digit of a name in upper case; a dot if it has none."""
    return next((character.upper() for character in name if character.isalnum()), "\N{MIDDLE DOT}")
