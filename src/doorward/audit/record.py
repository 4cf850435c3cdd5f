"""Writing an event and reading events back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from sqlalchemy import Connection, Select, insert, select

from doorward.audit.events import MAX_ADDRESS, MAX_USER_AGENT, Actor, ActorKind, Caller, Event, Json, Outcome
from doorward.clock import Instant
from doorward.store import new_id, schema

_EVENTS: Final = schema.audit_events
_INSERT: Final = insert(_EVENTS)  # built once: it runs at every outcome
_MAX_REASON: Final = 64
_LAST: Final = "doorward.audit"
_MOST_IN_ORDER: Final = 0xFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it was written: with its id and its instant."""

    id: str
    at: Instant
    event: Event


def record(connection: Connection, event: Event, now: Instant) -> None:
    """Write `event` in the transaction of `connection`, so that it stands if and only if what it tells stands."""
    values = {
        "id": _ordered_id(connection, now),
        "at": now,
        "action": event.action,
        "outcome": event.outcome.value,
        "reason": None if event.reason is None else event.reason[:_MAX_REASON],
        "reference": event.caller.reference,
        "actor_kind": event.actor.kind.value,
        "actor_id": event.actor.id,
        "person_id": event.person_id,
        "admin_id": event.admin_id,
        "app_id": event.app_id,
        "session_id": event.session_id,
        "address": _storable(event.caller.address)[:MAX_ADDRESS],
        "user_agent": _storable(event.caller.user_agent)[:MAX_USER_AGENT],
        "details": dict(event.details),
    }
    connection.execute(_INSERT, values)


def tail(connection: Connection, limit: int, before: Instant | None = None) -> list[Entry]:
    """Read the newest `limit` entries, newest first; with `before`, those that are older than it."""
    query = select(_EVENTS)
    if before is not None:
        query = query.where(_EVENTS.c.at < before)
    return _read(connection, query.limit(limit))


def sign_ins_of(connection: Connection, person_id: str, limit: int) -> list[Entry]:
    """Read how the newest `limit` sign-ins of a person ended, newest first."""
    # A half-open range instead of LIKE, so that every database and collation reads it alike.
    query = select(_EVENTS).where(
        _EVENTS.c.person_id == person_id, _EVENTS.c.action >= "signin.", _EVENTS.c.action < "signin/"
    )
    return _read(connection, query.limit(limit))


def by_reference(connection: Connection, reference: str) -> list[Entry]:
    """Read every entry of the request whose page showed `reference`, in whatever case it was copied."""
    return _read(connection, select(_EVENTS).where(_EVENTS.c.reference == reference.strip().upper()))


def _read(connection: Connection, query: Select[tuple[object, ...]]) -> list[Entry]:
    # The id orders what fell into one millisecond.
    rows = connection.execute(query.order_by(_EVENTS.c.at.desc(), _EVENTS.c.id.desc())).mappings()
    return [_entry(cast("Mapping[str, object]", row)) for row in rows]


def _entry(row: Mapping[str, object]) -> Entry:
    event = Event(
        action=cast("str", row["action"]),
        outcome=Outcome(row["outcome"]),
        actor=Actor(ActorKind(row["actor_kind"]), cast("str | None", row["actor_id"])),
        caller=Caller(cast("str", row["address"]), cast("str", row["user_agent"]), cast("str", row["reference"])),
        reason=cast("str | None", row["reason"]),
        person_id=cast("str | None", row["person_id"]),
        admin_id=cast("str | None", row["admin_id"]),
        app_id=cast("str | None", row["app_id"]),
        session_id=cast("str | None", row["session_id"]),
        details=cast("dict[str, Json]", row["details"]),
    )
    return Entry(cast("str", row["id"]), cast("int", row["at"]), event)


def _ordered_id(connection: Connection, now: Instant) -> str:
    """Make an id that sorts after those that this connection gave to earlier events of the same millisecond.

    The count stands in the 12 bits after the instant (RFC 9562 §6.2, method 1); 62 random bits remain.
    """
    last = cast("tuple[Instant, int] | None", connection.info.get(_LAST))
    count = 0 if last is None or last[0] != now else min(last[1] + 1, _MOST_IN_ORDER)
    connection.info[_LAST] = (now, count)
    made = new_id(now)
    return f"{made[:15]}{count:03x}{made[18:]}"


def _storable(text: str) -> str:
    """Replace what PostgreSQL cannot store: NUL and lone surrogates, which a header may carry."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")
