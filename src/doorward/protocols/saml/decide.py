"""What becomes of a launch: the answer as data, decided from what was read. Pure.

`apps.access` decides whether the person may; this file adds what the request itself asks (SAML Core §3.4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from doorward.apps import App, SamlProvider
from doorward.apps.access import Allow, Demand, Demands, Deny, Proofs, ProveMore, Question, decide
from doorward.clock import Instant
from doorward.organization import Settings
from doorward.protocols.saml.accept import AcceptedRequest
from doorward.protocols.saml.context import context_for, needs_second_factor
from doorward.protocols.saml.names import Status
from doorward.protocols.saml.refusals import Answered, Reason
from doorward.protocols.saml.statement import name_id_for
from doorward.signin import Session
from doorward.signin.proof import wholly_proved_at


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the decision reads. `request` is None for a launch that begins here (RS-17)."""

    app: App
    provider: SamlProvider
    given: bool
    groups: frozenset[str]
    settings: Settings
    request: AcceptedRequest | None


@dataclass(frozen=True, slots=True)
class Open:
    """The application opens: `session` names the person, as `name_id`, and `authn_context` is true of it."""

    session: Session
    name_id: str
    authn_context: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """The person goes through the sign-in first; `fresh`: whatever was proved before the request does not count."""

    fresh: bool


@dataclass(frozen=True, slots=True)
class TurnAway:
    """A page of our own; nothing about the person leaves."""

    reason: str


@dataclass(frozen=True, slots=True)
class Tell:
    """The provider is told by a status why it gets no assertion."""

    error: Answered


Outcome: TypeAlias = Open | SignIn | TurnAway | Tell


def outcome_for(case: Case, session: Session | None, now: Instant) -> Outcome:
    """Decide what becomes of a launch by the person of `session` (None: nobody is signed in)."""
    outcome = SignIn(fresh=False) if session is None else _outcome(case, session, now)
    if case.request is not None and case.request.is_passive and isinstance(outcome, SignIn | TurnAway):
        # IsPassive forbids every page of ours, even the one that refuses (SAML Core §3.4.1; SR-14).
        return Tell(Answered(Reason.NO_PASSIVE, Status.RESPONDER, Status.NO_PASSIVE))
    return outcome


def _outcome(case: Case, session: Session, now: Instant) -> Outcome:
    own_class = case.provider.authn_context
    request = case.request
    since = request.accepted_at if request is not None and request.force_authn else None
    needs = request is not None and needs_second_factor(request.context, own_class)
    decision = decide(
        Question(
            person=session.person,
            app=case.app,
            given=case.given,
            proof=Proofs(session.proofs, wholly_proved_at(session.proofs, session.authenticated_at)),
            demands=Demands(authenticated_since=since, second_factor=needs),
            settings=case.settings,
            now=now,
        )
    )
    match decision:
        case Deny(reason):
            return TurnAway(reason.value)
        case ProveMore(demand):
            if needs and request is not None and session.authenticated_at >= request.accepted_at:
                # They signed in for this request and have no second factor: asking again would not end (SR-17).
                return Tell(Answered(Reason.AUTHN_CONTEXT, Status.RESPONDER, Status.NO_AUTHN_CONTEXT))
            return SignIn(fresh=demand is Demand.FRESH)
        case Allow():
            return _opened(case, session)
        case _:
            assert_never(decision)


def _opened(case: Case, session: Session) -> Outcome:
    request = case.request
    name_id = name_id_for(case.provider, session.person, case.groups, case.app)
    if name_id is None:
        return TurnAway(Reason.NO_NAME_ID.value)
    if request is not None and request.subject is not None and request.subject != name_id:
        # The provider asked for somebody else: an assertion about this person would be a mix-up (SR-19).
        return Tell(Answered(Reason.OTHER_SUBJECT, Status.RESPONDER, Status.UNKNOWN_PRINCIPAL))
    asked = None if request is None else request.context
    true_class = context_for(asked, session.proofs, case.provider.authn_context)
    if true_class is None:
        return Tell(Answered(Reason.AUTHN_CONTEXT, Status.RESPONDER, Status.NO_AUTHN_CONTEXT))
    return Open(session, name_id, true_class)
