"""May this person open this application now? Pure, and asked anew at every launch, on every path.

A list of small named checks, each with its reason; the first that speaks decides. The same reason is written to
the audit log, shown to the admin and asserted in the tests; the person reads one sentence for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from doorward.apps.app import App, AppState
from doorward.clock import Instant
from doorward.directory import Person, Standing
from doorward.organization import Settings
from doorward.signin import policy
from doorward.signin.proof import Proof, is_mfa


class Reason(StrEnum):
    """Why somebody is turned away."""

    APP_DRAFT = "app_draft"
    APP_OFF = "app_off"
    PERSON_STAGED = "person_staged"
    PERSON_SUSPENDED = "person_suspended"
    PERSON_NOT_STARTED = "person_not_started"
    PERSON_ENDED = "person_ended"
    NOT_ASSIGNED = "not_assigned"


class Demand(StrEnum):
    """What has to be proved first, by the sign-in."""

    SECOND_FACTOR = "second_factor"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True)
class Allow:
    """The application opens."""


@dataclass(frozen=True, slots=True)
class ProveMore:
    """The person goes through the sign-in first, then the question is asked again."""

    demand: Demand


@dataclass(frozen=True, slots=True)
class Deny:
    """The application does not open, and nothing about the person leaves."""

    reason: Reason


Decision: TypeAlias = Allow | ProveMore | Deny


@dataclass(frozen=True, slots=True)
class Proofs:
    """What a session has proved, and when it last did so."""

    proofs: tuple[Proof, ...]
    authenticated_at: Instant


@dataclass(frozen=True, slots=True)
class Demands:
    """What the request itself asks beyond the settings.

    `authenticated_since`: the last authentication must not be earlier (prompt=login and ForceAuthn: the instant of
    the request; max_age: now less that age). `second_factor`: asked for by acr_values or RequestedAuthnContext.
    """

    authenticated_since: Instant | None = None
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """Everything the decision reads. `given`: the person is in a group that the application is given to."""

    person: Person
    app: App
    given: bool
    proof: Proofs
    demands: Demands
    settings: Settings
    now: Instant


def decide(question: Question) -> Decision:
    """Decide whether the application opens. Refusals come before demands: nobody proves more to be turned away."""
    for check in _CHECKS:
        answer = check(question)
        if answer is not None:
            return answer
    return Allow()


def _app_is_open(question: Question) -> Deny | None:
    match question.app.state:
        case AppState.DRAFT:
            return Deny(Reason.APP_DRAFT)
        case AppState.OFF:
            return Deny(Reason.APP_OFF)
        case AppState.ACTIVE:
            return None


def _person_stands(question: Question) -> Deny | None:
    standing = question.person.standing(question.now)
    return None if standing is Standing.ACTIVE else Deny(Reason(f"person_{standing.value}"))


def _is_given(question: Question) -> Deny | None:
    return None if question.given else Deny(Reason.NOT_ASSIGNED)


def _second_factor(question: Question) -> ProveMore | None:
    """MFA required holds for every application (SIGNIN, 2); within the enrolment days a password lasts."""
    person, proofs = question.person, question.proof.proofs
    suffices = policy.session_suffices(
        question.settings, person.mfa_required, person.mfa_due_from, proofs, question.now
    )
    asked = question.demands.second_factor and not is_mfa(proofs)
    return ProveMore(Demand.SECOND_FACTOR) if asked or not suffices else None


def _is_fresh(question: Question) -> ProveMore | None:
    since = question.demands.authenticated_since
    return ProveMore(Demand.FRESH) if since is not None and question.proof.authenticated_at < since else None


_CHECKS: Final[tuple[Callable[[Question], Decision | None], ...]] = (
    _app_is_open,
    _person_stands,
    _is_given,
    _second_factor,
    _is_fresh,
)
