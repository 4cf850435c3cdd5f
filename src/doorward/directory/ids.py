"""Identifiers of the directory: each kind its own type, all UUIDs as text, none ever used again."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

from sqlalchemy import Connection, insert, select

from doorward.clock import Instant
from doorward.directory.errors import BadName, IdTaken
from doorward.store import new_id, schema

PersonId = NewType("PersonId", str)
AdminId = NewType("AdminId", str)
GroupId = NewType("GroupId", str)


def unused_id(connection: Connection, given: str | None, now: Instant) -> str:
    """Take `given`, a UUID that was never used here, or make a new one.

    Raises:
        BadName: `given` is no UUID.
        IdTaken: `given` belonged to somebody who was deleted.
    """
    if given is None:
        return new_id(now)
    try:
        chosen = str(UUID(given))
    except ValueError as error:
        raise BadName(f"an id is a UUID, and {given!r} is none") from error
    retired = schema.retired_ids
    if connection.execute(select(retired.c.id).where(retired.c.id == chosen)).first() is not None:
        raise IdTaken(f"the id {chosen} belonged to somebody who was deleted; ids are never used again")
    return chosen


def retire_id(connection: Connection, used: str, now: Instant) -> None:
    """Remember that `used` was somebody's id, so that nobody gets it again."""
    connection.execute(insert(schema.retired_ids).values(id=used, retired_at=now))
