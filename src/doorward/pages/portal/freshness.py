# Security: every change of a factor, password or phone number passes here (tests/pages/test_security.py; A36, SE-11).
"""The rule before a change: a proof of the strongest factor held, no older than five minutes.

A page that changes something asks `unproved` first, when it is shown and again when it is sent. What it gets back is
the way to `/security/confirm`, which leads to the same page afterwards; nothing of what was sent is kept.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from doorward.signin import fresh
from doorward.web import redirect, session_of, site_of

HOME: Final = "/security"
_ID: Final = "[0-9a-f-]{36}"
_PAGES: Final = re.compile(
    rf"/security(/password|/recovery-codes|/authenticators/(new|{_ID}/(replace|remove)))?|/profile/phone"
)


def own_page(to: str) -> str:
    """Keep `to` if it is one of the pages that ask for a proof, else give the Security page (SE-10)."""
    return to if _PAGES.fullmatch(to) is not None else HOME


async def unproved(request: Request, to: str) -> Response | None:
    """Give None where the person has just proved who they are, else the way to where they do, and back to `to`."""
    session, site = session_of(request), site_of(request)
    now = site.clock()
    if await site.db.read(lambda connection: fresh.is_fresh(connection, session, now)):
        return None
    return redirect(f"/security/confirm?to={quote(own_page(to))}")
