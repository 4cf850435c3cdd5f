"""An application as its row stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, cast

from doorward.apps.kinds import AppKind, kind_from_config
from doorward.audit import Json
from doorward.clock import Instant

AppId = NewType("AppId", str)


class AppState(StrEnum):
    """Whether people get in. A draft shows what to paste into the application, and opens for nobody."""

    DRAFT = "draft"
    ACTIVE = "active"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class NewApp:
    """What an admin says of an application: the fields of the organisation file that every kind has, and its kind.

    `groups_filter` is the prefix of the groups that go out; `group_map` gives values to groups, for `group_map` as
    a source; `start_url` is where the tile leads when the application begins by itself.
    """

    slug: str
    name: str
    kind: AppKind
    state: AppState = AppState.ACTIVE
    description: str | None = None
    hidden: bool = False
    start_url: str | None = None
    groups_filter: str | None = None
    group_map: Mapping[str, str | list[str]] = field(default_factory=dict[str, "str | list[str]"])


@dataclass(frozen=True, slots=True)
class App:
    """An application. The fields are those of `NewApp`, with its id and instants."""

    id: AppId
    slug: str
    name: str
    kind: AppKind
    state: AppState
    description: str | None
    hidden: bool
    start_url: str | None
    groups_filter: str | None
    group_map: Mapping[str, str | list[str]]
    created_at: Instant
    changed_at: Instant


def said_of(app: App) -> NewApp:
    """Give what an admin said of an application."""
    return NewApp(
        slug=app.slug,
        name=app.name,
        kind=app.kind,
        state=app.state,
        description=app.description,
        hidden=app.hidden,
        start_url=app.start_url,
        groups_filter=app.groups_filter,
        group_map=app.group_map,
    )


def app_from_row(row: Mapping[str, object]) -> App:
    """Read an application from a row that holds the columns of `apps` under their own names."""
    return App(
        id=AppId(cast("str", row["id"])),
        slug=cast("str", row["slug"]),
        name=cast("str", row["name"]),
        kind=kind_from_config(cast("str", row["kind"]), cast("Mapping[str, Json]", row["config"])),
        state=AppState(row["state"]),
        description=cast("str | None", row["description"]),
        hidden=cast("bool", row["hidden"]),
        start_url=cast("str | None", row["start_url"]),
        groups_filter=cast("str | None", row["groups_filter"]),
        group_map=cast("dict[str, str | list[str]]", row["group_map"]),
        created_at=cast("int", row["created_at"]),
        changed_at=cast("int", row["changed_at"]),
    )
