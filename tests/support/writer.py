"""A process that writes without end and tells each commit that was acknowledged: `writer.py URL NAME durable|light`."""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count

from sqlalchemy import Connection, insert, update

from doorward.store import open_database, schema


async def write(url: str, name: str, *, durable: bool) -> None:
    """Write pairs of rows and raise every address counter, one unit of work after another."""
    database = open_database(url)
    counter = schema.address_counters
    for number in count():

        def work(connection: Connection, number: int = number) -> None:
            connection.execute(insert(schema.retired_ids).values(id=f"{name}-{number}-a", retired_at=number))
            connection.execute(update(counter).values(failures=counter.c.failures + 1))
            connection.execute(insert(schema.retired_ids).values(id=f"{name}-{number}-b", retired_at=number))

        await database.write(work, durable=durable)
        os.write(1, f"{number}\n".encode())


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], durable=sys.argv[3] == "durable"))
