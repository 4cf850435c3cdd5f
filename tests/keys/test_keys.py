"""Signing keys: made once, sealed at rest, published without their private part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from sqlalchemy import select, update

from doorward.clock import DAY, SECOND
from doorward.keys import KeyMissing, KeyState, KeyUse, current_key, ensure_keys, list_keys, published, signing_key
from doorward.keys.key import make_key, thumbprint
from doorward.store import Database, SealBroken, Vault, schema
from support.clocks import START
from support.store import Store


def test_keys_are_made_once_and_one_for_each_use(store: Store, vault: Vault) -> None:
    store.write(lambda c: ensure_keys(c, vault, START))
    store.write(lambda c: ensure_keys(c, vault, START + DAY))
    kept = store.read(list_keys)
    assert sorted(key.use.value for key in kept) == ["oidc", "saml"]
    assert all(key.state is KeyState.CURRENT and key.created_at == START for key in kept)
    assert len({key.kid for key in kept}) == 2


def test_before_the_first_need_there_is_no_key(store: Store, vault: Vault) -> None:
    with pytest.raises(KeyMissing):
        store.read(lambda c: signing_key(c, vault, KeyUse.OIDC))
    assert store.read(lambda c: published(c, KeyUse.OIDC, START)) == []


async def test_the_first_need_makes_the_key_that_stays(database: Database, vault: Vault) -> None:
    first = await current_key(database, vault, KeyUse.SAML, START)
    again = await current_key(database, vault, KeyUse.SAML, START + DAY)
    assert first.kid == again.kid


def test_what_is_published_verifies_what_was_signed(store: Store, vault: Vault) -> None:
    store.write(lambda c: ensure_keys(c, vault, START))
    key = store.read(lambda c: signing_key(c, vault, KeyUse.SAML))
    [shown] = store.read(lambda c: published(c, KeyUse.SAML, START))
    shown.public_key.verify(key.sign(b"octets"), b"octets", PKCS1v15(), SHA256())
    assert shown.kid == key.kid == thumbprint(shown.public_key)
    assert shown.certificate_der == key.certificate_der
    assert shown.public_key.key_size >= 2048


def test_the_private_part_lies_sealed(store: Store, vault: Vault) -> None:
    store.write(lambda c: ensure_keys(c, vault, START))
    for sealed in store.read(lambda c: c.execute(select(schema.keys.c.private)).scalars().all()):
        with pytest.raises(ValueError, match="deserialize"):
            load_der_private_key(sealed, None)
        assert b"\x02\x01\x00\x30\x0d\x06\x09" not in sealed  # the head of a PKCS#8 RSA key


def test_another_master_key_and_a_moved_row_do_not_open(store: Store, vault: Vault) -> None:
    store.write(lambda c: ensure_keys(c, vault, START))
    with pytest.raises(SealBroken):
        store.read(lambda c: signing_key(c, Vault(b"\x08" * 32), KeyUse.OIDC))
    kids = {key.use: key.kid for key in store.read(list_keys)}
    keys = schema.keys
    other = store.read(lambda c: c.execute(select(keys.c.private).where(keys.c.kid == kids[KeyUse.SAML])).scalar_one())
    store.write(lambda c: c.execute(update(keys).where(keys.c.kid == kids[KeyUse.OIDC]).values(private=other)) and None)
    with pytest.raises(SealBroken):
        store.read(lambda c: signing_key(c, vault, KeyUse.OIDC))


def test_a_key_is_unsealed_once_for_a_connection(sqlite_store: Store, vault: Vault) -> None:
    sqlite_store.write(lambda c: ensure_keys(c, vault, START))
    first = sqlite_store.read(lambda c: signing_key(c, vault, KeyUse.OIDC))
    assert sqlite_store.read(lambda c: signing_key(c, vault, KeyUse.OIDC)) is first


def test_di08_a_retired_key_stays_published_until_what_it_signed_is_over(store: Store, vault: Vault) -> None:
    store.write(lambda c: ensure_keys(c, vault, START))
    keys = schema.keys
    retire = update(keys).where(keys.c.use == "oidc").values(state="retired", retired_at=START + DAY)
    store.write(lambda c: c.execute(retire) and None)
    assert len(store.read(lambda c: published(c, KeyUse.OIDC, START + DAY - SECOND))) == 1
    assert store.read(lambda c: published(c, KeyUse.OIDC, START + DAY)) == []
    with pytest.raises(KeyMissing):
        store.read(lambda c: signing_key(c, vault, KeyUse.OIDC))


def test_the_certificate_is_self_signed_for_ten_years_by_the_given_clock() -> None:
    key = make_key(KeyUse.SAML, START)
    certificate = x509.load_der_x509_certificate(key.certificate_der)
    now = datetime.fromtimestamp(START / SECOND, UTC)
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_before_utc == now - timedelta(days=1)
    assert certificate.not_valid_after_utc > now + timedelta(days=3650)
    assert isinstance(certificate.signature_hash_algorithm, SHA256)
    assert "private" not in repr(key)
