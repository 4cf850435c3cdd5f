"""The only writer of applications: it checks every field, keeps identifiers unique, and records what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Final, cast

from sqlalchemy import Connection, delete, insert, select, update

from doorward.apps.app import App, AppId, NewApp, said_of
from doorward.apps.kinds import Bookmark, OidcClient, SamlProvider, config_of, kind_name
from doorward.apps.registry import by_client_id, by_entity_id, by_id, by_slug
from doorward.apps.rules import Fault, faults_of
from doorward.audit import Actor, Caller, Event, Json, Outcome, record
from doorward.clock import Instant
from doorward.directory import Group
from doorward.store import new_id, schema

_APPS: Final = schema.apps
_GIVEN: Final = schema.app_groups
_CLIENTS: Final = schema.oidc_clients
_ENDPOINTS: Final = schema.saml_endpoints


class BadApp(Exception):
    """An application that cannot be registered as it is; `faults` says why, field by field."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.sentence}" for fault in faults))
        self.faults: Final = faults


def create_app(connection: Connection, new: NewApp, actor: Actor, caller: Caller, now: Instant) -> App:
    """Register an application, given to nobody yet and without a secret.

    Raises:
        BadApp: a field is refused, or an identifier is another application's.
    """
    _refuse(connection, new, None)
    made = _app(AppId(new_id(now)), new, now, now)
    connection.execute(insert(_APPS).values(id=made.id, created_at=now, changed_at=now, **_columns(new)))
    _write_identifiers(connection, made)
    _record(connection, "app.created", made.id, (actor, caller), {"slug": made.slug, "name": made.name}, now)
    return made


def change_app(connection: Connection, app_id: AppId, new: NewApp, actor: Actor, caller: Caller, now: Instant) -> App:
    """Write `new` over an application and record each field before and after.

    Raises:
        BadApp: as `create_app`.
        KeyError: there is no such application.
    """
    old = by_id(connection, app_id)
    if old is None:
        raise KeyError(app_id)
    before, after = _columns(said_of(old)), _columns(new)
    changed = [
        cast("Mapping[str, Json]", {"name": name, "before": before[name], "after": value})
        for name, value in after.items()
        if before[name] != value
    ]
    if not changed:
        return old
    _refuse(connection, new, app_id)
    made = _app(app_id, new, old.created_at, now)
    connection.execute(update(_APPS).where(_APPS.c.id == app_id).values(changed_at=now, **after))
    if old.kind != new.kind:
        connection.execute(delete(_CLIENTS).where(_CLIENTS.c.app_id == app_id))
        connection.execute(delete(_ENDPOINTS).where(_ENDPOINTS.c.app_id == app_id))
        _write_identifiers(connection, made)
    _record(connection, "app.changed", app_id, (actor, caller), {"slug": new.slug, "changed": changed}, now)
    return made


def remove_app(connection: Connection, app: App, actor: Actor, caller: Caller, now: Instant) -> None:
    """Delete an application with all that hangs on it; its id is never used again."""
    connection.execute(delete(_APPS).where(_APPS.c.id == app.id))
    connection.execute(insert(schema.retired_ids).values(id=app.id, retired_at=now))
    _record(connection, "app.removed", app.id, (actor, caller), {"slug": app.slug, "name": app.name}, now)


def groups_of_app(connection: Connection, app_id: AppId) -> list[str]:
    """Name the groups that an application is given to, A to Z."""
    groups = schema.groups
    query = select(groups.c.name).join(_GIVEN, _GIVEN.c.group_id == groups.c.id).where(_GIVEN.c.app_id == app_id)
    return sorted(cast("Iterable[str]", connection.execute(query).scalars()))


def set_app_groups(
    connection: Connection, app_id: AppId, wanted: Iterable[Group], actor: Actor, caller: Caller, now: Instant
) -> bool:
    """Give an application to exactly the groups `wanted`; False where it was given to them already."""
    names = {group.id: group.name for group in wanted}
    present = set(groups_of_app(connection, app_id))
    added, removed = sorted(set(names.values()) - present), sorted(present - set(names.values()))
    if not added and not removed:
        return False
    connection.execute(delete(_GIVEN).where(_GIVEN.c.app_id == app_id))
    rows = [{"app_id": app_id, "group_id": group_id} for group_id in names]
    if rows:
        connection.execute(insert(_GIVEN), rows)
    _record(connection, "app.groups_changed", app_id, (actor, caller), {"added": added, "removed": removed}, now)
    return True


def _refuse(connection: Connection, new: NewApp, own: AppId | None) -> None:
    faults = faults_of(new)
    other = by_slug(connection, new.slug)
    if other is not None and other.id != own:
        faults.append(Fault("slug", f"another application has the slug {new.slug!r}"))
    match new.kind:
        case OidcClient(client_id=client_id):
            other = by_client_id(connection, client_id)
            if other is not None and other.id != own:
                faults.append(Fault("oidc.client_id", f"this is the client id of {other.slug}"))
        case SamlProvider(entity_id=entity_id, acs_urls=acs_urls):
            for index, url in enumerate(acs_urls):
                others = [app for app in by_entity_id(connection, entity_id, url) if app.id != own]
                if others:
                    sentence = f"{others[0].slug} has the same entity ID with this address"
                    faults.append(Fault(f"saml.acs_urls[{index}]", sentence))
        case Bookmark():
            pass
    if faults:
        raise BadApp(faults)


def _write_identifiers(connection: Connection, app: App) -> None:
    match app.kind:
        case OidcClient(client_id=client_id):
            connection.execute(insert(_CLIENTS).values(client_id=client_id, app_id=app.id))
        case SamlProvider(entity_id=entity_id, acs_urls=acs_urls):
            rows = [
                {
                    "entity_hash": hashlib.sha256(f"{entity_id}\0{url}".encode()).hexdigest(),
                    "entity_id": entity_id,
                    "acs_url": url,
                    "position": position,
                    "app_id": app.id,
                }
                for position, url in enumerate(acs_urls)
            ]
            connection.execute(insert(_ENDPOINTS), rows)
        case Bookmark():
            pass


def _app(app_id: AppId, new: NewApp, created_at: Instant, changed_at: Instant) -> App:
    return App(
        id=app_id,
        slug=new.slug,
        name=new.name,
        kind=new.kind,
        state=new.state,
        description=new.description,
        hidden=new.hidden,
        start_url=new.start_url,
        groups_filter=new.groups_filter,
        group_map=new.group_map,
        created_at=created_at,
        changed_at=changed_at,
    )


def _columns(new: NewApp) -> dict[str, object]:
    columns: dict[str, object] = asdict(new)
    return {**columns, "state": new.state.value, "kind": kind_name(new.kind), "config": config_of(new.kind)}


def _record(
    connection: Connection,
    action: str,
    app_id: AppId,
    by: tuple[Actor, Caller],
    details: Mapping[str, Json],
    now: Instant,
) -> None:
    record(connection, Event(action, Outcome.SUCCESS, by[0], by[1], app_id=app_id, details=details), now)
