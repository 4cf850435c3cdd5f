"""The whole sign-in, pure: where it stands, what happened, what follows.

Read `advance` first: one state, one event, one answer. A state is what the transaction remembers between two
requests; an event is what was found out (a password was right, a code was wrong), never what was typed; a step
holds the next state, what the person is told, and the effects that perform.py carries out in one transaction.
No clock, database, request or secret reaches this file.

    username -> password -> choose -> code ------------> signed in
                   |           `----> recovery code --->    ^
                   |                                        |
                   `-> set up (or later) -> recovery codes -+-> (new password first, where one is due)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, TypeAlias, assert_never

from doorward.clock import Instant
from doorward.directory import Standing
from doorward.signin.policy import NotAsked, SetUpDue
from doorward.signin.proof import Method, Proof, is_mfa


class Stage(StrEnum):
    """Which page a sign-in stands at."""

    USERNAME = "username"
    PASSWORD = "password"  # noqa: S105 - the name of a stage
    CHOOSE = "choose"
    CODE = "code"
    RECOVERY = "recovery"
    SET_UP = "set_up"
    RECOVERY_CODES = "recovery_codes"
    NEW_PASSWORD = "new_password"  # noqa: S105 - the name of a stage
    DONE = "done"
    ENDED = "ended"


class Said(StrEnum):
    """What the person is told; the sentences stand in pages/sentences.py, the same name goes to the audit log."""

    WRONG = "wrong_password"
    SUSPENDED = "suspended"
    STAGED = "not_yet_active"
    CODE_WRONG = "code_wrong"
    CODE_EXPIRED = "code_expired"
    CODE_EXPIRED_AGAIN = "code_expired_again"
    CODE_USED = "code_used"
    RECOVERY_WRONG = "recovery_code_wrong"
    RECOVERY_USED = "recovery_code_used"
    CODE_MALFORMED = "code_not_six_digits"
    SET_UP_WRONG = "set_up_code_wrong"
    SET_UP_OVER = "set_up_days_over"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - the name of a sentence
    TOO_MANY_CODES = "too_many_codes"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class State:
    """What a sign-in under way remembers. Until `account_id` is set nothing was proved but what was typed.

    `password_set_at` says which password was given: one that was set since makes the sign-in worthless.
    """

    stage: Stage
    typed: str
    account_id: str | None = None
    proofs: tuple[Proof, ...] = ()
    expired_in_a_row: int = 0
    enrolment_id: str | None = None
    may_wait_days: int = 0
    password_due: bool = False
    password_set_at: Instant | None = None


# ------------------------------------------------------------------------------------------- events


@dataclass(frozen=True, slots=True)
class NameGiven:
    """A name was typed; whether anybody has it is not looked at."""

    typed: str


@dataclass(frozen=True, slots=True)
class PasswordRight:
    """The password was right; what is known of the account decides what follows."""

    account_id: str
    standing: Standing
    holds_factor: bool
    set_up: NotAsked | SetUpDue
    password_due: bool
    password_set_at: Instant


@dataclass(frozen=True, slots=True)
class PasswordWrong:
    """The password was wrong, or nobody has that name: the two are never told apart."""

    paused: bool


@dataclass(frozen=True, slots=True)
class MethodChosen:
    """The person chose a method that they have set up."""

    method: Method


@dataclass(frozen=True, slots=True)
class OtherMethodWanted:
    """The person wants to choose again."""


@dataclass(frozen=True, slots=True)
class FactorRight:
    """A code was right."""

    method: Method


@dataclass(frozen=True, slots=True)
class FactorWrong:
    """A code was not accepted. `ends`: with counting switched off, the limit ends the sign-in instead of pausing."""

    said: Said
    paused: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class AccountClosed:
    """The account may not sign in any more: it was suspended or deleted since the step before (A17, A33)."""


@dataclass(frozen=True, slots=True)
class SetUpConfirmed:
    """The first code of the new authenticator was right; recovery codes were made."""


@dataclass(frozen=True, slots=True)
class SetUpLater:
    """The person puts the set-up off."""


@dataclass(frozen=True, slots=True)
class CodesSaved:
    """The person has saved the recovery codes."""


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """A new password was set."""

    password_set_at: Instant


Event: TypeAlias = (
    NameGiven
    | PasswordRight
    | PasswordWrong
    | MethodChosen
    | OtherMethodWanted
    | FactorRight
    | FactorWrong
    | AccountClosed
    | SetUpConfirmed
    | SetUpLater
    | CodesSaved
    | PasswordChanged
)


# ------------------------------------------------------------------------------------------ effects


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The guess was right or is nobody's fault: it no longer counts."""


@dataclass(frozen=True, slots=True)
class Record:
    """Write the outcome to the audit log."""

    action: str
    success: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StartEnrolmentDays:
    """Remember that a second factor is required from now on, if that is not remembered yet."""


@dataclass(frozen=True, slots=True)
class BeginSetUp:
    """Make the seed of a new authenticator, which waits for its first code; the state keeps its id."""


@dataclass(frozen=True, slots=True)
class IssueSession:
    """The sign-in is whole: clear the counters, issue the session, know this browser."""

    proofs: tuple[Proof, ...]


Effect: TypeAlias = GiveBack | Record | StartEnrolmentDays | BeginSetUp | IssueSession


@dataclass(frozen=True, slots=True)
class Step:
    """The answer to an event."""

    state: State
    said: Said | None = None
    effects: tuple[Effect, ...] = field(default=())


class NotNow(Exception):
    """The event does not belong to this stage: a stale tab, a doubled press or a forged request (A1, A2)."""


def begin(hint: str = "") -> State:
    """Start at the username, which a hint may fill in."""
    return State(Stage.USERNAME, hint)


def advance(state: State, event: Event, now: Instant) -> Step:
    """Decide what follows from `event`.

    Raises:
        NotNow: the event does not belong to the stage of `state`; nothing changes.
    """
    _require_stage(state, event)
    match event:
        case NameGiven(typed):
            return Step(replace(state, stage=Stage.PASSWORD, typed=typed))
        case PasswordRight():
            return _password_right(state, event, now)
        case PasswordWrong(paused):
            return Step(state, Said.PAUSED if paused else Said.WRONG, (_refused(Said.WRONG, paused=paused),))
        case MethodChosen(method):
            return Step(replace(state, stage=page_of(method)))
        case OtherMethodWanted():
            return Step(replace(state, stage=Stage.CHOOSE))
        case FactorRight(method):
            if state.stage is not page_of(method):
                raise NotNow(f"{method} at {state.stage}")
            return _proved(replace(state, proofs=(*state.proofs, Proof(method, now))), (GiveBack(),))
        case FactorWrong():
            return _factor_wrong(state, event)
        case AccountClosed():
            return Step(replace(state, stage=Stage.ENDED), Said.SUSPENDED, (_refused(Said.SUSPENDED, paused=False),))
        case SetUpConfirmed():
            proofs = (*state.proofs, Proof(Method.TOTP, now))
            return Step(replace(state, stage=Stage.RECOVERY_CODES, proofs=proofs, enrolment_id=None))
        case SetUpLater():
            return _later(state)
        case CodesSaved():
            return _proved(state, ())
        case PasswordChanged(password_set_at):
            return _proved(replace(state, password_due=False, password_set_at=password_set_at), ())
        case _:
            assert_never(event)


_STAGES: Final[Mapping[type[Event], frozenset[Stage]]] = {
    NameGiven: frozenset({Stage.USERNAME, Stage.PASSWORD}),
    PasswordRight: frozenset({Stage.PASSWORD}),
    PasswordWrong: frozenset({Stage.PASSWORD}),
    MethodChosen: frozenset({Stage.CHOOSE, Stage.CODE, Stage.RECOVERY}),
    OtherMethodWanted: frozenset({Stage.CHOOSE, Stage.CODE, Stage.RECOVERY}),
    FactorRight: frozenset({Stage.CODE, Stage.RECOVERY}),
    FactorWrong: frozenset({Stage.CODE, Stage.RECOVERY, Stage.SET_UP}),
    AccountClosed: frozenset(Stage) - {Stage.USERNAME, Stage.PASSWORD, Stage.DONE, Stage.ENDED},
    SetUpConfirmed: frozenset({Stage.SET_UP}),
    SetUpLater: frozenset({Stage.SET_UP}),
    CodesSaved: frozenset({Stage.RECOVERY_CODES}),
    PasswordChanged: frozenset({Stage.NEW_PASSWORD}),
}


def is_overtaken(state: State, password_set_at: Instant | None, *, holds_factor: bool) -> bool:
    """Tell whether a sign-in rests on what does not hold any more, so that it has to begin again.

    The password that it gave was changed since, or it goes on without a second factor for somebody who has set one up
    since: a set-up that was left waiting must not become a second one beside it (A28, A35).
    """
    if state.account_id is None:
        return False
    return state.password_set_at != password_set_at or (holds_factor and goes_without_factor(state))


def goes_without_factor(state: State) -> bool:
    """Tell whether a sign-in got past the question for a second factor because there was none."""
    return state.stage in {Stage.SET_UP, Stage.NEW_PASSWORD, Stage.DONE} and not is_mfa(state.proofs)


def page_of(method: Method) -> Stage:
    """Tell at which page a second factor is given.

    Raises:
        NotNow: a password is none (A1).
    """
    match method:
        case Method.TOTP:
            return Stage.CODE
        case Method.RECOVERY_CODE:
            return Stage.RECOVERY
        case Method.PASSWORD:
            raise NotNow("a password is no second factor")
        case _:
            assert_never(method)


def _require_stage(state: State, event: Event) -> None:
    if state.stage not in _STAGES[type(event)]:
        raise NotNow(f"{type(event).__name__} at {state.stage}")


def _password_right(state: State, event: PasswordRight, now: Instant) -> Step:
    if event.standing is not Standing.ACTIVE:
        said = Said.SUSPENDED if event.standing in {Standing.SUSPENDED, Standing.ENDED} else Said.STAGED
        return Step(state, said, (GiveBack(), _refused(said, paused=False)))
    known = replace(
        state,
        account_id=event.account_id,
        proofs=(Proof(Method.PASSWORD, now),),
        password_due=event.password_due,
        password_set_at=event.password_set_at,
    )
    if event.holds_factor:
        # Whoever holds a second factor is asked for it, required or not (A28).
        return Step(replace(known, stage=Stage.CHOOSE), None, (GiveBack(),))
    if isinstance(event.set_up, SetUpDue):
        waits = replace(known, stage=Stage.SET_UP, may_wait_days=event.set_up.days_left)
        said = None if event.set_up.days_left else Said.SET_UP_OVER
        return Step(waits, said, (GiveBack(), StartEnrolmentDays(), BeginSetUp()))
    return _proved(known, (GiveBack(),))


def _factor_wrong(state: State, event: FactorWrong) -> Step:
    expired = event.said is Said.CODE_EXPIRED
    in_a_row = state.expired_in_a_row + 1 if expired else 0
    said = Said.CODE_EXPIRED_AGAIN if expired and in_a_row > 1 else event.said
    after = replace(state, expired_in_a_row=in_a_row)
    effects = (_refused(event.said, paused=event.paused),)
    if event.ends:
        return Step(replace(after, stage=Stage.ENDED), Said.TOO_MANY_CODES, effects)
    return Step(after, Said.PAUSED if event.paused else said, effects)


def _later(state: State) -> Step:
    if state.may_wait_days <= 0:
        raise NotNow("the days to set up a second factor are over")
    return _proved(replace(state, enrolment_id=None), (Record("signin.set_up_later", success=True),))


def _proved(state: State, effects: tuple[Effect, ...]) -> Step:
    """Everything asked for was proved: a new password first where one is due, then the session."""
    if state.password_due:
        return Step(replace(state, stage=Stage.NEW_PASSWORD), Said.PASSWORD_EXPIRED, effects)
    return Step(replace(state, stage=Stage.DONE), None, (*effects, IssueSession(state.proofs)))


def _refused(said: Said, *, paused: bool) -> Record:
    return Record("signin.paused" if paused else "signin.failed", success=False, reason=said.value)
