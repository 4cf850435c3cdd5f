"""The organisation that is measured: many people with one password and an authenticator each, a few applications."""

from __future__ import annotations

import base64
import hmac
import json
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from bench.argon import hasher
from bench.processes import environment
from doorward.clock import SECOND, system_clock

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who do not exist
PERIOD = 60
REDIRECT_URI = "https://board.acme.example/callback"
ENTITY_ID = "https://expenses.acme.example/metadata"
ACS = "https://expenses.acme.example/acs"


@dataclass(frozen=True, slots=True)
class Someone:
    """One person of the organisation."""

    username: str
    seed: bytes

    def code(self) -> str:
        """Compute the code that the person's authenticator shows now (RFC 4226 §5.3)."""
        counter = system_clock() // SECOND // PERIOD
        digest = hmac.new(self.seed, counter.to_bytes(8, "big"), "sha1").digest()
        offset = digest[-1] & 15
        return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def people(count: int) -> list[Someone]:
    """Name the people; seeds are made of their names, so that every part of the bench knows them."""
    return [Someone(f"person{n:05}", sha256(f"seed {n}".encode()).digest()[:20]) for n in range(count)]


def organisation(everybody: list[Someone]) -> dict[str, object]:
    """Write the organisation file. Slowing by address is off: everybody comes from one machine here."""
    phc = hasher().hash(PASSWORD)
    bookmarks = [
        {
            "slug": f"place-{n}",
            "name": f"Place {n}",
            "description": "A bookmark",
            "groups": ["everybody"],
            "bookmark": {"url": f"https://place-{n}.acme.example/"},
        }
        for n in range(8)
    ]
    return {
        "organization": {"name": "Acme", "domains": ["acme.example"]},
        "settings": {"lockout": {"address_failures": 0, "network_failures": 0}},
        "groups": [{"name": "everybody"}],
        "users": [
            {
                "username": one.username,
                "email": f"{one.username}@acme.example",
                "name": one.username.title(),
                "password_hash": phc,
                "groups": ["everybody"],
                "totp": {"secret": base64.b32encode(one.seed).decode("ascii"), "period_seconds": PERIOD},
            }
            for one in everybody
        ],
        "applications": [
            {
                "slug": "board",
                "name": "Board",
                "groups": ["everybody"],
                "oidc": {
                    "client_id": "board",
                    "client_secret": "a-secret-of-the-bench-0123456789",
                    "redirect_uris": [REDIRECT_URI],
                    "grant_types": ["authorization_code"],
                },
            },
            {
                "slug": "expenses",
                "name": "Expenses",
                "groups": ["everybody"],
                "saml": {"entity_id": ENTITY_ID, "acs_urls": [ACS], "attributes": {"mail": "user.email"}},
            },
            *bookmarks,
        ],
    }


def found(data: Path, everybody: list[Someone]) -> None:
    """Make the deployment by the product's own command."""
    file = data.parent / "acme.yaml"
    file.write_text(json.dumps(organisation(everybody)), "utf-8")
    subprocess.run(
        [sys.executable, "-m", "doorward", "apply", str(file), "--data", str(data)],
        check=True,
        stdout=subprocess.DEVNULL,
        env=environment(),
    )
