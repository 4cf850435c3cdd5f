"""The audit log: one event for each outcome, written in the transaction of what it tells.

Owns the kinds of event, actor and caller, and reading them back. Never decides anything and never deletes a row.
Read `events.py` first.
"""

from __future__ import annotations

from doorward.audit.events import Actor, ActorKind, Caller, Event, Json, Outcome, new_reference
from doorward.audit.record import Entry, by_reference, record, sign_ins_of, tail

__all__ = [
    "Actor",
    "ActorKind",
    "Caller",
    "Entry",
    "Event",
    "Json",
    "Outcome",
    "by_reference",
    "new_reference",
    "record",
    "sign_ins_of",
    "tail",
]
