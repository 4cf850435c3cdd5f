# Security: private parts leave the database here (tests/keys/test_keys.py).
"""Keeping keys: one row each, the private part sealed, the unsealed key kept with the connection that read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast

from sqlalchemy import ColumnElement, Connection, bindparam, insert, or_, select

from doorward.clock import Instant
from doorward.keys.key import KeyState, KeyUse, PublishedKey, SigningKey, key_from_der, make_key, private_der
from doorward.store import Database, Vault, schema

_KEYS: Final = schema.keys
_CACHE: Final = "doorward.keys"
_IN_USE: Final = (  # built once: it runs at every launch
    select(_KEYS.c.kid)
    .where(_KEYS.c.use == bindparam("use_"), _KEYS.c.state == KeyState.CURRENT.value)
    .order_by(_KEYS.c.created_at, _KEYS.c.kid)
    .limit(1)
)


class KeyMissing(Exception):
    """There is no key for this use yet: `ensure_keys` makes it."""


def ensure_keys(connection: Connection, vault: Vault, now: Instant) -> None:
    """Make the keys that are missing, one for each use, in the caller's transaction.

    Two processes may both make one on PostgreSQL: then both are published, and all sign with the older.
    """
    held = set(connection.execute(select(_KEYS.c.use).where(_KEYS.c.state == KeyState.CURRENT.value)).scalars())
    for use in KeyUse:
        if use.value in held:
            continue
        key = make_key(use, now)
        connection.execute(
            insert(_KEYS).values(
                kid=key.kid,
                use=use.value,
                algorithm=key.algorithm,
                state=KeyState.CURRENT.value,
                private=vault.seal(private_der(key), table="keys", column="private", row=key.kid),
                certificate=key.certificate_der,
                created_at=now,
                retired_at=None,
            )
        )


def signing_key(connection: Connection, vault: Vault, use: KeyUse) -> SigningKey:
    """Give the key that signs for `use` now. Unsealed once for each connection of the database.

    Raises:
        KeyMissing: none was made yet.
        SealBroken: it was sealed with another master key, or altered.
    """
    kid = cast("str | None", connection.execute(_IN_USE, {"use_": use.value}).scalar())
    if kid is None:
        raise KeyMissing(use.value)
    kept = cast("dict[tuple[bytes, str], SigningKey]", connection.info.setdefault(_CACHE, {}))
    place = (vault.key_id, kid)
    if place not in kept:
        kept[place] = _unsealed(connection, vault, kid)
    return kept[place]


async def current_key(database: Database, vault: Vault, use: KeyUse, now: Instant) -> SigningKey:
    """Give the key that signs for `use` now, and make it if this is the first need of one.

    Raises:
        StorageAway: the database cannot be asked.
        SealBroken: as `signing_key`.
    """
    try:
        return await database.read(lambda connection: signing_key(connection, vault, use))
    except KeyMissing:
        await database.write(lambda connection: ensure_keys(connection, vault, now))
        return await database.read(lambda connection: signing_key(connection, vault, use))


def published(connection: Connection, use: KeyUse, now: Instant) -> list[PublishedKey]:
    """List what is published for `use` at `now`: the key in use first, then the next one, then retired ones.

    A retired key stays until the last thing that it signed is over (DI-08).
    """
    c = _KEYS.c
    open_still = or_(c.state != KeyState.RETIRED.value, c.retired_at > now)
    found = _read(connection, c.use == use.value, open_still)
    order = [KeyState.CURRENT, KeyState.NEXT, KeyState.RETIRED]
    return sorted(found, key=lambda key: (order.index(key.state), key.created_at, key.kid))


def list_keys(connection: Connection) -> list[PublishedKey]:
    """List every key, oldest first, for the command line."""
    return _read(connection)


def _unsealed(connection: Connection, vault: Vault, kid: str) -> SigningKey:
    row = connection.execute(select(_KEYS).where(_KEYS.c.kid == kid)).mappings().one()
    read = cast("Mapping[str, object]", row)
    der = vault.unseal(cast("bytes", read["private"]), table="keys", column="private", row=kid)
    return key_from_der(kid, cast("str", read["algorithm"]), der, cast("bytes", read["certificate"]))


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> list[PublishedKey]:
    c = _KEYS.c
    columns = (c.kid, c.use, c.algorithm, c.state, c.certificate, c.created_at, c.retired_at)
    wanted = cast("Iterable[ColumnElement[object]]", columns)
    rows = connection.execute(select(*wanted).where(*conditions).order_by(c.created_at, c.kid)).mappings()
    return [_published(row) for row in cast("Iterable[Mapping[str, object]]", rows)]


def _published(row: Mapping[str, object]) -> PublishedKey:
    return PublishedKey(
        kid=cast("str", row["kid"]),
        use=KeyUse(row["use"]),
        algorithm=cast("str", row["algorithm"]),
        state=KeyState(row["state"]),
        certificate_der=cast("bytes", row["certificate"]),
        created_at=cast("int", row["created_at"]),
        retired_at=cast("int | None", row["retired_at"]),
    )
