"""Finding the client that asks, with what else a launch needs to know of it, in one statement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from sqlalchemy import JSON, Connection, Select, Text, bindparam, exists, select
from sqlalchemy import cast as sql_cast

from doorward.apps import App, AppId, OidcClient, by_client_id, by_id
from doorward.apps.app import app_from_row
from doorward.protocols.oidc.request import Client
from doorward.signin import Session
from doorward.store import schema

_APPS: Final = schema.apps
_CLIENTS: Final = schema.oidc_clients
_NOBODY: Final = ""
_JSON: Final = tuple(column.name for column in _APPS.c if isinstance(column.type, JSON))


@dataclass(frozen=True, slots=True)
class Sight:
    """A client as the person of a session sees it. `given`: to one of their groups; `noted`: opened in it before."""

    client: Client
    given: bool
    noted: bool


def client(app: App | None) -> Client | None:
    """Take an application for a client, if it is one."""
    return Client(app, app.kind) if app is not None and isinstance(app.kind, OidcClient) else None


def find(connection: Connection, client_id: str) -> Client | None:
    """Find a client by its id, compared exactly."""
    return client(by_client_id(connection, client_id))


def find_by_app(connection: Connection, app_id: AppId) -> Client | None:
    """Read the client that an application is."""
    return client(by_id(connection, app_id))


def sight(connection: Connection, session: Session | None, *, client_id: str = "", app_id: str = "") -> Sight | None:
    """Find a client by its client id, or by the id of its application, as the person of `session` sees it."""
    values = {
        "wanted": client_id or app_id,
        "person": _NOBODY if session is None else session.person.id,
        "session": _NOBODY if session is None else session.id,
    }
    found = connection.execute(_BY_CLIENT_ID if client_id else _BY_APP, values).first()
    if found is None:
        return None
    given, noted, *registered = cast("tuple[object, ...]", tuple(found))
    seen = _parsed(tuple(registered))
    return None if seen is None else Sight(seen, bool(given), bool(noted))


@lru_cache(maxsize=256)
def _parsed(row: tuple[object, ...]) -> Client | None:
    """Parse a row, or give what was parsed of one that held the same: so nothing stale is ever given (A95)."""
    named = dict(zip(_APPS.c.keys(), row, strict=True))
    named |= {name: json.loads(cast("str", named[name])) for name in _JSON}
    return client(app_from_row(named))


def _statement() -> Select[tuple[object, ...]]:
    """Made once: what is asked at each launch costs no more than its values."""
    given, members, opened = schema.app_groups, schema.memberships, schema.session_apps
    is_given = exists().where(
        given.c.app_id == _APPS.c.id,
        members.c.group_id == given.c.group_id,
        members.c.person_id == bindparam("person"),
    )
    is_noted = exists().where(opened.c.session_id == bindparam("session"), opened.c.app_id == _APPS.c.id)
    # JSON as the text that it is: it is parsed once for each text.
    columns = [sql_cast(column, Text) if column.name in _JSON else column for column in _APPS.c]
    return cast("Select[tuple[object, ...]]", select(is_given.label("given"), is_noted.label("noted"), *columns))


_BY_CLIENT_ID: Final = (
    _statement().join(_CLIENTS, _CLIENTS.c.app_id == _APPS.c.id).where(_CLIENTS.c.client_id == bindparam("wanted"))
)
_BY_APP: Final = _statement().where(_APPS.c.id == bindparam("wanted"))
