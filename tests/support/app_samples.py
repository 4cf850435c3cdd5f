"""Applications and people that the tests of this room share."""

from __future__ import annotations

import datetime as dt
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from doorward.apps import App, AppId, AppState, Bookmark, OidcClient, SamlProvider
from doorward.apps.kinds import AppKind
from doorward.directory import Person, PersonId, PersonState, Theme
from support.clocks import START

BOOKMARK: Final = Bookmark("https://handbook.example")
CLIENT: Final = OidcClient("board", ("https://board.example/cb",))
PROVIDER: Final = SamlProvider("https://wiki.example/saml", ("https://wiki.example/acs",))


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None) -> str:
    """A self-signed certificate in PEM, long expired."""
    signer = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "wiki")])
    began = dt.datetime(2010, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.public_key())
        .serial_number(7)
        .not_valid_before(began)
        .not_valid_after(began + dt.timedelta(days=1))
        .sign(signer, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def an_app(kind: AppKind = CLIENT, **fields: object) -> App:
    """An application with defaults."""
    given = {
        "id": AppId("a"),
        "slug": "board",
        "name": "Board",
        "kind": kind,
        "state": AppState.ACTIVE,
        "description": None,
        "hidden": False,
        "start_url": None,
        "groups_filter": None,
        "group_map": {},
        "created_at": START,
        "changed_at": START,
    }
    return App(**{**given, **fields})  # type: ignore[arg-type]


def a_person(**fields: object) -> Person:
    """A person with defaults."""
    given = {
        "id": PersonId("p"),
        "number": 42,
        "username": "alice",
        "email": "alice@acme.example",
        "email_verified": True,
        "name": "Alice Liddell",
        "given_name": "Alice",
        "family_name": None,
        "phone": None,
        "address": None,
        "locale": "en",
        "theme": Theme.SYSTEM,
        "search_key": True,
        "state": PersonState.ACTIVE,
        "starts_at": None,
        "ends_at": None,
        "attributes": {"department": "R&D", "roles": ["a", "b"]},
        "mfa_required": None,
        "mfa_due_from": None,
        "nag_dismissed": False,
        "last_sign_in_at": None,
        "created_at": START,
        "changed_at": START,
    }
    return Person(**{**given, **fields})  # type: ignore[arg-type]
