"""An organisation with many people on a running server, for tests in a browser."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from clients.acme import run
from doorward.clock import Instant, system_clock
from doorward.signin.hashing import PasswordHasher
from support.browserless import Account
from support.clocks import FileClock
from support.server import Server, ServerStarter

PASSWORD: Final = "kettle-orchid-timber-falcon"
ADMIN: Final = "root@acme.example"
ENROLMENT_DAYS: Final = 7
ATTEMPTS: Final = 5


@dataclass(slots=True)
class People:
    """The people of an organisation file, and those among them whom no test has taken."""

    phc: str
    said: list[dict[str, object]] = field(default_factory=list)
    waiting: dict[str, list[Account]] = field(default_factory=dict)

    def add(self, count: int, kind: str, *, groups: tuple[str, ...] = ("engineering",), app: bool = True) -> None:
        """Write people of a kind into the file."""
        for number in range(count):
            secret = base64.b32encode(secrets.token_bytes(20)).decode("ascii") if app else None
            name = f"{kind}{number}"
            person: dict[str, object] = {
                "username": name,
                "email": f"{name}@acme.example",
                "name": f"{name.title()} Liddell",
                "password_hash": self.phc,
                "groups": list(groups),
            }
            if secret is not None:
                person["totp"] = {"secret": secret, "period_seconds": _PERIOD}
            self.said.append(person)
            self.waiting.setdefault(kind, []).append(Account(name, PASSWORD, secret))

    def take(self, kind: str = "person") -> Account:
        """Take somebody whom no other test has."""
        return self.waiting[kind].pop()


_PERIOD: Final = 60


def new_people() -> People:
    """Begin a list of people who share a password, hashed once."""
    hasher = PasswordHasher(memory_kib=19456, time_cost=2)
    try:
        return People(hasher.hash_now(PASSWORD))
    finally:
        hasher.close()


def organisation(people: People, applications: list[dict[str, object]], **more: object) -> dict[str, object]:
    """Write the organisation file."""
    return {
        "organization": {
            "name": "Acme",
            "domains": ["acme.example"],
            "support": {"name": "Acme IT", "email": "help@acme.example"},
        },
        "settings": {"lockout": {"user_attempts": ATTEMPTS}, "mfa": {"enrolment_days": ENROLMENT_DAYS}},
        "groups": [{"name": name} for name in ("engineering", "visitors", "everything")],
        "users": people.said,
        "applications": applications,
        **more,
    }


def administrator(email: str) -> tuple[Account, dict[str, object]]:
    """Write an administrator into the file."""
    secret = base64.b32encode(secrets.token_bytes(20)).decode("ascii")
    said: dict[str, object] = {
        "email": email,
        "name": "Root",
        "role": "owner",
        "password": PASSWORD,
        "totp": {"secret": secret},
    }
    return Account(email, PASSWORD, secret), said


@dataclass(slots=True)
class Town:
    """A running server whose clock the tests move, its people and its administrator."""

    starter: ServerStarter
    server: Server
    people: People
    admin: Account

    @property
    def base(self) -> str:
        """The address of the User Portal."""
        return self.server.base_url

    def now(self) -> Instant:
        """The present instant of the server."""
        return self.server.clock()

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        self.server.clock.set(self.now() + milliseconds)

    def restart(self) -> None:
        """End the server and start it again at the same place."""
        before = self.server
        assert before.stop() == 0
        self.server = self.starter(data=before.data, port=before.port)


@contextmanager
def running_town(folder: Path, people: People, applications: list[dict[str, object]]) -> Iterator[Town]:
    """Serve an organisation with an administrator, at a clock that begins now."""
    clock = FileClock(folder / "clock", system_clock())
    admin, said = administrator(ADMIN)
    data = folder / "data"
    file = folder / "acme.yaml"
    file.write_text(json.dumps(organisation(people, applications, admins=[said])), "utf-8")
    run("apply", str(file), "--data", str(data))
    starter = ServerStarter(folder, clock)
    try:
        yield Town(starter, starter(data=data), people, admin)
    finally:
        starter.stop_all()


@contextmanager
def other_site(pages: Mapping[str, str]) -> Iterator[str]:
    """Serve pages of another site (http://127.0.0.1 is one beside http://localhost); gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            body = (page or "Nothing here").encode()
            self.send_response(200 if page else 404)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the library's own name
            """Say nothing."""

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}"
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


HANDBOOK: Final = {"/": "<!doctype html><html lang=en><title>Handbook</title><h1>The handbook</h1>"}


def bookmark(slug: str, url: str, **more: object) -> dict[str, object]:
    """Write a bookmark into the file."""
    return {"slug": slug, "name": slug.title(), "groups": ["engineering"], "bookmark": {"url": url}, **more}
