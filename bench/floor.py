"""The floors: the least that each kind of request must do, on the product's own server and libraries.

`python -m bench.floor FOLDER PORT WORKERS` serves them. `/bare` answers a constant; `/lookup` finds a session by one
statement; `/insert` also commits a row (the least OIDC launch); `/saml1` and `/saml2` also build a Response and sign
it once or twice with RSA-2048 (the least SAML launch). Nothing is checked, rendered, recorded or remembered.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import uuid
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import cast

import sqlalchemy as sa
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree
from sqlalchemy.pool import NullPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

_ROWS = 500
_SETTINGS_OF_SQLITE = ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000")

_META = sa.MetaData()
_PEOPLE = sa.Table(
    "people",
    _META,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("username", sa.String(256), nullable=False),
    sa.Column("email", sa.String(256), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
)
_SESSIONS = sa.Table(
    "sessions",
    _META,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("handle_hash", sa.String(64), unique=True, nullable=False),
    sa.Column("person_id", sa.String(36), sa.ForeignKey("people.id"), nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)
_GRANTS = sa.Table(
    "grants",
    _META,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("code_hash", sa.String(64), unique=True, nullable=False),
    sa.Column("session_id", sa.String(36), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
)
_FIND = (
    sa.select(_SESSIONS.c.id, _SESSIONS.c.expires_at, _PEOPLE.c.id.label("person_id"), _PEOPLE.c.email, _PEOPLE.c.state)
    .join(_PEOPLE, _PEOPLE.c.id == _SESSIONS.c.person_id)
    .where(_SESSIONS.c.handle_hash == sa.bindparam("hash"))
)
_ADD = _GRANTS.insert()

_RESPONSE = (
    '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:'
    'assertion" ID="_{r}" Version="2.0" IssueInstant="2026-11-24T00:00:00Z" Destination="https://sp.example/acs">'
    "<saml:Issuer>https://id.example/saml/metadata</saml:Issuer><samlp:Status><samlp:StatusCode "
    'Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion ID="_{a}" Version="2.0" '
    'IssueInstant="2026-11-24T00:00:00Z"><saml:Issuer>https://id.example/saml/metadata</saml:Issuer><saml:Subject>'
    '<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{email}</saml:NameID>'
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData '
    'NotOnOrAfter="2026-11-24T00:05:00Z" Recipient="https://sp.example/acs"/></saml:SubjectConfirmation></saml:Subject>'
    '<saml:Conditions NotBefore="2026-11-23T23:55:00Z" NotOnOrAfter="2026-11-24T00:05:00Z"><saml:AudienceRestriction>'
    "<saml:Audience>https://sp.example/metadata</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
    '<saml:AuthnStatement AuthnInstant="2026-11-24T00:00:00Z" SessionIndex="_{s}"><saml:AuthnContext>'
    "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken</saml:AuthnContextClassRef>"
    '</saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="mail"><saml:'
    "AttributeValue>{email}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"
    "</samlp:Response>"
)
_SIGNATURE = (
    '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod '
    'Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod '
    'Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#{id}"><ds:Transforms>'
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform '
    'Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms><ds:DigestMethod '
    'Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
    "</ds:SignedInfo></ds:Signature>"
)
_DS = "{http://www.w3.org/2000/09/xmldsig#}"


@dataclass(frozen=True, slots=True)
class _Found:
    session_id: str
    email: str


class Floor:
    """One kept connection and one key, as each worker of the product has."""

    def __init__(self, path: Path) -> None:
        """Open the database."""

        def connect() -> sqlite3.Connection:
            raw = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
            for pragma in _SETTINGS_OF_SQLITE:
                raw.execute(f"PRAGMA {pragma}").close()
            return raw

        engine = sa.create_engine("sqlite://", creator=connect, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self.connection = engine.connect()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def look_up(self, request: Request) -> _Found:
        """Find the session of the cookie, as HMAC-like hash, with its person."""
        handle = request.cookies.get("session", "")
        row = self.connection.execute(_FIND, {"hash": sha256(handle.encode()).hexdigest()}).one()
        if cast("str", row.state) != "active":
            raise LookupError(handle)
        return _Found(cast("str", row.id), cast("str", row.email))

    def insert(self, found: _Found) -> str:
        """Commit one row for a new code."""
        code = b64encode(os.urandom(32)).decode("ascii")
        values = {
            "id": str(uuid.uuid4()),
            "code_hash": sha256(code.encode()).hexdigest(),
            "session_id": found.session_id,
            "details": {"redirect_uri": "https://rp.example/cb", "scope": "openid", "nonce": "n", "challenge": "c"},
        }
        raw = self.connection
        raw.exec_driver_sql("BEGIN IMMEDIATE")
        raw.execute(_ADD, values)
        raw.exec_driver_sql("COMMIT")
        return code

    def respond(self, found: _Found, signatures: int) -> bytes:
        """Build a Response and sign its assertion, or both."""
        text = _RESPONSE.format(r=uuid.uuid4().hex, a=uuid.uuid4().hex, s=uuid.uuid4().hex, email=found.email)
        response = etree.fromstring(text)
        assertion = response[2]
        self._sign(assertion)
        if signatures > 1:
            self._sign(response)
        return etree.tostring(response)

    def _sign(self, element: etree._Element) -> None:  # pyright: ignore[reportPrivateUsage] - lxml's name for the type
        digest = b64encode(sha256(_canonical(element)).digest()).decode("ascii")
        signature = etree.fromstring(_SIGNATURE.format(id=element.get("ID"), digest=digest))
        value = self.key.sign(_canonical(signature[0]), padding.PKCS1v15(), hashes.SHA256())
        etree.SubElement(signature, f"{_DS}SignatureValue").text = b64encode(value).decode("ascii")
        element[0].addnext(signature)


def _canonical(element: etree._Element) -> bytes:  # pyright: ignore[reportPrivateUsage] - lxml's name for the type
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def create_app(path: Path) -> Starlette:
    """Compose the floors."""
    floor = Floor(path)

    async def bare(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def lookup(request: Request) -> Response:
        return PlainTextResponse(floor.look_up(request).email)

    async def insert(request: Request) -> Response:
        code = floor.insert(floor.look_up(request))
        return RedirectResponse(f"https://rp.example/cb?code={code}&state=s", status_code=303)

    def saml(signatures: int) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            encoded = b64encode(floor.respond(floor.look_up(request), signatures)).decode("ascii")
            return HTMLResponse(
                '<form method="post" action="https://sp.example/acs"><input type="hidden" name="SAMLResponse" '
                f'value="{encoded}"><button>Continue</button></form>'
            )

        return answer

    return Starlette(
        routes=[
            Route("/bare", bare),
            Route("/lookup", lookup),
            Route("/insert", insert),
            Route("/saml1", saml(1)),
            Route("/saml2", saml(2)),
        ]
    )


def fill(path: Path) -> list[str]:
    """Make the floor's database and give the session handles in it."""
    engine = sa.create_engine(f"sqlite:///{path}")
    _META.create_all(engine)
    handles = [uuid.uuid4().hex for _ in range(_ROWS)]
    people = [str(uuid.uuid4()) for _ in handles]
    with engine.begin() as connection:
        connection.execute(
            _PEOPLE.insert(),
            [
                {"id": one, "username": f"p{n}", "email": f"p{n}@acme.example", "state": "active"}
                for n, one in enumerate(people)
            ],
        )
        connection.execute(
            _SESSIONS.insert(),
            [
                {
                    "id": str(uuid.uuid4()),
                    "handle_hash": sha256(handle.encode()).hexdigest(),
                    "person_id": person,
                    "expires_at": 2**50,
                }
                for handle, person in zip(handles, people, strict=True)
            ],
        )
    engine.dispose()
    return handles


def app() -> Starlette:
    """Compose the floors for uvicorn, which starts workers by name."""
    return create_app(Path(os.environ["BENCH_FLOOR"]))


def main() -> None:
    """Serve the floors with the server settings of the product."""
    folder, port, workers = sys.argv[1:4]
    os.environ["BENCH_FLOOR"] = folder
    uvicorn.run(
        "bench.floor:app",
        factory=True,
        host="127.0.0.1",
        port=int(port),
        workers=int(workers),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        proxy_headers=False,
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
