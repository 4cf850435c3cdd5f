# Security: a sign-in under way belongs to one browser (tests/signin/test_transaction.py, tests/attacks/).
"""A sign-in under way, kept on the server: it survives a restart, and two tabs do not disturb each other.

Each has its own id, which is worthless without the browser's handle. It lasts ten minutes; where the person was
heading outlives it, so that starting again still ends at the application.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from sqlalchemy import BigInteger, Connection, Executable, String, bindparam, delete, insert, literal_column, select

from doorward.clock import MINUTE, Instant
from doorward.signin.audience import Audience
from doorward.signin.destination import Heading, heading_from_json, heading_to_json
from doorward.signin.flow import Stage, State, begin
from doorward.signin.proof import proofs_from_json, proofs_to_json
from doorward.store import new_handle, once

LIFETIME: Final = 10 * MINUTE
DESTINATION_LIFETIME: Final = 60 * MINUTE
MOST_AT_A_TIME: Final = 20
_LONGEST_ID: Final = 64


@dataclass(frozen=True, slots=True)
class Transaction:
    """A sign-in under way, as it was read; `version` must still hold when it moves on."""

    id: str
    version: int
    state: State
    heading: Heading


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The sign-in took longer than ten minutes; where the person was heading is still known."""

    id: str
    heading: Heading


@dataclass(frozen=True, slots=True)
class Lost:
    """This browser has no such sign-in: its cookie is missing, another browser began it, or it is over."""


@dataclass(frozen=True, slots=True)
class _Statements:
    """The statements of one audience, built once: every step runs them."""

    drop_oldest: Executable
    insert: Executable
    load: Executable


@cache
def _statements(audience: Audience) -> _Statements:
    table = audience.tables.transactions
    browser, now = bindparam("browser", type_=String()), bindparam("now", type_=BigInteger())
    newest = (
        select(table.c.id)
        .where(table.c.browser_hash == browser)
        .order_by(table.c.created_at.desc(), table.c.id.desc())
        .limit(literal_column(str(MOST_AT_A_TIME - 1)))
    )
    return _Statements(
        drop_oldest=delete(table).where(table.c.browser_hash == browser, table.c.id.not_in(newest)),
        insert=insert(table),
        load=select(table).where(
            table.c.id == bindparam("wanted"), table.c.browser_hash == browser, table.c.destination_ends_at > now
        ),
    )


def start(
    connection: Connection, audience: Audience, browser: str, heading: Heading, now: Instant, state: State | None = None
) -> str:
    """Begin a sign-in for a browser (by the hash of its handle); of more than 20 at a time the oldest goes."""
    statements = _statements(audience)
    connection.execute(statements.drop_oldest, {"browser": browser})
    transaction_id = new_handle()[:36]
    values = {
        "id": transaction_id,
        "browser_hash": browser,
        "version": 1,
        "state": state_to_json(state or begin(heading.demands.hint)),
        "destination": heading_to_json(heading),
        "created_at": now,
        "expires_at": now + LIFETIME,
        "destination_ends_at": now + DESTINATION_LIFETIME,
    }
    connection.execute(statements.insert, values)
    return transaction_id


def load(
    connection: Connection, audience: Audience, browser: str, transaction_id: str, now: Instant
) -> Transaction | TimedOut | Lost:
    """Read a sign-in of this browser."""
    if not transaction_id or len(transaction_id) > _LONGEST_ID:
        return Lost()
    given = {"wanted": transaction_id, "browser": browser, "now": now}
    found = connection.execute(_statements(audience).load, given)
    row = cast("Mapping[str, object] | None", found.mappings().one_or_none())
    if row is None:
        return Lost()
    heading = heading_from_json(cast("Mapping[str, object]", row["destination"]))
    state = state_from_json(cast("Mapping[str, object]", row["state"]))
    if cast("int", row["expires_at"]) <= now:
        return TimedOut(transaction_id, heading)
    if state.stage in {Stage.ENDED, Stage.DONE}:
        return TimedOut(transaction_id, heading)
    return Transaction(transaction_id, cast("int", row["version"]), state, heading)


def save(connection: Connection, audience: Audience, transaction: Transaction, state: State) -> bool:
    """Move a sign-in on; false where another request moved it first."""
    table = audience.tables.transactions
    return once.advance_transaction(connection, table, transaction.id, transaction.version, state_to_json(state))


def finish(connection: Connection, audience: Audience, transaction: Transaction) -> bool:
    """Use a sign-in up: it leads to one session, once; false where it is gone already."""
    table = audience.tables.transactions
    return once.consume_row(connection, table, transaction.id, table.c.version == transaction.version) is not None


def state_to_json(state: State) -> dict[str, object]:
    """Write a state for its row. It holds no secret (A46)."""
    return {
        "stage": state.stage.value,
        "typed": state.typed,
        "account_id": state.account_id,
        "proofs": proofs_to_json(state.proofs),
        "expired_in_a_row": state.expired_in_a_row,
        "enrolment_id": state.enrolment_id,
        "may_wait_days": state.may_wait_days,
        "password_due": state.password_due,
        "password_set_at": state.password_set_at,
    }


def state_from_json(saved: Mapping[str, object]) -> State:
    """Read a state that `state_to_json` wrote."""
    account_id, enrolment_id = saved["account_id"], saved["enrolment_id"]
    return State(
        stage=Stage(str(saved["stage"])),
        typed=str(saved["typed"]),
        account_id=None if account_id is None else str(account_id),
        proofs=proofs_from_json(cast("Sequence[Mapping[str, object]]", saved["proofs"])),
        expired_in_a_row=cast("int", saved["expired_in_a_row"]),
        enrolment_id=None if enrolment_id is None else str(enrolment_id),
        may_wait_days=cast("int", saved["may_wait_days"]),
        password_due=bool(saved["password_due"]),
        # A row of the version before has none: that sign-in begins again.
        password_set_at=cast("int | None", saved.get("password_set_at")),
    )
