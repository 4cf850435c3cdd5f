# Security: a saved request belongs to one browser and is answered once (tests/protocols/oidc/test_resume.py; A9, A57).
"""Requests that wait: for a sign-in, or for the 303 after a POST.

A POST from another site brings no cookie (SameSite=Lax), so its row belongs to no browser yet; the first browser that
asks for it takes it, and its unguessable id is its only name. What is saved was accepted already: nothing hostile
lies in the database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from sqlalchemy import Connection, insert, select

from doorward.clock import MINUTE, Instant
from doorward.protocols.oidc.request import AuthorizationRequest, request_from_json, request_to_json
from doorward.store import new_handle, once_pending, schema

WAITS_FOR_BROWSER: Final = 5 * MINUTE
WAITS_FOR_SIGN_IN: Final = 60 * MINUTE
"""As long as a sign-in remembers where somebody was heading (SIGNIN, 'Flow')."""

_TABLE: Final = schema.oidc_requests
_ID_LENGTH: Final = 36
_ID: Final = re.compile(r"[A-Za-z0-9_-]{36}")


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such request for this browser: it was answered, or never was."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The request waited too long."""


Found: TypeAlias = AuthorizationRequest | Gone | Expired


def save_for_anybody(connection: Connection, request: AuthorizationRequest, now: Instant) -> str:
    """Save the request of a POST, until its own browser comes for it by GET."""
    return _insert(connection, request, once_pending.NOBODY, now + WAITS_FOR_BROWSER)


def save(connection: Connection, request: AuthorizationRequest, browser: str, now: Instant) -> str:
    """Save a request while the person of `browser` (the hash of its handle) signs in."""
    return _insert(connection, request, browser, now + WAITS_FOR_SIGN_IN)


def load(connection: Connection, request_id: str, browser: str, now: Instant) -> Found:
    """Read a request of this browser, or one that nobody has taken yet."""
    if _ID.fullmatch(request_id) is None:
        return Gone()
    query = select(_TABLE.c.parameters, _TABLE.c.expires_at).where(
        _TABLE.c.id == request_id, once_pending.belongs_to(_TABLE, browser)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return Gone()
    if cast("int", row[1]) <= now:
        return Expired()
    return request_from_json(cast("Mapping[str, object]", row[0]))


def keep(connection: Connection, request_id: str, browser: str, now: Instant) -> bool:
    """Let a request wait for the sign-in of this browser, which is its owner from now on; false where it is gone."""
    until = now + WAITS_FOR_SIGN_IN
    return once_pending.keep_request(connection, _TABLE, request_id, browser, now, until)


def use_up(connection: Connection, request_id: str, browser: str, now: Instant) -> bool:
    """Take a request, once; false where it was taken already."""
    return once_pending.use_up_request(connection, _TABLE, request_id, browser, now)


def _insert(connection: Connection, request: AuthorizationRequest, browser: str, until: Instant) -> str:
    request_id = new_handle()[:_ID_LENGTH]  # 216 random bits
    connection.execute(
        insert(_TABLE).values(
            id=request_id, browser_hash=browser, parameters=request_to_json(request), expires_at=until
        )
    )
    return request_id
