"""What a field about a person or administrator may hold: lengths, controls, addresses. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from doorward.directory.errors import BadName

MAX_NAME: Final = 200
MAX_PHONE: Final = 40
MAX_ATTRIBUTES: Final = 50
MAX_ATTRIBUTE_NAME: Final = 64
MAX_ATTRIBUTE_VALUE: Final = 1000
MAX_ATTRIBUTE_VALUES: Final = 100

ADDRESS_FIELDS: Final = frozenset({"formatted", "street_address", "locality", "region", "postal_code", "country"})
"""OIDC Core §5.1.1."""

_LOCALE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_ATTRIBUTE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*")
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_DIRECTION_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_line(text: str, what: str, limit: int = MAX_NAME) -> str:
    """Trim one line of text.

    Raises:
        BadName: it is empty, longer than `limit` characters, or holds controls or marks that turn the writing round.
    """
    trimmed = unicodedata.normalize("NFC", text.strip())
    if not trimmed:
        raise BadName(f"{what} is empty")
    if len(trimmed) > limit:
        raise BadName(f"{what} is longer than {limit} characters")
    if any(unicodedata.category(letter) in _REFUSED_CATEGORIES or letter in _DIRECTION_MARKS for letter in trimmed):
        raise BadName(f"{what} holds a character that cannot be shown")
    return trimmed


def checked_optional(text: str | None, what: str, limit: int = MAX_NAME) -> str | None:
    """Trim one line that may be absent; a blank one counts as absent.

    Raises:
        BadName: as `checked_line`.
    """
    return None if text is None or not text.strip() else checked_line(text, what, limit)


def checked_locale(locale: str | None) -> str | None:
    """Accept a language tag (BCP 47) such as `en` or `pt-BR`.

    Raises:
        BadName: it is none.
    """
    if locale is None or _LOCALE.fullmatch(locale) is not None:
        return locale
    raise BadName("the locale is a language tag such as en or pt-BR")


def checked_address(address: Mapping[str, str] | None) -> dict[str, str] | None:
    """Accept a postal address; `formatted` may have several lines.

    Raises:
        BadName: a part is unknown, too long, or holds controls.
    """
    if address is None:
        return None
    unknown = sorted(set(address) - ADDRESS_FIELDS)
    if unknown:
        raise BadName(f"an address has no part {unknown[0]!r}; it has {', '.join(sorted(ADDRESS_FIELDS))}")
    for name, text in address.items():
        for line in text.splitlines() or [""]:
            checked_optional(line, f"the address's {name}", MAX_ATTRIBUTE_VALUE)
    return dict(address) or None


def checked_attributes(attributes: Mapping[str, str | list[str]]) -> dict[str, str | list[str]]:
    """Accept attributes of the admin's own.

    Raises:
        BadName: there are too many, or a name or value cannot be stored.
    """
    if len(attributes) > MAX_ATTRIBUTES:
        raise BadName(f"there are more than {MAX_ATTRIBUTES} attributes")
    for name, value in attributes.items():
        if len(name) > MAX_ATTRIBUTE_NAME or _ATTRIBUTE.fullmatch(name) is None:
            raise BadName(f"the attribute name {name[:MAX_ATTRIBUTE_NAME]!r} needs letters, digits and _ . : - alone")
        values = value if isinstance(value, list) else [value]
        if len(values) > MAX_ATTRIBUTE_VALUES:
            raise BadName(f"the attribute {name} has more than {MAX_ATTRIBUTE_VALUES} values")
        for each in values:
            checked_optional(each, f"the attribute {name}", MAX_ATTRIBUTE_VALUE)
    return dict(attributes)
