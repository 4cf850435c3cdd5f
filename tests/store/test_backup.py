"""A backup is one file of every row; it comes back whole, into either database."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection, LargeBinary, Table, insert, select
from sqlalchemy.types import JSON, Boolean, String, Text

from doorward.store import Vault, open_database, schema
from doorward.store.backup import BackupError, is_empty, read_about, restore, write_backup
from support.store import Store

TABLES = [table for table in schema.metadata.sorted_tables if table is not schema.ticks]
NASTY = "Ünïcode \N{SNOWMAN} 'quoted' \\ \n line"


def value_for(table: Table, name: str, number: int) -> object:
    """Make a value of the column's type; keys that point elsewhere point to the row of the same number."""
    kind = table.columns[name].type
    if isinstance(kind, JSON):
        return [None, {"nested": NASTY}, number]
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, LargeBinary):
        return bytes([0, 255, number])
    if isinstance(kind, Text):
        return NASTY
    if isinstance(kind, String):
        return f"{number}"
    return number


def fill(connection: Connection) -> None:
    for table in TABLES:
        for number in range(1, 4 if table is not schema.organization else 2):
            full = number != 2
            row = {
                column.name: value_for(table, column.name, number) if full or not column.nullable else None
                for column in table.columns
            }
            connection.execute(insert(table).values(row))


def everything(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    return {table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr) for table in TABLES}


def backed_up(store: Store, file: Path, vault: Vault) -> None:
    work = store.database.read_slowly(lambda c: write_backup(c, file, key_id=vault.key_id, now=1_795_500_000_000))
    store.runner.run(work)


def test_everything_comes_back_as_it_was(store: Store, tmp_path: Path, vault: Vault) -> None:
    store.write(fill)
    before = store.read(everything)
    file = tmp_path / "backup"
    backed_up(store, file, vault)
    assert read_about(file).rows == sum(len(rows) for rows in before.values())
    store.write(lambda c: c.execute(schema.people.delete()))
    store.write(lambda c: c.execute(insert(schema.retired_ids).values(id="later", retired_at=9)))
    store.write(lambda c: restore(c, file))
    after = store.read(everything)
    del before["organization"], after["organization"]
    assert after == before


def test_running_servers_notice_the_organisation_that_came_back(store: Store, tmp_path: Path, vault: Vault) -> None:
    store.write(fill)
    file = tmp_path / "backup"
    backed_up(store, file, vault)
    version = schema.organization.c.version
    store.write(lambda c: c.execute(schema.organization.update().values(name="Changed", version=version + 1)))
    seen = store.read(lambda c: c.execute(select(version)).scalar_one())
    store.write(lambda c: restore(c, file))
    assert store.read(lambda c: c.execute(select(version)).scalar_one()) > seen


def test_a_backup_of_one_database_comes_back_into_the_other(
    sqlite_store: Store, postgres_url: str, tmp_path: Path, vault: Vault
) -> None:
    other = Store(open_database(postgres_url), sqlite_store.runner)
    sqlite_store.write(fill)
    there, back = tmp_path / "there", tmp_path / "back"
    backed_up(sqlite_store, there, vault)
    other.write(lambda c: restore(c, there))
    backed_up(other, back, vault)
    sqlite_store.write(lambda c: restore(c, back))
    found = [store.read(everything) for store in (other, sqlite_store)]
    for tables in found:
        del tables["organization"]
    other.runner.run(other.database.close())
    assert found[0] == found[1]


def test_a_restore_that_fails_half_way_changes_nothing(store: Store, tmp_path: Path, vault: Vault) -> None:
    store.write(fill)
    before = store.read(everything)
    file = tmp_path / "backup"
    backed_up(store, file, vault)

    def work(connection: Connection) -> None:
        restore(connection, file)
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        store.write(work)
    assert store.read(everything) == before


def test_the_file_is_for_its_owner_alone_and_stands_alone(store: Store, tmp_path: Path, vault: Vault) -> None:
    file = tmp_path / "folder" / "backup"
    file.parent.mkdir()
    backed_up(store, file, vault)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["backup"]


def test_no_part_of_the_master_key_is_in_the_file(store: Store, tmp_path: Path) -> None:
    key = bytes(range(32))
    file = tmp_path / "backup"
    backed_up(store, file, Vault(key))
    content = file.read_bytes()
    assert all(key[start : start + 8] not in content for start in range(24))


def test_a_file_that_is_no_backup_is_refused(store: Store, tmp_path: Path, vault: Vault) -> None:
    del store
    text = tmp_path / "text"
    text.write_text(json.dumps({"not": "a backup"}))
    with pytest.raises(BackupError, match="cannot be read"):
        read_about(text)
    with pytest.raises(BackupError, match="cannot be read"):
        read_about(tmp_path / "missing")
    del vault


def test_a_database_is_no_backup(sqlite_url: str) -> None:
    with pytest.raises(BackupError, match="no backup"):
        read_about(Path(sqlite_url.removeprefix("sqlite:///")))


def test_a_damaged_or_foreign_backup_is_refused(sqlite_store: Store, tmp_path: Path, vault: Vault) -> None:
    sqlite_store.write(fill)
    file = tmp_path / "backup"
    backed_up(sqlite_store, file, vault)
    short = tmp_path / "short"
    short.write_bytes(file.read_bytes()[:-8192])
    with pytest.raises(BackupError):
        read_about(short)
    newer = tmp_path / "newer"
    shutil.copyfile(file, newer)
    raw = sqlite3.connect(newer)
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.commit()
    raw.close()
    with pytest.raises(BackupError, match="9999"):
        read_about(newer)


def test_an_empty_database_is_known_as_one(store: Store) -> None:
    assert store.read(is_empty)
    store.write(lambda c: c.execute(insert(schema.retired_ids).values(id="x", retired_at=1)))
    assert not store.read(is_empty)
