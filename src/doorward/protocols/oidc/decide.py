# Security: whether a code is issued is decided here (tests/standards/oidc/test_az_authorization.py).
"""What becomes of an accepted request, by the session of who asks. Pure; asked anew whenever the request comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from doorward.apps.access import Allow, Demand, Demands, Deny, Proofs, ProveMore, Question, decide
from doorward.apps.app import App, AppState
from doorward.clock import SECOND, Instant
from doorward.organization import Settings
from doorward.protocols.oidc.refusals import ErrorCode, Reason, Refused
from doorward.protocols.oidc.request import AuthorizationRequest
from doorward.signin import Session
from doorward.signin.proof import wholly_proved_at


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the decision reads beside the session. `given`: to a group of its person."""

    app: App
    request: AuthorizationRequest
    given: bool
    settings: Settings


@dataclass(frozen=True, slots=True)
class Issue:
    """The client gets a code for this session."""

    session: Session


@dataclass(frozen=True, slots=True)
class SignIn:
    """The person signs in first, then the question is asked again."""

    fresh: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class TurnAway:
    """A page of ours says no, and nothing about the person leaves. `reason` is one of `apps.access`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tell:
    """The client is told by an error; `why` is what the audit log is told."""

    error: Refused
    why: str


Outcome: TypeAlias = Issue | SignIn | TurnAway | Tell


def outcome_for(case: Case, session: Session | None, now: Instant) -> Outcome:
    """Decide what becomes of a request by the person of `session` (None: nobody is signed in)."""
    outcome = _outcome(case, session, now)
    if not case.request.is_silent:
        return outcome
    # OIDC Core §3.1.2.1: prompt=none MUST NOT display any page; OIDC Core §3.1.2.6 names the errors (AZ-11).
    match outcome:
        case SignIn(reason=reason):
            code = ErrorCode.INTERACTION_REQUIRED if reason is Reason.SECOND_FACTOR else ErrorCode.LOGIN_REQUIRED
            return Tell(Refused(code, reason), reason.value)
        case TurnAway(reason=why):
            return Tell(Refused(ErrorCode.ACCESS_DENIED, Reason.NOT_GRANTED), why)
        case Issue() | Tell():
            return outcome
        case _:
            assert_never(outcome)


def _outcome(case: Case, session: Session | None, now: Instant) -> Outcome:
    request = case.request
    if session is None:
        # Nobody signs in, nor is told an application's name, for one that opens for nobody.
        if case.app.state is not AppState.ACTIVE:
            return TurnAway(f"app_{case.app.state.value}")
        return SignIn(fresh=False, reason=Reason.NO_SESSION)
    proved_at = wholly_proved_at(session.proofs, session.authenticated_at)
    signed_in_for_this = proved_at >= request.accepted_at
    if request.subject is not None and request.subject != session.person.id:
        # OIDC Core §3.1.2.1: positive only for the subject of the hint; somebody else may sign in, once (AZ-15).
        if signed_in_for_this:
            error = Refused(ErrorCode.LOGIN_REQUIRED, Reason.OTHER_SUBJECT)
            return Tell(error, error.reason.value)
        return SignIn(fresh=True, reason=Reason.OTHER_SUBJECT)
    decision = decide(
        Question(
            person=session.person,
            app=case.app,
            given=case.given,
            proof=Proofs(session.proofs, proved_at),
            demands=Demands(
                authenticated_since=_since(request),
                # acr_values is voluntary: asked for once, and whoever has no second factor goes on without (AZ-18).
                second_factor=request.wants_mfa and not request.is_silent and not signed_in_for_this,
            ),
            settings=case.settings,
            now=now,
        )
    )
    match decision:
        case Allow():
            return Issue(session)
        case ProveMore(Demand.FRESH):
            return SignIn(fresh=True, reason=Reason.TOO_OLD)
        case ProveMore(Demand.SECOND_FACTOR):
            return SignIn(fresh=False, reason=Reason.SECOND_FACTOR)
        case ProveMore():
            raise ValueError(decision)
        case Deny(reason):
            return TurnAway(reason.value)
        case _:
            assert_never(decision)


def _since(request: AuthorizationRequest) -> Instant | None:
    """Tell how old the authentication may be, from the instant of the request on: not from when it came back."""
    if request.asks_to_sign_in:
        return request.accepted_at
    return None if request.max_age is None else request.accepted_at - request.max_age * SECOND
