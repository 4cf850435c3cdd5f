"""A house with people, applications and administrators behind the composed application, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pyotp
from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.testclient import TestClient

from doorward.apps import App, Bookmark, NewApp, create_app, set_app_groups
from doorward.apps.kinds import AppKind
from doorward.audit import Actor, Caller, Entry, tail
from doorward.deployment import load
from doorward.directory import (
    Admin,
    AdminState,
    NewAdmin,
    NewPerson,
    Person,
    Role,
    change_admin,
    create_admin,
    create_group,
    create_person,
    find_group,
    groups_of,
    set_groups,
)
from doorward.organization import Organization, Settings, Support, create, current
from doorward.organization.change import change
from doorward.server import create_app as compose
from doorward.signin import Audience, Method, Proof, accounts, sessions
from doorward.signin.factors import authenticator, recovery
from doorward.signin.hashing import PasswordHasher
from doorward.store import Vault
from support.clocks import SettableClock
from support.store import Store

BASE = "http://localhost:8000"
HOST = "localhost.local"  # how cookie jars write a name without a dot
PASSWORD = "correct horse battery staple"
SECRET = b"\x11" * 20
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
LOCAL = Caller.local()
SYSTEM = Actor.system()
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass(slots=True)
class House:
    """Everything a test of pages needs. Each call is one committed unit of work."""

    store: Store
    clock: SettableClock
    vault: Vault
    app: Starlette
    hasher: PasswordHasher
    running: TestClient

    def organization(self) -> Organization:
        return self.store.read(current)

    def settings(self, **groups: object) -> None:
        """Change settings: `settings(mfa=Mfa(required=False))`."""

        def work(connection: Connection) -> None:
            old = current(connection)
            new = replace(old, settings=replace(old.settings, **groups))
            change(connection, SYSTEM, LOCAL, old, new, self.clock())

        self.store.write(work)

    def person(self, username: str, *, groups: Sequence[str] = (), totp: bool = True, **fields: object) -> Person:
        """Make a person with the password of the tests and, unless told otherwise, one authenticator."""

        def work(connection: Connection) -> Person:
            new = NewPerson(username=username, **{"name": username.title(), **fields})
            made = create_person(connection, new, SYSTEM, LOCAL, self.clock())
            accounts.set_password(
                connection, Audience.PERSON, made.id, self.hasher.hash_now(PASSWORD), now=self.clock()
            )
            if totp:
                authenticator.add(connection, self.vault, Audience.PERSON, made.id, SECRET, 60, self.clock())
                recovery.make_codes(connection, self.vault, Audience.PERSON, made.id, self.clock())
            return made

        made = self.store.write(work)
        self.put_into(made, groups)
        return made

    def put_into(self, person: Person, groups: Sequence[str]) -> None:
        """Put a person into groups, which are made where they are missing."""

        def work(connection: Connection) -> None:
            names = [*groups_of(connection, person.id), *groups]
            found = [
                find_group(connection, name) or create_group(connection, name, SYSTEM, LOCAL, self.clock())
                for name in dict.fromkeys(names)
            ]
            set_groups(connection, person.id, found, SYSTEM, LOCAL, self.clock())

        self.store.write(work)

    def take_out_of_all_groups(self, person: Person) -> None:
        """Take a person out of every group."""
        self.store.write(lambda c: set_groups(c, person.id, [], SYSTEM, LOCAL, self.clock()))

    def application(
        self, slug: str, *, groups: Sequence[str] = ("engineering",), kind: AppKind | None = None, **fields: object
    ) -> App:
        """Register an application; a bookmark unless told otherwise."""

        def work(connection: Connection) -> App:
            kind_ = kind or Bookmark(f"https://{slug}.example/start")
            new = NewApp(slug=slug, kind=kind_, **{"name": slug.title(), **fields})
            made = create_app(connection, new, SYSTEM, LOCAL, self.clock())
            given = [
                find_group(connection, name) or create_group(connection, name, SYSTEM, LOCAL, self.clock())
                for name in groups
            ]
            set_app_groups(connection, made.id, given, SYSTEM, LOCAL, self.clock())
            return made

        return self.store.write(work)

    def admin(self, email: str, role: Role = Role.OWNER) -> Admin:
        """Make an administrator."""

        def work(connection: Connection) -> Admin:
            new = NewAdmin(email=email, name=email.split("@", maxsplit=1)[0].title(), role=role)
            made = create_admin(connection, new, SYSTEM, LOCAL, self.clock())
            accounts.set_password(connection, Audience.ADMIN, made.id, self.hasher.hash_now(PASSWORD), now=self.clock())
            authenticator.add(connection, self.vault, Audience.ADMIN, made.id, SECRET, 60, self.clock())
            return made

        return self.store.write(work)

    def suspend_admin(self, admin: Admin) -> None:
        """Suspend an administrator."""
        new = replace(admin, state=AdminState.SUSPENDED)
        self.store.write(lambda c: change_admin(c, new, SYSTEM, LOCAL, self.clock()))

    def browser(self) -> Browser:
        """Open a browser that nobody has signed in from."""
        client = TestClient(self.app, base_url=BASE, follow_redirects=False, headers={"user-agent": FIREFOX})
        # Every browser speaks to the one running application, in its one loop.
        client.portal = self.running.portal
        return Browser(self, client)

    def signed_in(self, who: Person | Admin, *methods: Method, age: int = 0) -> Browser:
        """Open a browser with a session that proved `methods` (password and code) `age` milliseconds ago."""
        browser = self.browser()
        audience = Audience.PERSON if isinstance(who, Person) else Audience.ADMIN
        at = self.clock() - age
        proofs = [Proof(method, at) for method in methods or (Method.PASSWORD, Method.TOTP)]
        settings = self.organization().settings

        def work(connection: Connection) -> tuple[str, str]:
            return sessions.issue(
                connection,
                self.vault,
                audience,
                who.id,
                proofs,
                settings,
                self.clock(),
                address="192.0.2.7",
                user_agent=FIREFOX,
            )

        browser.session_id, handle = self.store.write(work)
        browser.client.cookies.set("doorward" if audience is Audience.PERSON else "doorward-admin", handle, domain=HOST)
        return browser

    def code(self, *, steps: int = 0) -> str:
        """The code that the authenticator of the tests shows, `steps` steps from now."""
        return pyotp.TOTP(_base32(SECRET), interval=60).at(self.clock() // 1000, counter_offset=steps)

    def events(self, action: str) -> list[Entry]:
        """Read the events of one action, newest first."""
        return [entry for entry in self.store.read(lambda c: tail(c, 500)) if entry.event.action == action]


@dataclass(slots=True)
class Browser:
    """One browser without a screen."""

    house: House
    client: TestClient
    session_id: str = ""

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Open a page."""
        return self.client.get(path, headers={"sec-fetch-site": "same-origin", **headers})

    def token(self, path: str = "/security/confirm") -> str:
        """Read the token of the forms on a page."""
        found = _TOKEN.search(self.get(path).text)
        assert found is not None, f"no form on {path}"
        return found[1]

    def post(self, path: str, *, page: str | None = None, **fields: str) -> httpx2.Response:
        """Send the form of a page of ours (`page`, where it is another than `path`)."""
        token = self.token(page or "/security/confirm")
        return self.raw_post(path, {"csrf": token, **fields})

    def raw_post(self, path: str, data: dict[str, str] | bytes, **headers: str) -> httpx2.Response:
        """Send a form of the test's own making."""
        given = {"sec-fetch-site": "same-origin", "origin": BASE, **headers}
        if isinstance(data, bytes):
            given = {"content-type": "application/x-www-form-urlencoded", **given}
            return self.client.post(path, content=data, headers=given)
        return self.client.post(path, data=data, headers=given)


def _base32(seed: bytes) -> str:
    return authenticator.base32(seed)


def open_house(folder: Path, url: str, store: Store, clock: SettableClock) -> Iterator[House]:
    """Compose the application over a database, with an organisation."""
    deployment = load({"data": str(folder), "database": url, "base_url": BASE}, {})
    vault = Vault(deployment.master_key)
    organization = Organization(
        "Acme",
        domains=("acme.example",),
        support=Support(name="Acme IT", email="help@acme.example"),
        settings=Settings(),
    )
    store.write(lambda connection: create(connection, organization, clock()))
    hasher = PasswordHasher(memory_kib=64, time_cost=1)
    app = compose(deployment, clock=clock)
    with TestClient(app, base_url=BASE) as running:
        yield House(store, clock, vault, app, hasher, running)
    hasher.close()
