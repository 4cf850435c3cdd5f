"""The account behind a name or an id, for either audience, as the sign-in needs it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from doorward.clock import Instant
from doorward.directory import (
    Admin,
    AdminId,
    Person,
    PersonId,
    Standing,
    admin,
    find_admin,
    find_person,
    note_admin_sign_in,
    note_sign_in,
    person,
)
from doorward.signin.audience import Audience


@dataclass(frozen=True, slots=True)
class Account:
    """What the sign-in knows of somebody. `names` are words that their password must not be made of."""

    audience: Audience
    id: str
    label: str
    standing: Standing
    mfa_required: bool | None
    mfa_due_from: Instant | None
    names: tuple[str, ...]
    email: str | None = None


def find(connection: Connection, audience: Audience, typed: str, now: Instant) -> Account | None:
    """Find the account of a typed name: one statement, whatever was typed."""
    if audience is Audience.PERSON:
        return _of_person(find_person(connection, typed), now)
    return _of_admin(find_admin(connection, typed))


def by_id(connection: Connection, audience: Audience, account_id: str, now: Instant) -> Account | None:
    """Read an account again, as it stands now: it may have been suspended since the step before (A17, A33)."""
    if audience is Audience.PERSON:
        return _of_person(person(connection, PersonId(account_id)), now)
    return _of_admin(admin(connection, AdminId(account_id)))


def lock(connection: Connection, audience: Audience, account_id: str) -> None:
    """Let nobody else change an account until this transaction ends: what is read after this stands until then.

    Every change of a secret or a door of an account begins with it, and so does the issue of a session.
    """
    accounts = audience.tables.accounts
    connection.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())


def note_signed_in(connection: Connection, account: Account, now: Instant) -> None:
    """Remember when an account last signed in."""
    if account.audience is Audience.PERSON:
        note_sign_in(connection, PersonId(account.id), now)
    else:
        note_admin_sign_in(connection, AdminId(account.id), now)


def _of_person(found: Person | None, now: Instant) -> Account | None:
    if found is None:
        return None
    names = (found.username, found.email, found.name, found.given_name, found.family_name)
    return Account(
        Audience.PERSON,
        found.id,
        found.username,
        found.standing(now),
        found.mfa_required,
        found.mfa_due_from,
        tuple(name for name in names if name),
        found.email,
    )


def _of_admin(found: Admin | None) -> Account | None:
    if found is None:
        return None
    standing = Standing.ACTIVE if found.is_active else Standing.SUSPENDED
    return Account(Audience.ADMIN, found.id, found.email, standing, None, None, (found.email, found.name), found.email)
