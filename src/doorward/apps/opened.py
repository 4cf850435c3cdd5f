"""What is written when somebody opens an application: the event of it, and the session that was told to it.

The second is what sign-out names, and what single logout will tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast

from sqlalchemy import Connection, bindparam, insert, select, update

from doorward.apps.app import App
from doorward.audit import Actor, Caller, Event, Json, Outcome
from doorward.clock import Instant
from doorward.signin import Session
from doorward.store import new_id, schema

_TABLE: Final = schema.session_apps
_NOTE: Final = insert(_TABLE)  # built once, like the next: they run at every launch
_AGAIN: Final = (
    update(_TABLE)
    .where(_TABLE.c.session_id == bindparam("session"), _TABLE.c.app_id == bindparam("app"))
    .values(details=bindparam("newest"), at=bindparam("now_"))
)


def launch_event(
    caller: Caller,
    session: Session | None,
    app: App | None,
    details: Mapping[str, Json],
    refused_for: str | None = None,
) -> Event:
    """Tell the audit log that an application was opened, or for which reason it was not."""
    person_id = None if session is None else session.person.id
    return Event(
        "app.launched" if refused_for is None else "app.refused",
        Outcome.SUCCESS if refused_for is None else Outcome.REFUSED,
        Actor.nobody() if person_id is None else Actor.person(person_id),
        caller,
        reason=refused_for,
        person_id=person_id,
        app_id=None if app is None else app.id,
        session_id=None if session is None else session.id,
        details=details,
    )


def note_opened(
    connection: Connection, session_id: str, app_id: str, details: Mapping[str, Json], now: Instant
) -> None:
    """Remember that a session was told to an application, with what its protocol needs to end it there."""
    values = {"id": new_id(now), "session_id": session_id, "app_id": app_id, "details": dict(details), "at": now}
    connection.execute(_NOTE, values)


def note_opened_once(
    connection: Connection, session_id: str, app_id: str, details: Mapping[str, Json], now: Instant
) -> None:
    """Remember it as `note_opened` does; where it is remembered already, the newest `details` take its place."""
    given = {"session": session_id, "app": app_id, "newest": dict(details), "now_": now}
    if connection.execute(_AGAIN, given).rowcount == 0:
        note_opened(connection, session_id, app_id, details, now)


def opened_in(connection: Connection, session_id: str) -> list[str]:
    """List the names of the applications that were opened in a session."""
    apps = schema.apps
    query = select(apps.c.name).where(_TABLE.c.session_id == session_id, _TABLE.c.app_id == apps.c.id)
    names = connection.execute(query.distinct().order_by(apps.c.name)).scalars()
    return list(cast("Iterable[str]", names))
