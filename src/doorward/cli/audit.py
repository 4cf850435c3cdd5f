"""`doorward audit`: the audit log."""

from __future__ import annotations

import json
from typing import Final

import click

from doorward.audit import Entry, Json, by_reference, tail
from doorward.cli.opened import opened
from doorward.cli.options import Group
from doorward.cli.printing import table
from doorward.clock import iso

_COLUMNS: Final = ("at", "action", "outcome", "reason", "who", "address", "reference")
_MOST: Final = 100_000


@click.group(cls=Group)
def audit() -> None:
    """Read the audit log."""


@audit.command("tail")
@click.option("-n", "--lines", type=click.IntRange(1, _MOST), default=20, show_default=True, help="How many entries.")
@click.option("--reference", help="The entries of the request whose page showed this reference.")
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object in each line, with all details.")
@click.pass_context
def tail_(ctx: click.Context, lines: int, reference: str | None, *, json_wanted: bool) -> None:
    """Print the newest entries, the newest last."""
    with opened(ctx, may_create=False) as door:
        entries = door.read(
            lambda connection: tail(connection, lines) if reference is None else by_reference(connection, reference)
        )
    entries.reverse()
    if json_wanted:
        for entry in entries:
            click.echo(json.dumps(_whole(entry), ensure_ascii=False))
    else:
        empty = "Nothing was recorded yet." if reference is None else f"Nothing has the reference {reference}."
        table([_row(entry) for entry in entries], _COLUMNS, empty)


def _row(entry: Entry) -> dict[str, Json]:
    event = entry.event
    who = event.actor.kind.value if event.actor.id is None else f"{event.actor.kind.value} {event.actor.id}"
    return {
        "at": iso(entry.at),
        "action": event.action,
        "outcome": event.outcome.value,
        "reason": event.reason,
        "who": who,
        "address": event.caller.address,
        "reference": event.caller.reference,
    }


def _whole(entry: Entry) -> dict[str, Json]:
    event = entry.event
    return {
        "id": entry.id,
        "at": iso(entry.at),
        "action": event.action,
        "outcome": event.outcome.value,
        "reason": event.reason,
        "actor": {"kind": event.actor.kind.value, "id": event.actor.id},
        "person_id": event.person_id,
        "admin_id": event.admin_id,
        "app_id": event.app_id,
        "session_id": event.session_id,
        "address": event.caller.address,
        "user_agent": event.caller.user_agent,
        "reference": event.caller.reference,
        "details": event.details,
    }
