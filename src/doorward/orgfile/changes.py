"""The changes a plan is made of, as data, each with the lines that tell a person what it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from doorward.apps import App, NewApp
from doorward.directory import Admin, Group, NewAdmin, NewPerson, Person
from doorward.organization import Organization
from doorward.orgfile.problems import Where


@dataclass(frozen=True, slots=True)
class Authenticator:
    """An authenticator to import."""

    seed: bytes = field(repr=False)
    period_seconds: int | None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a new account starts with: a password (hashed when it is brought about) or its hash, an authenticator."""

    password: str | None = field(default=None, repr=False)
    phc: str | None = field(default=None, repr=False)
    totp: Authenticator | None = None


@dataclass(frozen=True, slots=True)
class SetOrganization:
    """The organisation is founded (`old` None) or changed."""

    where: Where
    old: Organization | None
    new: Organization
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddGroup:
    """A group is made."""

    where: Where
    name: str


@dataclass(frozen=True, slots=True)
class DropGroup:
    """A group is deleted."""

    group: Group


@dataclass(frozen=True, slots=True)
class AddPerson:
    """A person is made."""

    where: Where
    new: NewPerson
    groups: tuple[str, ...]
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class AlterPerson:
    """A person is changed; `groups` None stay as they are."""

    where: Where
    old: Person
    new: Person
    groups: tuple[str, ...] | None
    totp: Authenticator | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DropPerson:
    """A person is deleted."""

    person: Person


@dataclass(frozen=True, slots=True)
class AddAdmin:
    """An administrator is made."""

    where: Where
    new: NewAdmin
    is_suspended: bool
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class AlterAdmin:
    """An administrator is changed."""

    where: Where
    new: Admin
    totp: Authenticator | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DropAdmin:
    """An administrator is deleted."""

    admin: Admin


@dataclass(frozen=True, slots=True)
class Secret:
    """What becomes of a client secret: replaced by `given`, or by one that is made and printed once."""

    given: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddApp:
    """An application is registered."""

    where: Where
    new: NewApp
    groups: tuple[str, ...]
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class AlterApp:
    """An application is changed; `groups` None and `secret` None stay as they are."""

    where: Where
    app: App
    new: NewApp
    groups: tuple[str, ...] | None
    secret: Secret | None
    drops_secrets: bool
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DropApp:
    """An application is deleted."""

    app: App


Change: TypeAlias = (
    SetOrganization
    | AddGroup
    | DropGroup
    | AddPerson
    | AlterPerson
    | DropPerson
    | AddAdmin
    | AlterAdmin
    | DropAdmin
    | AddApp
    | AlterApp
    | DropApp
)


def told(change: Change) -> list[str]:
    """Tell a person what a change does: `+` made, `~` changed, `-` deleted."""
    match change:
        case SetOrganization(_, old, new, lines):
            return _block(f"{'+' if old is None else '~'} organization {new.name}", lines)
        case AddGroup(_, name):
            return [f"+ group {name}"]
        case DropGroup(group):
            return [f"- group {group.name} (delete)"]
        case AddPerson(_, new, groups, credentials):
            return _block(f"+ user {new.username}", [*_in_groups(groups), *_starts_with(credentials)])
        case AlterPerson(_, old, _, _, _, lines):
            return _block(f"~ user {old.username}", lines)
        case DropPerson(person):
            return [f"- user {person.username} (delete)"]
        case AddAdmin(_, new, _, credentials):
            return _block(f"+ admin {new.email} ({new.role.value})", _starts_with(credentials))
        case AlterAdmin(_, new, _, lines):
            return _block(f"~ admin {new.email}", lines)
        case DropAdmin(admin):
            return [f"- admin {admin.email} (delete)"]
        case AddApp(_, new, groups, secret):
            return _block(f"+ application {new.slug}", [*_in_groups(groups), *_secret(secret)])
        case AlterApp(_, app, _, _, secret, _, lines):
            return _block(f"~ application {app.slug}", [*lines, *_secret(secret)])
        case DropApp(app):
            return [f"- application {app.slug} (delete)"]


def _block(head: str, lines: Sequence[str]) -> list[str]:
    return [head, *(f"    {line}" for line in lines)]


def _in_groups(groups: Sequence[str]) -> list[str]:
    return [f"groups: {', '.join(groups)}"] if groups else []


def _starts_with(credentials: Credentials) -> list[str]:
    password = credentials.password is not None or credentials.phc is not None
    return [*(["with a password"] if password else []), *(["with an authenticator"] if credentials.totp else [])]


def _secret(secret: Secret | None) -> list[str]:
    if secret is None:
        return []
    return ["client_secret: is made and printed once" if secret.given is None else "client_secret: the given one"]
