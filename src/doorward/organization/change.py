"""The only writer of the organisation and its settings: it validates, writes, and records before and after."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, insert, update

from doorward.audit import Actor, Caller, Event, Json, Outcome, record
from doorward.clock import Instant
from doorward.organization.organization import ROW_ID, Organization, columns, forget, settings_as_json
from doorward.organization.settings import declared, refusal, value_of
from doorward.store import schema

_ROW: Final = schema.organization


class StaleChange(Exception):
    """Somebody else changed the organisation meanwhile: show the present state and ask again."""


class BadSetting(ValueError):
    """A value outside the limits of its setting; the message names both."""


def create(connection: Connection, organization: Organization, now: Instant) -> None:
    """Found the organisation: write its row for the first time.

    Raises:
        BadSetting: a setting is outside its limits.
    """
    _validate(organization)
    connection.execute(insert(_ROW).values(id=ROW_ID, version=1, changed_at=now, **columns(organization)))
    forget(connection)
    event = Event(
        "organization.created",
        Outcome.SUCCESS,
        Actor.system(),
        Caller.local(),
        details={"name": organization.name, "settings": settings_as_json(organization.settings)},
    )
    record(connection, event, now)


def change(
    connection: Connection, actor: Actor, caller: Caller, old: Organization, new: Organization, now: Instant
) -> None:
    """Write `new` over `old` and record every value that differs, before and after.

    Raises:
        StaleChange: the row is no longer `old`.
        BadSetting: a setting is outside its limits.
    """
    _validate(new)
    before, after = _flat(old), _flat(new)
    changed: list[Json] = [
        {"name": name, "before": before.get(name), "after": value}
        for name, value in after.items()
        if before.get(name) != value
    ]
    if not changed:
        return
    written = connection.execute(
        update(_ROW)
        .where(_ROW.c.id == ROW_ID, _ROW.c.version == old.version)
        # Version and instant together are the stamp by which others see the change; both only ever rise.
        .values(version=old.version + 1, changed_at=max(now, old.changed_at + 1), **columns(new))
    )
    forget(connection)
    if written.rowcount != 1:
        raise StaleChange("the organisation was changed meanwhile")
    record(connection, Event("settings.changed", Outcome.SUCCESS, actor, caller, details={"changed": changed}), now)


def _validate(organization: Organization) -> None:
    for setting in declared():
        reason = refusal(setting, value_of(organization.settings, setting))
        if reason is not None:
            raise BadSetting(f"{setting.path} {reason}")


def _flat(organization: Organization) -> dict[str, Json]:
    flat: dict[str, Json] = {
        f"organization.{name}": value for name, value in columns(organization).items() if name != "settings"
    }
    for setting in declared():
        value = value_of(organization.settings, setting)
        flat[f"settings.{setting.path}"] = list(value) if isinstance(value, tuple) else value
    return flat
