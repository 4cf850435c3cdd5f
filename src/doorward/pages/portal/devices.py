"""What a browser calls itself, in words a person knows: read only where a list of sessions is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final


class DeviceKind(StrEnum):
    """Which picture stands for a device."""

    COMPUTER = "computer"
    PHONE = "phone"
    TABLET = "tablet"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Device:
    """A browser and what it runs on. Either may be unknown (None)."""

    browser: str | None
    system: str | None
    kind: DeviceKind


# The library's names are those of the user agent; these are the ones that people use.
_BROWSERS: Final = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "HeadlessChrome": "Chrome",
    "Edge Mobile": "Edge",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Opera Mobile": "Opera",
    "Samsung Internet": "Samsung Internet",
}
_SYSTEMS: Final = {"Mac OS X": "macOS", "Ubuntu": "Linux", "Debian": "Linux", "Fedora": "Linux"}
_COMPUTERS: Final = frozenset({"Windows", "macOS", "Linux", "Chrome OS", "FreeBSD", "OpenBSD"})


@lru_cache(maxsize=512)
def describe(user_agent: str) -> Device:
    """Name the browser and system of a User-Agent header. Reads rules only, never the network; knows nothing of truth.

    A header that fits no rule gives a program without a name, which the page calls 'Unknown browser'.
    """
    # The rules cost 50 ms to load and are needed on one page alone.
    from ua_parser import parse  # noqa: PLC0415 - quick start

    result = parse(user_agent)
    family = result.user_agent.family if result.user_agent else None
    system = result.os.family if result.os else None
    browser = _BROWSERS.get(family, family) if family else None
    system = _SYSTEMS.get(system, system) if system else None
    return Device(browser, system, _kind(user_agent, browser, system))


def _kind(user_agent: str, browser: str | None, system: str | None) -> DeviceKind:
    if system == "iOS":
        return DeviceKind.TABLET if "iPad" in user_agent else DeviceKind.PHONE
    if system == "Android":
        # Android browsers say "Mobile" on phones only.
        return DeviceKind.PHONE if "Mobile" in user_agent else DeviceKind.TABLET
    if system in _COMPUTERS and browser is not None:
        return DeviceKind.COMPUTER
    return DeviceKind.PROGRAM
