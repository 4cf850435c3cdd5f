# Security: the statements that redeem codes of protocols (tests/protocols/oidc/test_codes.py). The others: once.py.
"""Claim and consume, continued from `once.py`: authorization codes, in one statement each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Connection, Executable, bindparam, case, update

from doorward.clock import Instant
from doorward.store import schema

_GRANTS: Final = schema.oidc_grants
_C: Final = _GRANTS.c
_NOW: Final[BindParameter[int]] = bindparam("now", type_=BigInteger)
_WHOLE: Final = cast("tuple[ColumnElement[object], ...]", tuple(_C))

_REDEEM: Final[Executable] = cast(
    "Executable",
    update(_GRANTS)
    .where(
        _C.code_hash == bindparam("hashed"),
        _C.app_id == bindparam("app"),
        _C.used_at.is_(None),
        _C.revoked_at.is_(None),
        _C.expires_at > _NOW,
    )
    .values(used_at=_NOW)
    .returning(*_WHOLE),
)
_REVOKE: Final[Executable] = cast(
    "Executable",
    update(_GRANTS)
    .where(_C.code_hash == bindparam("hashed"), _C.app_id == bindparam("app"), _C.used_at.is_not(None))
    .values(revoked_at=case((_C.revoked_at.is_(None), _NOW), else_=_C.revoked_at))
    .returning(*_WHOLE),
)


def redeem_code(connection: Connection, code_hash: str, app_id: str, now: Instant) -> Mapping[str, object] | None:
    """Redeem an authorization code for its own application, once and while it lives (RFC 6749 §4.1.2)."""
    row = connection.execute(_REDEEM, {"hashed": code_hash, "app": app_id, "now": now}).mappings().one_or_none()
    return cast("Mapping[str, object] | None", row)


def revoke_redeemed(connection: Connection, code_hash: str, app_id: str, now: Instant) -> Mapping[str, object] | None:
    """Void what came of a code that its application shows again; None where it was never redeemed."""
    row = connection.execute(_REVOKE, {"hashed": code_hash, "app": app_id, "now": now}).mappings().one_or_none()
    return cast("Mapping[str, object] | None", row)
