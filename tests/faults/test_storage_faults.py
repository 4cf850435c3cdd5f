"""What is killed, filled up or taken away: nothing acknowledged is lost, and everything recovers by itself."""

from __future__ import annotations

import asyncio
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, update

from doorward.store import Database, StorageAway, open_database, schema
from doorward.store.opening import SQLITE
from doorward.store.sqlite import SqliteDatabase
from support.postgres import Cluster
from support.store import Store

retired = schema.retired_ids
ticks = schema.ticks
WRITER = Path(__file__).parents[1] / "support" / "writer.py"


def count_up(connection: Connection) -> int:
    return connection.execute(update(ticks).values(at=ticks.c.at + 1).returning(ticks.c.at)).scalar_one()


def rows(connection: Connection) -> set[str]:
    return set(connection.execute(select(retired.c.id)).scalars())


def writer(url: str, name: str, durable: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, WRITER, url, name, durable], stdout=subprocess.PIPE)


def kill_after(process: subprocess.Popen[bytes], acknowledged: int) -> int:
    """Kill a writer once it told so many commits, and give the last number that it told."""
    assert process.stdout is not None
    for _ in range(acknowledged):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    told = process.stdout.read().split(b"\n")
    process.stdout.close()
    process.wait()
    whole = [int(line) for line in told[:-1] if line]
    return whole[-1] if whole else acknowledged - 1


# --------------------------------------------------------------------------------------------- kill -9


@pytest.mark.slow
@pytest.mark.parametrize("durable", ["durable", "light"])
def test_kill_9_loses_nothing_that_was_acknowledged_and_leaves_nothing_half(
    store: Store, database_url: str, durable: str
) -> None:
    last = kill_after(writer(database_url, "w", durable), 150)
    found = store.read(rows)
    assert {f"w-{number}-{half}" for number in range(last + 1) for half in "ab"} <= found
    assert {row[:-1] for row in found if row.endswith("a")} == {row[:-1] for row in found if row.endswith("b")}
    store.write(count_up)


@pytest.mark.slow
def test_two_processes_write_at_once_and_lose_nothing(store: Store, database_url: str) -> None:
    counter = schema.address_counters
    store.write(lambda c: c.execute(insert(counter).values(key="a:1", failures=0, window_ends_at=0)))
    both = [writer(database_url, "one", "durable"), writer(database_url, "two", "light")]
    lasts = [kill_after(process, 100) for process in both]
    found = store.read(rows)
    for name, last in zip(["one", "two"], lasts, strict=True):
        assert {f"{name}-{number}-a" for number in range(last + 1)} <= found
    assert store.read(lambda c: c.execute(select(counter.c.failures)).scalar_one()) == len(found) // 2


@pytest.mark.slow
def test_a_postgresql_that_crashes_keeps_what_was_acknowledged(
    postgres: Cluster, postgres_url: str, runner: asyncio.Runner
) -> None:
    process = writer(postgres_url, "w", "durable")
    assert process.stdout is not None
    for _ in range(100):
        assert process.stdout.readline()
    postgres.halt(signal.SIGQUIT)
    told = process.stdout.read().split(b"\n")
    process.stdout.close()
    assert process.wait() == 1
    postgres.resume()
    last = int(told[-2]) if len(told) > 1 else 99
    database = open_database(postgres_url)
    found = runner.run(database.read(rows))
    runner.run(database.close())
    assert {f"w-{number}-a" for number in range(last + 1)} <= found


# ------------------------------------------------------------------------------------------- full disk


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Let every write beyond `size` fail, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("durable", [True, False])
async def test_a_full_disk_is_told_and_recovers_by_itself(sqlite_database: Database, durable: bool) -> None:
    def fill(connection: Connection, start: int) -> None:
        values = [{"id": f"{start}-{number}", "retired_at": 1} for number in range(200)]
        connection.execute(insert(retired), values)

    async def write_until_full() -> int:
        for start in range(10_000):
            try:
                await sqlite_database.write(lambda c, start=start: fill(c, start), durable=durable)
            except StorageAway:
                return start * 200
        raise AssertionError("the disk was never full")

    with no_file_larger_than(1_000_000):
        acknowledged = await write_until_full()
    assert acknowledged
    count = select(func.count()).select_from(retired)
    assert await sqlite_database.read(lambda c: c.execute(count).scalar_one()) == acknowledged
    await sqlite_database.write(lambda c: fill(c, -1))
    assert await sqlite_database.read(lambda c: c.execute(count).scalar_one()) == acknowledged + 200


async def test_reading_goes_on_while_the_disk_is_full(sqlite_database: Database) -> None:
    await sqlite_database.write(count_up)
    with no_file_larger_than(0):
        with pytest.raises(StorageAway):
            await sqlite_database.write(count_up)
        assert await sqlite_database.read(lambda c: c.execute(select(ticks.c.at)).scalar_one()) == 1


@pytest.mark.parametrize("state", ["53100", "53300", "57P03", "58030", "25006"])
async def test_postgresql_saying_that_it_cannot_is_storage_away(
    postgres_url: str, runner: asyncio.Runner, state: str
) -> None:
    del runner
    database = open_database(postgres_url)
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
    try:
        with pytest.raises(StorageAway):
            await database.write(lambda c: c.exec_driver_sql(statement))
        assert await database.write(count_up) == 1
    finally:
        await database.close()


# ------------------------------------------------------------------------------------- absent database


async def test_a_file_that_is_taken_away_is_missed_at_once_and_found_again(sqlite_url: str) -> None:
    path = Path(sqlite_url.removeprefix(SQLITE))
    database = open_database(sqlite_url)
    await database.write(count_up)
    away = path.with_name("elsewhere")
    away.mkdir()
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).rename(away / name)
    for _ in range(3):
        with pytest.raises(StorageAway):
            await database.write(count_up)
        with pytest.raises(StorageAway):
            await database.read(rows)
        with pytest.raises(StorageAway):
            await database.read_slowly(rows)
    with pytest.raises(FileNotFoundError):  # nothing made an empty database in its place
        path.stat()
    for file in list(away.iterdir()):
        file.rename(path.with_name(file.name))
    assert await database.write(count_up) == 2
    await database.close()


async def test_a_file_that_is_replaced_is_read_anew(sqlite_url: str, tmp_path: Path) -> None:
    path = Path(sqlite_url.removeprefix(SQLITE))
    other = tmp_path / "other.db"
    shutil.copyfile(path, other)
    raw = sqlite3.connect(other)
    raw.execute("UPDATE ticks SET at = 500")
    raw.commit()
    raw.close()
    database = open_database(sqlite_url)
    assert await database.write(count_up) == 1
    for name in (f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink()
    other.replace(path)
    assert await database.write(count_up) == 501
    await database.close()


async def test_a_file_that_is_no_database_is_storage_away(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"no database at all" * 100)
    database = SqliteDatabase(path)
    with pytest.raises(StorageAway):
        await database.read(rows)
    await database.close()


@pytest.mark.slow
def test_postgresql_that_stops_is_storage_away_and_serves_again_when_it_is_back(
    postgres: Cluster, postgres_url: str, runner: asyncio.Runner
) -> None:
    database = open_database(postgres_url)
    assert runner.run(database.write(count_up)) == 1
    postgres.halt()
    try:
        for _ in range(3):
            with pytest.raises(StorageAway):
                runner.run(database.write(count_up))
            with pytest.raises(StorageAway):
                runner.run(database.read(rows))
    finally:
        postgres.resume()
    assert runner.run(database.write(count_up)) == 2
    postgres.halt()
    postgres.resume()
    # The pool still holds connections of before: the first unit finds them broken and runs again.
    assert runner.run(database.write(count_up)) == 3
    runner.run(database.close())


async def test_a_writer_that_holds_the_file_for_long_is_waited_for(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorward.store.sqlite._PATIENCE_SECONDS", 0.2)
    other = sqlite3.connect(sqlite_url.removeprefix(SQLITE), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = open_database(sqlite_url)
    with pytest.raises(StorageAway, match="busy"):
        await database.write(count_up)
    assert await database.read(rows) == set()
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(count_up) == 1
    await database.close()
