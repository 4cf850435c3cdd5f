# Security: recovery codes (tests/signin/factors/test_recovery.py).
"""Recovery codes: ten, of 80 bits, shown once, kept as HMAC under a sub-key, used up by one DELETE."""

from __future__ import annotations

import secrets
from functools import cache
from typing import ClassVar, Final, cast

from sqlalchemy import Connection, Executable, bindparam, delete, func, insert, select

from doorward.clock import Instant
from doorward.organization import Organization
from doorward.signin.audience import Audience
from doorward.signin.factors.interface import Held, NotRight, Right
from doorward.signin.flow import Said
from doorward.signin.policy import MOST_FAILURES_OF_AN_AUTHENTICATOR
from doorward.signin.proof import Method
from doorward.store import Purpose, Vault, once_factors

COUNT: Final = 10
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: nothing looks like something else
_CHARACTERS: Final = 16  # 16 characters of 5 bits are 80 bits
_GROUP: Final = 4
_LONGEST_TYPED: Final = 64


class RecoveryCodes:
    """The factor 'recovery code'."""

    method: ClassVar[Method] = Method.RECOVERY_CODE
    malformed: ClassVar[Said] = Said.RECOVERY_WRONG
    wrong: ClassVar[Said] = Said.RECOVERY_WRONG

    def held(self, connection: Connection, audience: Audience, owner_id: str) -> tuple[Held, ...]:
        """List the set of codes, if any is left."""
        row = connection.execute(_set_query(audience), {"owner": owner_id}).one_or_none()
        made_at, failures, left = cast("tuple[int, int, int]", tuple(row)) if row is not None else (0, 0, 0)
        if not left:
            return ()
        is_closed = failures >= MOST_FAILURES_OF_AN_AUTHENTICATOR
        return (Held(self.method, owner_id, "", made_at, None, left, is_closed=is_closed),)

    def tidy(self, typed: str) -> str | None:
        """Read a typed code forgivingly: case, spaces, dashes, and letters that look like digits."""
        if len(typed) > _LONGEST_TYPED:
            return None
        kept = "".join(character for character in typed.lower() if character.isalnum())
        kept = kept.translate(str.maketrans({"o": "0", "i": "1", "l": "1"}))
        return kept if len(kept) == _CHARACTERS and all(character in _ALPHABET for character in kept) else None

    def count_attempt(self, connection: Connection, audience: Audience, owner_id: str) -> bool:
        """Raise the failures in a row of the set (63B §3.2.2); false where it is closed."""
        table, most = audience.tables.recovery_sets, MOST_FAILURES_OF_AN_AUTHENTICATOR
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
        """Use the code up; a second use is told as such, and is no failed attempt."""
        del organization, now
        hashed = _hash(vault, audience, owner_id, code)
        spent = audience.tables.spent_codes
        sets, most = audience.tables.recovery_sets, MOST_FAILURES_OF_AN_AUTHENTICATOR
        if not once_factors.consume_recovery_code(connection, audience.tables.recovery_codes, owner_id, hashed):
            used = select(spent.c.code_hash).where(spent.c.owner_id == owner_id, spent.c.code_hash == hashed)
            if connection.execute(used).scalar() is None:
                return NotRight(Said.RECOVERY_WRONG, counts=True)
            once_factors.uncount_on_authenticators(connection, sets, owner_id, most)
            return NotRight(Said.RECOVERY_USED, counts=False)
        connection.execute(insert(spent).values(owner_id=owner_id, code_hash=hashed))
        connection.execute(sets.update().where(sets.c.owner_id == owner_id).values(failures=0))
        return Right()


@cache
def _set_query(audience: Audience) -> Executable:
    """Build the look-up of a set with its unused codes, once: each sign-in runs it."""
    sets, codes = audience.tables.recovery_sets.c, audience.tables.recovery_codes.c
    left = select(func.count()).where(codes.owner_id == sets.owner_id).scalar_subquery()
    return select(sets.created_at, sets.failures, left).where(sets.owner_id == bindparam("owner"))


def codes_left(connection: Connection, audience: Audience, owner_id: str) -> int:
    """Count the unused codes of an account."""
    table = audience.tables.recovery_codes
    return connection.execute(select(func.count()).select_from(table).where(table.c.owner_id == owner_id)).scalar_one()


def were_made(connection: Connection, audience: Audience, owner_id: str) -> bool:
    """Tell whether an account ever got codes that still count, though all may be used by now."""
    table = audience.tables.recovery_sets
    return connection.execute(select(table.c.owner_id).where(table.c.owner_id == owner_id)).first() is not None


def make_codes(
    connection: Connection, vault: Vault, audience: Audience, owner_id: str, now: Instant
) -> tuple[str, ...]:
    """Make ten codes, which void all earlier ones; returns them as they are shown, for this once."""
    drop_codes(connection, audience, owner_id)
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_CHARACTERS)) for _ in range(COUNT)]
    connection.execute(insert(audience.tables.recovery_sets).values(owner_id=owner_id, failures=0, created_at=now))
    connection.execute(
        insert(audience.tables.recovery_codes),
        [{"owner_id": owner_id, "code_hash": _hash(vault, audience, owner_id, code)} for code in codes],
    )
    return tuple("-".join(code[i : i + _GROUP] for i in range(0, _CHARACTERS, _GROUP)) for code in codes)


def drop_codes(connection: Connection, audience: Audience, owner_id: str) -> None:
    """Delete every recovery code of an account."""
    tables = audience.tables
    for table in (tables.recovery_codes, tables.spent_codes, tables.recovery_sets):
        connection.execute(delete(table).where(table.c.owner_id == owner_id))


def _hash(vault: Vault, audience: Audience, owner_id: str, code: str) -> str:
    return vault.mac(Purpose.RECOVERY_CODES, f"{audience.value} {owner_id} {code}")
