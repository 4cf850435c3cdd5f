"""A person: what is known about them, whether they stand active now, and how they are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias, cast

from sqlalchemy import Connection, bindparam, select, update

from doorward.clock import Instant
from doorward.directory.ids import PersonId
from doorward.directory.names import lookup_key
from doorward.store import schema

_PEOPLE: Final = schema.people
_NAMES: Final = schema.person_names
_BY_NAME: Final = (  # built once: each sign-in runs them
    select(_PEOPLE).join(_NAMES, _NAMES.c.owner_id == _PEOPLE.c.id).where(_NAMES.c.key == bindparam("wanted"))
)
_BY_ID: Final = select(_PEOPLE).where(_PEOPLE.c.id == bindparam("wanted"))
_NO_KEY: Final = ""  # no name has it: unknown names cost the same statement as known ones

Address: TypeAlias = Mapping[str, str]
"""A postal address under the names of OIDC Core §5.1.1: formatted, street_address, locality, …"""


class PersonState(StrEnum):
    """What the admin set."""

    STAGED = "staged"
    ACTIVE = "active"
    SUSPENDED = "suspended"


class Standing(StrEnum):
    """What the state and the dates mean at an instant. Only an active person gets in anywhere."""

    ACTIVE = "active"
    STAGED = "staged"
    SUSPENDED = "suspended"
    NOT_STARTED = "not_started"
    ENDED = "ended"


class Theme(StrEnum):
    """How pages look to somebody."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Person:
    """A person, as the row stands. `number` is random, of 53 bits, for applications that want a number."""

    id: PersonId
    number: int
    username: str
    email: str | None
    email_verified: bool
    name: str
    given_name: str | None
    family_name: str | None
    phone: str | None
    address: Address | None
    locale: str | None
    theme: Theme
    search_key: bool
    state: PersonState
    starts_at: Instant | None
    ends_at: Instant | None
    attributes: Mapping[str, str | list[str]]
    mfa_required: bool | None
    mfa_due_from: Instant | None
    nag_dismissed: bool
    last_sign_in_at: Instant | None
    created_at: Instant
    changed_at: Instant

    def standing(self, now: Instant) -> Standing:
        """Tell how the person stands at `now`: from `starts_at` on, and before `ends_at`."""
        if self.state is not PersonState.ACTIVE:
            return Standing(self.state.value)
        if self.starts_at is not None and now < self.starts_at:
            return Standing.NOT_STARTED
        if self.ends_at is not None and now >= self.ends_at:
            return Standing.ENDED
        return Standing.ACTIVE


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person who is to be made. Only the username is needed; `name` absent is the username."""

    username: str
    id: str | None = None
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    phone: str | None = None
    address: Address | None = None
    locale: str | None = None
    state: PersonState = PersonState.ACTIVE
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    attributes: Mapping[str, str | list[str]] | None = None
    mfa_required: bool | None = None


def person(connection: Connection, person_id: PersonId) -> Person | None:
    """Read a person by id."""
    row = connection.execute(_BY_ID, {"wanted": person_id}).mappings().first()
    return None if row is None else person_from_row(cast("Mapping[str, object]", row))


def find_person(connection: Connection, typed: str) -> Person | None:
    """Find who has the username or mail address that somebody typed. One statement, whatever was typed."""
    key = lookup_key(typed) or _NO_KEY
    row = connection.execute(_BY_NAME, {"wanted": key}).mappings().first()
    return None if row is None else person_from_row(cast("Mapping[str, object]", row))


def people(connection: Connection, limit: int | None = None, after: str | None = None) -> list[Person]:
    """List people in the order of their usernames; `after` is the last username of the page before."""
    query = select(_PEOPLE).order_by(_PEOPLE.c.username, _PEOPLE.c.id)
    if after is not None:
        query = query.where(_PEOPLE.c.username > after)
    rows = connection.execute(query.limit(limit)).mappings()
    return [person_from_row(cast("Mapping[str, object]", row)) for row in rows]


def person_from_row(row: Mapping[str, object]) -> Person:
    """Read a person from a row that holds the columns of `people` under their own names."""
    return Person(
        id=PersonId(cast("str", row["id"])),
        number=cast("int", row["number"]),
        username=cast("str", row["username"]),
        email=cast("str | None", row["email"]),
        email_verified=cast("bool", row["email_verified"]),
        name=cast("str", row["name"]),
        given_name=cast("str | None", row["given_name"]),
        family_name=cast("str | None", row["family_name"]),
        phone=cast("str | None", row["phone"]),
        address=cast("dict[str, str] | None", row["address"]),
        locale=cast("str | None", row["locale"]),
        theme=Theme(row["theme"]),
        search_key=cast("bool", row["search_key"]),
        state=PersonState(row["state"]),
        starts_at=cast("int | None", row["starts_at"]),
        ends_at=cast("int | None", row["ends_at"]),
        attributes=cast("dict[str, str | list[str]]", row["attributes"]),
        mfa_required=cast("bool | None", row["mfa_required"]),
        mfa_due_from=cast("int | None", row["mfa_due_from"]),
        nag_dismissed=cast("bool", row["nag_dismissed"]),
        last_sign_in_at=cast("int | None", row["last_sign_in_at"]),
        created_at=cast("int", row["created_at"]),
        changed_at=cast("int", row["changed_at"]),
    )


def note_sign_in(connection: Connection, person_id: PersonId, now: Instant) -> None:
    """Remember that a person signed in at `now`."""
    connection.execute(update(_PEOPLE).where(_PEOPLE.c.id == person_id).values(last_sign_in_at=now))


def note_mfa_due(connection: Connection, person_id: PersonId, now: Instant) -> None:
    """Begin a person's enrolment days at `now`, unless they have begun."""
    first = update(_PEOPLE).where(_PEOPLE.c.id == person_id, _PEOPLE.c.mfa_due_from.is_(None))
    connection.execute(first.values(mfa_due_from=now))


def dismiss_nag(connection: Connection, person_id: PersonId) -> None:
    """Remember that a person closed 'Add a second way to verify'."""
    connection.execute(update(_PEOPLE).where(_PEOPLE.c.id == person_id).values(nag_dismissed=True))
