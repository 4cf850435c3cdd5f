"""Finding applications: by id, slug, client id, or entity ID, and whether one is given to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from sqlalchemy import ColumnElement, Connection, select

from doorward.apps.app import App, AppId, app_from_row
from doorward.directory import PersonId
from doorward.store import schema

_APPS: Final = schema.apps
_CLIENTS: Final = schema.oidc_clients
_ENDPOINTS: Final = schema.saml_endpoints


def by_id(connection: Connection, app_id: AppId) -> App | None:
    """Read an application by id."""
    return _one(connection, _APPS.c.id == app_id)


def by_slug(connection: Connection, slug: str) -> App | None:
    """Read an application by slug."""
    return _one(connection, _APPS.c.slug == slug)


def by_client_id(connection: Connection, client_id: str) -> App | None:
    """Read an OpenID Connect application by client id, compared exactly."""
    query = select(_APPS).join(_CLIENTS, _CLIENTS.c.app_id == _APPS.c.id).where(_CLIENTS.c.client_id == client_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else app_from_row(cast("Mapping[str, object]", row))


def by_entity_id(connection: Connection, entity_id: str, acs_url: str | None = None) -> list[App]:
    """Read the SAML applications of an entity ID, compared exactly; with `acs_url` the one that has both.

    Several may share an entity ID (CATALOGUE, rule 2).
    """
    match = _ENDPOINTS.c.entity_id == entity_id
    if acs_url is not None:
        match &= _ENDPOINTS.c.acs_url == acs_url
    ids = select(_ENDPOINTS.c.app_id).where(match)
    rows = connection.execute(select(_APPS).where(_APPS.c.id.in_(ids)).order_by(_APPS.c.slug)).mappings()
    return [app_from_row(cast("Mapping[str, object]", row)) for row in rows]


def listed(connection: Connection) -> list[App]:
    """List all applications by slug."""
    rows = connection.execute(select(_APPS).order_by(_APPS.c.slug)).mappings()
    return [app_from_row(cast("Mapping[str, object]", row)) for row in rows]


def given_to(connection: Connection, app_id: AppId, person_id: PersonId) -> bool:
    """Tell whether a person is in a group that the application is given to."""
    given, members = schema.app_groups, schema.memberships
    query = (
        select(given.c.app_id)
        .join(members, members.c.group_id == given.c.group_id)
        .where(given.c.app_id == app_id, members.c.person_id == person_id)
        .limit(1)
    )
    return connection.execute(query).first() is not None


def _one(connection: Connection, match: ColumnElement[bool]) -> App | None:
    row = connection.execute(select(_APPS).where(match)).mappings().first()
    return None if row is None else app_from_row(cast("Mapping[str, object]", row))
