# Security: where codes go (tests/standards/oidc/test_az05_redirect_uri.py; A47, A48, A58).
"""Redirect addresses: compared as the strings that they are, and completed with an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote_plus

_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?((?:[/?].*)?)")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]+")
_LAST_PORT: Final = 65_535


def is_registered(uri: str, registered: Sequence[str]) -> bool:
    """Tell whether `uri` is one of the registered addresses, by exact comparison (RFC 9700 §2.1).

    Only the port of a loopback IP literal may differ, because a native application cannot choose it (RFC 8252 §7.3).
    Nothing is parsed or normalised, so there is nothing in which two parsers could differ (A47).
    """
    if uri in registered:
        return True
    portless = _without_port(uri)
    return portless is not None and any(portless == _without_port(each) for each in registered)


def completed(uri: str, answer: Mapping[str, str | None]) -> str:
    """Add the parameters of an answer to a registered address, whose own query stays (RFC 6749 §3.1.2; AZ-06)."""
    given = "&".join(f"{name}={_escaped(value)}" for name, value in answer.items() if value is not None)
    return f"{uri}{'&' if '?' in uri else '?'}{given}"


def _escaped(value: str) -> str:
    """Escape a value; a code, which is new each time, has nothing to escape."""
    return value if _PLAIN.fullmatch(value) is not None else _quoted(value)


@lru_cache(maxsize=64)
def _quoted(value: str) -> str:
    return quote_plus(value)


def _without_port(uri: str) -> str | None:
    match = _LOOPBACK.fullmatch(uri)
    if match is None or int(match[2] or 0) > _LAST_PORT:
        return None
    return match[1] + match[3]
