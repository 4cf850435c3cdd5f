"""The whole sign-in as a table: every event at every stage either follows or does not belong there (A1, A2, A28)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.directory import Standing
from doorward.signin import flow
from doorward.signin.flow import (
    AccountClosed,
    BeginSetUp,
    CodesSaved,
    Event,
    FactorRight,
    FactorWrong,
    GiveBack,
    IssueSession,
    MethodChosen,
    NameGiven,
    NotNow,
    OtherMethodWanted,
    PasswordChanged,
    PasswordRight,
    PasswordWrong,
    Record,
    Said,
    SetUpConfirmed,
    SetUpLater,
    Stage,
    StartEnrolmentDays,
    State,
    advance,
)
from doorward.signin.policy import NotAsked, SetUpDue
from doorward.signin.proof import Method, Proof
from support.clocks import START

PROVED = (Proof(Method.PASSWORD, START),)


def right(
    *,
    standing: Standing = Standing.ACTIVE,
    holds_factor: bool = True,
    set_up: NotAsked | SetUpDue | None = None,
    due: bool = False,
) -> PasswordRight:
    return PasswordRight("p1", standing, holds_factor, set_up or NotAsked(), due, START)


EVENTS: dict[str, Event] = {
    "name": NameGiven("alice"),
    "password right": right(),
    "password wrong": PasswordWrong(paused=False),
    "app chosen": MethodChosen(Method.TOTP),
    "recovery chosen": MethodChosen(Method.RECOVERY_CODE),
    "password chosen": MethodChosen(Method.PASSWORD),
    "other": OtherMethodWanted(),
    "code right": FactorRight(Method.TOTP),
    "recovery right": FactorRight(Method.RECOVERY_CODE),
    "password as factor": FactorRight(Method.PASSWORD),
    "code wrong": FactorWrong(Said.CODE_WRONG),
    "closed": AccountClosed(),
    "set up": SetUpConfirmed(),
    "later": SetUpLater(),
    "saved": CodesSaved(),
    "changed": PasswordChanged(START),
}

# Everything that is not in this table is refused.
TABLE: dict[Stage, dict[str, Stage]] = {
    Stage.USERNAME: {"name": Stage.PASSWORD},
    Stage.PASSWORD: {"name": Stage.PASSWORD, "password right": Stage.CHOOSE, "password wrong": Stage.PASSWORD},
    Stage.CHOOSE: {
        "app chosen": Stage.CODE,
        "recovery chosen": Stage.RECOVERY,
        "other": Stage.CHOOSE,
        "closed": Stage.ENDED,
    },
    Stage.CODE: {
        "app chosen": Stage.CODE,
        "recovery chosen": Stage.RECOVERY,
        "other": Stage.CHOOSE,
        "code right": Stage.DONE,
        "code wrong": Stage.CODE,
        "closed": Stage.ENDED,
    },
    Stage.RECOVERY: {
        "app chosen": Stage.CODE,
        "recovery chosen": Stage.RECOVERY,
        "other": Stage.CHOOSE,
        "recovery right": Stage.DONE,
        "code wrong": Stage.RECOVERY,
        "closed": Stage.ENDED,
    },
    Stage.SET_UP: {
        "set up": Stage.RECOVERY_CODES,
        "later": Stage.DONE,
        "code wrong": Stage.SET_UP,
        "closed": Stage.ENDED,
    },
    Stage.RECOVERY_CODES: {"saved": Stage.DONE, "closed": Stage.ENDED},
    Stage.NEW_PASSWORD: {"changed": Stage.DONE, "closed": Stage.ENDED},
    Stage.DONE: {},
    Stage.ENDED: {},
}


def at(stage: Stage) -> State:
    known = stage not in {Stage.USERNAME, Stage.PASSWORD}
    return State(stage, "alice", "p1" if known else None, PROVED if known else (), may_wait_days=3)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("stage", list(Stage))
def test_a1_a2_an_event_follows_where_it_belongs_and_nowhere_else(stage: Stage, event: str) -> None:
    expected = TABLE[stage].get(event)
    if expected is None:
        with pytest.raises(NotNow):
            advance(at(stage), EVENTS[event], START)
    else:
        assert advance(at(stage), EVENTS[event], START).state.stage is expected


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("stage", list(Stage))
def test_a28_a_session_is_issued_only_where_everything_asked_for_was_proved(stage: Stage, event: str) -> None:
    """From every stage one step long: a session needs a right factor, or no demand for one."""
    try:
        step = advance(at(stage), EVENTS[event], START)
    except NotNow:
        return
    if any(isinstance(effect, IssueSession) for effect in step.effects):
        assert event in {"code right", "recovery right", "later", "saved", "changed"}
        assert step.state.stage is Stage.DONE


def test_a28_whoever_holds_a_factor_is_asked_for_it_required_or_not() -> None:
    for set_up in (NotAsked(), SetUpDue(0), SetUpDue(7)):
        step = advance(at(Stage.PASSWORD), right(set_up=set_up), START)
        assert step.state.stage is Stage.CHOOSE
        assert step.effects == (GiveBack(),)


def test_without_a_factor_and_none_required_the_password_is_the_whole_sign_in() -> None:
    step = advance(at(Stage.PASSWORD), right(holds_factor=False), START)
    assert step.effects == (GiveBack(), IssueSession(PROVED))


def test_a_factor_that_is_due_is_set_up_and_may_wait_while_days_are_left() -> None:
    step = advance(at(Stage.PASSWORD), right(holds_factor=False, set_up=SetUpDue(7)), START)
    assert (step.state.stage, step.state.may_wait_days, step.said) == (Stage.SET_UP, 7, None)
    assert step.effects == (GiveBack(), StartEnrolmentDays(), BeginSetUp())
    later = advance(step.state, SetUpLater(), START)
    assert later.effects[-1] == IssueSession(PROVED)


def test_a1_after_the_days_setting_up_cannot_be_put_off() -> None:
    step = advance(at(Stage.PASSWORD), right(holds_factor=False, set_up=SetUpDue(0)), START)
    assert step.said is Said.SET_UP_OVER
    with pytest.raises(NotNow):
        advance(step.state, SetUpLater(), START)


def test_a_new_authenticator_is_a_proof_and_the_recovery_codes_are_shown_before_the_way_on() -> None:
    step = advance(replace(at(Stage.SET_UP), enrolment_id="e"), SetUpConfirmed(), START + 5)
    assert step.state.enrolment_id is None
    assert step.effects == ()
    saved = advance(step.state, CodesSaved(), START + 9)
    assert saved.effects == (IssueSession((*PROVED, Proof(Method.TOTP, START + 5))),)


@pytest.mark.parametrize("stage", [Stage.CODE, Stage.RECOVERY_CODES, Stage.SET_UP])
def test_pw07_a_password_that_is_due_is_changed_after_the_second_factor_and_before_anything_opens(stage: Stage) -> None:
    events = {Stage.CODE: FactorRight(Method.TOTP), Stage.RECOVERY_CODES: CodesSaved(), Stage.SET_UP: SetUpLater()}
    step = advance(replace(at(stage), password_due=True), events[stage], START)
    assert (step.state.stage, step.said) == (Stage.NEW_PASSWORD, Said.PASSWORD_EXPIRED)
    assert not any(isinstance(effect, IssueSession) for effect in step.effects)
    assert advance(step.state, PasswordChanged(START), START).state.stage is Stage.DONE


@pytest.mark.parametrize("standing", [s for s in Standing if s is not Standing.ACTIVE])
def test_a17_a_right_password_of_somebody_who_is_not_active_leads_nowhere(standing: Standing) -> None:
    step = advance(at(Stage.PASSWORD), right(standing=standing, holds_factor=False), START)
    assert step.state == at(Stage.PASSWORD)
    assert step.said in {Said.SUSPENDED, Said.STAGED}
    assert step.effects[0] == GiveBack()


def test_the_hint_about_the_phones_clock_comes_at_the_second_expired_code_in_a_row() -> None:
    expired = FactorWrong(Said.CODE_EXPIRED)
    first = advance(at(Stage.CODE), expired, START)
    second = advance(first.state, expired, START)
    between = advance(advance(first.state, FactorWrong(Said.CODE_WRONG), START).state, expired, START)
    assert [first.said, second.said, between.said] == [
        Said.CODE_EXPIRED,
        Said.CODE_EXPIRED_AGAIN,
        Said.CODE_EXPIRED,
    ]


def test_the_pause_is_told_at_the_guess_that_starts_it() -> None:
    for event in (PasswordWrong(paused=True), FactorWrong(Said.CODE_WRONG, paused=True)):
        stage = Stage.PASSWORD if isinstance(event, PasswordWrong) else Stage.CODE
        step = advance(at(stage), event, START)
        assert step.said is Said.PAUSED
        assert [effect.action for effect in step.effects if isinstance(effect, Record)] == ["signin.paused"]


def test_with_counting_off_the_limit_of_codes_ends_the_sign_in() -> None:
    step = advance(at(Stage.CODE), FactorWrong(Said.CODE_WRONG, ends=True), START)
    assert (step.state.stage, step.said) == (Stage.ENDED, Said.TOO_MANY_CODES)


def test_nothing_is_proved_by_choosing_or_going_back() -> None:
    state = at(Stage.CHOOSE)
    for event in (MethodChosen(Method.TOTP), OtherMethodWanted(), MethodChosen(Method.RECOVERY_CODE)):
        step = advance(state, event, START)
        assert step.state.proofs == PROVED
        assert step.effects == ()
        state = step.state


def test_a_name_hint_is_filled_in_and_selects_nothing() -> None:
    assert flow.begin("alice") == State(Stage.USERNAME, "alice")
