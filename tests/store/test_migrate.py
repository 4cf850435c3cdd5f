"""The chain of migrations makes exactly the schema, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from doorward.store import StorageAway, migrate, open_database, schema
from doorward.store.engine import StorageRefused
from doorward.store.migrate import HEAD, SchemaError, current_revision, ensure_schema, upgrade
from doorward.store.opening import SQLITE
from support.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"{SQLITE}{tmp_path / 'empty.db'}"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.empty()


T = TypeVar("T")


def ask(url: str, work: Callable[[Connection], T]) -> T:
    async def run() -> T:
        database = open_database(url)
        try:
            return await database.write(work)
        finally:
            await database.close()

    return asyncio.run(run())


def test_the_migrated_database_is_the_schema(database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, schema.metadata))

    assert ask(database_url, differences) == []


def test_head_is_the_end_of_one_single_chain() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate._FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_fresh_database_is_made_and_holds_the_row_of_ticks_alone(empty_url: str) -> None:
    ensure_schema(empty_url)

    def counts(connection: Connection) -> dict[str, int]:
        return {
            table.name: connection.exec_driver_sql(f"SELECT count(*) FROM {table.name}").scalar_one()
            for table in schema.metadata.sorted_tables
        }

    found = ask(empty_url, counts)
    assert {name for name, rows in found.items() if rows} == {"ticks"}
    assert found["ticks"] == 1
    assert ask(empty_url, current_revision) == HEAD


def test_two_first_starts_at_once_make_one_database(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ensure_schema, [empty_url] * 4))
    assert ask(empty_url, lambda c: c.exec_driver_sql("SELECT count(*) FROM ticks").scalar_one()) == 1


@pytest.mark.parametrize(("revision", "words"), [("0000", "doorward migrate"), ("9999", "newer")])
def test_a_database_of_another_version_refuses_to_start_with_one_sentence(
    database_url: str, revision: str, words: str
) -> None:
    ask(database_url, lambda c: c.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'"))
    with pytest.raises(SchemaError, match=words):
        ensure_schema(database_url)


def test_a_newer_database_is_not_migrated_backwards(database_url: str) -> None:
    ask(database_url, lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    assert upgrade(database_url) == "9999"


def test_a_migration_that_fails_changes_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run_chain = migrate._run_chain

    def broken(connection: Connection) -> None:
        run_chain(connection)
        raise LookupError("on purpose")

    monkeypatch.setattr(migrate, "_run_chain", broken)
    with pytest.raises(LookupError):
        upgrade(empty_url)
    monkeypatch.undo()
    ensure_schema(empty_url)


def test_a_migration_that_would_orphan_rows_is_undone(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sqlite_url.removeprefix(SQLITE)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '0000'")
    raw.close()

    def orphan(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO memberships (person_id, group_id) VALUES ('nobody', 'none')")

    monkeypatch.setattr(migrate, "_run_chain", orphan)
    with pytest.raises(SchemaError, match="without their owner"):
        upgrade(sqlite_url)
    assert ask(sqlite_url, lambda c: c.exec_driver_sql("SELECT count(*) FROM memberships").scalar_one()) == 0


def test_a_database_that_cannot_be_reached_says_so(tmp_path: Path, postgres: Cluster) -> None:
    with pytest.raises(StorageAway):
        ensure_schema(f"{SQLITE}{tmp_path / 'no folder' / 'x.db'}")
    with pytest.raises(StorageRefused):
        ensure_schema(postgres.url("no_such_database"))


def test_a_current_database_is_checked_without_alembic(sqlite_url: str) -> None:
    program = (
        "import sys; from doorward.store.migrate import ensure_schema; "
        "ensure_schema(sys.argv[1]); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, sqlite_url], check=True)


def test_a_new_database_is_readable_for_its_owner_alone(tmp_path: Path) -> None:
    ensure_schema(f"{SQLITE}{tmp_path / 'x.db'}")
    assert (tmp_path / "x.db").stat().st_mode & 0o777 == 0o600
