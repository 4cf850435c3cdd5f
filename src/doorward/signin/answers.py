"""What the sign-in answers, and the frame of every step: load, decide, carry out, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sqlalchemy import Connection

from doorward.audit import Outcome
from doorward.clock import Clock, Instant
from doorward.directory import Standing
from doorward.organization import Organization, current
from doorward.signin import accounts, browsers, enrol, flow, guesses, transaction, who
from doorward.signin.accounts import Factors
from doorward.signin.audience import Audience
from doorward.signin.effects import Browser, Carried, Moved, Scene, SignedIn, Stays, carry_out, note, owner_of
from doorward.signin.enrol import Pending
from doorward.signin.flow import NotNow, Said
from doorward.signin.guesses import Slowed, Subject
from doorward.signin.hashing import PasswordHasher
from doorward.signin.passwords import PasswordFault
from doorward.signin.transaction import Lost, TimedOut, Transaction
from doorward.signin.who import Account
from doorward.store import Database, Vault
from doorward.store.once import InFlight, Paused, Waiting


class Means(Protocol):
    """What the sign-in works with."""

    @property
    def db(self) -> Database: ...  # noqa: D102 - the store
    @property
    def vault(self) -> Vault: ...  # noqa: D102 - sub-keys
    @property
    def hasher(self) -> PasswordHasher: ...  # noqa: D102 - the pool of argon2
    @property
    def clock(self) -> Clock: ...  # noqa: D102 - the given clock


@dataclass(frozen=True, slots=True)
class Shown:
    """The page to show: where the sign-in stands, what is told, and what of the account the person may see."""

    transaction: Transaction
    organization: Organization
    factors: Factors
    pending: Pending | None
    label: str
    account_name: str
    said: Said | None = None
    attempts_left: int | None = None
    codes: tuple[str, ...] = ()
    fault: PasswordFault | None = None


@dataclass(frozen=True, slots=True)
class NotJudged:
    """So many are being checked that this one was not; it was not counted."""

    transaction: Transaction | None


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing was looked at: sign-in with this name is paused, must wait, or the network is slowed."""

    transaction: Transaction
    why: Paused | Waiting | Slowed
    now: Instant


Answer: TypeAlias = Shown | SignedIn | TimedOut | Lost | NotJudged | Held


Judge: TypeAlias = Callable[[Connection, Scene], "Carried | Held | NotJudged"]


async def in_one(
    means: Means, audience: Audience, browser: Browser, transaction_id: str, judge: Judge, *, durable: bool = True
) -> Answer:
    """Run one step in one transaction: load the sign-in, let `judge` decide and carry out, show what follows."""
    now = means.clock()

    def work(connection: Connection) -> Answer | Moved:
        found = transaction.load(connection, audience, browser.handle_hash, transaction_id, now)
        if not isinstance(found, Transaction):
            return found
        scene = scene_of(connection, means, audience, browser, found, now)
        if found.state.account_id is not None and not _may_go_on(scene.account):
            carried: Carried | Held | NotJudged = step(connection, scene, flow.AccountClosed())
        elif _is_overtaken(connection, scene):
            note(connection, scene, flow.Record("signin.refused", success=False, reason="overtaken"), Outcome.REFUSED)
            return TimedOut(found.id, found.heading)
        else:
            carried = judge(connection, scene)
        return (
            carried if isinstance(carried, Moved | Held | NotJudged | SignedIn) else shown(connection, scene, carried)
        )

    answer = await means.db.write(work, durable=durable)
    return await look(means, audience, browser, transaction_id) if isinstance(answer, Moved) else answer


async def look(means: Means, audience: Audience, browser: Browser, transaction_id: str) -> Answer:
    """Show where a sign-in stands. Reads only."""
    now = means.clock()

    def work(connection: Connection) -> Answer:
        found = transaction.load(connection, audience, browser.handle_hash, transaction_id, now)
        if not isinstance(found, Transaction):
            return found
        scene = scene_of(connection, means, audience, browser, found, now)
        if _is_overtaken(connection, scene):
            return TimedOut(found.id, found.heading)
        return shown(connection, scene, Stays(found))

    return await means.db.read(work)


def scene_of(
    connection: Connection, means: Means, audience: Audience, browser: Browser, found: Transaction, now: Instant
) -> Scene:
    """Read everything around a step. Before the right password nobody is looked up."""
    account_id = found.state.account_id
    account = who.by_id(connection, audience, account_id, now) if account_id else None
    browser_id = known_browser(connection, means.vault, audience, browser, account, now)
    return Scene(means.vault, current(connection), audience, browser, found, account, browser_id, now)


def known_browser(
    connection: Connection, vault: Vault, audience: Audience, browser: Browser, account: Account | None, now: Instant
) -> str | None:
    """Find this browser among those the account signed in from; administrators have none."""
    if audience is Audience.ADMIN:
        return None
    return browsers.find(connection, vault, browser.known_handle, account.id if account else None, now)


def step(connection: Connection, scene: Scene, event: flow.Event) -> Carried:
    """Let the flow decide about an event, and carry it out."""
    return carry_out(connection, scene, flow.advance(scene.transaction.state, event, scene.now))


def shown(connection: Connection, scene: Scene, stays: Stays) -> Shown:
    """Gather what the page of a stage may show: of the account nothing before the right password."""
    state, account = stays.transaction.state, scene.account
    factors, pending = Factors(()), None
    if account is not None and state.account_id is not None:
        factors = factors_in(connection, scene)
        if state.enrolment_id is not None:
            owner = owner_of(scene, account.id)
            pending = enrol.pending(connection, scene.vault, owner, state.enrolment_id, scene.now)
    label = scene.organization.user_label if scene.audience is Audience.PERSON else scene.organization.admin_label
    return Shown(
        stays.transaction,
        scene.organization,
        factors,
        pending,
        label,
        account.label if account is not None and state.account_id is not None else state.typed,
        stays.said,
        stays.attempts_left,
        stays.codes,
    )


def factors_in(connection: Connection, scene: Scene) -> Factors:
    """List what the account of a scene may prove itself with here."""
    if scene.account is None:
        return Factors(())
    allowed = scene.organization.settings.mfa.factors if scene.audience is Audience.PERSON else None
    return accounts.factors_of(connection, scene.audience, scene.account.id, allowed)


def held_back(connection: Connection, scene: Scene, refused: guesses.Refused) -> Held | NotJudged:
    """Turn a refused claim into its answer, and record why nothing was looked at."""
    if isinstance(refused, InFlight):
        return NotJudged(scene.transaction)
    reason = {Paused: "paused", Waiting: "waiting", Slowed: "slowed"}[type(refused)]
    note(connection, scene, flow.Record("signin.refused", success=False, reason=reason), Outcome.REFUSED)
    return Held(scene.transaction, refused, scene.now)


def subject_in(connection: Connection, scene: Scene, account: Account | None) -> Subject:
    """Tell whose counters a guess raises here. The statements depend on the typed name alone."""
    name = scene.transaction.state.typed
    local = guesses.local_part_in(scene.organization, scene.audience, name)
    other = None if local is None else who.find(connection, scene.audience, local, scene.now)
    typed = guesses.Typed(name, account.id if account else None, other.id if other else None)
    return guesses.subject_of(scene.vault, scene.organization, scene.audience, typed, scene.browser_id)


def known_account(scene: Scene) -> Account:
    """Name the account that a right password proved.

    Raises:
        NotNow: no right password was given yet.
    """
    if scene.account is None or scene.transaction.state.account_id is None:
        raise NotNow("nobody is known yet")
    return scene.account


def _is_overtaken(connection: Connection, scene: Scene) -> bool:
    state, account = scene.transaction.state, scene.account
    if account is None or state.account_id is None:
        return False
    holds_factor = flow.goes_without_factor(state) and factors_in(connection, scene).is_enough
    set_at = accounts.password_changed_at(connection, scene.audience, account.id)
    return flow.is_overtaken(state, set_at, holds_factor=holds_factor)


def _may_go_on(account: Account | None) -> bool:
    return account is not None and account.standing is Standing.ACTIVE
