# Security: a code is redeemed once, by its client alone (tests/protocols/oidc/test_codes.py; A8, A49, A50, A56).
"""Codes and what was granted with each. The database keeps the keyed hash of a code, under a purpose of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from sqlalchemy import Connection, insert, select

from doorward.apps import AppId
from doorward.clock import Instant
from doorward.protocols.oidc.names import CODE_LIFETIME, GRANT_KEPT
from doorward.protocols.oidc.request import AuthorizationRequest
from doorward.signin import Session
from doorward.store import Purpose, Vault, new_handle, new_id, once_codes, schema

_GRANTS: Final = schema.oidc_grants
_INSERT: Final = insert(_GRANTS)
_LONGEST_CODE: Final = 128


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code stands for. The last three say how the person had signed in when it was issued (SS-01)."""

    person_id: str
    redirect_uri: str
    scope: tuple[str, ...]
    nonce: str | None
    code_challenge: str | None
    auth_time: Instant
    amr: tuple[str, ...]
    acr: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant as its row stands."""

    id: str
    app_id: AppId
    session_id: str
    granted: Granted


@dataclass(frozen=True, slots=True)
class Spent:
    """The code was redeemed before: everything that came of it is void from now on (RFC 6749 §4.1.2)."""

    grant: Grant


@dataclass(frozen=True, slots=True)
class NoGrant:
    """There is no such code for this client, or its time is over."""


Redeemed: TypeAlias = Grant | Spent | NoGrant


def issue(
    connection: Connection, vault: Vault, code: str, asked: AuthorizationRequest, session: Session, now: Instant
) -> str:
    """Keep a new code with what it stands for; returns the id of the grant."""
    grant_id = new_id(now)
    connection.execute(
        _INSERT,
        {
            "id": grant_id,
            "code_hash": _hash(vault, code),
            "app_id": asked.app_id,
            "session_id": session.id,
            "details": {
                "person_id": session.person.id,
                "redirect_uri": asked.redirect_uri,
                "scope": list(asked.scope),
                "nonce": asked.nonce,
                "code_challenge": asked.code_challenge,
                "auth_time": session.authenticated_at,
                "amr": session.amr,
                "acr": session.acr,
            },
            "expires_at": now + CODE_LIFETIME,
            "used_at": None,
            "revoked_at": None,
            "swept_at": now + GRANT_KEPT,
        },
    )
    return grant_id


def new_code() -> str:
    """Make a code of 256 bits (AZ-29)."""
    return new_handle()


def redeem(connection: Connection, vault: Vault, code: str, app_id: AppId, now: Instant) -> Redeemed:
    """Take a code, once. A second time voids what came of the first, whichever of two parallel ones that is (TK-09)."""
    if len(code) > _LONGEST_CODE:
        return NoGrant()
    hashed = _hash(vault, code)
    row = once_codes.redeem_code(connection, hashed, app_id, now)
    if row is not None:
        return _grant(row)
    revoked = once_codes.revoke_redeemed(connection, hashed, app_id, now)
    return NoGrant() if revoked is None else Spent(_grant(revoked))


def standing(connection: Connection, grant_id: str) -> Grant | None:
    """Read a redeemed grant that is not revoked, as userinfo does."""
    c = _GRANTS.c
    query = select(_GRANTS).where(c.id == grant_id, c.used_at.is_not(None), c.revoked_at.is_(None))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _grant(cast("Mapping[str, object]", row))


def _grant(row: Mapping[str, object]) -> Grant:
    details = cast("Mapping[str, object]", row["details"])
    return Grant(
        id=cast("str", row["id"]),
        app_id=AppId(cast("str", row["app_id"])),
        session_id=cast("str", row["session_id"]),
        granted=Granted(
            person_id=cast("str", details["person_id"]),
            redirect_uri=cast("str", details["redirect_uri"]),
            scope=tuple(cast("Sequence[str]", details["scope"])),
            nonce=cast("str | None", details["nonce"]),
            code_challenge=cast("str | None", details["code_challenge"]),
            auth_time=cast("int", details["auth_time"]),
            amr=tuple(cast("Sequence[str]", details["amr"])),
            acr=cast("str", details["acr"]),
        ),
    )


def _hash(vault: Vault, code: str) -> str:
    return vault.mac(Purpose.CODES, f"authorization code {code}")
