"""The organisation that the clients sign in to: its people, and applications at the addresses of the clients."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from clients.apache import OIDC_SECRET, Ports
from support.browserless import Account
from support.server import clean_environ

PEOPLE = 60
PASSWORD = "kettle-orchid-timber-falcon"
BASIC_SECRET = "a-secret_of.the~suite-0123456789"


@dataclass(slots=True)
class Acme:
    """A running Doorward, its people, and where its applications will stand."""

    base_url: str
    data: Path
    apache: Ports
    node: int
    saml_demo: int
    oidc_demo: int
    people: list[Account]
    outsiders: list[Account]
    taken: Iterator[int] = field(default_factory=count)

    def apply(self, name: str, content: dict[str, object]) -> None:
        """Apply an organisation file by the product's own command, while the server runs."""
        file = self.data.parent / f"{name}.yaml"
        file.write_text(json.dumps(content), "utf-8")
        run("apply", str(file), "--data", str(self.data))


def run(*arguments: str) -> str:
    """Run a command of the product and give what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "doorward", *arguments], check=False, capture_output=True, text=True, env=clean_environ()
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def person(name: str, groups: list[str]) -> tuple[Account, dict[str, object]]:
    secret = base64.b32encode(secrets.token_bytes(20)).decode("ascii")
    said = {
        "username": name,
        "email": f"{name}@acme.example",
        "name": name.title(),
        "groups": groups,
        "totp": {"secret": secret, "period_seconds": 60},
    }
    return Account(name, PASSWORD, secret), said


def _oidc(slug: str, redirect_uris: list[str], **more: object) -> dict[str, object]:
    client: dict[str, object] = {"client_id": slug, "redirect_uris": redirect_uris}
    return {
        "slug": slug,
        "name": slug.title(),
        "groups": ["engineering"],
        "oidc": {**client, "grant_types": ["authorization_code"], **more},
    }


def applications(ports: Ports, node: int, saml_demo: int, oidc_demo: int) -> list[dict[str, object]]:
    libraries = ("openid-client", "oauth4webapi")
    callbacks = {
        client: [f"http://localhost:{node}/{library}/{client}/callback" for library in libraries]
        for client in ("basic", "public")
    }
    expenses = {
        "slug": "expenses",
        "name": "Expenses",
        "groups": ["engineering"],
        "saml": {
            "entity_id": f"http://localhost:{saml_demo}/metadata",
            "acs_urls": [f"http://localhost:{saml_demo}/acs"],
            "attributes": {"displayName": "user.name", "mail": "user.email"},
            "groups_attribute": "memberOf",
        },
    }
    board_start = {"start_url": f"http://localhost:{oidc_demo}/login"}
    return [
        expenses,
        _oidc("board", [f"http://localhost:{oidc_demo}/callback"], client_secret=BASIC_SECRET) | board_start,
        _oidc("apache", [f"http://localhost:{ports.oidc}/secret/callback"], client_secret=OIDC_SECRET),
        _oidc("basic", callbacks["basic"], client_secret=BASIC_SECRET),
        _oidc("public", callbacks["public"], token_endpoint_auth_method="none"),
    ]
