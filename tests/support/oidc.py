"""OpenID Connect from the client's side: the composed application in one process, people, clients, and their requests.

`World` holds a running application over real storage; `World.browser()` is somebody's browser, `Client` speaks for a
registered client.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import parse_qsl, quote_plus, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import Connection, select
from starlette.testclient import TestClient

from doorward import apps, directory, organization
from doorward.apps import App, NewApp, OidcClient
from doorward.audit import Actor, Caller
from doorward.clock import MINUTE
from doorward.deployment import Deployment
from doorward.directory import NewPerson, Person
from doorward.organization import Organization, Settings
from doorward.server import create_app
from doorward.signin import Audience, Method, Proof, sessions
from doorward.store import Vault, schema
from doorward.web.site import Site
from support.clocks import SettableClock

ISSUER = "https://id.example"
REDIRECT = "https://board.example/cb"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SECRET = "a secret+of:the%test/ü-0123456789"
SCOPES = "openid profile email phone address groups"
_MASTER = b"\x07" * 32

T = TypeVar("T")


def settings_without_mfa(**changed: object) -> Settings:
    """Settings under which a password opens everything."""
    plain = Settings()
    return replace(plain, mfa=replace(plain.mfa, required=False, **changed))  # type: ignore[arg-type]


@dataclass(slots=True)
class World:
    """One running application: its clock, its database, and the client of the tests' choosing."""

    http: TestClient
    site: Site
    clock: SettableClock
    person: Person = field(init=False)
    other: Person = field(init=False)
    board: App = field(init=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of work in the application's own loop."""
        assert self.http.portal is not None
        return cast("T", self.http.portal.call(self.site.db.write, work))

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run a unit of work that only reads."""
        assert self.http.portal is not None
        return cast("T", self.http.portal.call(self.site.db.read, work))

    @property
    def vault(self) -> Vault:
        """The application's vault."""
        return self.site.vault

    def settle(self, settings: Settings) -> None:
        """Change the settings of the organisation."""
        old = self.read(organization.current)
        self.write(
            lambda c: organization.change(
                c, Actor.system(), Caller.local(), old, replace(old, settings=settings), self.clock()
            )
        )

    def make_person(self, username: str, *, groups: tuple[str, ...] = (), **fields: object) -> Person:
        """Make a person who is in `groups`."""
        new = NewPerson(username=username, **fields)  # type: ignore[arg-type]

        def work(connection: Connection) -> Person:
            made = directory.create_person(connection, new, Actor.system(), Caller.local(), self.clock())
            put_into(connection, made, groups, self.clock())
            return made

        return self.write(work)

    def make_client(
        self,
        slug: str = "board",
        *,
        secret: str | None = SECRET,
        groups: tuple[str, ...] = ("engineering",),
        **fields: object,
    ) -> App:
        """Register a client that is given to `groups`."""
        common = {name: fields.pop(name) for name in ("state", "groups_filter", "group_map", "name") if name in fields}
        oidc = OidcClient(**{"client_id": slug, "redirect_uris": (REDIRECT,), **fields})  # type: ignore[arg-type]
        new = NewApp(**{"slug": slug, "name": slug.title(), "kind": oidc, **common})  # type: ignore[arg-type]

        def work(connection: Connection) -> App:
            made = apps.create_app(connection, new, Actor.system(), Caller.local(), self.clock())
            wanted = [group for group in directory.groups(connection) if group.name in groups]
            apps.set_app_groups(connection, made.id, wanted, Actor.system(), Caller.local(), self.clock())
            if secret is not None:
                apps.add_client_secret(connection, self.vault, made.id, secret, self.clock())
            return made

        return self.write(work)

    def put_into(self, person: Person, groups: tuple[str, ...]) -> None:
        """Put a person into exactly these groups."""
        self.write(lambda c: put_into(c, person, groups, self.clock()))

    def prove_again(self, browser: Browser, method: Method) -> None:
        """Prove one factor again in a running session, as a page of the portal does."""
        settings = self.read(organization.current).settings
        session = self.read(lambda c: sessions.find_by_id(c, browser.session_id, settings, self.clock()))
        assert session is not None
        proof = Proof(method, self.clock())
        handle = self.write(lambda c: sessions.add_proof(c, self.vault, Audience.PERSON, session.facts, proof))
        browser.hold(handle)

    def rows(self, table: str) -> list[dict[str, object]]:
        """Read a table whole."""
        found = self.read(lambda c: c.execute(select(schema.metadata.tables[table])).mappings().all())
        return [dict(row) for row in found]

    def pending_address(self) -> str:
        """Give the address to which the sign-in that began last leads back."""
        newest = max(self.rows("person_transactions"), key=lambda row: int(str(row["created_at"])))
        heading = cast("Mapping[str, str]", newest["destination"])
        assert heading["kind"] == "oidc"
        return f"/oidc/resume/{heading['value']}"

    def browser(
        self, person: Person | None = None, *, methods: tuple[Method, ...] = (Method.PASSWORD, Method.TOTP)
    ) -> Browser:
        """Open a browser, in which `person` has just signed in."""
        browser = Browser(self, TestClient(self.http.app, base_url=ISSUER, follow_redirects=False))
        browser.http.portal = self.http.portal
        if person is not None:
            browser.sign_in(person, methods=methods)
        return browser

    def client(self, client_id: str = "board", secret: str | None = SECRET, redirect_uri: str = REDIRECT) -> Client:
        """Speak as a registered client."""
        return Client(self, client_id, secret, redirect_uri)

    def audit(self) -> list[tuple[str, str | None]]:
        """Give action and reason of the newest events, newest first."""
        from doorward.audit import tail  # noqa: PLC0415 - beside its only use

        return [(entry.event.action, entry.event.reason) for entry in self.read(lambda c: tail(c, 50))]


@dataclass(slots=True)
class Browser:
    """Somebody's browser: it keeps cookies and follows nothing by itself."""

    world: World
    http: TestClient
    session_id: str = ""

    def sign_in(self, person: Person, *, methods: tuple[Method, ...] = (Method.PASSWORD, Method.TOTP)) -> None:
        """Sign somebody in now, as the end of a whole sign-in does."""
        now = self.world.clock()
        settings = self.world.read(organization.current).settings
        previous = self.http.cookies.get("__Host-doorward")

        def work(connection: Connection) -> tuple[str, str]:
            before = sessions.find(connection, self.world.vault, previous, settings, now) if previous else None
            return sessions.issue(
                connection,
                self.world.vault,
                Audience.PERSON,
                person.id,
                [Proof(method, now) for method in methods],
                settings,
                now,
                address="192.0.2.1",
                user_agent="test",
                previous=before,
            )

        self.session_id, handle = self.world.write(work)
        self.hold(handle)

    def hold(self, handle: str) -> None:
        """Keep a session's cookie instead of the one before."""
        if "__Host-doorward" in self.http.cookies:
            self.http.cookies.delete("__Host-doorward")
        self.http.cookies.set("__Host-doorward", handle, domain="id.example")

    def get(self, url: str, **query: str) -> httpx2.Response:
        """Ask for an address."""
        return self.http.get(url, params=query or None)

    def authorize(self, **query: str | None) -> httpx2.Response:
        """Arrive with an authorization request; None leaves a parameter out."""
        return self.http.get("/oidc/authorize", params=asked(**query))

    def post(self, **query: str | None) -> httpx2.Response:
        """Arrive with a request by POST, as a form of another site sends it: without the session's cookie."""
        with_cookies = dict(self.http.cookies)
        self.http.cookies.clear()
        headers = {"sec-fetch-site": "cross-site", "origin": "https://board.example"}
        answer = self.http.post("/oidc/authorize", data=asked(**query), headers=headers)
        for name, value in with_cookies.items():
            self.http.cookies.set(name, value, domain="id.example")
        return answer


def asked(**changed: str | None) -> dict[str, str]:
    """Write the parameters of a request that is granted, with what is changed."""
    plain: dict[str, str | None] = {
        "response_type": "code",
        "client_id": "board",
        "redirect_uri": REDIRECT,
        "scope": SCOPES,
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (plain | changed).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Client:
    """A client as it speaks to the token endpoint and to userinfo."""

    world: World
    client_id: str
    secret: str | None
    redirect_uri: str

    def redeem(
        self, code: str | None, *, headers: Mapping[str, str] | None = None, **changed: str | None
    ) -> httpx2.Response:
        """Send a code to the token endpoint; None leaves a parameter out."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
            "client_id": None if self.secret is not None else self.client_id,
        }
        sent = {name: value for name, value in (form | changed).items() if value is not None}
        return self.world.http.post("/oidc/token", data=sent, headers=self._headers() if headers is None else headers)

    def tokens(self, code: str, **changed: str | None) -> dict[str, object]:
        """Redeem a code that is good."""
        answer = self.redeem(code, **changed)
        assert answer.status_code == 200, answer.text
        return cast("dict[str, object]", answer.json())

    def userinfo(self, token: str) -> httpx2.Response:
        """Ask userinfo with a token in the header."""
        return self.world.http.get("/oidc/userinfo", headers={"authorization": f"Bearer {token}"})

    def _headers(self) -> dict[str, str]:
        return {} if self.secret is None else {"authorization": basic(self.client_id, self.secret)}


def basic(client_id: str, secret: str) -> str:
    """Write HTTP Basic as RFC 6749 §2.3.1 says: both halves form-urlencoded first."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def answer_of(response: httpx2.Response, redirect_uri: str = REDIRECT) -> dict[str, str]:
    """Read the answer that a redirect carries to the client."""
    assert response.status_code == 303, (response.status_code, response.text[:500])
    location = response.headers["location"]
    assert location.startswith(redirect_uri), location
    return dict(parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True))


def code_of(response: httpx2.Response, redirect_uri: str = REDIRECT) -> str:
    """Read the code of a granted request."""
    return answer_of(response, redirect_uri)["code"]


def challenge(verifier: str) -> str:
    """Make the challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def verifier() -> str:
    """Make a verifier."""
    return secrets.token_urlsafe(48)


def read_token(world: World, token: str) -> tuple[dict[str, object], dict[str, object]]:
    """Verify a token by the published keys and give header and claims."""
    keys = KeySet.import_key_set(world.http.get("/oidc/jwks").json())
    read = jwt.decode(token, keys, algorithms=["RS256"])
    return dict(read.header), dict(read.claims)


def put_into(connection: Connection, person: Person, groups: tuple[str, ...], now: int) -> None:
    """Put a person into exactly these groups, which are made where they are missing."""
    known = {group.name: group for group in directory.groups(connection)}
    for name in groups:
        if name not in known:
            known[name] = directory.create_group(connection, name, Actor.system(), Caller.local(), now)
    wanted = [known[name] for name in groups]
    directory.set_groups(connection, person.id, wanted, Actor.system(), Caller.local(), now)


def deployment_for(folder: Path, url: str) -> Deployment:
    """Settings of a deployment behind https."""
    return Deployment(
        data=folder,
        database=url,
        host="127.0.0.1",
        port=8000,
        base_url=ISSUER,
        workers=1,
        tls_cert=None,
        tls_key=None,
        trusted_proxies=(),
        egress_allow=(),
        egress_ca_file=None,
        master_key=_MASTER,
        log_format="json",
        argon2_memory_kib=1024,
        argon2_time_cost=1,
        demo=False,
        sources={},
    )


@contextmanager
def running(folder: Path, url: str, clock: SettableClock) -> Iterator[World]:
    """Run the composed application with an organisation, two people and one client."""
    app = create_app(deployment_for(folder, url), clock=clock)
    with TestClient(app, base_url=ISSUER, follow_redirects=False) as http:
        world = World(http, cast("Site", app.state.site), clock)
        founded = Organization("Acme", domains=("acme.example",), settings=settings_without_mfa())
        world.write(lambda c: organization.create(c, founded, clock()))
        world.person = world.make_person(
            "alice",
            groups=("engineering", "staff"),
            email="alice@acme.example",
            email_verified=True,
            name="Alice Liddell",
            given_name="Alice",
            family_name="Liddell",
            phone="+44 20 7946 0000",
            address={"formatted": "1 High Street\nOxford", "locality": "Oxford"},
            locale="en-GB",
            attributes={"department": "R&D", "badges": ["a", "b"]},
        )
        world.other = world.make_person("bob", groups=("staff",))
        world.board = world.make_client()
        clock.advance(MINUTE)
        yield world
