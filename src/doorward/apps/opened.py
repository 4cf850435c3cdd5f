"""Which applications a session was told to: what sign-out names, and what single logout will tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from sqlalchemy import Connection, insert, select

from doorward.clock import Instant
from doorward.store import new_id, schema


def note_opened(
    connection: Connection, session_id: str, app_id: str, details: Mapping[str, object], now: Instant
) -> None:
    """Remember that a session was told to an application, with what its protocol needs to end it there."""
    connection.execute(
        insert(schema.session_apps).values(
            id=new_id(now), session_id=session_id, app_id=app_id, details=dict(details), at=now
        )
    )


def opened_in(connection: Connection, session_id: str) -> list[str]:
    """List the names of the applications that were opened in a session."""
    of_app, apps = schema.session_apps, schema.apps
    query = select(apps.c.name).where(of_app.c.session_id == session_id, of_app.c.app_id == apps.c.id)
    names = connection.execute(query.distinct().order_by(apps.c.name)).scalars()
    return list(cast("Iterable[str]", names))
