"""The web room: what pages, protocols and API share to speak HTTP.

Owns guards, CSRF, cookies, headers, reading of forms, rendering, and turning refusals into answers. Never
holds a rule about people, applications or protocols. Read `guards.py` first: it is how a route is made.
"""

from __future__ import annotations

from doorward.web.cookies import (
    Cookie,
    browser_handle,
    browser_hash,
    cookie_of,
    drop_cookie,
    put_cookie,
    sent_browser_handle,
)
from doorward.web.current import admin_of, current_admin_session, current_session, read_with_session, session_of
from doorward.web.errors import refuse, sso_error
from doorward.web.forms import Form, read_body, read_form, read_query
from doorward.web.guards import Csrf, Guard, page, refuse_prefetch
from doorward.web.refusals import BadInput, Refusal, Refused, SsoRefusal
from doorward.web.rendering import load_organization, redirect, render
from doorward.web.site import Site, site_of
from doorward.web.tiles import AppMark, app_mark
from doorward.web.visit import caller_of

__all__ = [
    "AppMark",
    "BadInput",
    "Cookie",
    "Csrf",
    "Form",
    "Guard",
    "Refusal",
    "Refused",
    "Site",
    "SsoRefusal",
    "admin_of",
    "app_mark",
    "browser_handle",
    "browser_hash",
    "caller_of",
    "cookie_of",
    "current_admin_session",
    "current_session",
    "drop_cookie",
    "load_organization",
    "page",
    "put_cookie",
    "read_body",
    "read_form",
    "read_query",
    "read_with_session",
    "redirect",
    "refuse",
    "refuse_prefetch",
    "render",
    "sent_browser_handle",
    "session_of",
    "site_of",
    "sso_error",
]
