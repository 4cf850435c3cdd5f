"""From refusals to answers: pages with a reference that finds the same request in the log and in the audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorward.web.refusals import Refusal, SsoRefusal
from doorward.web.rendering import organization_of, render
from doorward.web.texts import _
from doorward.web.tiles import app_mark
from doorward.web.visit import path_of, visit_of

_RETRY_SECONDS: Final = "30"


async def refuse(request: Request, refusal: Refusal, *, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with the page of a refusal. Software that asks for JSON gets the same as problem details (RFC 9457)."""
    wording = refusal.wording
    visit = visit_of(request)
    if _wants_json(visit.header(b"accept")):
        problem = {
            "title": wording.title,
            "status": wording.status,
            "code": refusal.value,
            "reference": visit.reference,
        }
        answer: Response = JSONResponse(problem, wording.status, media_type="application/problem+json")
        answer.headers["cache-control"] = "no-store"
    else:
        template = "signin/no_cookie.html" if refusal is Refusal.NO_COOKIE else "errors/page.html"
        path = path_of(request)
        is_admin = path == "/admin" or path.startswith("/admin/")
        answer = await render(
            request,
            template,
            {"wording": wording, "code": refusal.value, "audience": "admin" if is_admin else "person"},
            status=wording.status,
        )
    if refusal is Refusal.STORAGE_AWAY:
        answer.headers["retry-after"] = _RETRY_SECONDS
    for name, value in (headers or {}).items():
        answer.headers[name] = value
    return answer


class Named(Protocol):
    """What the page needs of an application."""

    @property
    def name(self) -> str:
        """The name that people read."""
        ...

    @property
    def slug(self) -> str:
        """The name that its tint is chosen by."""
        ...


async def sso_error(
    request: Request, code: SsoRefusal, app: Named | None = None, details: Mapping[str, str] | None = None
) -> Response:
    """Answer that an application could not be opened (look/17). It never leads to an address that is not registered.

    `details` are the lines under 'Details for administrators': protocol names and codes, no secrets.
    """
    contact = organization_of(visit_of(request)).support.contact
    name = app.name if app is not None else _("the application")
    filled = {"app": name, "contact": contact}
    return await render(
        request,
        "errors/sso.html",
        {
            "app": None if app is None else app_mark(app.name, app.slug),
            "sentence": _(code.wording.sentence).format(**filled),
            "advice": _(code.wording.advice).format(**filled),
            "code": code.value,
            "details": {**(details or {})},
        },
        status=code.wording.status,
    )


def _wants_json(accept: str) -> bool:
    return "json" in accept and "text/html" not in accept
