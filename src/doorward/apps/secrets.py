# Security: client secrets are made and judged here (tests/apps/test_registry.py).
"""Client secrets: made here or given by the admin, kept as HMAC only, judged in constant time."""

from __future__ import annotations

import secrets
import string
from typing import Final, cast

from sqlalchemy import Connection, delete, insert, select

from doorward.apps.app import AppId
from doorward.clock import Instant
from doorward.store import Purpose, Vault, new_id, same_secret, schema

_SECRETS: Final = schema.oidc_secrets

ALPHABET: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-._~"
"""What every client sends unchanged in HTTP Basic (CATALOGUE, rule 10): RFC 3986's unreserved characters."""

LENGTH: Final = 48  # 290 bits
LEAST: Final = 16
MOST: Final = 512
_NOTHING: Final = "0" * 64


def new_client_secret() -> str:
    """Make a client secret of 290 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def add_client_secret(connection: Connection, vault: Vault, app_id: AppId, secret: str, now: Instant) -> None:
    """Accept `secret` from now on, beside those that the application has."""
    connection.execute(
        insert(_SECRETS).values(
            id=new_id(now), app_id=app_id, secret_hash=vault.mac(Purpose.CLIENT_SECRETS, secret), created_at=now
        )
    )


def drop_client_secrets(connection: Connection, app_id: AppId) -> None:
    """Accept none of the application's secrets any more."""
    connection.execute(delete(_SECRETS).where(_SECRETS.c.app_id == app_id))


def verify_client_secret(connection: Connection, vault: Vault, app_id: AppId, secret: str) -> bool:
    """Judge a presented secret. An empty one is never right (ATTACKS 60); an absent application costs the same."""
    held = connection.execute(select(_SECRETS.c.secret_hash).where(_SECRETS.c.app_id == app_id)).scalars().all()
    given = vault.mac(Purpose.CLIENT_SECRETS, secret)
    right = False
    for each in cast("list[str]", held) or [_NOTHING]:
        right |= same_secret(each, given)
    return right and bool(secret)


def has_client_secret(connection: Connection, app_id: AppId) -> bool:
    """Tell whether the application has a secret."""
    return connection.execute(select(_SECRETS.c.id).where(_SECRETS.c.app_id == app_id)).first() is not None
