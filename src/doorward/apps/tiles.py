"""What the portal shows a person: their applications in one query, stars, and what was opened last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from sqlalchemy import Connection, Executable, and_, delete, select

from doorward.apps.app import App, AppId, AppState, app_from_row
from doorward.clock import Instant
from doorward.directory import PersonId
from doorward.store import schema
from doorward.store.upsert import insert_into

_APPS: Final = schema.apps
_GIVEN: Final = schema.app_groups
_MEMBERS: Final = schema.memberships
_GROUPS: Final = schema.groups
_STARS: Final = schema.favourites
_LAUNCHES: Final = schema.launches


@dataclass(frozen=True, slots=True)
class Tile:
    """An application as the portal shows it: `groups` are the person's groups that give it, A to Z."""

    app: App
    favourite: bool
    opened_at: Instant | None
    groups: tuple[str, ...]


def tiles_for(connection: Connection, person_id: PersonId) -> list[Tile]:
    """Read a person's tiles by name, in one query: active applications that are given and not hidden."""
    query = (
        select(_APPS, _GROUPS.c.name.label("group_name"), _STARS.c.app_id.label("star"), _LAUNCHES.c.opened_at)
        .join(_GIVEN, _GIVEN.c.app_id == _APPS.c.id)
        .join(_MEMBERS, and_(_MEMBERS.c.group_id == _GIVEN.c.group_id, _MEMBERS.c.person_id == person_id))
        .join(_GROUPS, _GROUPS.c.id == _GIVEN.c.group_id)
        .outerjoin(_STARS, and_(_STARS.c.app_id == _APPS.c.id, _STARS.c.person_id == person_id))
        .outerjoin(_LAUNCHES, and_(_LAUNCHES.c.app_id == _APPS.c.id, _LAUNCHES.c.person_id == person_id))
        .where(_APPS.c.state == AppState.ACTIVE.value, _APPS.c.hidden.is_(False))
    )
    first: dict[str, Mapping[str, object]] = {}
    groups: dict[str, list[str]] = {}
    for row in connection.execute(query).mappings():
        read = cast("Mapping[str, object]", row)
        app_id = cast("str", read["id"])
        first.setdefault(app_id, read)
        groups.setdefault(app_id, []).append(cast("str", read["group_name"]))
    tiles = [
        Tile(
            app_from_row(row), row["star"] is not None, cast("int | None", row["opened_at"]), tuple(sorted(groups[key]))
        )
        for key, row in first.items()
    ]
    return sorted(tiles, key=lambda tile: (tile.app.name.casefold(), tile.app.slug))


def set_favourite(connection: Connection, person_id: PersonId, app_id: AppId, *, starred: bool) -> None:
    """Star a tile or take the star away; twice is as once."""
    if starred:
        row = insert_into(connection.dialect.name, _STARS).values(person_id=person_id, app_id=app_id)
        connection.execute(row.on_conflict_do_nothing())
    else:
        connection.execute(delete(_STARS).where(_STARS.c.person_id == person_id, _STARS.c.app_id == app_id))


def note_launch(connection: Connection, person_id: PersonId, app_id: AppId, now: Instant) -> None:
    """Remember that a person opened an application at `now`. The caller records the audit event."""
    connection.execute(_opened(connection.dialect.name), {"person_id": person_id, "app_id": app_id, "opened_at": now})


@cache
def _opened(dialect: str) -> Executable:
    """Built once: it runs at every launch."""
    row = insert_into(dialect, _LAUNCHES)
    key = [_LAUNCHES.c.person_id, _LAUNCHES.c.app_id]
    return row.on_conflict_do_update(index_elements=key, set_={"opened_at": row.excluded.opened_at})
