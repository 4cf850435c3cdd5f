"""What stands now, as plain values, as far as a plan reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import Connection, select

from doorward.apps import App, listed
from doorward.apps.secrets import has_client_secret, verify_client_secret
from doorward.apps.writing import groups_of_app
from doorward.clock import Instant
from doorward.directory import Admin, Group, Person, PersonId, admins, groups, people
from doorward.directory.names import email_key, group_key, username_key
from doorward.organization import Organization, current, found
from doorward.orgfile.desired import Desired
from doorward.signin import Audience
from doorward.signin.accounts import has_totp
from doorward.store import Vault, schema


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person who is there."""

    person: Person
    groups: frozenset[str]
    has_totp: bool


@dataclass(frozen=True, slots=True)
class KnownAdmin:
    """An administrator who is there."""

    admin: Admin
    has_totp: bool


@dataclass(frozen=True, slots=True)
class KnownApp:
    """An application that is there. `secret_fits`: the secret that the file gives is one it has."""

    app: App
    groups: tuple[str, ...]
    has_secret: bool
    secret_fits: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a plan compares with.

    Groups by key, people by id, their ids by key of username, administrators by key of address, apps by slug.
    """

    organization: Organization
    is_founded: bool
    now: Instant = 0
    groups: Mapping[str, Group] = field(default_factory=dict[str, Group])
    people: Mapping[str, KnownPerson] = field(default_factory=dict[str, KnownPerson])
    usernames: Mapping[str, PersonId] = field(default_factory=dict[str, PersonId])
    admins: Mapping[str, KnownAdmin] = field(default_factory=dict[str, KnownAdmin])
    apps: Mapping[str, KnownApp] = field(default_factory=dict[str, KnownApp])


def take(connection: Connection, vault: Vault, desired: Desired, now: Instant) -> Snapshot:
    """Read what stands. Client secrets of `desired` are judged here, because they are kept as HMAC alone."""
    member_of = memberships(connection)
    with_totp = _owners_of_totp(connection)
    known = {
        str(person.id): KnownPerson(person, frozenset(member_of.get(person.id, ())), person.id in with_totp)
        for person in people(connection)
    }
    return Snapshot(
        organization=current(connection),
        is_founded=found(connection),
        now=now,
        groups={group_key(group.name): group for group in groups(connection)},
        people=known,
        usernames={username_key(each.person.username): each.person.id for each in known.values()},
        admins={
            email_key(admin.email): KnownAdmin(admin, has_totp(connection, Audience.ADMIN, admin.id))
            for admin in admins(connection)
        },
        apps=_apps(connection, vault, desired),
    )


def _apps(connection: Connection, vault: Vault, desired: Desired) -> dict[str, KnownApp]:
    given = {
        each.said.slug: each.said.oidc.client_secret
        for each in desired.applications
        if each.said.oidc is not None and each.said.oidc.client_secret is not None
    }
    return {
        app.slug: KnownApp(
            app,
            tuple(groups_of_app(connection, app.id)),
            has_client_secret(connection, app.id),
            app.slug in given and verify_client_secret(connection, vault, app.id, given[app.slug]),
        )
        for app in listed(connection)
    }


def memberships(connection: Connection) -> dict[str, list[str]]:
    """Name the groups of everybody, by the person's id, in one query."""
    members, named = schema.memberships, schema.groups
    query = select(members.c.person_id, named.c.name).join(named, named.c.id == members.c.group_id)
    found_in: dict[str, list[str]] = {}
    for person_id, name in cast("Sequence[tuple[str, str]]", connection.execute(query).all()):
        found_in.setdefault(person_id, []).append(name)
    return found_in


def _owners_of_totp(connection: Connection) -> frozenset[str]:
    query = select(schema.PERSON.totp.c.owner_id).distinct()
    return frozenset(cast("Sequence[str]", connection.execute(query).scalars().all()))
