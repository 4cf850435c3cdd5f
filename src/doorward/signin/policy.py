"""The rules of the sign-in as pure decisions: attempts, who may unlock, second factor, enrolment days, freshness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from doorward.clock import DAY, MINUTE, Instant
from doorward.directory import Admin, Role
from doorward.organization import Settings
from doorward.signin.audience import Audience
from doorward.signin.proof import Method, Proof, is_mfa

ADMIN_ATTEMPTS: Final = 5
"""Five failures in a row of either kind together, always: no setting, API or file changes this."""
ADMIN_PAUSE: Final = 15 * MINUTE
ADMIN_RESET: Final = 30 * MINUTE

MOST_FAILURES_OF_AN_AUTHENTICATOR: Final = 100
"""NIST SP 800-63B-4 §3.2.2: beyond every timer."""

FRESH_PROOF: Final = 5 * MINUTE
"""A factor, the password or the mail address is changed only with a proof no older than this (SE-11)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The rule for one kind of guess: `pauses` says whether reaching `attempts` pauses the name.

    `unlock_after` and `reset_after` are milliseconds; an `unlock_after` of 0 pauses until an administrator unlocks.
    """

    attempts: int
    pauses: bool
    unlock_after: int
    reset_after: int


@dataclass(frozen=True, slots=True)
class AttemptLimits:
    """The limits of both kinds of guess. Where `together` is set, both share the password count."""

    password: Limits
    mfa: Limits
    together: bool = False


def limits_for(audience: Audience, settings: Settings) -> AttemptLimits:
    """Tell how many wrong guesses in a row are allowed, and what the last one leads to."""
    if audience is Audience.ADMIN:
        five = Limits(ADMIN_ATTEMPTS, pauses=True, unlock_after=ADMIN_PAUSE, reset_after=ADMIN_RESET)
        return AttemptLimits(five, five, together=True)
    lockout = settings.lockout
    unlock, reset = lockout.unlock_after_minutes * MINUTE, lockout.reset_after_minutes * MINUTE
    return AttemptLimits(
        Limits(lockout.user_attempts, lockout.count_password_failures, unlock, reset),
        Limits(lockout.user_attempts, lockout.count_mfa_failures, unlock, reset),
    )


_OPENS_PEOPLE: Final = frozenset({Role.OWNER, Role.ADMINISTRATOR, Role.HELP_DESK})
_OPENS_ADMINS: Final = frozenset({Role.OWNER, Role.ADMINISTRATOR})


def may_unlock(admin: Admin, audience: Audience, account_id: str) -> bool:
    """Tell whether an administrator may open an account: the help desk a person's, an administrator a colleague's."""
    if audience is Audience.PERSON:
        return admin.role in _OPENS_PEOPLE
    return admin.role in _OPENS_ADMINS and account_id != admin.id


@dataclass(frozen=True, slots=True)
class NotAsked:
    """No second factor is asked for."""


@dataclass(frozen=True, slots=True)
class SetUpDue:
    """A second factor must be set up; it may wait for `days_left` days (0: now, before anything opens)."""

    days_left: int


def mfa_required(audience: Audience, settings: Settings, personal: bool | None) -> bool:  # noqa: FBT001 - as below
    """Tell whether a second factor is required; what is said of the person outranks the organisation."""
    if audience is Audience.ADMIN:
        return True
    return settings.mfa.required if personal is None else personal


def set_up_due(
    audience: Audience,
    settings: Settings,
    personal: bool | None,  # noqa: FBT001 - a value of the person, not a switch
    due_from: Instant | None,
    now: Instant,
) -> NotAsked | SetUpDue:
    """Decide what somebody without a second factor must do.

    The days count from the first sign-in at which the factor was required (`due_from`, None: this one).
    """
    if not mfa_required(audience, settings, personal):
        return NotAsked()
    if audience is Audience.ADMIN:
        return SetUpDue(0)
    ends = (now if due_from is None else due_from) + settings.mfa.enrolment_days * DAY
    return SetUpDue(max(0, -(-(ends - now) // DAY)))


def password_is_too_old(settings: Settings, changed_at: Instant, now: Instant) -> bool:
    """Tell whether `password.max_age_days` asks for a new password."""
    days = settings.password.max_age_days
    return days > 0 and changed_at + days * DAY <= now


def session_suffices(
    settings: Settings,
    personal: bool | None,  # noqa: FBT001 - a value of the person, not a switch
    due_from: Instant | None,
    proofs: tuple[Proof, ...],
    now: Instant,
) -> bool:
    """Tell whether a person's session opens anything: a password alone lasts the enrolment days if MFA is required."""
    if is_mfa(proofs):
        return True
    due = set_up_due(Audience.PERSON, settings, personal, due_from, now)
    return isinstance(due, NotAsked) or due.days_left > 0


def has_fresh_proof(proofs: tuple[Proof, ...], *, holds_factor: bool, now: Instant) -> bool:
    """Tell whether the strongest factor held was proved within the last five minutes (SE-11)."""
    return any(
        proof.at >= now - FRESH_PROOF and (not holds_factor or proof.method is not Method.PASSWORD) for proof in proofs
    )
