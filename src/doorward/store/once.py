# Security: every statement that tests and takes in one step stands here (tests/store/test_once.py, tests/attacks/).
"""Claim and consume: the statements of the product that may succeed only a limited number of times.

Each decides and takes in one statement (`INSERT … ON CONFLICT DO UPDATE … WHERE … RETURNING`,
`UPDATE … WHERE … RETURNING`, `DELETE … RETURNING`), so that two processes and a thousand parallel
requests never get one more than allowed. A guess is claimed before the secret is looked at.
Continued in `once_factors.py` and `once_codes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Final, Protocol, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Executable,
    String,
    Table,
    Update,
    and_,
    bindparam,
    case,
    delete,
    false,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql.dml import Delete, ReturningInsert, ReturningUpdate

from doorward.clock import HOUR, NEVER, SECOND, Instant
from doorward.store import schema
from doorward.store.upsert import insert_into

IN_FLIGHT: Final = 30 * SECOND
"""No check of a secret takes longer: a claim older than this was lost in a crash and counts as a failure."""


class Kind(Enum):
    """Which of the two counts of a counter a guess belongs to."""

    PASSWORD = "password"  # noqa: S105 - the name of a count
    MFA = "mfa"


class Limits(Protocol):
    """The rule for one kind of guess: `pauses` says whether reaching `attempts` pauses the name.

    `unlock_after` and `reset_after` are milliseconds; an `unlock_after` of 0 pauses until an administrator unlocks.
    Where `pauses` is false, each try beyond `attempts` waits, doubling from one second up to one hour.
    """

    @property
    def attempts(self) -> int: ...  # noqa: D102 - named above
    @property
    def pauses(self) -> bool: ...  # noqa: D102
    @property
    def unlock_after(self) -> int: ...  # noqa: D102
    @property
    def reset_after(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Claim:
    """A guess that may be judged: it stands in the counter `key` until it is given back or judged wrong.

    `bounded` is false where another counter bounds the guess: this one then only counts what fails.
    """

    key: str
    kind: Kind
    generation: int
    bounded: bool = True


@dataclass(frozen=True, slots=True)
class Paused:
    """Nothing may be judged until `until` (NEVER: until an administrator unlocks)."""

    until: Instant


@dataclass(frozen=True, slots=True)
class Waiting:
    """The next guess of this kind may be made at `until`; nothing was judged and nothing counted."""

    until: Instant


@dataclass(frozen=True, slots=True)
class InFlight:
    """Guesses that are being judged fill the limit: nothing was judged and nothing counted."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a wrong guess led to: failures in a row of its kind, and the pause it started or met (0: none)."""

    failed: int
    paused_until: Instant


def claim_guess(
    connection: Connection, table: Table, key: str, kind: Kind, limits: Limits, now: Instant, *, bounded: bool = True
) -> Claim | Paused | Waiting | InFlight:
    """Take one guess from the counter `key` before the secret is looked at.

    A pause that is over, or `reset_after` without a failure, starts a new generation at 0. With `bounded=False`
    (the common counter under a known browser, whose own counter is the bound) the guess is counted but never refused.
    """
    statement = _claim_statement(connection.dialect.name, table, kind, pauses=limits.pauses, bounded=bounded)
    given = {
        "key_": key,
        "now_": now,
        "attempts_": limits.attempts,
        "lost_before": now - IN_FLIGHT,
        "aged_before": now - limits.reset_after,
        "first_open_at": 0 if limits.pauses or limits.attempts > 1 else now + SECOND,
    }
    taken = connection.execute(statement, given).scalar()
    if taken is not None:
        return Claim(key, kind, taken, bounded)
    return _refusal(connection, table, key, kind, limits, now)


@cache
def _claim_statement(dialect: str, table: Table, kind: Kind, *, pauses: bool, bounded: bool) -> ReturningInsert[int]:
    """Build the claim of one table and kind, once: building it takes longer than running it."""
    own, other = _columns(table, kind)
    c = table.c
    now, attempts = _given("now_"), _given("attempts_")
    settled = and_(c.password_claimed == c.password_failed, c.mfa_claimed == c.mfa_failed)
    quiet = or_(settled, c.claimed_at <= _given("lost_before"))
    # A claim that was lost in a crash failed when it was made.
    last = case((or_(settled, c.failed_at > c.claimed_at), c.failed_at), else_=c.claimed_at)
    pause_over = and_(c.paused_until > 0, c.paused_until <= now)
    stale = or_(pause_over, and_(c.paused_until == 0, last <= _given("aged_before"), quiet))
    within = own.claimed < attempts
    if bounded:
        may = within if pauses else or_(within, own.open_at <= now)
        allowed = or_(stale, and_(c.paused_until == 0, may))
    else:
        allowed = true()
    values: dict[str, object] = dict.fromkeys((column.name for column in table.columns), 0)
    values |= {"key": bindparam("key_", type_=String()), "generation": 1, "claimed_at": now}
    values |= {f"{kind.value}_claimed": 1, f"{kind.value}_open_at": _given("first_open_at") if bounded else 0}
    return (
        insert_into(dialect, table)
        .values(values)
        .on_conflict_do_update(
            index_elements=[c.key],
            set_={
                "generation": case((stale, c.generation + 1), else_=c.generation),
                own.claimed: case((stale, 1), else_=own.claimed + 1),
                own.failed: case((stale, 0), else_=own.failed),
                own.open_at: 0 if pauses else _open_at(own, stale, bounded=bounded),
                other.claimed: case((stale, 0), else_=other.claimed),
                other.failed: case((stale, 0), else_=other.failed),
                other.open_at: case((stale, 0), else_=other.open_at),
                "paused_until": case((stale, 0), else_=c.paused_until),
                "failed_at": case((stale, 0), else_=c.failed_at),
                "claimed_at": now,
            },
            where=allowed,
        )
        .returning(c.generation)
    )


def _refusal(
    connection: Connection, table: Table, key: str, kind: Kind, limits: Limits, now: Instant
) -> Paused | Waiting | InFlight:
    own, _ = _columns(table, kind)
    c = table.c
    if limits.pauses:
        # A claim that was lost in a crash stays counted: when lost ones fill the limit, the pause starts now;
        # so it does when the limit was lowered below what was judged already.
        settled = or_(own.failed >= limits.attempts, c.claimed_at <= now - IN_FLIGHT)
        connection.execute(
            update(table)
            .where(c.key == key, c.paused_until == 0, own.claimed >= limits.attempts, settled)
            .values({own.failed: own.claimed, c.failed_at: now, c.paused_until: _pause_end(limits, now)})
        )
    row = connection.execute(select(*_two(c.paused_until, own.open_at)).where(c.key == key)).one()
    paused_until, open_at = row[0], row[1]
    if paused_until > now:
        return Paused(paused_until)
    if not limits.pauses and open_at > now:
        return Waiting(open_at)
    return InFlight()


def judge_wrong(connection: Connection, table: Table, claim: Claim, limits: Limits, now: Instant) -> Counted:
    """Count a claimed guess as a failure; the last allowed one starts the pause. A void claim counts nothing."""
    given = {
        "key_": claim.key,
        "generation_": claim.generation,
        "now_": now,
        "attempts_": limits.attempts,
        "pause_end": _pause_end(limits, now),
    }
    statement = _wrong_statement(table, claim.kind, pauses=limits.pauses, bounded=claim.bounded)
    row = connection.execute(statement, given).one_or_none()
    return Counted(0, 0) if row is None else Counted(row[0], row[1])


@cache
def _wrong_statement(table: Table, kind: Kind, *, pauses: bool, bounded: bool) -> ReturningUpdate[int, int]:
    own, _ = _columns(table, kind)
    c = table.c
    starts = and_(own.failed + 1 >= _given("attempts_"), c.paused_until == 0) if pauses else false()
    # A bounded guess closed the door behind itself when it was claimed.
    open_at = own.open_at if bounded or pauses else _open_after(own.claimed - _given("attempts_"))
    return (
        update(table)
        .where(c.key == bindparam("key_"), c.generation == _given("generation_"))
        .values(
            {
                own.failed: own.failed + 1,
                own.open_at: open_at,
                c.failed_at: _given("now_"),
                c.paused_until: case((starts, _given("pause_end")), else_=c.paused_until),
            }
        )
        .returning(*_two(own.failed, c.paused_until))
    )


def give_back(connection: Connection, table: Table, claim: Claim) -> None:
    """Return a claimed guess that was right or was not judged. A void claim returns nothing."""
    given = {"key_": claim.key, "generation_": claim.generation}
    connection.execute(_give_back_statement(table, claim.kind, bounded=claim.bounded), given)


@cache
def _give_back_statement(table: Table, kind: Kind, *, bounded: bool) -> Update:
    own, _ = _columns(table, kind)
    return (
        update(table)
        .where(table.c.key == bindparam("key_"), table.c.generation == _given("generation_"), own.claimed > own.failed)
        .values({own.claimed: own.claimed - 1, own.open_at: 0 if bounded else own.open_at})
    )


def clear_counter(connection: Connection, table: Table, key: str, *, keep_pause_at: Instant | None = None) -> None:
    """Start a new generation of a counter at 0, which voids the claims in flight.

    With `keep_pause_at` a pause that still runs at that instant is left alone.
    """
    given = {"wanted": key, "paused_until_": NEVER if keep_pause_at is None else keep_pause_at}
    connection.execute(_clear_statement(table), given)


@cache
def _clear_statement(table: Table) -> Executable:
    c = table.c
    zero: dict[str, object] = {column.name: 0 for column in table.columns if column.name not in {"key", "generation"}}
    mine = (c.key == bindparam("wanted"), c.paused_until <= _given("paused_until_"))
    return update(table).where(*mine).values(zero | {"generation": c.generation + 1})


def claim_address(connection: Connection, key: str, limit: int, window: int, now: Instant) -> Instant | None:
    """Take one judged failure from an address or network in its window of `window` milliseconds.

    Returns the end of the window, by which the claim can be given back, or None where the window is full.
    """
    given = {"key_": key, "limit_": limit, "now_": now, "ends_at": now + window}
    return connection.execute(_address_statement(connection.dialect.name), given).scalar()


@cache
def _address_statement(dialect: str) -> ReturningInsert[int]:
    c = schema.address_counters.c
    over, ends_at = c.window_ends_at <= _given("now_"), _given("ends_at")
    return (
        insert_into(dialect, schema.address_counters)
        .values(key=bindparam("key_"), failures=1, window_ends_at=ends_at)
        .on_conflict_do_update(
            index_elements=[c.key],
            set_={
                "failures": case((over, 1), else_=c.failures + 1),
                "window_ends_at": case((over, ends_at), else_=c.window_ends_at),
            },
            where=or_(over, c.failures < _given("limit_")),
        )
        .returning(c.window_ends_at)
    )


def address_opens_at(connection: Connection, key: str) -> Instant:
    """Tell when the full window of an address or network ends."""
    c = schema.address_counters.c
    return cast("int", connection.execute(select(c.window_ends_at).where(c.key == key)).scalar_one())


def give_back_address(connection: Connection, key: str, window_ends_at: Instant) -> None:
    """Return a claim on an address whose guess was right or was not judged."""
    c = schema.address_counters.c
    connection.execute(
        update(schema.address_counters)
        .where(c.key == key, c.window_ends_at == window_ends_at, c.failures > 0)
        .values(failures=c.failures - 1)
    )


def advance_transaction(
    connection: Connection, table: Table, transaction_id: str, version: int, state: Mapping[str, object]
) -> bool:
    """Move a sign-in on from the version that was read; false where another request moved it first."""
    given = {"wanted": transaction_id, "read_version": version, "next_version": version + 1, "next_state": state}
    return connection.execute(_advance_statement(table), given).scalar() is not None


@cache
def _advance_statement(table: Table) -> Executable:
    c = table.c
    return (
        update(table)
        .where(c.id == bindparam("wanted"), c.version == bindparam("read_version"))
        .values(version=bindparam("next_version"), state=bindparam("next_state", type_=JSON()))
        .returning(c.id)
    )


def consume_row(
    connection: Connection, table: Table, row_id: str, *conditions: ColumnElement[bool]
) -> Mapping[str, object] | None:
    """Use up a pending row (a saved request) by deleting it; None where it is gone or does not match."""
    return _taken(connection, delete(table).where(table.c.id == row_id, *conditions), table)


def _taken(connection: Connection, statement: Delete, table: Table) -> Mapping[str, object] | None:
    row = connection.execute(statement.returning(*cast("Iterable[Column[object]]", table.c))).mappings().one_or_none()
    return cast("Mapping[str, object] | None", row)


@dataclass(frozen=True, slots=True)
class _Columns:
    claimed: ColumnElement[int]
    failed: ColumnElement[int]
    open_at: ColumnElement[int]


def _columns(table: Table, kind: Kind) -> tuple[_Columns, _Columns]:
    both = {
        k: _Columns(table.c[f"{k.value}_claimed"], table.c[f"{k.value}_failed"], table.c[f"{k.value}_open_at"])
        for k in Kind
    }
    return both[kind], both[Kind.MFA if kind is Kind.PASSWORD else Kind.PASSWORD]


def _two(one: ColumnElement[int], other: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Give two columns of a reflected table the type that their rows have."""
    return one, other


def _pause_end(limits: Limits, now: Instant) -> Instant:
    return now + limits.unlock_after if limits.unlock_after else NEVER


def _given(name: str) -> BindParameter[int]:
    """Name a value that is given when a cached statement runs; always BIGINT, whatever the value is."""
    return bindparam(name, type_=BigInteger())


def _open_at(own: _Columns, stale: ColumnElement[bool], *, bounded: bool) -> ColumnElement[int]:
    """The instant before which the try after this one may not come: doubling from 1 s to 1 h beyond the limit."""
    if not bounded:
        return case((stale, 0), else_=own.open_at)
    return case((stale, _given("first_open_at")), else_=_open_after(own.claimed + 1 - _given("attempts_")))


def _open_after(beyond: ColumnElement[int]) -> ColumnElement[int]:
    now = _given("now_")
    steps = [(beyond == n, now + min(SECOND << n, HOUR)) for n in range(13)]
    return case((beyond < 0, 0), *steps, else_=now + HOUR)
