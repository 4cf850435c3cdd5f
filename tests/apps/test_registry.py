"""Applications in the database: found by their identifiers, given by groups, shown as tiles, opened by secrets."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from sqlalchemy import Connection, event

from doorward.apps import (
    App,
    AppId,
    AppState,
    BadApp,
    NewApp,
    add_client_secret,
    by_client_id,
    by_entity_id,
    by_id,
    by_slug,
    change_app,
    create_app,
    drop_client_secrets,
    given_to,
    groups_of_app,
    new_client_secret,
    note_launch,
    remove_app,
    set_app_groups,
    set_favourite,
    tiles_for,
    verify_client_secret,
)
from doorward.apps.app import said_of
from doorward.apps.kinds import AppKind
from doorward.audit import Actor, Caller, tail
from doorward.directory import Group, NewPerson, Person, create_group, create_person, set_groups
from doorward.store import Vault
from support.app_samples import BOOKMARK, CLIENT, PROVIDER
from support.clocks import START
from support.store import Store

WHO = (Actor.system(), Caller.local())


def made(store: Store, slug: str, kind: AppKind = BOOKMARK, **fields: object) -> App:
    new = NewApp(**{"slug": slug, "name": slug.title(), "kind": kind, **fields})  # type: ignore[arg-type]
    return store.write(lambda c: create_app(c, new, *WHO, START))


def in_group(store: Store, username: str, name: str = "staff") -> tuple[Person, Group]:
    def work(c: Connection) -> tuple[Person, Group]:
        person = create_person(c, NewPerson(username), *WHO, START)
        group = create_group(c, name, *WHO, START)
        set_groups(c, person.id, [group], *WHO, START)
        return person, group

    return store.write(work)


def test_each_kind_is_found_by_its_identifiers(store: Store) -> None:
    board = made(store, "board", CLIENT, group_map={"a": ["1"]}, groups_filter="x", description="D", hidden=True)
    wiki = made(store, "wiki", PROVIDER)
    assert store.read(lambda c: by_id(c, board.id)) == board
    assert store.read(lambda c: by_slug(c, "wiki")) == wiki
    assert store.read(lambda c: by_client_id(c, "board")) == board
    assert store.read(lambda c: by_client_id(c, "Board")) is None
    assert store.read(lambda c: by_entity_id(c, "https://wiki.example/saml")) == [wiki]
    assert store.read(lambda c: by_entity_id(c, "https://wiki.example/saml/")) == []
    assert store.read(lambda c: by_entity_id(c, "https://wiki.example/saml", "https://wiki.example/acs")) == [wiki]


def test_several_applications_share_an_entity_id_with_an_address_each(store: Store) -> None:
    one = made(store, "one", PROVIDER)
    two = made(store, "two", replace(PROVIDER, acs_urls=("https://two.example/acs",)))
    assert store.read(lambda c: by_entity_id(c, PROVIDER.entity_id)) == [one, two]
    assert store.read(lambda c: by_entity_id(c, PROVIDER.entity_id, "https://two.example/acs")) == [two]
    with pytest.raises(BadApp) as refused:
        made(store, "three", PROVIDER)
    assert [fault.path for fault in refused.value.faults] == ["saml.acs_urls[0]"]


def test_identifiers_are_unique_and_a_change_moves_them(store: Store) -> None:
    board = made(store, "board", CLIENT)
    for slug, kind in (("board", BOOKMARK), ("other", CLIENT)):
        with pytest.raises(BadApp):
            made(store, slug, kind)
    moved = replace(said_of(board), kind=replace(CLIENT, client_id="moved"), state=AppState.OFF)
    store.write(lambda c: change_app(c, board.id, moved, *WHO, START + 1))
    assert store.read(lambda c: by_client_id(c, "board")) is None
    found = store.read(lambda c: by_client_id(c, "moved"))
    assert found is not None
    assert found.state is AppState.OFF
    entry = store.read(lambda c: tail(c, 1))[0].event
    assert (entry.action, entry.app_id) == ("app.changed", board.id)


def test_a_removed_application_leaves_nothing_behind(store: Store, vault: Vault) -> None:
    board = made(store, "board", CLIENT)
    store.write(lambda c: add_client_secret(c, vault, board.id, "s" * 20, START))
    store.write(lambda c: remove_app(c, board, *WHO, START))
    assert store.read(lambda c: by_client_id(c, "board")) is None
    assert not store.read(lambda c: verify_client_secret(c, vault, board.id, "s" * 20))


def test_an_application_is_given_by_groups_and_taken_back_at_once(store: Store) -> None:
    alice, staff = in_group(store, "alice")
    bob, _ = in_group(store, "bob", "guests")
    app = made(store, "handbook")
    assert not store.read(lambda c: given_to(c, app.id, alice.id))
    assert store.write(lambda c: set_app_groups(c, app.id, [staff], *WHO, START))
    assert not store.write(lambda c: set_app_groups(c, app.id, [staff], *WHO, START))
    assert store.read(lambda c: groups_of_app(c, app.id)) == ["staff"]
    assert store.read(lambda c: given_to(c, app.id, alice.id))
    assert not store.read(lambda c: given_to(c, app.id, bob.id))
    store.write(lambda c: set_groups(c, alice.id, [], *WHO, START))
    assert not store.read(lambda c: given_to(c, app.id, alice.id))


def test_two_hundred_tiles_come_in_one_query_by_name_each_once(store: Store) -> None:
    alice, staff = in_group(store, "alice")

    def work(c: Connection) -> list[AppId]:
        more = create_group(c, "engineering", *WHO, START)
        set_groups(c, alice.id, [staff, more], *WHO, START)
        ids: list[AppId] = []
        for number in range(200):
            app = create_app(c, NewApp(f"a{number}", f"App {number:03}", BOOKMARK), *WHO, START)
            set_app_groups(c, app.id, [staff, more], *WHO, START)
            ids.append(app.id)
        for slug, new in (("off", AppState.OFF), ("draft", AppState.DRAFT)):
            app = create_app(c, NewApp(slug, slug, BOOKMARK, state=new), *WHO, START)
            set_app_groups(c, app.id, [staff], *WHO, START)
        hidden = create_app(c, NewApp("hidden", "Hidden", BOOKMARK, hidden=True), *WHO, START)
        set_app_groups(c, hidden.id, [staff], *WHO, START)
        create_app(c, NewApp("foreign", "Foreign", BOOKMARK), *WHO, START)
        return ids

    ids = store.write(work)
    for starred in (True, True):
        store.write(lambda c, on=starred: set_favourite(c, alice.id, ids[3], starred=on))
    for at in (START, START + 5):
        store.write(lambda c, at=at: note_launch(c, alice.id, ids[4], at))
    statements: list[str] = []

    def read(c: Connection) -> list[str]:
        event.listen(c, "before_cursor_execute", lambda *given: statements.append(given[2]))
        tiles = tiles_for(c, alice.id)
        assert tiles[0].groups == ("engineering", "staff")
        assert [tile.app.id for tile in tiles if tile.favourite] == [ids[3]]
        assert [(tile.app.id, tile.opened_at) for tile in tiles if tile.opened_at] == [(ids[4], START + 5)]
        return [tile.app.name for tile in tiles]

    names = store.read(read)
    assert names == [f"App {number:03}" for number in range(200)]
    assert len(statements) == 1
    store.write(lambda c: set_favourite(c, alice.id, ids[3], starred=False))
    assert not any(tile.favourite for tile in store.read(lambda c: tiles_for(c, alice.id)))


def test_made_secrets_are_sent_unchanged_by_every_client() -> None:
    secrets = {new_client_secret() for _ in range(200)}
    assert len(secrets) == 200
    assert all(re.fullmatch(r"[A-Za-z0-9\-._~]{48}", secret) for secret in secrets)


def test_a60_a87_secrets_are_kept_as_hmac_and_an_empty_or_foreign_one_is_never_right(
    store: Store, vault: Vault
) -> None:
    board = made(store, "board", CLIENT)
    other = made(store, "other", replace(CLIENT, client_id="other"))
    for secret in ("first-secret-0000", "second-secret-000"):
        store.write(lambda c, secret=secret: add_client_secret(c, vault, board.id, secret, START))
    store.write(lambda c: add_client_secret(c, vault, other.id, "other-secret-0000", START))

    def right(app_id: AppId, secret: str) -> bool:
        return store.read(lambda c: verify_client_secret(c, vault, app_id, secret))

    assert right(board.id, "first-secret-0000")
    assert right(board.id, "second-secret-000")
    for wrong in ("", "first-secret-000", "other-secret-0000", "\0", "\udcff", "0" * 64):
        assert not right(board.id, wrong)
    assert not right(AppId("nothing"), "")
    store.write(lambda c: drop_client_secrets(c, board.id))
    assert not right(board.id, "first-secret-0000")
