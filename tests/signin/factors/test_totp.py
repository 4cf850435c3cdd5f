"""Codes of authenticator apps: published vectors, windows at their edges, use once, drift (TO-01 to TO-08)."""

from __future__ import annotations

import base64

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.clock import MINUTE, SECOND
from doorward.signin.factors import totp
from doorward.signin.factors.totp import Accepted, Candidate, Expired, Totp, Used, Wrong, check, first_code, hotp, tidy

SEED = b"12345678901234567890"
STEP = 29_925_000
START = STEP * MINUTE  # a minute begins here
GRACE = 10


def code_of(step: int, seed: bytes = SEED) -> str:
    return hotp(seed, step)


def verdict(totp_: Totp, step: int, at: int, grace: int = GRACE) -> totp.Checked:
    return check(totp_, code_of(step, totp_.seed), at, grace)


RFC4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]


@pytest.mark.parametrize(("counter", "expected"), list(enumerate(RFC4226)))
def test_to02_rfc4226_appendix_d(counter: int, expected: str) -> None:
    assert hotp(SEED, counter) == expected


RFC6238 = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]


@pytest.mark.parametrize(("seconds", "sha1", "sha256", "sha512"), RFC6238)
def test_to02_rfc6238_appendix_b(seconds: int, sha1: str, sha256: str, sha512: str) -> None:
    step = totp.step_at(seconds * SECOND, 30)
    assert hotp(SEED, step, 8) == sha1
    assert hotp(b"12345678901234567890123456789012", step, 8, "sha256") == sha256
    assert hotp((SEED * 4)[:64], step, 8, "sha512") == sha512


@given(st.binary(min_size=14, max_size=64), st.integers(0, 2**40), st.sampled_from([30, 60]))
def test_to02_pyotp_shows_the_same_codes(seed: bytes, seconds: int, period: int) -> None:
    other = pyotp.TOTP(base64.b32encode(seed).decode(), interval=period)
    assert hotp(seed, totp.step_at(seconds * SECOND, period)) == other.generate_otp(seconds // period)


def test_to01_the_key_uri_says_what_the_app_needs_and_pyotp_reads_it() -> None:
    secret = base64.b32encode(SEED).decode()
    uri = totp.key_uri("Acme & Söhne User", "alice@acme.example", secret, 60)
    read = pyotp.parse_uri(uri)
    assert isinstance(read, pyotp.TOTP)
    assert (read.issuer, read.name, read.interval, read.digits, read.secret) == (
        "Acme & Söhne User",
        "alice@acme.example",
        60,
        6,
        secret,
    )
    assert "algorithm=SHA1" in uri


# ------------------------------------------------------------------------------------ the window


@pytest.mark.parametrize("period", [60, 30])
@pytest.mark.parametrize("grace", [0, 10, 30])
def test_to03_a_code_counts_60_seconds_from_its_first_display_and_the_grace_at_both_ends(
    period: int, grace: int
) -> None:
    of = Totp(SEED, period)
    step = START // (period * SECOND)
    shown = step * period * SECOND
    first, last = shown - grace * SECOND, shown + (60 + grace) * SECOND - 1
    assert verdict(of, step, first, grace) == Accepted(step, period, 0)
    assert verdict(of, step, shown, grace) == Accepted(step, period, 0)
    assert verdict(of, step, last, grace) == Accepted(step, period, 0)
    assert isinstance(verdict(of, step, first - 1, grace), Wrong)
    assert isinstance(verdict(of, step, last + 1, grace), Expired)


@given(st.integers(0, 2**41), st.integers(-5, 5), st.sampled_from([60, 30]), st.integers(0, 30), st.integers(-2, 2))
def test_to03_the_window_is_that_of_the_plain_words(now: int, off: int, period: int, grace: int, drift: int) -> None:
    now += 10**9
    step = now // (period * SECOND) + drift + off
    counting = {
        other
        for other in range(step - 12, step + 12)
        # By our clock it is first shown that many steps earlier as the phone's clock is ahead.
        if (other - drift) * period - grace <= now / SECOND < (other - drift) * period + 60 + grace
    }
    code = code_of(step)
    is_right = code in {code_of(other) for other in counting}
    assert isinstance(check(Totp(SEED, period, drift), code, now, grace), Accepted) == is_right


def test_to03_a_code_of_the_step_before_is_refused_once_ten_seconds_of_the_new_step_have_passed() -> None:
    of = Totp(SEED)
    assert isinstance(verdict(of, STEP - 1, START + 9_999), Accepted)
    assert isinstance(verdict(of, STEP - 1, START + 10_000), Expired)


def test_to04_an_accepted_step_and_earlier_ones_are_accepted_no_more() -> None:
    of = Totp(SEED, last_step=STEP)
    assert verdict(of, STEP, START + 5 * SECOND) == Used()
    assert verdict(of, STEP, START + 65 * SECOND) == Used()
    assert not isinstance(verdict(of, STEP - 1, START + 5 * SECOND), Accepted)
    assert isinstance(verdict(of, STEP + 1, START + 55 * SECOND), Accepted)


def test_to06_a_clock_that_is_stepped_back_opens_no_step_again() -> None:
    of = Totp(SEED, last_step=STEP)
    for minutes in range(1, 60):
        earlier = START - minutes * MINUTE + 5 * SECOND
        for step in range(STEP - minutes - 2, STEP + 1):
            assert not isinstance(verdict(of, step, earlier), Accepted), (minutes, step)


# ------------------------------------------------------------------------------- expired, used, wrong


@pytest.mark.parametrize("period", [60, 30])
def test_a_code_is_expired_when_it_was_right_within_ten_minutes_and_wrong_when_older(period: int) -> None:
    of = Totp(SEED, period)
    step = START // (period * SECOND)
    ended = step * period * SECOND + 70 * SECOND  # the first instant at which it counts no more
    for late in (0, 1, 9 * MINUTE, 10 * MINUTE - 1):
        assert isinstance(verdict(of, step, ended + late), Expired), late
    for late in (10 * MINUTE, 11 * MINUTE):
        assert isinstance(verdict(of, step, ended + late), Wrong), late


def test_an_expired_code_counts_once() -> None:
    at = START + 30 * SECOND
    fresh = verdict(Totp(SEED), STEP - 3, at)
    again = verdict(Totp(SEED, expired_steps=(STEP - 3,)), STEP - 3, at)
    assert isinstance(fresh, Expired)
    assert fresh.counts
    assert isinstance(again, Expired)
    assert not again.counts


def test_a_later_code_outside_the_grace_is_simply_wrong() -> None:
    assert isinstance(verdict(Totp(SEED), STEP + 1, START + 49_999), Wrong)
    assert isinstance(verdict(Totp(SEED), STEP + 1, START + 50_000), Accepted)
    assert verdict(Totp(SEED), STEP + 9, START) == Wrong(None)


# --------------------------------------------------------------------------------------------- drift


@pytest.mark.parametrize(
    ("period", "ahead"),
    # Not (30, -1): a 30-second code of the step before counts still, whatever the drift.
    [(60, -2), (60, -1), (60, 1), (60, 2), (30, -2), (30, 1), (30, 2)],
)
def test_two_successive_codes_of_one_other_offset_set_the_drift_anew(period: int, ahead: int) -> None:
    of = Totp(SEED, period)
    now = START + (period - 1) * SECOND // 2 + 5 * SECOND * (period == 60)
    wanted = now // (period * SECOND) + ahead
    first = verdict(of, wanted, now, 0)
    assert isinstance(first, Wrong | Expired)
    assert first.candidate is not None
    assert first.candidate.step == wanted
    second = verdict(Totp(SEED, period, candidate=first.candidate), wanted + 1, now + period * SECOND, 0)
    assert isinstance(second, Accepted)
    assert second.drift_steps in first.candidate.drifts
    # From then on that app's codes are right at once.
    after = Totp(SEED, period, second.drift_steps, second.step)
    assert isinstance(verdict(after, wanted + 2, now + 2 * period * SECOND, 0), Accepted)


def test_two_codes_that_do_not_follow_each_other_set_no_drift() -> None:
    now = START + 40 * SECOND
    first = verdict(Totp(SEED), STEP + 2, now)
    assert isinstance(first, Wrong)
    assert first.candidate is not None
    of = Totp(SEED, candidate=first.candidate)
    assert not isinstance(verdict(of, STEP + 4, now + 2 * MINUTE), Accepted)
    assert not isinstance(verdict(of, STEP + 2, now), Accepted)


def test_two_codes_of_different_offsets_set_no_drift() -> None:
    candidate = Candidate(STEP + 2, 60, (2,))
    now = START + 2 * MINUTE + 30 * SECOND  # the next code, now two steps late, comes from another offset
    assert not isinstance(verdict(Totp(SEED, candidate=candidate), STEP + 3, now + 2 * MINUTE), Accepted)


@pytest.mark.parametrize("ahead", [-4, -3, 3, 4])
def test_the_drift_never_goes_beyond_two_steps(ahead: int) -> None:
    now = START + 30 * SECOND
    first = verdict(Totp(SEED), STEP + ahead, now)
    candidate = first.candidate if isinstance(first, Wrong | Expired) else None
    assert candidate is None
    second = verdict(Totp(SEED), STEP + ahead + 1, now + MINUTE)
    assert not isinstance(second, Accepted)


def test_a_success_within_the_grace_changes_no_drift() -> None:
    assert verdict(Totp(SEED), STEP - 1, START + 5 * SECOND) == Accepted(STEP - 1, 60, 0)
    assert verdict(Totp(SEED), STEP + 1, START + 55 * SECOND) == Accepted(STEP + 1, 60, 0)


# ----------------------------------------------------------------------------------------- enrolment


@pytest.mark.parametrize("period", [60, 30])
@pytest.mark.parametrize("ahead", [-2, -1, 0, 1, 2])
def test_to07_the_first_code_tells_period_and_drift(period: int, ahead: int) -> None:
    seed = b"another seed of 20 b"
    now = START + 25 * SECOND
    shown = (now + ahead * period * SECOND) // (period * SECOND)
    found = first_code(seed, code_of(shown, seed), now, 60, GRACE)
    assert found is not None
    assert (found.step, found.period_seconds) == (shown, period)
    # What the app shows next is right then, whichever of the offsets that explain the first code was kept.
    after = Totp(seed, period, found.drift_steps, found.step)
    assert isinstance(verdict(after, shown + 1, now + period * SECOND), Accepted)


def test_to07_a_first_code_further_off_is_refused() -> None:
    now = START + 30 * SECOND
    for step in (STEP - 4, STEP - 3, STEP + 3, STEP + 4):
        assert first_code(SEED, code_of(step), now, 60, GRACE) is None
    assert first_code(SEED, "000000", now, 60, GRACE) is None


def test_an_imported_app_of_unknown_period_signs_in_with_either() -> None:
    of = Totp(SEED, None)
    assert verdict(of, STEP, START) == Accepted(STEP, 60, 0)
    assert verdict(of, START // (30 * SECOND), START) == Accepted(START // (30 * SECOND), 30, 0)


# --------------------------------------------------------------------------------------------- input


@pytest.mark.parametrize(
    "typed",
    [
        "012345",
        " 012 345 ",
        "012-345",
        "０１２３４５",
        "٠١٢٣٤٥",
        "۰۱۲۳۴۵",
        "0 1 2 3 4 5",
        "012\u00a0345",
        "\u200e012345",
    ],
)
def test_to08_input_is_forgiving_and_keeps_leading_zeros(typed: str) -> None:
    assert tidy(typed) == "012345"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "12345\0", "²³¹²³¹", "一二三四五六", "1" * 10_000])
def test_to08_what_is_no_code_of_six_digits_is_none(typed: str) -> None:
    assert tidy(typed) is None


@given(st.text(max_size=100))
def test_to08_tidy_never_raises(typed: str) -> None:
    read = tidy(typed)
    assert read is None or (len(read) == 6 and read.isascii() and read.isdecimal())


def test_the_ring_shows_the_time_left_of_the_apps_step() -> None:
    assert totp.seconds_left(START + 15 * SECOND, 60, 0) == 45
    assert totp.seconds_left(START + 15 * SECOND, 60, 2) == 45
    assert totp.seconds_left(START + 40 * SECOND, 30, 0) == 20
