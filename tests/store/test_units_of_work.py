"""The same storage tests over both databases: units of work, their commits, their undoing."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from doorward.store import Database, schema
from doorward.store.sqlite import WroteWhileReading

ticks = schema.ticks
memberships = schema.memberships
retired = schema.retired_ids


def count_up(connection: Connection) -> int:
    statement = update(ticks).values(at=ticks.c.at + 1).returning(ticks.c.at)
    return connection.execute(statement).scalar_one()


def present(connection: Connection) -> int:
    return connection.execute(select(ticks.c.at)).scalar_one()


async def test_what_a_unit_of_work_writes_is_there_for_the_next(database: Database) -> None:
    written = await database.write(count_up)
    assert await database.read(present) == written


@pytest.mark.parametrize("durable", [True, False])
async def test_both_classes_of_commit_write(database: Database, durable: bool) -> None:
    before = await database.read(present)
    await database.write(count_up, durable=durable)
    assert await database.read(present) == before + 1


async def test_an_exception_undoes_the_whole_unit_and_passes_through(database: Database) -> None:
    before = await database.read(present)

    def work(connection: Connection) -> None:
        count_up(connection)
        raise LookupError("on purpose")

    with pytest.raises(LookupError):
        await database.write(work)
    assert await database.read(present) == before


async def test_a_unit_that_failed_leaves_the_connection_usable(database: Database) -> None:
    def broken(connection: Connection) -> None:
        connection.execute(insert(retired).values(id="a", retired_at=1))
        connection.execute(insert(retired).values(id="a", retired_at=1))

    for _ in range(25):
        with pytest.raises(IntegrityError):
            await database.write(broken)
    assert await database.read(lambda c: c.execute(select(retired)).all()) == []
    await database.write(count_up)


async def test_foreign_keys_hold(database: Database) -> None:
    def work(connection: Connection) -> None:
        connection.execute(insert(memberships).values(person_id="nobody", group_id="none"))

    with pytest.raises(IntegrityError):
        await database.write(work)


async def test_a_slow_read_sees_one_snapshot_and_holds_nobody_up(database: Database) -> None:
    before = await database.read(present)
    assert await database.read_slowly(present) == before
    results = await asyncio.gather(*(database.read_slowly(present) for _ in range(12)), database.write(count_up))
    assert set(results) <= {before, before + 1}


async def test_a_hundred_units_at_once_lose_no_update(database: Database) -> None:
    before = await database.read(present)
    await asyncio.gather(*(database.write(count_up, durable=number % 2 == 0) for number in range(100)))
    assert await database.read(present) == before + 100


async def test_a_cancelled_request_leaves_nothing_half_written(database: Database) -> None:
    before = await database.read(present)
    tasks = [asyncio.ensure_future(database.write(count_up)) for _ in range(40)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    acknowledged = sum(1 for result in results if isinstance(result, int))
    assert await database.read(present) >= before + acknowledged
    assert await database.write(count_up) == await database.read(present)


async def test_a_unit_given_to_read_that_writes_is_a_fault_of_the_code(sqlite_database: Database) -> None:
    before = await sqlite_database.read(present)
    with pytest.raises(WroteWhileReading):
        await sqlite_database.read(count_up)
    assert await sqlite_database.read(present) == before


async def test_the_commit_classes_are_what_they_are_called(database: Database) -> None:
    asked = "PRAGMA synchronous" if database.dialect == "sqlite" else "SHOW synchronous_commit"

    def work(connection: Connection) -> str:
        count_up(connection)
        return str(connection.exec_driver_sql(asked).scalar())

    full, normal = ("2", "1") if database.dialect == "sqlite" else ("on", "off")
    assert await database.write(work) == full
    assert await database.write(work, durable=False) == normal
    assert await database.write(work) == full
    assert await database.write(work, durable=False) == normal


async def test_a_light_commit_is_made_durable_by_the_tick(sqlite_database: Database) -> None:
    before = await sqlite_database.read(present)
    await sqlite_database.write(lambda c: c.execute(insert(retired).values(id="a", retired_at=1)), durable=False)
    assert await sqlite_database.read(present) == before
    await sqlite_database.close()
    assert await sqlite_database.read(present) == before + 1
