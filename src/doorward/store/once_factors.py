# Security: the statements that use up factors (tests/signin/factors/, tests/attacks/). The others: once.py.
"""Claim and consume, continued from `once.py`: failures of an authenticator, time-steps, recovery codes, set-ups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import cast

from sqlalchemy import Column, ColumnElement, Connection, Executable, Table, bindparam, delete, update

from doorward.clock import Instant


def count_on_authenticators(connection: Connection, table: Table, owner_id: str, most: int) -> int:
    """Raise the failures in a row of an account's authenticators (63B §3.2.2); tells how many may be tried.

    At `most` one is closed: it is raised once more, to `most + 1`, and stays there, so that the last guess allowed
    (which stands at `most` while it is judged) and a closed authenticator are told apart.
    """
    raised = connection.execute(_count_statement(table), {"owner": owner_id, "most": most})
    return sum(failures <= most for failures in cast("Iterable[int]", raised.scalars()))


@cache
def _count_statement(table: Table) -> Executable:
    c = table.c
    few = (c.owner_id == bindparam("owner"), c.failures <= bindparam("most"))
    return update(table).where(*few).values(failures=c.failures + 1).returning(c.failures)


def uncount_on_authenticators(
    connection: Connection, table: Table, owner_id: str, most: int, *conditions: ColumnElement[bool]
) -> None:
    """Take back what `count_on_authenticators` raised, where what was typed was no guess at them."""
    c = table.c
    connection.execute(
        update(table)
        .where(c.owner_id == owner_id, c.failures > 0, c.failures <= most, *conditions)
        .values(failures=c.failures - 1)
    )


def consume_step(connection: Connection, table: Table, totp_id: str, step: int, values: Mapping[str, object]) -> bool:
    """Accept a time-step of an authenticator once: only a greater one than the last (RFC 6238 §5.2)."""
    c = table.c
    return (
        connection.execute(
            update(table).where(c.id == totp_id, c.last_step < step).values(last_step=step, **values).returning(c.id)
        ).scalar()
        is not None
    )


def consume_recovery_code(connection: Connection, table: Table, owner_id: str, code_hash: str) -> bool:
    """Use up a recovery code: its use is its deletion."""
    c = table.c
    return (
        connection.execute(
            delete(table).where(c.owner_id == owner_id, c.code_hash == code_hash).returning(c.code_hash)
        ).scalar()
        is not None
    )


def consume_enrolment(
    connection: Connection, table: Table, enrolment_id: str, bound_to: str, now: Instant
) -> Mapping[str, object] | None:
    """Use up a factor's set-up, if it belongs to this session or sign-in and has not expired."""
    c = table.c
    statement = delete(table).where(c.id == enrolment_id, c.bound_to == bound_to, c.expires_at > now)
    row = connection.execute(statement.returning(*cast("Iterable[Column[object]]", c))).mappings().one_or_none()
    return cast("Mapping[str, object] | None", row)
