"""What is sealed opens in its own place with its own key, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from doorward.store import Purpose, SealBroken, Vault, same_secret, schema
from doorward.store.sealed import SEALED_COLUMNS, SealedByAnotherKey, check_master_key, count_sealed
from support.store import Store

ONE = Vault(b"\x01" * 32)
OTHER = Vault(b"\x02" * 32)
PLACE = {"table": "person_totp", "column": "seed", "row": "0199"}


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_in_its_place(plain: bytes) -> None:
    assert ONE.unseal(ONE.seal(plain, **PLACE), **PLACE) == plain


@pytest.mark.parametrize("part", ["table", "column", "row"])
def test_a_value_that_is_moved_does_not_open(part: str) -> None:
    sealed = ONE.seal(b"seed", **PLACE)
    with pytest.raises(SealBroken):
        ONE.unseal(sealed, **{**PLACE, part: "elsewhere"})


@given(st.integers(min_value=0))
def test_a_value_that_is_altered_does_not_open(bit: int) -> None:
    sealed = bytearray(ONE.seal(b"seed", **PLACE))
    sealed[bit // 8 % len(sealed)] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        ONE.unseal(bytes(sealed), **PLACE)


@pytest.mark.parametrize("length", [0, 1, 4, 5, 16, 17, 32])
def test_a_value_that_is_cut_off_does_not_open(length: int) -> None:
    with pytest.raises(SealBroken):
        ONE.unseal(ONE.seal(b"seed", **PLACE)[:length], **PLACE)


def test_another_master_key_opens_nothing() -> None:
    with pytest.raises(SealBroken, match="another master key"):
        OTHER.unseal(ONE.seal(b"seed", **PLACE), **PLACE)


def test_the_same_value_is_never_sealed_alike() -> None:
    assert len({ONE.seal(b"seed", **PLACE) for _ in range(50)}) == 50


def test_a_hash_of_one_purpose_is_worthless_under_another() -> None:
    assert len({ONE.mac(purpose, "123456") for purpose in Purpose}) == len(Purpose)
    assert ONE.mac(Purpose.CODES, "1") != OTHER.mac(Purpose.CODES, "1")


@given(st.text(), st.text())
def test_secrets_are_the_same_only_when_they_are(one: str, other: str) -> None:
    assert same_secret(one, other) is (one == other)


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="31"):
        Vault(b"k" * 31)


def test_every_binary_column_but_the_certificate_is_listed_as_sealed() -> None:
    binary = {
        column
        for table in schema.metadata.sorted_tables
        for column in table.columns
        if type(column.type).__name__ == "LargeBinary"
    }
    assert binary - {schema.keys.c.certificate} == set(SEALED_COLUMNS)


def test_another_master_key_is_told_from_what_is_sealed(store: Store) -> None:
    def work(vault: Vault, kid: str) -> None:
        private = vault.seal(b"key", table="keys", column="private", row=kid)
        row = {"kid": kid, "use": "oidc", "algorithm": "RS256", "state": "current", "private": private}
        store.write(lambda c: c.execute(insert(schema.keys).values(**row, certificate=b"", created_at=1)))

    store.read(lambda c: check_master_key(c, ONE))
    work(ONE, "a")
    store.read(lambda c: check_master_key(c, ONE))
    with pytest.raises(SealedByAnotherKey, match=r"keys\.private"):
        store.read(lambda c: check_master_key(c, OTHER))
    work(OTHER, "b")
    assert store.read(lambda c: count_sealed(c, ONE))["keys.private"] == (2, 1)
