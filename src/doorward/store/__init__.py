"""The store: schema, engines, migrations, sealed columns, and every statement that may happen only once.

Owns how rows are kept. Never decides anything about a sign-in, an application or a protocol.
Read `schema.py` first, then `engine.py` for the unit of work and `once.py` for claim-and-consume.
"""

from __future__ import annotations

from doorward.store import schema
from doorward.store.engine import Database, StorageAway, Work
from doorward.store.ids import new_handle, new_id
from doorward.store.opening import open_database
from doorward.store.seal import Purpose, SealBroken, Vault, same_secret

__all__ = [
    "Database",
    "Purpose",
    "SealBroken",
    "StorageAway",
    "Vault",
    "Work",
    "new_handle",
    "new_id",
    "open_database",
    "same_secret",
    "schema",
]
