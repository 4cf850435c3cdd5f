"""The present codes of the demo's people, as their authenticator apps would show them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from doorward.cli.demo.organisation import PERIOD_SECONDS, Kept
from doorward.clock import SECOND, Instant
from doorward.signin.factors import totp


@dataclass(frozen=True, slots=True)
class PresentCode:
    """One code and whose it is."""

    typed: str
    code: str


def present_codes(kept: Kept, now: Instant) -> list[PresentCode]:
    """Compute the code that each authenticator shows at `now`."""
    step = step_of(now)
    return [
        PresentCode(login.typed, totp.hotp(base64.b32decode(login.secret), step))
        for login in kept.logins
        if login.secret is not None
    ]


def step_of(now: Instant) -> int:
    """Tell the time-step of `now`: new codes come when it changes."""
    return totp.step_at(now, PERIOD_SECONDS)


def seconds_left(now: Instant) -> int:
    """Tell for how many whole seconds the present codes are shown, 1 to 60."""
    return PERIOD_SECONDS - now // SECOND % PERIOD_SECONDS


def codes_lines(codes: Sequence[PresentCode], now: Instant) -> list[str]:
    """Write the present codes for a person to read."""
    width = max((len(code.typed) for code in codes), default=0)
    shown = [f"    {code.typed:<{width}}  {code.code[:3]} {code.code[3:]}" for code in codes]
    return [f"  Codes (new ones in {seconds_left(now)} s):", *shown]
