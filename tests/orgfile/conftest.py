"""An organisation on both databases, and one on SQLite for what lies above the store."""

from __future__ import annotations

import pytest

from doorward.store import Vault
from support.org_files import Organisation
from support.store import Store


@pytest.fixture
def organisation(store: Store, vault: Vault) -> Organisation:
    return Organisation(store, vault)


@pytest.fixture
def sqlite_organisation(sqlite_store: Store, vault: Vault) -> Organisation:
    return Organisation(sqlite_store, vault)
