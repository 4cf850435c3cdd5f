# Security: code arithmetic (tests/signin/factors/test_totp.py, tests/attacks/).
"""Codes of authenticator apps: pure arithmetic over plain values (RFC 4226, RFC 6238).

A code counts for 60 seconds from its first display plus the grace at both ends, and once, whatever the
period of the app that shows it. Nothing here reads or writes: on `Accepted` the caller consumes the step
in the same transaction that moves the sign-in on.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from doorward.clock import SECOND, Instant

DIGITS: Final = 6
PERIODS: Final = (60, 30)
"""Some apps ignore the period in the QR code and show a new code every 30 seconds."""
VALID_SECONDS: Final = 60
MOST_DRIFT_STEPS: Final = 2
REMEMBERED_SECONDS: Final = 600
"""A code is called expired, not wrong, when it was right within this time."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A code that was right at other offsets of the phone's clock: the next one of the same offset signs in."""

    step: int
    period_seconds: int
    drifts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Totp:
    """What is known of one authenticator. `period_seconds` is None while an imported one has not been used."""

    seed: bytes
    period_seconds: int | None = 60
    drift_steps: int = 0
    last_step: int = -1
    expired_steps: tuple[int, ...] = ()
    candidate: Candidate | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The code is right: consume `step`, and keep the period and drift that it showed."""

    step: int
    period_seconds: int
    drift_steps: int


@dataclass(frozen=True, slots=True)
class Expired:
    """The code was right within the last ten minutes. It counts as a failure once (`counts`)."""

    step: int
    counts: bool
    candidate: Candidate | None


@dataclass(frozen=True, slots=True)
class Used:
    """The code was accepted before; that is no failed attempt."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """The code is none of this authenticator's; `candidate` is set where it fits another offset of its clock."""

    candidate: Candidate | None


Checked: TypeAlias = Accepted | Expired | Used | Wrong


def hotp(seed: bytes, counter: int, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """Compute an HOTP value (RFC 4226 §5.3; the other hashes by RFC 6238 §1.2)."""
    digest = hmac.new(seed, counter.to_bytes(8, "big"), algorithm).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number}"[-digits:].zfill(digits)


def step_at(now: Instant, period_seconds: int) -> int:
    """Tell the time-step of an instant (RFC 6238 §4.2)."""
    return now // (period_seconds * SECOND)


def tidy(typed: str) -> str | None:
    """Read a typed code forgivingly: spaces and dashes dropped, full-width and Arabic-Indic digits understood.

    Returns the six ASCII digits, leading zeros kept, or None where these are not six digits.
    """
    if len(typed) > 64:
        return None
    digits: list[str] = []
    for character in typed:
        if character.isspace() or character in "-‐‑–\u200e\u200f\u00ad\ufeff":  # noqa: RUF001 - what gets pasted along
            continue
        value = unicodedata.decimal(character, None)
        if value is None:
            return None
        digits.append(str(value))
    return "".join(digits) if len(digits) == DIGITS else None


def check(totp: Totp, code: str, now: Instant, grace_seconds: int) -> Checked:
    """Decide what a code of six digits means at `now`.

    A code counts for 60 seconds from its first display plus the grace at both ends, and once (RFC 6238 §5.2).
    Two successive codes of one other offset set the drift anew, the second signs in (RFC 4226 §7.4).
    """
    periods = PERIODS if totp.period_seconds is None else (totp.period_seconds,)
    results = [_check_period(totp, period, code, now, grace_seconds) for period in periods]
    for kind in (Accepted, Used, Expired):
        for result in results:
            if isinstance(result, kind):
                return result
    candidates = [r.candidate for r in results if isinstance(r, Wrong) and r.candidate is not None]
    return Wrong(candidates[0] if candidates else None)


def first_code(seed: bytes, code: str, now: Instant, preferred_period: int, grace_seconds: int) -> Accepted | None:
    """Find the period and drift of an authenticator that is being set up, by its first code.

    Accepts either period, up to two steps early or late, and prefers the period asked for and the least drift.
    """
    for period in sorted(PERIODS, key=lambda p: p != preferred_period):
        for drift in sorted(range(-MOST_DRIFT_STEPS, MOST_DRIFT_STEPS + 1), key=abs):
            for step in _valid_steps(period, drift, now, grace_seconds):
                if hmac.compare_digest(hotp(seed, step), code):
                    return Accepted(step, period, drift)
    return None


def seconds_left(now: Instant, period_seconds: int, drift_steps: int) -> float:
    """Tell in how many seconds the authenticator shows its next code."""
    period = period_seconds * SECOND
    return (period - (now + drift_steps * period) % period) / SECOND


def key_uri(label: str, account: str, secret: str, period_seconds: int) -> str:
    """Write the address inside the QR code (the key URI format of authenticator apps)."""
    from_label, from_account = _quoted(label), _quoted(account)
    return (
        f"otpauth://totp/{from_label}:{from_account}?secret={secret}&issuer={from_label}"
        f"&algorithm=SHA1&digits={DIGITS}&period={period_seconds}"
    )


def _quoted(text: str) -> str:
    return "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or chr(byte) in "-._~" else f"%{byte:02X}"
        for byte in text.encode()
    )


def _check_period(totp: Totp, period: int, code: str, now: Instant, grace: int) -> Checked:
    valid = list(_valid_steps(period, totp.drift_steps, now, grace))
    matching = [step for step in valid if hmac.compare_digest(hotp(totp.seed, step), code)]
    fresh = [step for step in matching if step > totp.last_step]
    if fresh:
        return Accepted(fresh[0], period, totp.drift_steps)
    if matching:
        return Used()
    candidate, resynchronised = _other_offset(totp, period, code, now, grace)
    if resynchronised is not None:
        return resynchronised
    earliest = step_at(now - (REMEMBERED_SECONDS + VALID_SECONDS + grace) * SECOND, period) + totp.drift_steps
    for step in range(valid[0] - 1, earliest, -1):
        if hmac.compare_digest(hotp(totp.seed, step), code):
            if step == totp.last_step:
                return Used()
            return Expired(step, step not in totp.expired_steps, candidate)
    return Wrong(candidate)


def _other_offset(
    totp: Totp, period: int, code: str, now: Instant, grace: int
) -> tuple[Candidate | None, Accepted | None]:
    """Look for the code at other offsets of the phone's clock, at most two steps away."""
    found: dict[int, list[int]] = {}
    for drift in sorted(range(-MOST_DRIFT_STEPS, MOST_DRIFT_STEPS + 1), key=abs):
        if drift == totp.drift_steps:
            continue
        for step in _valid_steps(period, drift, now, grace):
            if step > totp.last_step and hmac.compare_digest(hotp(totp.seed, step), code):
                found.setdefault(step, []).append(drift)
    if not found:
        return None, None
    step, drifts = next(iter(found.items()))
    before = totp.candidate
    if before is not None and before.period_seconds == period and before.step + 1 == step:
        shared = [drift for drift in drifts if drift in before.drifts]
        if shared:
            return None, Accepted(step, period, shared[0])
    return Candidate(step, period, tuple(drifts)), None


def _valid_steps(period: int, drift: int, now: Instant, grace: int) -> Iterator[int]:
    """The steps whose codes count at `now` for a phone whose clock is `drift` steps ahead, oldest first."""
    ms, shown = period * SECOND, now + drift * period * SECOND
    oldest = (shown - (VALID_SECONDS + grace) * SECOND) // ms + 1
    newest = (shown + grace * SECOND) // ms
    return iter(range(max(oldest, 0), newest + 1))


def in_fours(secret: str) -> str:
    """Group a base32 secret in fours, as people type it."""
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
