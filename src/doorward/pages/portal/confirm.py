# Security: the fresh proof before a change is taken here (tests/pages/test_security.py; A36, SE-11).
"""The page that asks for a fresh proof, and leads on to the page that needed it."""

from __future__ import annotations

from typing import Final, assert_never

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.pages import sentences
from doorward.pages.portal.freshness import own_page
from doorward.pages.portal.routing import BOTH, portal_page
from doorward.pages.portal.sentences import not_looked, said
from doorward.signin import Method, fresh
from doorward.web import (
    BadInput,
    Cookie,
    caller_of,
    load_organization,
    put_cookie,
    read_form,
    read_query,
    redirect,
    render,
    session_of,
    site_of,
)

_FIELDS: Final = {Method.TOTP: "code", Method.RECOVERY_CODE: "code", Method.PASSWORD: "password"}

_EMPTY: Final = {
    Method.TOTP: sentences.code_empty,
    Method.RECOVERY_CODE: sentences.recovery_empty,
    Method.PASSWORD: sentences.password_empty,
}


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [portal_page("/security/confirm", confirm, methods=BOTH)]


async def confirm(request: Request) -> Response:
    """Ask for the strongest factor held, and check it through the same guesses as the sign-in."""
    site, session = site_of(request), session_of(request)
    strongest = await site.db.read(lambda connection: fresh.strongest(connection, session))
    if request.method == "GET":
        query = read_query(request)
        return await _show(request, strongest.methods, _method(query.one("method"), strongest.methods), query.one("to"))
    form = await read_form(request)
    method, to = _method(form.needed("method"), strongest.methods), form.one("to")
    typed = form.one(_FIELDS[method])
    if not typed.strip():
        return await _show(request, strongest.methods, method, to, field_error=_EMPTY[method]())
    organization = await load_organization(request)
    result = await fresh.confirm(site, session, method, typed, caller_of(request))
    match result:
        case fresh.Proved(handle):
            put_cookie(request, Cookie.SESSION, handle)
            return redirect(own_page(to))
        case fresh.NotProved(reason):
            sentence = said(reason, organization.user_label)
            return await _show(request, strongest.methods, method, to, field_error=sentence)
        case fresh.NotLooked(why):
            sentence = not_looked(why, site.clock(), organization)
            return await _show(request, strongest.methods, method, to, error=sentence)
        case _:
            assert_never(result)


def _method(asked: str, methods: tuple[Method, ...]) -> Method:
    """Give the method that was asked for if it is among the strongest held, else the first of those."""
    if not asked:
        return methods[0]
    try:
        wanted = Method(asked)
    except ValueError as unknown:
        raise BadInput("the method is not known") from unknown
    return wanted if wanted in methods else methods[0]


async def _show(
    request: Request,
    methods: tuple[Method, ...],
    method: Method,
    to: str,
    *,
    error: str | None = None,
    field_error: str | None = None,
) -> Response:
    values = {
        "current": "security",
        "to": own_page(to),
        "method": method.value,
        "others": [other.value for other in methods if other is not method],
        "error": error,
        "field_error": field_error,
    }
    return await render(request, "portal/confirm.html", values, status=422 if error or field_error else 200)
