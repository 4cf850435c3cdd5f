"""The only writer of people: it checks every field, keeps names unique, and records what changed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Final, cast

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from doorward.audit import Actor, Caller, Event, Json, Outcome, record
from doorward.clock import Instant
from doorward.directory.errors import BadName, IdTaken, NameTaken
from doorward.directory.fields import (
    MAX_PHONE,
    checked_address,
    checked_attributes,
    checked_line,
    checked_locale,
    checked_optional,
)
from doorward.directory.ids import PersonId, retire_id, unused_id
from doorward.directory.names import email_key, kept_email, kept_username, username_key
from doorward.directory.people import NewPerson, Person, PersonState, Theme, person
from doorward.store import schema

_PEOPLE: Final = schema.people
_NAMES: Final = schema.person_names
_NUMBER_BITS: Final = 53  # what JavaScript holds exactly
_QUIET: Final = frozenset({"changed_at", "created_at", "last_sign_in_at"})


def create_person(connection: Connection, new: NewPerson, actor: Actor, caller: Caller, now: Instant) -> Person:
    """Make a person, without password or factor.

    Raises:
        BadName: a field cannot be stored.
        NameTaken: the username or mail address is somebody's.
        IdTaken: the given id is or was somebody's.
    """
    made = _checked(
        Person(
            id=PersonId(unused_id(connection, new.id, now)),
            number=secrets.randbits(_NUMBER_BITS),
            username=new.username,
            email=new.email,
            email_verified=new.email_verified,
            name=new.name if new.name is not None else new.username,
            given_name=new.given_name,
            family_name=new.family_name,
            phone=new.phone,
            address=new.address,
            locale=new.locale,
            theme=Theme.SYSTEM,
            search_key=True,
            state=new.state,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            attributes=new.attributes or {},
            mfa_required=new.mfa_required,
            mfa_due_from=None,
            nag_dismissed=False,
            last_sign_in_at=None,
            created_at=now,
            changed_at=now,
        )
    )
    if person(connection, made.id) is not None:
        raise IdTaken(f"the id {made.id} is somebody else's")
    _refuse_taken(connection, made)
    connection.execute(insert(_PEOPLE).values(**_columns(made)))
    _write_names(connection, made)
    _record(connection, "person.created", made, (actor, caller), {"username": made.username}, now)
    return made


def change_person(connection: Connection, new: Person, actor: Actor, caller: Caller, now: Instant) -> Person:
    """Write `new` over the person of the same id, and record each field before and after.

    Raises:
        BadName: a field cannot be stored.
        NameTaken: the username or mail address is somebody else's.
        KeyError: there is no such person.
    """
    old = person(connection, new.id)
    if old is None:
        raise KeyError(new.id)
    checked = _checked(replace(new, number=old.number, created_at=old.created_at))
    changed = _differences(old, checked)
    if not changed:
        return old
    checked = replace(checked, changed_at=now)
    if (old.username, old.email) != (checked.username, checked.email):
        _refuse_taken(connection, checked)
        connection.execute(delete(_NAMES).where(_NAMES.c.owner_id == new.id))
        _write_names(connection, checked)
    connection.execute(update(_PEOPLE).where(_PEOPLE.c.id == new.id).values(**_columns(checked)))
    _record(connection, "person.changed", checked, (actor, caller), {"changed": changed}, now)
    return checked


def set_state(connection: Connection, person_id: PersonId, state: PersonState, now: Instant) -> bool:
    """Set a person's state; False where it was that already. The caller records why, and ends what must end."""
    where = (_PEOPLE.c.id == person_id, _PEOPLE.c.state != state.value)
    return connection.execute(update(_PEOPLE).where(*where).values(state=state.value, changed_at=now)).rowcount == 1


def remove_person(connection: Connection, person_id: PersonId, actor: Actor, caller: Caller, now: Instant) -> None:
    """Delete a person with all that is theirs; the id is never used again.

    Raises:
        KeyError: there is no such person.
    """
    old = person(connection, person_id)
    if old is None:
        raise KeyError(person_id)
    connection.execute(delete(_PEOPLE).where(_PEOPLE.c.id == person_id))
    retire_id(connection, person_id, now)
    _record(connection, "person.removed", old, (actor, caller), {"username": old.username}, now)


def _checked(given: Person) -> Person:
    username = kept_username(given.username)
    email = None if given.email is None else kept_email(given.email)
    # A username that reads as a mail address must be that person's own, or it could be taken for another's (A34).
    if "@" in username and (email is None or username_key(username) != email_key(email)):
        raise BadName(f"the username {username!r} looks like a mail address, and is not this person's own")
    if given.starts_at is not None and given.ends_at is not None and given.ends_at <= given.starts_at:
        raise BadName("ends_at is not after starts_at")
    return replace(
        given,
        username=username,
        email=email,
        email_verified=given.email_verified and email is not None,
        name=checked_line(given.name, "the name"),
        given_name=checked_optional(given.given_name, "the given name"),
        family_name=checked_optional(given.family_name, "the family name"),
        phone=checked_optional(given.phone, "the phone number", MAX_PHONE),
        address=checked_address(given.address),
        locale=checked_locale(given.locale),
        attributes=checked_attributes(given.attributes),
    )


def _keys(of: Person) -> dict[str, str]:
    keys = {} if of.email is None else {email_key(of.email): "email"}
    return {**keys, username_key(of.username): "username"}


def _refuse_taken(connection: Connection, of: Person) -> None:
    query = select(_NAMES.c.key).where(_NAMES.c.key.in_(list(_keys(of))), _NAMES.c.owner_id != of.id)
    taken = connection.execute(query).scalars().first()
    if taken is not None:
        raise NameTaken(f"{cast('str', taken)!r} is the username or mail address of somebody else")


def _write_names(connection: Connection, of: Person) -> None:
    try:
        with connection.begin_nested():
            connection.execute(
                insert(_NAMES), [{"key": key, "owner_id": of.id, "kind": kind} for key, kind in _keys(of).items()]
            )
    except IntegrityError as error:
        # Two at once: the look-up before saw neither, the database decides.
        raise NameTaken(f"{of.username!r} or its mail address was taken meanwhile") from error


def _columns(of: Person) -> dict[str, object]:
    columns: dict[str, object] = asdict(of)
    return {**columns, "theme": of.theme.value, "state": of.state.value}


def _differences(old: Person, new: Person) -> list[Json]:
    before, after = _columns(old), _columns(new)
    return [
        cast("Mapping[str, Json]", {"name": name, "before": before[name], "after": value})
        for name, value in after.items()
        if name not in _QUIET and before[name] != value
    ]


def _record(
    connection: Connection,
    action: str,
    about: Person,
    by: tuple[Actor, Caller],
    details: Mapping[str, Json],
    now: Instant,
) -> None:
    event = Event(action, Outcome.SUCCESS, by[0], by[1], person_id=about.id, details=details)
    record(connection, event, now)
