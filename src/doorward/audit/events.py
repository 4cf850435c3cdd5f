"""What one event says: who did what from where, how it ended and why."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
"""What a JSON column can hold."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_REFERENCE_GROUP: Final = 4

MAX_USER_AGENT: Final = 512
MAX_ADDRESS: Final = 64


class Outcome(StrEnum):
    """How it ended. A refusal is a decision; a failure is a wrong guess or something that broke."""

    SUCCESS = "success"
    REFUSED = "refused"
    FAILED = "failed"


class ActorKind(StrEnum):
    """Who acted."""

    PERSON = "person"
    ADMIN = "admin"
    SYSTEM = "system"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `nobody` is somebody who has not proved who they are."""

    kind: ActorKind
    id: str | None = None

    @staticmethod
    def person(person_id: str) -> Actor:
        """Name a person who is signed in."""
        return Actor(ActorKind.PERSON, person_id)

    @staticmethod
    def admin(admin_id: str) -> Actor:
        """Name an administrator who is signed in."""
        return Actor(ActorKind.ADMIN, admin_id)

    @staticmethod
    def system() -> Actor:
        """Name the product itself, or whoever holds the command line of its machine."""
        return Actor(ActorKind.SYSTEM)

    @staticmethod
    def nobody() -> Actor:
        """Name somebody who is not known."""
        return Actor(ActorKind.NOBODY)


def new_reference() -> str:
    """Make the reference that a page shows and the log is searched by, such as `K7QF-2M9P` (40 random bits)."""
    # One draw of 40 bits: every request has a reference, and eight draws cost as much as a look-up's tenth.
    bits = secrets.randbits(5 * 2 * _REFERENCE_GROUP)
    drawn = [_ALPHABET[bits >> 5 * place & 31] for place in range(2 * _REFERENCE_GROUP)]
    return "".join(drawn[:_REFERENCE_GROUP]) + "-" + "".join(drawn[_REFERENCE_GROUP:])


@dataclass(frozen=True, slots=True)
class Caller:
    """From where it was asked. `reference` joins every event of one request to the page that it showed."""

    address: str
    user_agent: str
    reference: str

    @staticmethod
    def local() -> Caller:
        """Name the command line of the machine itself, with a new reference."""
        return Caller("local", "doorward", new_reference())


@dataclass(frozen=True, slots=True)
class Event:
    """One outcome. `action` is made of dotted words (`signin.succeeded`), `reason` is a stable name, not a sentence.

    `details` holds no secret: never a password, code, seed, token or cookie.
    """

    action: str
    outcome: Outcome
    actor: Actor
    caller: Caller
    reason: str | None = None
    person_id: str | None = None
    admin_id: str | None = None
    app_id: str | None = None
    session_id: str | None = None
    details: Mapping[str, Json] = field(default_factory=dict[str, Json])
