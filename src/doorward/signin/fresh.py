# Security: sensitive changes ask for a fresh proof here (tests/signin/test_fresh.py, A36, A39).
"""A fresh proof in a running session: by the strongest factor held, through the same guesses as the sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection

from doorward.audit import Actor, Caller, Event, Outcome, record
from doorward.clock import Instant
from doorward.organization import Organization, current
from doorward.signin import accounts, browsers, guesses, policy, sessions
from doorward.signin.accounts import PresentPassword
from doorward.signin.answers import Means
from doorward.signin.audience import Audience
from doorward.signin.factors import FACTORS, NotRight, count_and_check
from doorward.signin.flow import Said
from doorward.signin.guesses import Guess, Slowed
from doorward.signin.hashing import Overloaded
from doorward.signin.proof import Method, Proof
from doorward.signin.sessions import Session, Signed
from doorward.store.once import InFlight, Kind, Paused, Waiting


@dataclass(frozen=True, slots=True)
class Proved:
    """The proof was right: the session goes on under this new handle."""

    session_handle: str


@dataclass(frozen=True, slots=True)
class NotProved:
    """The proof was not accepted, for this reason."""

    said: Said


@dataclass(frozen=True, slots=True)
class NotLooked:
    """Nothing was looked at: paused, waiting, slowed, or (None) too much under way."""

    why: Paused | Waiting | Slowed | None


Result: TypeAlias = Proved | NotProved | NotLooked


@dataclass(frozen=True, slots=True)
class Strongest:
    """What a fresh proof may be made with: factors other than the password where one is held."""

    methods: tuple[Method, ...]

    @property
    def holds_factor(self) -> bool:
        """Whether more than a password is held."""
        return Method.PASSWORD not in self.methods


def strongest(connection: Connection, signed: Signed) -> Strongest:
    """Tell by which methods a session may make a fresh proof."""
    audience, account_id = _owner(signed)
    allowed = current(connection).settings.mfa.factors if audience is Audience.PERSON else None
    found = accounts.factors_of(connection, audience, account_id, allowed)
    if not found.is_enough:
        return Strongest((Method.PASSWORD,))
    # Where every factor is closed one of them is still asked for, and no code of it is right.
    methods = [held.method for held in found.held] or [held.method for held in found.unusable]
    return Strongest(tuple(dict.fromkeys(methods)))


def is_fresh(connection: Connection, signed: Signed, now: Instant) -> bool:
    """Tell whether a sensitive change may go ahead without asking again."""
    holds_factor = strongest(connection, signed).holds_factor
    return policy.has_fresh_proof(signed.facts.proofs, holds_factor=holds_factor, now=now)


async def confirm(means: Means, signed: Signed, method: Method, typed: str, caller: Caller) -> Result:
    """Make a fresh proof. A method that is not among the strongest held is refused like a wrong one (A36)."""
    if method is Method.PASSWORD:
        held = await means.db.read(lambda c: strongest(c, signed))
        return NotProved(Said.WRONG) if held.holds_factor else await password_is_right(means, signed, typed, caller)
    return await _by_code(means, signed, method, typed, caller)


async def _by_code(means: Means, signed: Signed, method: Method, typed: str, caller: Caller) -> Result:
    now = means.clock()
    audience, account_id = _owner(signed)
    factor = FACTORS[method]
    code = factor.tidy(typed)

    def work(connection: Connection) -> Result:
        if code is None or method not in strongest(connection, signed).methods:
            return NotProved(factor.malformed)
        organization = current(connection)
        guess = _claim(connection, organization, signed, Kind.MFA, caller, now)
        if not isinstance(guess, Guess):
            return _not_looked(guess)
        result = count_and_check(factor, connection, means.vault, organization, audience, account_id, code, now)
        if isinstance(result, NotRight):
            if result.counts:
                guesses.judge_wrong(connection, guess, now)
            else:
                guesses.give_back(connection, guess)
            _record(connection, signed, method, result.said.value, caller, now)
            return NotProved(result.said)
        guesses.give_back(connection, guess)
        return _proved(connection, means, signed, method, caller, now)

    return await means.db.write(work)


async def password_is_right(means: Means, signed: Signed, typed: str, caller: Caller) -> Result:
    """Check the present password, as a change of it asks for (PW-10), through the same guesses as the sign-in."""
    now = means.clock()
    audience, account_id = _owner(signed)

    def claim(connection: Connection) -> tuple[Guess, PresentPassword | None] | NotLooked:
        guess = _claim(connection, current(connection), signed, Kind.PASSWORD, caller, now)
        if not isinstance(guess, Guess):
            return _not_looked(guess)
        in_known_browser = _known_browser(connection, signed, now) is not None
        return guess, accounts.count_password_attempt(
            connection, audience, account_id, in_known_browser=in_known_browser
        )

    claimed = await means.db.write(claim)
    if not isinstance(claimed, tuple):
        return claimed
    guess, password = claimed
    try:
        right: bool | None = await means.hasher.verify(password.phc if password else None, typed)
    except Overloaded:
        right = None

    def judge(connection: Connection) -> Result:
        if right is None:
            guesses.give_back(connection, guess)
            accounts.uncount_password_attempt(connection, audience, account_id)
            return NotLooked(None)
        changed_at = accounts.password_changed_at(connection, audience, account_id)
        if not right or password is None or password.changed_at != changed_at:
            guesses.judge_wrong(connection, guess, now)
            _record(connection, signed, Method.PASSWORD, Said.WRONG.value, caller, now)
            return NotProved(Said.WRONG)
        guesses.give_back(connection, guess)
        accounts.clear_password_failures(connection, audience, account_id)
        return _proved(connection, means, signed, Method.PASSWORD, caller, now)

    return await means.db.write(judge)


def _claim(
    connection: Connection, organization: Organization, signed: Signed, kind: Kind, caller: Caller, now: Instant
) -> Guess | guesses.Refused:
    audience, account_id = _owner(signed)
    subject = guesses.subject_of_account(audience, account_id, _known_browser(connection, signed, now))
    return guesses.claim(connection, organization, subject, kind, caller.address, now)


def _known_browser(connection: Connection, signed: Signed, now: Instant) -> str | None:
    """Give the known browser in which a session began, if it is still known: a change of a factor forgets it."""
    audience, account_id = _owner(signed)
    if audience is Audience.ADMIN:
        return None
    row_id = signed.facts.browser_id
    return row_id if browsers.is_known(connection, row_id, account_id, now) else None


def _not_looked(refused: guesses.Refused) -> NotLooked:
    return NotLooked(None if isinstance(refused, InFlight) else refused)


def _proved(
    connection: Connection, means: Means, signed: Signed, method: Method, caller: Caller, now: Instant
) -> Proved:
    audience, _ = _owner(signed)
    handle = sessions.add_proof(connection, means.vault, audience, signed.facts, Proof(method, now))
    _record(connection, signed, method, None, caller, now)
    return Proved(handle)


def _owner(signed: Signed) -> tuple[Audience, str]:
    if isinstance(signed, Session):
        return Audience.PERSON, signed.person.id
    return Audience.ADMIN, signed.admin.id


def _record(
    connection: Connection, signed: Signed, method: Method, reason: str | None, caller: Caller, now: Instant
) -> None:
    audience, account_id = _owner(signed)
    is_person = audience is Audience.PERSON
    event = Event(
        action="proof.failed" if reason else "proof.given",
        outcome=Outcome.FAILED if reason else Outcome.SUCCESS,
        actor=Actor.person(account_id) if is_person else Actor.admin(account_id),
        caller=caller,
        reason=reason,
        person_id=account_id if is_person else None,
        admin_id=None if is_person else account_id,
        session_id=signed.id,
        details={"method": method.value},
    )
    record(connection, event, now)
