"""Groups and who is in them. A group is known by its name, whatever the case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import Connection, delete, insert, select, update

from doorward.audit import Actor, Caller, Event, Outcome, record
from doorward.clock import Instant
from doorward.directory.errors import BadName, NameTaken
from doorward.directory.ids import GroupId, PersonId
from doorward.directory.names import group_key, kept_group_name
from doorward.store import new_id, schema

_GROUPS: Final = schema.groups
_MEMBERS: Final = schema.memberships


@dataclass(frozen=True, slots=True)
class Group:
    """A group of people, to which applications are given."""

    id: GroupId
    name: str


def groups(connection: Connection) -> list[Group]:
    """List all groups by name."""
    rows = connection.execute(select(_GROUPS.c.id, _GROUPS.c.name).order_by(_GROUPS.c.name_key))
    return [Group(GroupId(cast("str", row.id)), cast("str", row.name)) for row in rows]


def find_group(connection: Connection, name: str) -> Group | None:
    """Find a group by name, in whatever case it was written."""
    try:
        key = group_key(name)
    except BadName:
        return None
    row = connection.execute(select(_GROUPS.c.id, _GROUPS.c.name).where(_GROUPS.c.name_key == key)).first()
    return None if row is None else Group(GroupId(cast("str", row.id)), cast("str", row.name))


def create_group(connection: Connection, name: str, actor: Actor, caller: Caller, now: Instant) -> Group:
    """Make an empty group.

    Raises:
        BadName: the name cannot be stored.
        NameTaken: there is such a group.
    """
    if find_group(connection, name) is not None:
        raise NameTaken(f"the group {name!r} exists already")
    made = Group(GroupId(new_id(now)), kept_group_name(name))
    connection.execute(insert(_GROUPS).values(id=made.id, name=made.name, name_key=group_key(name), created_at=now))
    record(connection, Event("group.created", Outcome.SUCCESS, actor, caller, details={"name": made.name}), now)
    return made


def rename_group(connection: Connection, group: Group, name: str, actor: Actor, caller: Caller, now: Instant) -> Group:
    """Give a group another name; who is in it and what it gives stays.

    Raises:
        BadName: the name cannot be stored.
        NameTaken: there is another such group.
    """
    other = find_group(connection, name)
    if other is not None and other.id != group.id:
        raise NameTaken(f"the group {name!r} exists already")
    renamed = Group(group.id, kept_group_name(name))
    row = update(_GROUPS).where(_GROUPS.c.id == group.id)
    connection.execute(row.values(name=renamed.name, name_key=group_key(name)))
    details = {"before": group.name, "after": renamed.name}
    record(connection, Event("group.renamed", Outcome.SUCCESS, actor, caller, details=details), now)
    return renamed


def remove_group(connection: Connection, group: Group, actor: Actor, caller: Caller, now: Instant) -> None:
    """Delete a group; its people stay, and lose what was given to it on their next request."""
    connection.execute(delete(_GROUPS).where(_GROUPS.c.id == group.id))
    record(connection, Event("group.removed", Outcome.SUCCESS, actor, caller, details={"name": group.name}), now)


def groups_of(connection: Connection, person_id: PersonId) -> frozenset[str]:
    """Name the groups that a person is in."""
    query = select(_GROUPS.c.name).join(_MEMBERS, _MEMBERS.c.group_id == _GROUPS.c.id)
    names = connection.execute(query.where(_MEMBERS.c.person_id == person_id)).scalars()
    return frozenset(cast("Iterable[str]", names))


def members_of(connection: Connection, group_id: GroupId) -> list[str]:
    """Name the people in a group, by username."""
    people = schema.people
    query = select(people.c.username).join(_MEMBERS, _MEMBERS.c.person_id == people.c.id)
    names = connection.execute(query.where(_MEMBERS.c.group_id == group_id).order_by(people.c.username)).scalars()
    return list(cast("Iterable[str]", names))


def set_groups(
    connection: Connection,
    person_id: PersonId,
    wanted: Iterable[Group],
    actor: Actor,
    caller: Caller,
    now: Instant,
) -> bool:
    """Put a person into exactly the groups `wanted`; False where they were in them already."""
    names = {group.id: group.name for group in wanted}
    present = groups_of(connection, person_id)
    added = sorted(name for name in names.values() if name not in present)
    removed = sorted(present - set(names.values()))
    if not added and not removed:
        return False
    connection.execute(
        delete(_MEMBERS).where(_MEMBERS.c.person_id == person_id, _MEMBERS.c.group_id.not_in(list(names)))
    )
    rows = [{"person_id": person_id, "group_id": group_id} for group_id, name in names.items() if name in added]
    if rows:
        connection.execute(insert(_MEMBERS), rows)
    event = Event(
        "person.groups_changed",
        Outcome.SUCCESS,
        actor,
        caller,
        person_id=person_id,
        details={"added": added, "removed": removed},
    )
    record(connection, event, now)
    return True
