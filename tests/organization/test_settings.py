"""Each setting is declared once, and every surface finds in it what it needs."""

from __future__ import annotations

import pytest

from doorward.organization import Settings
from doorward.organization.organization import settings_as_json, settings_from_json
from doorward.organization.settings import Kind, Setting, declared, refusal, sentence, value_of

ALL = list(declared())


def named(path: str) -> Setting:
    return next(setting for setting in ALL if setting.path == path)


def test_the_defaults_are_those_of_the_contract() -> None:
    assert {setting.path: value_of(Settings(), setting) for setting in ALL} == {
        "lockout.user_attempts": 6,
        "lockout.count_password_failures": True,
        "lockout.count_mfa_failures": True,
        "lockout.unlock_after_minutes": 15,
        "lockout.reset_after_minutes": 30,
        "lockout.address_failures": 100,
        "lockout.network_failures": 300,
        "lockout.address_window_minutes": 10,
        "mfa.required": True,
        "mfa.factors": ("totp", "recovery_code"),
        "mfa.enrolment_days": 7,
        "totp.period_seconds": 60,
        "totp.drift_seconds": 10,
        "sessions.idle_minutes": 60,
        "sessions.lifetime_hours": 12,
        "sessions.admin_idle_minutes": 15,
        "sessions.admin_lifetime_hours": 12,
        "sessions.persistent_cookie": False,
        "password.min_length": 12,
        "password.history": 0,
        "password.max_age_days": 0,
    }


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.path)
def test_every_setting_has_a_default_within_its_limits_and_a_sentence_for_it(setting: Setting) -> None:
    assert refusal(setting, setting.default) is None
    told = sentence(setting, setting.default)
    assert told.endswith(".")
    assert "{" not in told
    if setting.kind is Kind.NUMBER:
        assert setting.declaration.unit
        for edge in (setting.declaration.lowest, setting.declaration.highest):
            assert refusal(setting, edge) is None
            assert "{" not in sentence(setting, edge)
        assert refusal(setting, setting.declaration.lowest - 1) is not None
        assert refusal(setting, setting.declaration.highest + 1) is not None


def test_switches_have_a_sentence_for_each_of_both_values() -> None:
    for setting in ALL:
        if setting.kind is Kind.SWITCH:
            assert sentence(setting, value=True) != sentence(setting, value=False)


def test_the_number_of_attempts_goes_from_1_to_100() -> None:
    attempts = named("lockout.user_attempts")
    assert refusal(attempts, 0) == "must be from 1 to 100 attempts"
    assert refusal(attempts, 101) == "must be from 1 to 100 attempts"
    assert refusal(attempts, value=True) == "must be a whole number"
    assert refusal(attempts, "6") == "must be a whole number"


def test_no_setting_touches_the_five_attempts_of_administrators() -> None:
    assert not [setting.path for setting in ALL if "admin" in setting.path and "attempt" in setting.path]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "must name at least one factor besides recovery_code"),
        (["recovery_code"], "must name at least one factor besides recovery_code"),
        (["totp", "totp"], "names one of them twice"),
        (["sms"], "knows totp, recovery_code, not sms"),
        ("totp", "must be a list"),
        ([1], "knows totp, recovery_code, not 1"),
    ],
)
def test_recovery_codes_are_never_the_only_factor(value: object, reason: str) -> None:
    assert refusal(named("mfa.factors"), value) == reason


def test_zero_minutes_are_told_as_what_they_mean() -> None:
    unlock = named("lockout.unlock_after_minutes")
    assert sentence(unlock, 0) == "A pause ends only when an administrator unlocks the account."
    assert sentence(unlock, 15) == "A pause ends by itself after 15 minutes."


def test_settings_survive_their_row() -> None:
    assert settings_from_json(settings_as_json(Settings())) == Settings()


@pytest.mark.parametrize("stored", [{}, {"lockout": 5}, {"lockout": {"user_attempts": 0}}, {"new": {"a": 1}}])
def test_a_row_of_another_version_is_read_with_defaults(stored: dict[str, object]) -> None:
    assert settings_from_json(stored) == Settings()
