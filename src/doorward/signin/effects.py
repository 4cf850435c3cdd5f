"""Carrying out what the flow decided, in the transaction of the step: counters, audit, set-up, session."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeAlias, assert_never

from sqlalchemy import Connection, update

from doorward.audit import Actor, Caller, Event, Json, Outcome, record
from doorward.clock import Instant
from doorward.directory import PersonId, Standing, note_mfa_due
from doorward.organization import Organization
from doorward.signin import accounts, browsers, enrol, flow, guesses, sessions, transaction, who
from doorward.signin.audience import Audience
from doorward.signin.destination import Heading
from doorward.signin.flow import BeginSetUp, GiveBack, IssueSession, Record, Said, StartEnrolmentDays, State, Step
from doorward.signin.guesses import Guess
from doorward.signin.transaction import Transaction
from doorward.signin.who import Account
from doorward.store import Purpose, Vault


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser that asks: the hash of its handle, its known-browser cookie, its session before, and from where."""

    handle_hash: str
    caller: Caller
    known_handle: str | None = None
    previous: sessions.Signed | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The sign-in is whole: these handles go into cookies, then the person goes where they were heading."""

    audience: Audience
    account_id: str
    session_id: str
    session_handle: str
    known_handle: str | None
    heading: Heading


@dataclass(frozen=True, slots=True)
class Moved:
    """Another request moved this sign-in first: show where it stands now."""


@dataclass(frozen=True, slots=True)
class Stays:
    """The sign-in goes on at `state`."""

    transaction: Transaction
    said: Said | None = None
    attempts_left: int | None = None
    codes: tuple[str, ...] = ()


Carried: TypeAlias = SignedIn | Moved | Stays


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything around one step, read in its transaction."""

    vault: Vault
    organization: Organization
    audience: Audience
    browser: Browser
    transaction: Transaction
    account: Account | None
    browser_id: str | None
    now: Instant
    guess: Guess | None = None
    details: dict[str, Json] = field(default_factory=dict[str, Json])


def carry_out(connection: Connection, scene: Scene, step: Step) -> Carried:
    """Carry out a step's effects and move the transaction on. All of it, or nothing."""
    state = step.state
    issue: IssueSession | None = None
    for effect in step.effects:
        match effect:
            case GiveBack():
                if scene.guess is not None:
                    guesses.give_back(connection, scene.guess)
            case Record():
                note(connection, scene, effect)
            case StartEnrolmentDays():
                if scene.audience is Audience.PERSON and scene.account is not None:
                    note_mfa_due(connection, PersonId(scene.account.id), scene.now)
            case BeginSetUp():
                state = replace(state, enrolment_id=_begin_set_up(connection, scene))
            case IssueSession():
                issue = effect
            case _:
                assert_never(effect)
    if issue is not None:
        return _issue(connection, scene, state, issue)
    if not transaction.save(connection, scene.audience, scene.transaction, state):
        return Moved()
    after = replace(scene.transaction, state=state, version=scene.transaction.version + 1)
    return Stays(after, step.said)


def owner_of(scene: Scene, account_id: str) -> enrol.Owner:
    """Name whose factor a sign-in sets up, bound to this sign-in."""
    actor = Actor.person(account_id) if scene.audience is Audience.PERSON else Actor.admin(account_id)
    bound = enrol.bound_to_sign_in(scene.transaction.id)
    return enrol.Owner(scene.audience, account_id, bound, actor, scene.browser.caller, scene.browser_id)


def _begin_set_up(connection: Connection, scene: Scene) -> str:
    if scene.account is None:
        raise flow.NotNow("nobody is known yet")
    return enrol.begin(connection, scene.vault, owner_of(scene, scene.account.id), scene.now)


def _still_stands(connection: Connection, scene: Scene, account_id: str, state: State) -> bool:
    """Tell whether a session may be issued, read anew under the account's lock.

    A suspension, a change of the password or a set-up that is committed meanwhile would not see this session, and
    so would not end it.
    """
    who.lock(connection, scene.audience, account_id)
    account = who.by_id(connection, scene.audience, account_id, scene.now)
    if account is None or account.standing is not Standing.ACTIVE:
        return False
    holds_factor = (
        flow.goes_without_factor(state) and accounts.factors_of(connection, scene.audience, account_id).is_enough
    )
    set_at = accounts.password_changed_at(connection, scene.audience, account_id)
    return not flow.is_overtaken(state, set_at, holds_factor=holds_factor)


def _issue(connection: Connection, scene: Scene, state: State, effect: IssueSession) -> SignedIn | Moved:
    account = scene.account
    if account is None:
        raise flow.NotNow("nobody is known yet")
    if not _still_stands(connection, scene, account.id, state):
        return Moved()
    if not transaction.finish(connection, scene.audience, scene.transaction):
        return Moved()
    keys = guesses.keys_of_account(scene.vault, scene.audience, account.id, account.email)
    guesses.clear_after_success(connection, scene.audience, keys, scene.browser_id, scene.now)
    if scene.browser_id is not None:
        # A full sign-in from a known browser opens a password again that a hundred failures had closed.
        table = scene.audience.tables.passwords
        connection.execute(update(table).where(table.c.owner_id == account.id).values(failures=0))
    caller, known = scene.browser.caller, None
    browser_id: str | None = None
    if scene.audience is Audience.PERSON:
        browser_id, known = browsers.remember(
            connection, scene.vault, scene.browser.known_handle, account.id, caller.user_agent, scene.now
        )
    session_id, handle = sessions.issue(
        connection,
        scene.vault,
        scene.audience,
        account.id,
        effect.proofs,
        scene.organization.settings,
        scene.now,
        address=caller.address,
        user_agent=caller.user_agent,
        browser_id=browser_id,
        previous=scene.browser.previous,
    )
    who.note_signed_in(connection, account, scene.now)
    methods: list[Json] = [proof.method.value for proof in effect.proofs]
    app = scene.transaction.heading.app_slug
    event = Event(
        action="signin.succeeded",
        outcome=Outcome.SUCCESS,
        actor=_actor(scene.audience, account.id),
        caller=caller,
        person_id=account.id if scene.audience is Audience.PERSON else None,
        admin_id=account.id if scene.audience is Audience.ADMIN else None,
        session_id=session_id,
        details={"methods": methods, "known_browser": scene.browser_id is not None, **({"app": app} if app else {})},
    )
    record(connection, event, scene.now)
    return SignedIn(scene.audience, account.id, session_id, handle, known, scene.transaction.heading)


def note(connection: Connection, scene: Scene, effect: Record, outcome: Outcome = Outcome.FAILED) -> None:
    """Write one outcome of a sign-in to the audit log; `outcome` is what it is if it is no success."""
    account, state = scene.account, scene.transaction.state
    details: dict[str, Json] = {**scene.details, "stage": scene.transaction.state.stage.value}
    if account is None:
        # Often a mistyped password: kept only as a keyed hash (SIGNIN 'Flow').
        details["name_hash"] = scene.vault.mac(Purpose.NAMES, state.typed)[:16]
    if scene.transaction.heading.app_slug:
        details["app"] = scene.transaction.heading.app_slug
    proved = state.account_id is not None
    event = Event(
        action=effect.action,
        outcome=Outcome.SUCCESS if effect.success else outcome,
        actor=_actor(scene.audience, account.id) if account is not None and proved else Actor.nobody(),
        caller=scene.browser.caller,
        reason=effect.reason,
        person_id=account.id if account is not None and scene.audience is Audience.PERSON else None,
        admin_id=account.id if account is not None and scene.audience is Audience.ADMIN else None,
        details=details,
    )
    record(connection, event, scene.now)


def _actor(audience: Audience, account_id: str) -> Actor:
    return Actor.person(account_id) if audience is Audience.PERSON else Actor.admin(account_id)
