# Security: tells a wrong master key before anything is sealed with it (tests/store/test_seal.py).
"""Which columns are sealed, and whether they were sealed with the master key that is in use."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, Select, func, select

from doorward.store import schema
from doorward.store.seal import Vault

SEALED_COLUMNS: Final = (
    schema.keys.c.private,
    schema.PERSON.totp.c.seed,
    schema.ADMIN.totp.c.seed,
    schema.PERSON.enrolments.c.secret,
    schema.ADMIN.enrolments.c.secret,
)
"""Every column that holds sealed values."""

_VERSION: Final = b"\x01"


class SealedByAnotherKey(Exception):
    """The database holds values that this master key does not open."""


def check_master_key(connection: Connection, vault: Vault) -> None:
    """Look at one value of each sealed column.

    Raises:
        SealedByAnotherKey: one was sealed with another master key.
    """
    for column in SEALED_COLUMNS:
        sealed = connection.execute(select(column).limit(1)).scalar()
        if sealed is not None and sealed[:5] != _VERSION + vault.key_id:
            raise SealedByAnotherKey(
                f"{column.table.name}.{column.name} was sealed with another master key; "
                "put the master key of this database back (master.key in the data folder, or DOORWARD_MASTER_KEY)"
            )


def count_sealed(connection: Connection, vault: Vault) -> dict[str, tuple[int, int]]:
    """Count for each sealed column all values, and those that another key sealed."""
    return {f"{c.table.name}.{c.name}": _count(connection, vault, c) for c in SEALED_COLUMNS}


def _count(connection: Connection, vault: Vault, column: Column[bytes]) -> tuple[int, int]:
    everything: Select[int] = select(func.count()).select_from(column.table)
    ours = everything.where(func.substr(column, 1, 5) == _VERSION + vault.key_id)
    total = connection.execute(everything).scalar_one()
    return total, total - connection.execute(ours).scalar_one()
