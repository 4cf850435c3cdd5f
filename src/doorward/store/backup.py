"""Backup and restore: every row in one file, the same for both databases, consistent while servers run.

The file is an SQLite database with the product's own schema and one table more that says what it is. What is
sealed stays sealed: the master key is never in it. Rows are read in one snapshot and restored in one transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from doorward.clock import Instant, iso
from doorward.store import schema
from doorward.store.migrate import HEAD, current_revision, upgrade
from doorward.store.opening import SQLITE
from doorward.store.sqlite import connect

_FORMAT: Final = "1"
_BATCH: Final = 1000

_TABLES: Final = [table for table in schema.metadata.sorted_tables if table is not schema.ticks]
_about: Final = Table(
    "doorward_backup", MetaData(), Column("name", String, primary_key=True), Column("value", String, nullable=False)
)


class BackupError(Exception):
    """The file is no backup that this version can restore here. The sentence says what to do."""


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself. `key_id` names the master key without which its secrets stay shut."""

    made_at: str
    revision: str
    key_id: str
    rows: int


def write_backup(source: Connection, file: Path, *, key_id: bytes, now: Instant) -> About:
    """Copy every row of the snapshot that `source` reads into the new file `file`.

    Raises:
        OSError: the file exists, or cannot be written.
        sqlite3.Error: likewise, while rows are written.
    """
    upgrade(f"{SQLITE}{file}")
    with _unfinished(file) as target:
        rows = _copy(source, target)
        about = About(iso(now), HEAD, key_id.hex(), rows)
        _about.create(target)
        values = {"format": _FORMAT, "made_at": about.made_at, "key_id": about.key_id, "rows": str(rows)}
        target.execute(insert(_about), [{"name": name, "value": value} for name, value in values.items()])
    return about


def read_about(file: Path) -> About:
    """Read what a backup says of itself, and check that it is whole.

    Raises:
        BackupError: it is no backup, damaged, or of another version.
    """
    try:
        with _finished(file) as source:
            return _checked(source, file)
    except (sqlite3.Error, DBAPIError, OSError) as error:
        raise BackupError(
            f"{file} cannot be read as a backup ({error}); name a file that `doorward backup` wrote"
        ) from error


def is_empty(target: Connection) -> bool:
    """Tell whether a database holds nothing that a restore would replace."""
    return all(target.execute(select(func.count()).select_from(table)).scalar_one() == 0 for table in _TABLES)


def restore(target: Connection, file: Path) -> int:
    """Replace every row of `target` by those of a backup that `read_about` accepted; give their number."""
    held = target.execute(select(func.max(schema.organization.c.version))).scalar() or 0
    for table in reversed(_TABLES):
        target.execute(delete(table))
    with _finished(file) as source:
        rows = _copy(source, target)
    # Running servers know the organisation by its version: it must be one that they have not seen.
    version = schema.organization.c.version
    target.execute(update(schema.organization).values(version=version + held + 1))
    return rows


def _checked(source: Connection, file: Path) -> About:
    if not inspect(source).has_table(_about.name):
        raise BackupError(f"{file} is no backup; name a file that `doorward backup` wrote")
    if cast("str", source.exec_driver_sql("PRAGMA integrity_check").scalar_one()) != "ok":
        raise BackupError(f"{file} is damaged; take another backup")
    said = dict(cast("Iterable[tuple[str, str]]", source.execute(select(_about.c.name, _about.c.value)).all()))
    revision = current_revision(source)
    if said.get("format") != _FORMAT or revision != HEAD:
        raise BackupError(
            f"{file} was made at revision {revision} and this version needs {HEAD}; "
            "restore it with the version of Doorward that made it, then run `doorward migrate`"
        )
    return About(said["made_at"], HEAD, said["key_id"], int(said["rows"]))


def _copy(source: Connection, target: Connection) -> int:
    """Copy all rows, parents before children; tell how many."""
    rows = 0
    for table in _TABLES:
        for batch in _batches(source, table):
            target.execute(insert(table), batch)
            rows += len(batch)
    return rows


def _batches(source: Connection, table: Table) -> Iterator[list[Mapping[str, object]]]:
    result = source.execute(select(table), execution_options={"yield_per": _BATCH})
    for part in result.mappings().partitions():
        yield [cast("Mapping[str, object]", dict(row)) for row in cast("Iterable[Mapping[str, object]]", part)]


@contextmanager
def _unfinished(file: Path) -> Generator[Connection]:
    """Open a backup file that is being written, for one transaction."""
    with closing(connect(file)) as raw, _wrapped(raw) as connection:
        yield connection
        # One file alone can be moved about: without a journal beside it.
        raw.execute("COMMIT")
        raw.execute("PRAGMA journal_mode=DELETE")


@contextmanager
def _finished(file: Path) -> Generator[Connection]:
    """Open a backup file to read it, which may lie where nothing can be written."""
    address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as raw, _wrapped(raw) as connection:
        yield connection


@contextmanager
def _wrapped(raw: sqlite3.Connection) -> Generator[Connection]:
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            raw.execute("BEGIN")
            yield connection
    finally:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        engine.dispose()
