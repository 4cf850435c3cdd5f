"""Finding applications: by id, slug, client id, or entity ID, and whether one is given to somebody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import Connection, Executable, Select, String, and_, bindparam, select

from doorward.apps.app import App, AppId, app_from_row
from doorward.directory import PersonId
from doorward.store import schema

_APPS: Final = schema.apps
_CLIENTS: Final = schema.oidc_clients
_ENDPOINTS: Final = schema.saml_endpoints
_GIVEN: Final = schema.app_groups
_MEMBERS: Final = schema.memberships
_GROUPS: Final = schema.groups

# The look-ups of a launch are built once: building one takes longer than running it.
_WANTED: Final = bindparam("wanted", type_=String())
_BY_ID: Final = select(_APPS).where(_APPS.c.id == _WANTED)
_BY_SLUG: Final = select(_APPS).where(_APPS.c.slug == _WANTED)
_BY_CLIENT_ID: Final = (
    select(_APPS).join(_CLIENTS, _CLIENTS.c.app_id == _APPS.c.id).where(_CLIENTS.c.client_id == _WANTED)
)


def _sharing(endpoints: Select[tuple[str]]) -> Select[tuple[object, ...]]:
    return select(_APPS).where(_APPS.c.id.in_(endpoints)).order_by(_APPS.c.slug)


_OF_ENTITY: Final = select(_ENDPOINTS.c.app_id).where(_ENDPOINTS.c.entity_id == _WANTED)
_BY_ENTITY_ID: Final = _sharing(_OF_ENTITY)
_BY_ENDPOINT: Final = _sharing(_OF_ENTITY.where(_ENDPOINTS.c.acs_url == bindparam("acs_url")))
_STANDING: Final = (
    select(_GROUPS.c.name, _GIVEN.c.app_id)
    .join(_MEMBERS, _MEMBERS.c.group_id == _GROUPS.c.id)
    .outerjoin(_GIVEN, and_(_GIVEN.c.group_id == _GROUPS.c.id, _GIVEN.c.app_id == bindparam("app")))
    .where(_MEMBERS.c.person_id == bindparam("person"))
)


@dataclass(frozen=True, slots=True)
class Belonging:
    """The groups that a person is in, and whether one of them gives the application."""

    groups: frozenset[str]
    given: bool


def by_id(connection: Connection, app_id: AppId) -> App | None:
    """Read an application by id."""
    return _one(connection, _BY_ID, app_id)


def by_slug(connection: Connection, slug: str) -> App | None:
    """Read an application by slug."""
    return _one(connection, _BY_SLUG, slug)


def by_client_id(connection: Connection, client_id: str) -> App | None:
    """Read an OpenID Connect application by client id, compared exactly."""
    return _one(connection, _BY_CLIENT_ID, client_id)


def by_entity_id(connection: Connection, entity_id: str, acs_url: str | None = None) -> list[App]:
    """Read the SAML applications of an entity ID, compared exactly; with `acs_url` the one that has both.

    Several may share an entity ID (CATALOGUE, rule 2).
    """
    if acs_url is None:
        rows = connection.execute(_BY_ENTITY_ID, {"wanted": entity_id}).mappings()
    else:
        rows = connection.execute(_BY_ENDPOINT, {"wanted": entity_id, "acs_url": acs_url}).mappings()
    return [app_from_row(row) for row in cast("Iterable[Mapping[str, object]]", rows)]


def listed(connection: Connection) -> list[App]:
    """List all applications by slug."""
    rows = connection.execute(select(_APPS).order_by(_APPS.c.slug)).mappings()
    return [app_from_row(cast("Mapping[str, object]", row)) for row in rows]


def given_to(connection: Connection, app_id: AppId, person_id: PersonId) -> bool:
    """Tell whether a person is in a group that the application is given to."""
    return belonging(connection, app_id, person_id).given


def belonging(connection: Connection, app_id: AppId, person_id: PersonId) -> Belonging:
    """Read a person's groups and whether they give an application, in one statement."""
    rows = connection.execute(_STANDING, {"app": app_id, "person": person_id}).all()
    return Belonging(frozenset(cast("str", row[0]) for row in rows), any(row[1] is not None for row in rows))


def _one(connection: Connection, query: Executable, wanted: str) -> App | None:
    row = connection.execute(query, {"wanted": wanted}).mappings().first()
    return None if row is None else app_from_row(cast("Mapping[str, object]", row))
