# Security: the doors of the sign-in (tests/signin/test_model.py, tests/attacks/).
"""One function for each thing a person can do at the sign-in: load, claim, check, advance, carry out.

`flow.py` decides; this file reads what it needs, looks at the secret, and carries the answer out in one transaction.
Passwords are hashed outside any transaction, between two: the guess is claimed and committed in the first. A code
is claimed and judged in one, since looking at it takes no time: what dies half-way was never answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from doorward.clock import Instant
from doorward.organization import Organization, current
from doorward.signin import accounts, enrol, flow, guesses, passwords, policy, transaction, who
from doorward.signin.accounts import PresentPassword
from doorward.signin.answers import (
    Answer,
    Held,
    Means,
    NotJudged,
    Shown,
    factors_in,
    held_back,
    in_one,
    known_account,
    known_browser,
    look,
    scene_of,
    shown,
    step,
    subject_in,
)
from doorward.signin.audience import Audience
from doorward.signin.destination import Heading
from doorward.signin.effects import Browser, Carried, Moved, Scene, Stays, owner_of
from doorward.signin.factors import FACTORS, NotRight, count_and_check
from doorward.signin.flow import NotNow, Said, Stage
from doorward.signin.guesses import Guess
from doorward.signin.hashing import Overloaded
from doorward.signin.passwords import PasswordFault
from doorward.signin.proof import Method
from doorward.signin.transaction import Lost, Transaction
from doorward.signin.who import Account
from doorward.store.once import Kind, Paused

_LONGEST_NAME: Final = 320
_SHOW_ATTEMPTS_FROM: Final = 3


@dataclass(frozen=True, slots=True)
class _Claimed:
    """A password guess that may be judged: its scene, the account and its password (None: nobody's)."""

    scene: Scene
    guess: Guess
    account: Account | None
    password: PresentPassword | None

    @property
    def phc(self) -> str | None:
        """The hash to compare with; None where a dummy is compared."""
        return self.password.phc if self.password else None

    def password_due(self, now: Instant) -> bool:
        """Whether a new password must be set before anything opens."""
        if self.password is None:
            return False
        settings = self.scene.organization.settings
        return self.password.must_change or policy.password_is_too_old(settings, self.password.changed_at, now)


async def begin(means: Means, audience: Audience, browser: Browser, heading: Heading, typed: str | None = None) -> str:
    """Begin a sign-in, at the password where a name was typed; its id is worthless without the browser's handle."""
    now = means.clock()
    state = flow.begin(heading.demands.hint)
    if typed is not None:
        state = flow.advance(state, flow.NameGiven(typed[:_LONGEST_NAME]), now).state
    return await means.db.write(
        lambda c: transaction.start(c, audience, browser.handle_hash, heading, now, state), durable=False
    )


async def begin_again(means: Means, audience: Audience, browser: Browser, transaction_id: str) -> str | Lost:
    """Start a sign-in over that took too long, still heading where it was."""
    now = means.clock()

    def work(connection: Connection) -> str | Lost:
        found = transaction.load(connection, audience, browser.handle_hash, transaction_id, now)
        if isinstance(found, Lost):
            return found
        return transaction.start(connection, audience, browser.handle_hash, found.heading, now)

    return await means.db.write(work, durable=False)


async def give_name(means: Means, audience: Audience, browser: Browser, transaction_id: str, typed: str) -> Answer:
    """Take the name that was typed. Whether anybody has it is not looked at."""

    def judge(connection: Connection, scene: Scene) -> Carried:
        return step(connection, scene, flow.NameGiven(typed[:_LONGEST_NAME]))

    return await in_one(means, audience, browser, transaction_id, judge)


async def give_password(means: Means, audience: Audience, browser: Browser, transaction_id: str, typed: str) -> Answer:
    """Check a password: claim and commit, hash in the pool, then judge."""
    now = means.clock()
    claimed = await means.db.write(lambda c: _claim_password(c, means, audience, browser, transaction_id, now))
    if not isinstance(claimed, _Claimed):
        return claimed
    try:
        right = await means.hasher.verify(claimed.phc, typed)
    except Overloaded:
        await means.db.write(lambda c: _return_password(c, claimed))
        return NotJudged(claimed.scene.transaction)
    done = means.clock()
    carried = await means.db.write(lambda c: _judge_password(c, claimed, right=right, now=done))
    if right and claimed.phc is not None and means.hasher.is_outdated(claimed.phc):
        await _upgrade(means, claimed, typed)
    return await look(means, audience, browser, transaction_id) if isinstance(carried, Moved) else carried


async def choose(
    means: Means, audience: Audience, browser: Browser, transaction_id: str, method: Method | None
) -> Answer:
    """Go on with a method that is set up, or (None) back to the choice."""

    def judge(connection: Connection, scene: Scene) -> Carried:
        if method is None:
            return step(connection, scene, flow.OtherMethodWanted())
        if method not in {held.method for held in factors_in(connection, scene).held}:
            raise NotNow("that method is not set up")
        return step(connection, scene, flow.MethodChosen(method))

    return await in_one(means, audience, browser, transaction_id, judge, durable=False)


async def give_code(
    means: Means, audience: Audience, browser: Browser, transaction_id: str, method: Method, typed: str
) -> Answer:
    """Check a code of a second factor: claim, judge and consume in one transaction."""
    factor = FACTORS[method]
    code = factor.tidy(typed)

    def judge(connection: Connection, scene: Scene) -> Carried | Held | NotJudged:
        account = known_account(scene)
        if scene.transaction.state.stage is not flow.page_of(method):
            raise NotNow("another method was chosen")
        if code is None:
            return Stays(scene.transaction, factor.malformed)
        subject = subject_in(connection, scene, account)
        guess = guesses.claim(connection, scene.organization, subject, Kind.MFA, browser.caller.address, scene.now)
        if not isinstance(guess, Guess):
            return held_back(connection, scene, guess)
        return _judge_code(connection, replace(scene, guess=guess), guess, method, code)

    return await in_one(means, audience, browser, transaction_id, judge)


async def confirm_set_up(means: Means, audience: Audience, browser: Browser, transaction_id: str, typed: str) -> Answer:
    """Confirm a new authenticator by its first code."""
    code = FACTORS[Method.TOTP].tidy(typed)

    def judge(connection: Connection, scene: Scene) -> Carried:
        state = scene.transaction.state
        account = known_account(scene)
        if state.stage is not Stage.SET_UP or state.enrolment_id is None:
            raise NotNow("nothing is being set up")
        if code is None:
            return Stays(scene.transaction, Said.CODE_MALFORMED)
        owner = owner_of(scene, account.id)
        result = enrol.confirm(
            connection, scene.vault, scene.organization, owner, state.enrolment_id, code, scene.now, only_first=True
        )
        match result:
            case enrol.Confirmed(codes):
                carried = step(connection, scene, flow.SetUpConfirmed())
                return replace(carried, codes=codes) if isinstance(carried, Stays) else carried
            case enrol.WrongFirstCode():
                return step(connection, scene, flow.FactorWrong(Said.SET_UP_WRONG))
            case enrol.Gone():
                return Moved()

    return await in_one(means, audience, browser, transaction_id, judge)


async def go_on(means: Means, audience: Audience, browser: Browser, transaction_id: str, event: flow.Event) -> Answer:
    """Take a step that needs no secret: put the set-up off, or go on from the recovery codes."""
    return await in_one(means, audience, browser, transaction_id, lambda c, scene: step(c, scene, event))


async def give_new_password(
    means: Means, audience: Audience, browser: Browser, transaction_id: str, typed: str
) -> Answer:
    """Set the new password that is due before anything opens."""
    now = means.clock()
    before = await look(means, audience, browser, transaction_id)
    if not isinstance(before, Shown):
        return before
    state = before.transaction.state
    if state.stage is not Stage.NEW_PASSWORD or state.account_id is None:
        raise NotNow("no new password is due")
    account_id = state.account_id
    fault, phc = await password_fault(means, audience, account_id, typed), None
    if fault is None:
        fault, phc = await unused_password(means, audience, account_id, typed)
    if phc is None:
        return replace(before, fault=fault) if fault else NotJudged(before.transaction)

    def judge(connection: Connection, scene: Scene) -> Carried:
        if scene.transaction.state.stage is not Stage.NEW_PASSWORD:
            raise NotNow("no new password is due")
        owner = owner_of(scene, account_id)
        accounts.change_password(
            connection,
            audience,
            account_id,
            phc,
            history=scene.organization.settings.password.history,
            keep_session=None,
            keep_browser=scene.browser_id,
            actor=owner.actor,
            caller=browser.caller,
            now=now,
        )
        return step(connection, scene, flow.PasswordChanged(now))

    return await in_one(means, audience, browser, transaction_id, judge)


async def password_fault(means: Means, audience: Audience, account_id: str, typed: str) -> PasswordFault | None:
    """Judge a new password by the rules alone. What it is compared with is no secret."""
    now = means.clock()

    def read(connection: Connection) -> tuple[Organization, Account | None]:
        return current(connection), who.by_id(connection, audience, account_id, now)

    organization, account = await means.db.read(read)
    names = (organization.name, *organization.domains, *(account.names if account else ()))
    rules = organization.settings.password
    required = policy.mfa_required(audience, organization.settings, account.mfa_required if account else None)
    return passwords.refusal(typed, names=names, rules=rules, mfa_required=required)


async def unused_password(
    means: Means, audience: Audience, account_id: str, typed: str
) -> tuple[PasswordFault | None, str | None]:
    """Hash a new password that differs from the earlier ones: (fault, None), or (None, None) where too many wait.

    It tells whether `typed` is the present password, and counts nothing: only for whoever has just given that one.
    """

    def read(connection: Connection) -> list[str]:
        # The present password is compared too: the same one again is no change.
        most = current(connection).settings.password.history + 1
        return accounts.earlier_passwords(connection, audience, account_id)[:most]

    earlier = await means.db.read(read)
    try:
        if not await accounts.fits_history(means.hasher, earlier, typed):
            return PasswordFault.REUSED, None
        return None, await means.hasher.hash(typed)
    except Overloaded:
        return None, None


def _claim_password(
    connection: Connection, means: Means, audience: Audience, browser: Browser, transaction_id: str, now: Instant
) -> _Claimed | Answer:
    """Claim a guess at a password. Known and unknown names run the same statements."""
    found = transaction.load(connection, audience, browser.handle_hash, transaction_id, now)
    if not isinstance(found, Transaction):
        return found
    if found.state.stage is not Stage.PASSWORD:
        raise NotNow("the password was given already")
    account = who.find(connection, audience, found.state.typed, now)
    browser_id = known_browser(connection, means.vault, audience, browser, account, now)
    scene = replace(scene_of(connection, means, audience, browser, found, now), account=account, browser_id=browser_id)
    subject = subject_in(connection, scene, account)
    guess = guesses.claim(connection, scene.organization, subject, Kind.PASSWORD, browser.caller.address, now)
    if not isinstance(guess, Guess):
        return held_back(connection, scene, guess)
    password = accounts.count_password_attempt(
        connection, audience, account.id if account else None, in_known_browser=browser_id is not None
    )
    return _Claimed(replace(scene, guess=guess), guess, account, password)


def _return_password(connection: Connection, claimed: _Claimed) -> None:
    """Return a guess that was not looked at, by the same statements whether or not somebody has the name."""
    guesses.give_back(connection, claimed.guess)
    account_id = claimed.account.id if claimed.account else ""
    accounts.uncount_password_attempt(connection, claimed.scene.audience, account_id)


def _judge_password(connection: Connection, claimed: _Claimed, *, right: bool, now: Instant) -> Answer | Moved:
    scene = replace(claimed.scene, now=now)
    account = _still_right(connection, claimed, now) if right else None
    if account is None:
        counted = guesses.judge_wrong(connection, claimed.guess, now)
        carried = step(connection, scene, flow.PasswordWrong(paused=counted.paused_until > now))
        if isinstance(carried, Stays) and carried.said is Said.PAUSED:
            return _paused(scene, counted.paused_until)
        return _answer(connection, replace(scene, account=None), carried)
    scene = replace(scene, account=account)
    settings = scene.organization.settings
    event = flow.PasswordRight(
        account.id,
        account.standing,
        factors_in(connection, scene).is_enough,
        policy.set_up_due(scene.audience, settings, account.mfa_required, account.mfa_due_from, now),
        claimed.password_due(now),
        claimed.password.changed_at if claimed.password else now,
    )
    carried = step(connection, scene, event)
    # After the counters, as a claim takes them: no two requests wait for each other.
    accounts.clear_password_failures(connection, account.audience, account.id)
    return _answer(connection, scene, carried)


def _still_right(connection: Connection, claimed: _Claimed, now: Instant) -> Account | None:
    """Read the account again: while the password was hashed it may have been suspended, deleted, or given another."""
    account, password = claimed.account, claimed.password
    if account is None or password is None:
        return None
    changed_at = accounts.password_changed_at(connection, account.audience, account.id)
    return who.by_id(connection, account.audience, account.id, now) if changed_at == password.changed_at else None


def _judge_code(connection: Connection, scene: Scene, guess: Guess, method: Method, code: str) -> Carried | Held:
    owner_id = known_account(scene).id
    result = count_and_check(
        FACTORS[method], connection, scene.vault, scene.organization, scene.audience, owner_id, code, scene.now
    )
    if not isinstance(result, NotRight):
        return step(connection, scene, flow.FactorRight(method))
    if not result.counts:
        guesses.give_back(connection, guess)
        return step(connection, scene, flow.FactorWrong(result.said))
    counted = guesses.judge_wrong(connection, guess, scene.now)
    limits = guess.limits
    event = flow.FactorWrong(
        result.said,
        paused=counted.paused_until > scene.now,
        ends=not limits.pauses and counted.failed >= limits.attempts,
    )
    carried = step(connection, scene, event)
    if not isinstance(carried, Stays):
        return carried
    if carried.said is Said.PAUSED:
        return _paused(scene, counted.paused_until)
    left = limits.attempts - counted.failed
    return replace(carried, attempts_left=left if limits.pauses and 0 < left <= _SHOW_ATTEMPTS_FROM else None)


def _paused(scene: Scene, until: Instant) -> Held:
    return Held(scene.transaction, Paused(until), scene.now)


def _answer(connection: Connection, scene: Scene, carried: Carried) -> Answer | Moved:
    return shown(connection, scene, carried) if isinstance(carried, Stays) else carried


async def _upgrade(means: Means, claimed: _Claimed, typed: str) -> None:
    """Hash a right password anew where the parameters were raised since (PW-08)."""
    account, old = claimed.account, claimed.phc
    if account is None or old is None:
        return
    try:
        new = await means.hasher.hash(typed)
    except Overloaded:
        return
    await means.db.write(lambda c: accounts.upgrade_hash(c, account.audience, account.id, old, new))
