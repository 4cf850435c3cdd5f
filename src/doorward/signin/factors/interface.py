"""What a factor is: how what somebody set up is listed, and how what they type is judged and consumed.

A new one is a file beside this one that offers `Factor`, and its line in each place that names them all:
`FACTORS` (`__init__.py`); `Method` with its `amr` (`../proof.py`); `Factor` of the settings
(`organization/settings.py`); its `Stage` and what is said (`../flow.py`); that stage's form and page
(`pages/login.py`, `pages/stages.py`, a template) and its sentences (`pages/sentences.py`). The type checker
finds the ones among these that are matched to the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from sqlalchemy import Connection

from doorward.clock import Instant
from doorward.organization import Organization
from doorward.signin.audience import Audience
from doorward.signin.flow import Said
from doorward.signin.proof import Method
from doorward.store import Vault


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that somebody has set up. `left` counts what is used up (recovery codes), else it is None.

    `is_closed`: a hundred failures in a row closed it until an administrator resets it. It is still held, so that
    nobody gets past a factor by closing it.
    `period_seconds` and `drift_steps` tell when an authenticator shows its next code.
    """

    method: Method
    id: str
    name: str
    created_at: Instant
    last_used_at: Instant | None
    left: int | None = None
    period_seconds: int | None = None
    drift_steps: int = 0
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Right:
    """The code was right, and was consumed in this transaction."""


@dataclass(frozen=True, slots=True)
class NotRight:
    """The code was not accepted; `counts` says whether it is a failed attempt."""

    said: Said
    counts: bool


class Factor(Protocol):
    """A second factor that is proved by something typed."""

    method: ClassVar[Method]
    """Its name in sessions, settings and the audit log."""

    malformed: ClassVar[Said]
    """What is said of something that cannot be a code of this factor; it is not counted."""

    wrong: ClassVar[Said]
    """What is said of a code that is none of the account's, and of every code where the factor is closed."""

    def held(self, connection: Connection, audience: Audience, owner_id: str) -> tuple[Held, ...]:
        """List what the account has set up of this factor, closed ones too; last used first."""
        ...

    def tidy(self, typed: str) -> str | None:
        """Read what was typed forgivingly; None where it cannot be a code."""
        ...

    def count_attempt(self, connection: Connection, audience: Audience, owner_id: str) -> bool:
        """Raise the failures in a row of each authenticator; false where all of them are closed (63B §3.2.2)."""
        ...

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
        """Judge a tidied code, and consume it in the same transaction if it is right."""
        ...


def count_and_check(
    factor: Factor,
    connection: Connection,
    vault: Vault,
    organization: Organization,
    audience: Audience,
    owner_id: str,
    code: str,
    now: Instant,
) -> Right | NotRight:
    """Raise the failures in a row, and only then judge a tidied code; none is right of a factor that is closed."""
    if not factor.count_attempt(connection, audience, owner_id):
        return NotRight(factor.wrong, counts=True)
    return factor.check(connection, vault, organization, audience, owner_id, code, now)
