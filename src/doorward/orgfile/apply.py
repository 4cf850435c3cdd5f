"""Bringing about what a file says: everything in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeVar, assert_never

from sqlalchemy import Connection

from doorward import apps, directory
from doorward.apps import BadApp, new_client_secret
from doorward.apps.kinds import OidcClient
from doorward.audit import Actor, Caller
from doorward.clock import Instant
from doorward.directory import AdminState, DirectoryRefusal, Group, PersonState
from doorward.directory.names import group_key
from doorward.organization import change as change_organization
from doorward.organization import create as found_organization
from doorward.orgfile.changes import (
    AddAdmin,
    AddApp,
    AddGroup,
    AddPerson,
    AlterAdmin,
    AlterApp,
    AlterPerson,
    Authenticator,
    Change,
    Credentials,
    DropAdmin,
    DropApp,
    DropGroup,
    DropPerson,
    Secret,
    SetOrganization,
)
from doorward.orgfile.desired import Desired
from doorward.orgfile.plan import Plan, Prune, plan
from doorward.orgfile.problems import BadFile, Where, parsed
from doorward.orgfile.snapshot import take
from doorward.signin import Audience, accounts
from doorward.store import Vault
from doorward.store.engine import Work

T = TypeVar("T")

_ACTOR: Final = Actor.system()


@dataclass(frozen=True, slots=True)
class MadeSecret:
    """A client secret that was made: shown once, kept nowhere."""

    slug: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, or with `is_rehearsal` would have been done."""

    plan: Plan
    secrets: tuple[MadeSecret, ...]
    is_rehearsal: bool


class Door(Protocol):
    """How the database is reached: one unit of work after another."""

    @property
    def vault(self) -> Vault:
        """The vault."""
        ...

    def run(self, work: Work[T]) -> T:
        """Run a unit of work that writes."""
        ...

    def read(self, work: Work[T]) -> T:
        """Run a unit of work that reads."""
        ...


@dataclass(frozen=True, slots=True)
class _Hands:
    """What every step of one transaction needs."""

    connection: Connection
    vault: Vault
    hashes: Mapping[str, str]
    caller: Caller
    now: Instant
    groups: dict[str, Group] = field(default_factory=dict[str, Group])

    def named(self, names: Sequence[str]) -> list[Group]:
        """Give the groups that are named; all are there by then, and are read once."""
        if not all(group_key(name) in self.groups for name in names):
            self.groups.update({group_key(group.name): group for group in directory.groups(self.connection)})
        return [self.groups[group_key(name)] for name in names]


class _Undo(Exception):
    """Rolls a rehearsal back, and carries what it found."""

    def __init__(self, applied: Applied) -> None:
        super().__init__("rehearsal")
        self.applied: Final = applied


def bring_about(
    door: Door,
    desired: Desired,
    *,
    hash_password: Callable[[str], str],
    now: Instant,
    prune: frozenset[Prune] = frozenset(),
    is_rehearsal: bool = False,
) -> Applied:
    """Apply `desired`: passwords are hashed first, outside any transaction, then all is done in one.

    A rehearsal does the same and rolls it back, so that it meets whatever the real one would meet.

    Raises:
        BadFile: nothing was changed.
    """
    first = door.read(lambda connection: plan(take(connection, door.vault, desired, now), desired, prune))
    passwords = sorted({text for change in first.changes if (text := _password(change)) is not None})
    if is_rehearsal:
        hashes = dict.fromkeys(passwords, "rehearsal")
    else:
        with ThreadPoolExecutor() as pool:
            hashes = dict(zip(passwords, pool.map(hash_password, passwords), strict=True))

    def work(connection: Connection) -> Applied:
        applied = apply(connection, door.vault, desired, hashes=hashes, prune=prune, now=now)
        if is_rehearsal:
            raise _Undo(replace(applied, is_rehearsal=True))
        return applied

    if not first.changes:
        return Applied(first, (), is_rehearsal)
    try:
        return door.run(work)
    except _Undo as undo:
        return undo.applied


def apply(
    connection: Connection,
    vault: Vault,
    desired: Desired,
    *,
    hashes: Mapping[str, str],
    now: Instant,
    prune: frozenset[Prune] = frozenset(),
) -> Applied:
    """Plan anew in this transaction and carry the plan out. `hashes` maps each new password to its PHC string.

    Raises:
        BadFile: the caller's transaction must be rolled back.
    """
    made = plan(take(connection, vault, desired, now), desired, prune)
    hands = _Hands(connection, vault, hashes, Caller.local(), now)
    secrets: list[MadeSecret] = []
    for change in made.changes:
        _carry_out(hands, change, secrets)
    return Applied(made, tuple(secrets), is_rehearsal=False)


def _carry_out(hands: _Hands, change: Change, secrets: list[MadeSecret]) -> None:
    where = getattr(change, "where", None)
    place = where if isinstance(where, Where) else None
    try:
        match change:
            case AddApp() | AlterApp() | DropApp():
                _application(hands, change, secrets)
            case AddAdmin() | AlterAdmin() | DropAdmin():
                _admin(hands, change)
            case AddPerson() | AlterPerson() | DropPerson():
                _person(hands, change)
            case AddGroup() | DropGroup() | SetOrganization():
                _organization(hands, change)
            case _:
                assert_never(change)
    except DirectoryRefusal as refused:
        raise BadFile([(place or Where("-", {})).problem(str(refused))]) from refused
    except BadApp as refused:
        start = place or Where("-", {})
        raise BadFile([start.at(*parsed(fault.path)).problem(fault.sentence) for fault in refused.faults]) from refused


def _organization(hands: _Hands, change: AddGroup | DropGroup | SetOrganization) -> None:
    c, caller, now = hands.connection, hands.caller, hands.now
    match change:
        case AddGroup(_, name):
            directory.create_group(c, name, _ACTOR, caller, now)
        case DropGroup(group):
            directory.remove_group(c, group, _ACTOR, caller, now)
        case SetOrganization(_, None, new, _):
            found_organization(c, new, now)
        case SetOrganization(_, old, new, _) if old is not None:
            change_organization(c, _ACTOR, caller, old, new, now)
        case SetOrganization():
            raise AssertionError("an organisation is founded or changed")


def _person(hands: _Hands, change: AddPerson | AlterPerson | DropPerson) -> None:
    c, caller, now = hands.connection, hands.caller, hands.now
    match change:
        case AddPerson(_, new, groups, credentials):
            made = directory.create_person(c, new, _ACTOR, caller, now)
            directory.set_groups(c, made.id, hands.named(groups), _ACTOR, caller, now)
            _credentials(hands, Audience.PERSON, made.id, credentials)
        case AlterPerson(_, old, new, groups, totp, _):
            _state(hands, change)
            directory.change_person(c, new, _ACTOR, caller, now)
            if groups is not None:
                directory.set_groups(c, old.id, hands.named(groups), _ACTOR, caller, now)
            _import(hands, Audience.PERSON, old.id, totp)
        case DropPerson(person):
            directory.remove_person(c, person.id, _ACTOR, caller, now)


def _state(hands: _Hands, change: AlterPerson) -> None:
    """Suspend and activate by the sign-in's own functions, which end what must end."""
    if change.old.state is change.new.state:
        return
    match change.new.state:
        case PersonState.SUSPENDED:
            accounts.suspend(hands.connection, change.old.id, _ACTOR, hands.caller, hands.now)
        case PersonState.ACTIVE:
            accounts.activate(hands.connection, change.old.id, _ACTOR, hands.caller, hands.now)
        case PersonState.STAGED:
            pass


def _admin(hands: _Hands, change: AddAdmin | AlterAdmin | DropAdmin) -> None:
    c, caller, now = hands.connection, hands.caller, hands.now
    match change:
        case AddAdmin(_, new, is_suspended, credentials):
            made = directory.create_admin(c, new, _ACTOR, caller, now)
            if is_suspended:
                directory.change_admin(c, replace(made, state=AdminState.SUSPENDED), _ACTOR, caller, now)
            _credentials(hands, Audience.ADMIN, made.id, credentials)
        case AlterAdmin(_, new, totp, _):
            directory.change_admin(c, new, _ACTOR, caller, now)
            _import(hands, Audience.ADMIN, new.id, totp)
        case DropAdmin(admin):
            directory.remove_admin(c, admin.id, _ACTOR, caller, now)


def _application(hands: _Hands, change: AddApp | AlterApp | DropApp, secrets: list[MadeSecret]) -> None:
    c, caller, now = hands.connection, hands.caller, hands.now
    match change:
        case AddApp(_, new, groups, secret):
            made = apps.create_app(c, new, _ACTOR, caller, now)
            apps.set_app_groups(c, made.id, hands.named(groups), _ACTOR, caller, now)
            _secret(hands, made, secret, secrets)
        case AlterApp(_, app, new, groups, secret, drops_secrets, _):
            made = apps.change_app(c, app.id, new, _ACTOR, caller, now)
            if groups is not None:
                apps.set_app_groups(c, app.id, hands.named(groups), _ACTOR, caller, now)
            if drops_secrets:
                apps.drop_client_secrets(c, app.id)
            _secret(hands, made, secret, secrets)
        case DropApp(app):
            apps.remove_app(c, app, _ACTOR, caller, now)


def _secret(hands: _Hands, app: apps.App, secret: Secret | None, secrets: list[MadeSecret]) -> None:
    if secret is None or not isinstance(app.kind, OidcClient):
        return
    text = secret.given
    if text is None:
        text = new_client_secret()
        secrets.append(MadeSecret(app.slug, app.kind.client_id, text))
    apps.drop_client_secrets(hands.connection, app.id)
    apps.add_client_secret(hands.connection, hands.vault, app.id, text, hands.now)


def _credentials(hands: _Hands, audience: Audience, owner_id: str, credentials: Credentials) -> None:
    phc = credentials.phc if credentials.password is None else hands.hashes[credentials.password]
    if phc is not None:
        accounts.set_password(hands.connection, audience, owner_id, phc, must_change=False, now=hands.now)
    _import(hands, audience, owner_id, credentials.totp)


def _import(hands: _Hands, audience: Audience, owner_id: str, totp: Authenticator | None) -> None:
    if totp is not None:
        accounts.import_totp(
            hands.connection, hands.vault, audience, owner_id, totp.seed, totp.period_seconds, hands.now
        )


def _password(change: Change) -> str | None:
    return change.credentials.password if isinstance(change, AddPerson | AddAdmin) else None
