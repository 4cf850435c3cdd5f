"""Who may open an application now: each refusal by its reason, refusals before demands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.apps import AppState
from doorward.apps.access import Allow, Decision, Demand, Demands, Deny, Proofs, ProveMore, Question, Reason, decide
from doorward.clock import DAY
from doorward.directory import PersonState
from doorward.organization import Mfa, Settings
from doorward.signin import Method, Proof
from support.app_samples import a_person, an_app
from support.clocks import START

PASSWORD = Proof(Method.PASSWORD, START)
BOTH = (PASSWORD, Proof(Method.TOTP, START))
ASKED = Question(
    a_person(), an_app(), given=True, proof=Proofs(BOTH, START), demands=Demands(), settings=Settings(), now=START
)


def with_password_alone(question: Question = ASKED) -> Question:
    return replace(question, proof=Proofs((PASSWORD,), START))


def test_a_given_application_opens_for_a_full_sign_in() -> None:
    assert decide(ASKED) == Allow()


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (replace(ASKED, app=an_app(state=AppState.DRAFT)), Reason.APP_DRAFT),
        (replace(ASKED, app=an_app(state=AppState.OFF)), Reason.APP_OFF),
        (replace(ASKED, person=a_person(state=PersonState.SUSPENDED)), Reason.PERSON_SUSPENDED),
        (replace(ASKED, person=a_person(state=PersonState.STAGED)), Reason.PERSON_STAGED),
        (replace(ASKED, person=a_person(starts_at=START + 1)), Reason.PERSON_NOT_STARTED),
        (replace(ASKED, person=a_person(ends_at=START)), Reason.PERSON_ENDED),
        (replace(ASKED, given=False), Reason.NOT_ASSIGNED),
    ],
)
def test_a17_a18_each_refusal_has_its_reason_and_comes_before_any_demand(question: Question, reason: Reason) -> None:
    assert decide(question) == Deny(reason)
    assert decide(replace(with_password_alone(question), demands=Demands(START + 1, second_factor=True))) == Deny(
        reason
    )


def overdue(question: Question) -> Question:
    return replace(question, person=replace(question.person, mfa_due_from=START - 7 * DAY))


def test_a_password_alone_lasts_the_enrolment_days_and_no_longer() -> None:
    assert decide(with_password_alone()) == Allow()
    assert decide(overdue(with_password_alone())) == ProveMore(Demand.SECOND_FACTOR)
    assert decide(overdue(ASKED)) == Allow()


@pytest.mark.parametrize(
    ("required", "personal", "answer"),
    [
        (True, None, ProveMore(Demand.SECOND_FACTOR)),
        (True, False, Allow()),
        (False, None, Allow()),
        (False, True, ProveMore(Demand.SECOND_FACTOR)),
    ],
)
def test_mfa_required_is_the_organisations_unless_the_person_has_an_own_rule(
    required: bool,
    personal: bool | None,
    answer: Decision,
) -> None:
    question = overdue(with_password_alone())
    person = replace(question.person, mfa_required=personal)
    settings = replace(Settings(), mfa=Mfa(required=required))
    assert decide(replace(question, person=person, settings=settings)) == answer


def test_a_request_may_demand_a_second_factor_or_a_fresh_sign_in() -> None:
    assert decide(replace(with_password_alone(), demands=Demands(second_factor=True))) == ProveMore(
        Demand.SECOND_FACTOR
    )
    assert decide(replace(ASKED, demands=Demands(second_factor=True))) == Allow()
    assert decide(replace(ASKED, demands=Demands(authenticated_since=START))) == Allow()
    assert decide(replace(ASKED, demands=Demands(authenticated_since=START + 1))) == ProveMore(Demand.FRESH)
