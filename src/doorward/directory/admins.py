"""Administrators: a table of their own, a mail address as the name, a role each, and always one active owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, cast

from sqlalchemy import Connection, delete, insert, select, update

from doorward.audit import Actor, Caller, Event, Json, Outcome, record
from doorward.clock import Instant
from doorward.directory.errors import BadName, IdTaken, LastOwner, NameTaken
from doorward.directory.fields import checked_line
from doorward.directory.ids import AdminId, retire_id, unused_id
from doorward.directory.names import email_key, kept_email
from doorward.directory.people import Theme
from doorward.store import schema

_ADMINS: Final = schema.admins
_NO_KEY: Final = ""  # no administrator has it: unknown addresses cost the same statement as known ones
_MAX_TYPED: Final = 1024


class Role(StrEnum):
    """What an administrator may do: each role but the auditor's includes those after it."""

    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    HELP_DESK = "help_desk"
    AUDITOR = "auditor"


class AdminState(StrEnum):
    """Whether an administrator gets in."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Admin:
    """An administrator, as the row stands."""

    id: AdminId
    email: str
    name: str
    role: Role
    state: AdminState
    theme: Theme
    last_sign_in_at: Instant | None
    created_at: Instant
    changed_at: Instant

    @property
    def is_active(self) -> bool:
        """Tell whether the administrator may sign in."""
        return self.state is AdminState.ACTIVE


@dataclass(frozen=True, slots=True)
class NewAdmin:
    """An administrator who is to be made."""

    email: str
    name: str
    role: Role
    id: str | None = None


def admin(connection: Connection, admin_id: AdminId) -> Admin | None:
    """Read an administrator by id."""
    row = connection.execute(select(_ADMINS).where(_ADMINS.c.id == admin_id)).mappings().first()
    return None if row is None else admin_from_row(cast("Mapping[str, object]", row))


def find_admin(connection: Connection, typed: str) -> Admin | None:
    """Find the administrator whose mail address somebody typed. One statement, whatever was typed."""
    row = connection.execute(select(_ADMINS).where(_ADMINS.c.email_key == _typed_key(typed))).mappings().first()
    return None if row is None else admin_from_row(cast("Mapping[str, object]", row))


def admins(connection: Connection) -> list[Admin]:
    """List all administrators by mail address."""
    rows = connection.execute(select(_ADMINS).order_by(_ADMINS.c.email_key)).mappings()
    return [admin_from_row(cast("Mapping[str, object]", row)) for row in rows]


def create_admin(connection: Connection, new: NewAdmin, actor: Actor, caller: Caller, now: Instant) -> Admin:
    """Make an administrator, without password or factor.

    Raises:
        BadName: a field cannot be stored.
        NameTaken: the mail address is another administrator's.
        IdTaken: the given id is or was somebody's.
    """
    made = Admin(
        id=AdminId(unused_id(connection, new.id, now)),
        email=kept_email(new.email),
        name=checked_line(new.name, "the name"),
        role=new.role,
        state=AdminState.ACTIVE,
        theme=Theme.SYSTEM,
        last_sign_in_at=None,
        created_at=now,
        changed_at=now,
    )
    if admin(connection, made.id) is not None:
        raise IdTaken(f"the id {made.id} is somebody else's")
    _refuse_taken(connection, made)
    connection.execute(insert(_ADMINS).values(**_columns(made)))
    _record(connection, "admin.created", made, (actor, caller), {"email": made.email, "role": made.role.value}, now)
    return made


def change_admin(connection: Connection, new: Admin, actor: Actor, caller: Caller, now: Instant) -> Admin:
    """Write `new` over the administrator of the same id, and record each field before and after.

    Raises:
        BadName: a field cannot be stored.
        NameTaken: the mail address is another administrator's.
        LastOwner: no active owner would remain.
        KeyError: there is no such administrator.
    """
    old = admin(connection, new.id)
    if old is None:
        raise KeyError(new.id)
    checked = replace(new, email=kept_email(new.email), name=checked_line(new.name, "the name"))
    before, after = _columns(old), _columns(checked)
    changed = [name for name in ("email", "name", "role", "state", "theme") if before[name] != after[name]]
    if not changed:
        return old
    if checked.role is not Role.OWNER or not checked.is_active:
        _keep_an_owner(connection, old)
    _refuse_taken(connection, checked)
    checked = replace(checked, changed_at=now)
    connection.execute(update(_ADMINS).where(_ADMINS.c.id == new.id).values(**_columns(checked)))
    told = [
        cast("Mapping[str, Json]", {"name": name, "before": before[name], "after": after[name]}) for name in changed
    ]
    _record(connection, "admin.changed", checked, (actor, caller), {"changed": told}, now)
    return checked


def remove_admin(connection: Connection, admin_id: AdminId, actor: Actor, caller: Caller, now: Instant) -> None:
    """Delete an administrator; the id is never used again.

    Raises:
        LastOwner: no active owner would remain.
        KeyError: there is no such administrator.
    """
    old = admin(connection, admin_id)
    if old is None:
        raise KeyError(admin_id)
    _keep_an_owner(connection, old)
    connection.execute(delete(_ADMINS).where(_ADMINS.c.id == admin_id))
    retire_id(connection, admin_id, now)
    _record(connection, "admin.removed", old, (actor, caller), {"email": old.email, "role": old.role.value}, now)


def note_admin_sign_in(connection: Connection, admin_id: AdminId, now: Instant) -> None:
    """Remember that an administrator signed in at `now`."""
    connection.execute(update(_ADMINS).where(_ADMINS.c.id == admin_id).values(last_sign_in_at=now))


def admin_from_row(row: Mapping[str, object]) -> Admin:
    """Read an administrator from a row that holds the columns of `admins` under their own names."""
    return Admin(
        id=AdminId(cast("str", row["id"])),
        email=cast("str", row["email"]),
        name=cast("str", row["name"]),
        role=Role(row["role"]),
        state=AdminState(row["state"]),
        theme=Theme(row["theme"]),
        last_sign_in_at=cast("int | None", row["last_sign_in_at"]),
        created_at=cast("int", row["created_at"]),
        changed_at=cast("int", row["changed_at"]),
    )


def _typed_key(typed: str) -> str:
    if len(typed) > _MAX_TYPED:
        return _NO_KEY
    try:
        return email_key(typed.strip())
    except BadName:
        return _NO_KEY


def _keep_an_owner(connection: Connection, leaving: Admin) -> None:
    """Refuse when nobody but `leaving` is an active owner. The rows are locked, so that two cannot leave at once."""
    if leaving.role is not Role.OWNER or not leaving.is_active:
        return
    owners = select(_ADMINS.c.id).where(_ADMINS.c.role == Role.OWNER.value, _ADMINS.c.state == AdminState.ACTIVE.value)
    ids = connection.execute(owners.order_by(_ADMINS.c.id).with_for_update()).scalars().all()
    if set(ids) <= {leaving.id}:
        raise LastOwner(f"{leaving.email} is the last active owner; make another one first")


def _refuse_taken(connection: Connection, of: Admin) -> None:
    query = select(_ADMINS.c.id).where(_ADMINS.c.email_key == email_key(of.email), _ADMINS.c.id != of.id)
    if connection.execute(query).first() is not None:
        raise NameTaken(f"{of.email!r} is the mail address of another administrator")


def _columns(of: Admin) -> dict[str, object]:
    return {
        "id": of.id,
        "email": of.email,
        "email_key": email_key(of.email),
        "name": of.name,
        "role": of.role.value,
        "state": of.state.value,
        "theme": of.theme.value,
        "last_sign_in_at": of.last_sign_in_at,
        "created_at": of.created_at,
        "changed_at": of.changed_at,
    }


def _record(
    connection: Connection,
    action: str,
    about: Admin,
    by: tuple[Actor, Caller],
    details: Mapping[str, Json],
    now: Instant,
) -> None:
    record(connection, Event(action, Outcome.SUCCESS, by[0], by[1], admin_id=about.id, details=details), now)
