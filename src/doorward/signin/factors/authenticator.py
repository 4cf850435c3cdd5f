# Security: authenticator apps, stored (tests/signin/factors/, tests/attacks/).
"""The factor 'authenticator app': its rows, and the one statement that accepts a time-step.

The arithmetic stands in `totp.py`, pure. An account may hold several; a code is tried on each.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final, cast

from sqlalchemy import ColumnElement, Connection, Executable, Table, bindparam, delete, func, insert, select, update

from doorward.clock import Instant
from doorward.organization import Organization
from doorward.signin.audience import Audience
from doorward.signin.factors import totp
from doorward.signin.factors.interface import Held, NotRight, Right
from doorward.signin.factors.totp import Accepted, Candidate, Checked, Expired, Totp, Used, Wrong
from doorward.signin.flow import Said
from doorward.signin.policy import MOST_FAILURES_OF_AN_AUTHENTICATOR
from doorward.signin.proof import Method
from doorward.store import Vault, new_id, once_factors

MOST_APPS: Final = 4
MOST_REMEMBERED: Final = 30
SEED_BYTES: Final = 20
"""160 bits, as RFC 4226 §4 R6 recommends."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An authenticator with its row."""

    id: str
    totp: Totp


class AuthenticatorApps:
    """The factor 'authenticator app'."""

    method: ClassVar[Method] = Method.TOTP
    malformed: ClassVar[Said] = Said.CODE_MALFORMED
    wrong: ClassVar[Said] = Said.CODE_WRONG

    def held(self, connection: Connection, audience: Audience, owner_id: str) -> tuple[Held, ...]:
        """List the apps, last used first."""
        rows = connection.execute(_held_query(audience), {"owner": owner_id}).mappings()
        return tuple(
            Held(
                self.method,
                str(row["id"]),
                str(row["name"]),
                cast("int", row["created_at"]),
                cast("int | None", row["last_used_at"]),
                None,
                cast("int | None", row["period_seconds"]),
                cast("int", row["drift_steps"]),
                is_closed=cast("int", row["failures"]) >= MOST_FAILURES_OF_AN_AUTHENTICATOR,
            )
            for row in cast("Iterable[Mapping[str, object]]", rows)
        )

    def tidy(self, typed: str) -> str | None:
        """Read six digits forgivingly."""
        return totp.tidy(typed)

    def count_attempt(self, connection: Connection, audience: Audience, owner_id: str) -> bool:
        """Raise the failures of each app that is not closed."""
        table, most = audience.tables.totp, MOST_FAILURES_OF_AN_AUTHENTICATOR
        return once_factors.count_on_authenticators(connection, table, owner_id, most) > 0

    def check(
        self,
        connection: Connection,
        vault: Vault,
        organization: Organization,
        audience: Audience,
        owner_id: str,
        code: str,
        now: Instant,
    ) -> Right | NotRight:
        """Try the code on each app: accepted before used, used before expired, expired before wrong."""
        grace = organization.settings.totp.drift_seconds
        table = audience.tables.totp
        checked = [(one, totp.check(one.totp, code, now, grace)) for one in load(connection, vault, audience, owner_id)]
        for one, result in checked:
            if isinstance(result, Accepted):
                if once_factors.consume_step(connection, table, one.id, result.step, _accepted(one, result, now)):
                    # A code that is right for one app was no guess at the others (LK-04).
                    _uncount(connection, table, owner_id, table.c.id != one.id)
                    return Right()
                return _uncounted(connection, table, owner_id, Said.CODE_USED)
        if any(isinstance(result, Used) for _, result in checked):
            return _uncounted(connection, table, owner_id, Said.CODE_USED)
        for one, result in checked:
            _remember(connection, table, one, result)
        expired = [result for _, result in checked if isinstance(result, Expired)]
        if not expired:
            return NotRight(Said.CODE_WRONG, counts=True)
        if any(result.counts for result in expired):
            return NotRight(Said.CODE_EXPIRED, counts=True)
        return _uncounted(connection, table, owner_id, Said.CODE_EXPIRED)


@cache
def _held_query(audience: Audience) -> Executable:
    """Build the look-up of an account's apps, once: each sign-in runs it."""
    c = audience.tables.totp.c
    return (
        select(c.id, c.name, c.created_at, c.last_used_at, c.period_seconds, c.drift_steps, c.failures)
        .where(c.owner_id == bindparam("owner"))
        .order_by(c.last_used_at.desc().nulls_last(), c.created_at.desc())
    )


@cache
def _load_query(audience: Audience) -> Executable:
    table = audience.tables.totp
    usable = table.c.failures <= MOST_FAILURES_OF_AN_AUTHENTICATOR
    return select(table).where(table.c.owner_id == bindparam("owner"), usable)


def load(connection: Connection, vault: Vault, audience: Audience, owner_id: str) -> list[Stored]:
    """Read the authenticators of an account that may be tried: those that `count_attempt` raised, and no closed one."""
    table = audience.tables.totp
    rows = connection.execute(_load_query(audience), {"owner": owner_id}).mappings()
    return [_stored(vault, table, cast("Mapping[str, object]", row)) for row in rows]


def add(  # noqa: PLR0913 - the row has this many parts
    connection: Connection,
    vault: Vault,
    audience: Audience,
    owner_id: str,
    seed: bytes,
    period_seconds: int | None,
    now: Instant,
    *,
    name: str = "",
    drift_steps: int = 0,
    last_step: int = -1,
) -> str:
    """Keep an authenticator; the seed is sealed for its row."""
    table, row_id = audience.tables.totp, new_id(now)
    connection.execute(
        insert(table).values(
            id=row_id,
            owner_id=owner_id,
            name=name,
            seed=vault.seal(seed, table=table.name, column="seed", row=row_id),
            period_seconds=period_seconds,
            drift_steps=drift_steps,
            last_step=last_step,
            expired_steps=[],
            candidate=None,
            failures=0,
            created_at=now,
            last_used_at=None if last_step < 0 else now,
        )
    )
    return row_id


def remove(connection: Connection, audience: Audience, owner_id: str, totp_id: str, *, may_be_last: bool) -> bool:
    """Remove an authenticator; the last one only where `may_be_last`, decided by the same statement."""
    table, accounts = audience.tables.totp, audience.tables.accounts
    condition = (table.c.owner_id == owner_id) & (table.c.id == totp_id)
    # Two removals at once must not each see the other's authenticator as the one that stays.
    connection.execute(select(accounts.c.id).where(accounts.c.id == owner_id).with_for_update())
    if not may_be_last:
        other = table.alias("other")
        others = select(func.count()).select_from(other).where(other.c.owner_id == owner_id)
        condition &= others.scalar_subquery() > 1
    return connection.execute(delete(table).where(condition).returning(table.c.id)).scalar() is not None


def count(connection: Connection, audience: Audience, owner_id: str) -> int:
    """Count the authenticators of an account, closed ones too."""
    table = audience.tables.totp
    return connection.execute(select(func.count()).select_from(table).where(table.c.owner_id == owner_id)).scalar_one()


def base32(seed: bytes) -> str:
    """Write a seed as authenticator apps take it: base32 without padding."""
    return base64.b32encode(seed).decode().rstrip("=")


def _accepted(one: Stored, result: Accepted, now: Instant) -> dict[str, object]:
    return {
        "period_seconds": result.period_seconds,
        "drift_steps": result.drift_steps,
        # A code that was used never counts as a failure, nor one that expired a second time.
        "expired_steps": _kept(one, result.step),
        "candidate": None,
        "failures": 0,
        "last_used_at": now,
    }


def _uncounted(connection: Connection, table: Table, owner_id: str, said: Said) -> NotRight:
    """Take the raised failures back: a code that was once right is no failed attempt of the authenticator."""
    _uncount(connection, table, owner_id)
    return NotRight(said, counts=False)


def _uncount(connection: Connection, table: Table, owner_id: str, *conditions: ColumnElement[bool]) -> None:
    most = MOST_FAILURES_OF_AN_AUTHENTICATOR
    once_factors.uncount_on_authenticators(connection, table, owner_id, most, *conditions)


def _kept(one: Stored, step: int) -> list[int]:
    """The steps whose codes count no failure any more: more of them than ten minutes have."""
    return [*one.totp.expired_steps, step][-MOST_REMEMBERED:]


def _remember(connection: Connection, table: Table, one: Stored, result: Checked) -> None:
    """Note which expired code was counted, and a code of another offset, whose next one sets the drift anew."""
    values: dict[str, object] = {}
    if isinstance(result, Expired | Wrong) and result.candidate != one.totp.candidate:
        values["candidate"] = _candidate_to_json(result.candidate)
    if isinstance(result, Expired) and result.counts:
        values["expired_steps"] = _kept(one, result.step)
    if values:
        connection.execute(update(table).where(table.c.id == one.id).values(values))


def _stored(vault: Vault, table: Table, row: Mapping[str, object]) -> Stored:
    row_id = str(row["id"])
    seed = vault.unseal(cast("bytes", row["seed"]), table=table.name, column="seed", row=row_id)
    return Stored(
        row_id,
        Totp(
            seed=seed,
            period_seconds=cast("int | None", row["period_seconds"]),
            drift_steps=cast("int", row["drift_steps"]),
            last_step=cast("int", row["last_step"]),
            expired_steps=tuple(cast("Sequence[int]", row["expired_steps"])),
            candidate=_candidate_from_json(cast("Mapping[str, object] | None", row["candidate"])),
        ),
    )


def _candidate_to_json(candidate: Candidate | None) -> dict[str, object] | None:
    if candidate is None:
        return None
    return {"step": candidate.step, "period_seconds": candidate.period_seconds, "drifts": list(candidate.drifts)}


def _candidate_from_json(saved: Mapping[str, object] | None) -> Candidate | None:
    if saved is None:
        return None
    drifts = tuple(cast("Sequence[int]", saved["drifts"]))
    return Candidate(cast("int", saved["step"]), cast("int", saved["period_seconds"]), drifts)
