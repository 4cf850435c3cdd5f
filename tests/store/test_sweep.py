"""Rows that ended are removed, those that did not stay, and no table that ends is forgotten."""

from __future__ import annotations

from sqlalchemy import Table, func, insert, select

from doorward.clock import HOUR
from doorward.store import schema
from doorward.store.sweep import EXPIRING, sweep
from support.store import Store

NOW = 1_000_000
ENDINGS = {"expires_at", "destination_ends_at", "swept_at", "window_ends_at"}


def fill(store: Store, table: Table, values: list[dict[str, object]]) -> None:
    store.write(lambda c: c.execute(insert(table), values))


def count(store: Store, table: Table) -> int:
    return store.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one())


def request(number: int, expires_at: int) -> dict[str, object]:
    return {"id": str(number), "browser_hash": "b", "parameters": {}, "expires_at": expires_at}


def test_every_table_whose_rows_end_is_swept_by_one_rule() -> None:
    ending = {table for table in schema.metadata.sorted_tables if ENDINGS & set(table.columns.keys())}
    assert {table for table, _ in EXPIRING} == ending | {schema.keys}
    for table, column in EXPIRING:
        assert column.table is table
        assert column.name in ENDINGS | {"retired_at"}


def test_every_instant_that_is_swept_by_is_indexed() -> None:
    for table, column in EXPIRING:
        leading = {next(iter(index.columns)).name for index in table.indexes}
        assert table is schema.keys or column.name in leading


def test_what_ended_goes_and_what_did_not_stays(store: Store) -> None:
    fill(store, schema.oidc_requests, [request(1, NOW - 1), request(2, NOW), request(3, NOW + HOUR)])
    assert store.write(lambda c: sweep(c, NOW, 100)) == 1
    assert store.read(lambda c: set(c.execute(select(schema.oidc_requests.c.id)).scalars())) == {"2", "3"}


def test_batches_are_as_small_as_asked_and_together_remove_all(store: Store) -> None:
    fill(store, schema.oidc_requests, [request(number, 1) for number in range(25)])
    windows = [{"key": f"a:{number}", "failures": 1, "window_ends_at": 1} for number in range(5)]
    fill(store, schema.address_counters, windows)
    removed = [store.write(lambda c: sweep(c, NOW, 10)) for _ in range(5)]
    assert removed == [10, 10, 10, 0, 0]


def test_a_current_key_is_never_swept_and_a_retired_one_after_its_time(store: Store) -> None:
    row = {"use": "oidc", "algorithm": "RS256", "private": b"", "certificate": b"", "created_at": 1}
    keys = [("current", None), ("retired", NOW + 1), ("retired", NOW - 1)]
    values = [{**row, "kid": str(number), "state": state, "retired_at": at} for number, (state, at) in enumerate(keys)]
    fill(store, schema.keys, values)
    assert store.write(lambda c: sweep(c, NOW, 100)) == 1
    assert store.read(lambda c: set(c.execute(select(schema.keys.c.kid)).scalars())) == {"0", "1"}


def test_a_browser_that_is_no_longer_known_takes_its_counter_along(store: Store) -> None:
    person = {column.name: None for column in schema.people.columns if column.nullable} | {
        "id": "p", "number": 1, "username": "p", "email_verified": False, "name": "P", "theme": "system",
        "search_key": True, "state": "active", "attributes": {}, "nag_dismissed": False, "created_at": 1,
        "changed_at": 1,
    }  # fmt: skip
    fill(store, schema.people, [person])
    browser = {"owner_id": "p", "user_agent": "", "created_at": 1, "last_used_at": 1}
    fill(store, schema.known_browsers, [
        {**browser, "id": "old", "handle_hash": "1", "expires_at": NOW - 1},
        {**browser, "id": "new", "handle_hash": "2", "expires_at": NOW + 1},
    ])  # fmt: skip
    counters = schema.PERSON.counters
    zero = {column.name: 0 for column in counters.columns}
    fill(store, counters, [{**zero, "key": f"browser:{name}"} for name in ("old", "new")])
    store.write(lambda c: sweep(c, NOW, 100))
    assert store.read(lambda c: set(c.execute(select(counters.c.key)).scalars())) == {"browser:new"}


def test_a_swept_session_takes_along_what_hangs_on_it(store: Store) -> None:
    assert count(store, schema.session_apps) == 0
    cascades = {key.ondelete for table in (schema.session_apps, schema.oidc_grants) for key in table.foreign_keys}
    assert cascades == {"CASCADE"}
