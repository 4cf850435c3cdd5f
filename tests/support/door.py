"""The sign-in without pages: people, administrators, browsers, and `perform` called as the pages call it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from sqlalchemy import Connection, event, select
from sqlalchemy.engine import Engine

from doorward.audit import Actor, Caller, Entry, new_reference, tail
from doorward.clock import Clock
from doorward.directory import NewAdmin, NewPerson, Role, create_admin, create_person
from doorward.organization import Organization, change, create, current
from doorward.signin import Audience, Heading, Method, accounts, perform, sessions
from doorward.signin.answers import Answer, Shown
from doorward.signin.effects import Browser, SignedIn
from doorward.signin.factors import authenticator, recovery, totp
from doorward.signin.flow import Event, Stage
from doorward.signin.hashing import PasswordHasher
from doorward.store import Database, Vault, open_database
from doorward.store.engine import Work
from support.clocks import SettableClock

T = TypeVar("T")
PASSWORD = "correct horse battery staple"
WRONG = "incorrect horse battery staple"
SYSTEM = Actor.system()
LOCAL = Caller.local()


class CountingHasher(PasswordHasher):
    """A cheap hasher that counts what it verifies."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, time_cost=1, threads=2)
        self.verified = 0

    async def verify(self, phc: str | None, password: str) -> bool:
        self.verified += 1
        return await super().verify(phc, password)


@dataclass(slots=True)
class Means:
    """What the sign-in works with."""

    db: Database
    vault: Vault
    hasher: CountingHasher
    clock: Clock


@dataclass(frozen=True, slots=True)
class Somebody:
    """An account of the tests: what they type and what their app knows."""

    audience: Audience
    id: str
    name: str
    seed: bytes | None = None
    recovery: tuple[str, ...] = ()

    def code(self, now: int, *, steps: int = 0, period: int = 60) -> str:
        """What the app shows, `steps` steps from now."""
        assert self.seed is not None
        return totp.hotp(self.seed, totp.step_at(now, period) + steps)


@dataclass(slots=True)
class Visitor:
    """One browser: its handle, the cookies that it got, its address."""

    handle: str
    known: str | None = None
    session: str | None = None
    address: str = ""

    def browser(self, previous: sessions.Signed | None = None) -> Browser:
        caller = Caller(self.address, "Firefox", new_reference())
        return Browser(hashlib.sha256(self.handle.encode()).hexdigest(), caller, self.known, previous)


@dataclass(slots=True)
class Door:
    """Both sign-ins over one database. Every call is what one request does."""

    means: Means
    runner: asyncio.Runner
    clock: SettableClock
    url: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def run(self, work: Coroutine[object, object, T]) -> T:
        return self.runner.run(work)

    def write(self, work: Work[T]) -> T:
        return self.run(self.means.db.write(work))

    def read(self, work: Work[T]) -> T:
        return self.run(self.means.db.read(work))

    # ------------------------------------------------------------------------------------ who there is

    def found(self, organization: Organization | None = None) -> None:
        made = organization or Organization("Acme", domains=("acme.example",))
        self.write(lambda c: create(c, made, self.clock()))

    def organization(self) -> Organization:
        return self.read(current)

    def settings(self, **groups: object) -> None:
        """Change settings: `settings(mfa=Mfa(required=False))`."""

        def work(connection: Connection) -> None:
            old = current(connection)
            change(connection, SYSTEM, LOCAL, old, replace(old, settings=replace(old.settings, **groups)), self.clock())

        self.write(work)

    def lockout(self, **fields: object) -> None:
        self.settings(lockout=replace(self.organization().settings.lockout, **fields))

    def mfa(self, **fields: object) -> None:
        self.settings(mfa=replace(self.organization().settings.mfa, **fields))

    def person(
        self, username: str, *, app: bool = True, codes: bool = True, period: int | None = 60, **fields: object
    ) -> Somebody:
        phc = self.means.hasher.hash_now(PASSWORD)
        seed = hashlib.sha1(username.encode(), usedforsecurity=False).digest() if app else None

        def work(connection: Connection) -> Somebody:
            new = NewPerson(username=username, **{"name": username.title(), **fields})
            made = create_person(connection, new, SYSTEM, LOCAL, self.clock())
            accounts.set_password(connection, Audience.PERSON, made.id, phc, now=self.clock())
            return self._with_factors(connection, Audience.PERSON, made.id, username, seed, period, codes=codes)

        return self.write(work)

    def admin(self, email: str, *, app: bool = True) -> Somebody:
        phc = self.means.hasher.hash_now(PASSWORD)
        seed = hashlib.sha1(email.encode(), usedforsecurity=False).digest() if app else None

        def work(connection: Connection) -> Somebody:
            made = create_admin(connection, NewAdmin(email, "Root", Role.OWNER), SYSTEM, LOCAL, self.clock())
            accounts.set_password(connection, Audience.ADMIN, made.id, phc, now=self.clock())
            return self._with_factors(connection, Audience.ADMIN, made.id, email, seed, 60, codes=True)

        return self.write(work)

    def _with_factors(
        self,
        connection: Connection,
        audience: Audience,
        owner_id: str,
        name: str,
        seed: bytes | None,
        period: int | None,
        *,
        codes: bool,
    ) -> Somebody:
        saved: tuple[str, ...] = ()
        if seed is not None:
            authenticator.add(connection, self.means.vault, audience, owner_id, seed, period, self.clock())
            if codes:
                saved = recovery.make_codes(connection, self.means.vault, audience, owner_id, self.clock())
        return Somebody(audience, owner_id, name, seed, saved)

    def visitor(self, address: str | None = None) -> Visitor:
        number = next(self.numbers)
        return Visitor(f"browser {number}", address=address or f"10.{number // 250}.{number % 250}.7")

    # ------------------------------------------------------------------------------------- its steps

    def begin(
        self,
        visitor: Visitor,
        typed: str | None,
        audience: Audience = Audience.PERSON,
        heading: Heading | None = None,
    ) -> str:
        return self.run(perform.begin(self.means, audience, visitor.browser(), heading or Heading(), typed))

    def password(
        self, visitor: Visitor, tx: str, typed: str = PASSWORD, audience: Audience = Audience.PERSON
    ) -> Answer:
        answer = perform.give_password(self.means, audience, self.browser(visitor, audience), tx, typed)
        return self._kept(visitor, self.run(answer))

    def choose(
        self, visitor: Visitor, tx: str, method: Method | None = Method.TOTP, audience: Audience = Audience.PERSON
    ) -> Answer:
        return self.run(perform.choose(self.means, audience, self.browser(visitor, audience), tx, method))

    def code(
        self,
        visitor: Visitor,
        tx: str,
        typed: str,
        audience: Audience = Audience.PERSON,
        method: Method = Method.TOTP,
    ) -> Answer:
        answer = perform.give_code(self.means, audience, self.browser(visitor, audience), tx, method, typed)
        return self._kept(visitor, self.run(answer))

    def go_on(self, visitor: Visitor, tx: str, what: Event, audience: Audience = Audience.PERSON) -> Answer:
        answer = perform.go_on(self.means, audience, self.browser(visitor, audience), tx, what)
        return self._kept(visitor, self.run(answer))

    def confirm_set_up(self, visitor: Visitor, tx: str, typed: str, audience: Audience = Audience.PERSON) -> Answer:
        answer = perform.confirm_set_up(self.means, audience, self.browser(visitor, audience), tx, typed)
        return self._kept(visitor, self.run(answer))

    def to_code(self, visitor: Visitor, who: Somebody, method: Method = Method.TOTP) -> str:
        """Go to the page of a second factor: name, right password, method."""
        tx = self.begin(visitor, who.name, who.audience)
        answer = self.password(visitor, tx, audience=who.audience)
        assert isinstance(answer, Shown), answer
        assert answer.transaction.state.stage is Stage.CHOOSE, answer
        self.choose(visitor, tx, method, who.audience)
        return tx

    def sign_in(self, visitor: Visitor, who: Somebody) -> SignedIn:
        """Go through the whole sign-in; with an app the next unused code is typed."""
        if who.seed is None:
            answer = self.password(visitor, self.begin(visitor, who.name, who.audience), audience=who.audience)
        else:
            tx = self.to_code(visitor, who)
            answer = self.code(visitor, tx, who.code(self.clock()), who.audience)
        assert isinstance(answer, SignedIn), answer
        return answer

    def browser(self, visitor: Visitor, audience: Audience) -> Browser:
        """The browser as the pages tell it: with the session before."""
        return visitor.browser(self.session(visitor, audience))

    def session(self, visitor: Visitor, audience: Audience = Audience.PERSON) -> sessions.Signed | None:
        """The session that a browser's cookie stands for."""
        if visitor.session is None:
            return None
        handle, settings, now = visitor.session, self.organization().settings, self.clock()
        find = sessions.find if audience is Audience.PERSON else sessions.find_admin
        return self.read(lambda c: find(c, self.means.vault, handle, settings, now))

    def _kept(self, visitor: Visitor, answer: Answer) -> Answer:
        if isinstance(answer, SignedIn):
            visitor.session = answer.session_handle
            visitor.known = answer.known_handle or visitor.known
        return answer

    # ----------------------------------------------------------------------------------- looking inside

    def events(self, *actions: str) -> list[Entry]:
        return [entry for entry in self.read(lambda c: tail(c, 500)) if entry.event.action in actions]

    def counter(self, key: str, audience: Audience = Audience.PERSON) -> dict[str, int] | None:
        table = audience.tables.counters
        row = self.read(lambda c: c.execute(select(table).where(table.c.key == key)).mappings().one_or_none())
        return None if row is None else cast("dict[str, int]", dict(row))

    def restart(self) -> None:
        """Let every process end and start again on the same database."""
        self.run(self.means.db.close())
        self.means.hasher.close()
        self.means = Means(open_database(self.url), Vault(b"\x07" * 32), CountingHasher(), self.clock)

    def close(self) -> None:
        self.run(self.means.db.close())
        self.means.hasher.close()


@contextmanager
def open_door(url: str, clock: SettableClock | None = None, organization: Organization | None = None) -> Iterator[Door]:
    """A door over a migrated database."""
    with asyncio.Runner() as runner:
        clock = clock or SettableClock()
        means = Means(open_database(url), Vault(b"\x07" * 32), CountingHasher(), clock)
        door = Door(means, runner, clock, url)
        door.found(organization)
        try:
            yield door
        finally:
            door.close()


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect every statement that any connection runs."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
