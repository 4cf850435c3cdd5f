"""Every page of the sign-in and of refusals with sample values, behind the real edge, guards and renderer.

`python tests/support/gallery.py DATA PORT` serves them at `/sample/<name>` to look at; tests start it on a free port.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward import server
from doorward.clock import MINUTE, system_clock
from doorward.deployment import Deployment, load
from doorward.organization import Organization, Support, create
from doorward.pages import sentences
from doorward.signin.flow import Said
from doorward.web import Guard, Refusal, Refused, SsoRefusal, app_mark, page, render, site_of, sso_error
from doorward.web.qr import qr_svg

ACME = Organization(
    "Acme",
    domains=("acme.example",),
    support=Support("Acme IT", "help@acme.example", "+1 202 555 0148", "https://help.acme.example"),
)
LONG = Organization(
    "Norddeutsche Gesellschaft für Versicherungsmathematik und Rückversicherung",
    support=Support("Die Abteilung für Informationstechnik in Lüneburg-Mitte", "informationstechnik@lueneburg.example"),
)
WIKI = app_mark("Wiki", "wiki")
LONG_NAME = "maximiliane.von-und-zu-hohenlohe-langenburg-schillingsfuerst@rueckversicherung.example"
_KEY = "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"
_CODES = ("7KQ4-M2XF-9PDW-3HTR", "X5NB-8VLC-2GJY-6ZKS", "HR3T-Q9MW-4BVX-L7PD", "N8CF-5YGK-W6ZS-J2QH") * 2
_ATTEMPTS = "That code is not right. You have 2 attempts left before sign-in is paused."


def _said(what: Said) -> str:
    return sentences.said(what, contact="Acme IT", label="Acme User")


@dataclass(frozen=True, slots=True)
class Sample:
    """A page of the gallery: its template and what the sign-in would hand to it."""

    template: str
    values: Mapping[str, object]
    status: int = 200


def _totp(*, last: bool = False) -> dict[str, object]:
    line = "6-digit code for Acme User"
    return {"kind": "totp", "id": "totp", "name": "Authenticator app", "line": line, "last_used": last}


def _recovery() -> dict[str, object]:
    line = "Use one of the codes you saved"
    return {"kind": "recovery_code", "id": "recovery_code", "name": "Recovery code", "line": line, "last_used": False}


_COMMON: dict[str, object] = {"audience": "person", "base": "/login", "app": None, "tx": "0199", "who": "alice"}
_ADMIN: dict[str, object] = {**_COMMON, "audience": "admin", "base": "/admin/login", "who": "root@acme.example"}
_CODE: dict[str, object] = {"label": "Acme User", "period": 60, "seconds_left": 42, "attempts_left": None}
_NAME: dict[str, object] = {"typed": "", "to": "", "tx": ""}
_NEW: dict[str, object] = {"least": 12, "reason": _said(Said.PASSWORD_EXPIRED)}
_SET_UP: dict[str, object] = {
    "qr_svg": Markup(  # noqa: S704 - made by us
        qr_svg("otpauth://totp/Acme%20User:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Acme%20User")
    ),
    "key": _KEY,
    "label": "Acme User",
    "days_left": 5,
    "forced": False,
}

SAMPLES: dict[str, Sample] = {
    "01-username": Sample("signin/username.html", _COMMON | _NAME),
    "01b-for-app": Sample(
        "signin/username.html", _COMMON | _NAME | {"app": WIKI, "field_error": sentences.username_empty()}, 422
    ),
    "01c-admin": Sample("signin/username.html", _ADMIN | _NAME),
    "02-password": Sample("signin/password.html", _COMMON),
    "02b-password-error": Sample("signin/password.html", _COMMON | {"error": _said(Said.WRONG)}, 422),
    "02d-password-empty": Sample("signin/password.html", _COMMON | {"field_error": sentences.password_empty()}, 422),
    "02c-new-password": Sample("signin/new_password.html", _COMMON | _NEW),
    "02e-new-password-error": Sample(
        "signin/new_password.html", _COMMON | _NEW | {"field_error": "That password is too short."}, 422
    ),
    "03-choose": Sample("signin/choose.html", _COMMON | {"methods": [_totp(last=True), _recovery()]}),
    "04-code": Sample("signin/code.html", _COMMON | _CODE),
    "04b-code-error": Sample(
        "signin/code.html", _COMMON | _CODE | {"error": _said(Said.CODE_EXPIRED), "seconds_left": 55}, 422
    ),
    "04c-code-attempts": Sample("signin/code.html", _COMMON | _CODE | {"error": _ATTEMPTS, "seconds_left": 7}, 422),
    "04d-code-empty": Sample("signin/code.html", _COMMON | _CODE | {"field_error": sentences.code_empty()}, 422),
    "04e-recovery": Sample("signin/recovery.html", _COMMON),
    "04f-recovery-error": Sample("signin/recovery.html", _COMMON | {"error": _said(Said.RECOVERY_WRONG)}, 422),
    "06-paused": Sample(
        "signin/paused.html",
        _COMMON | {"until_instant": system_clock() + 15 * MINUTE, "minutes": 15, "admin": False},
        429,
    ),
    "06b-paused-until-admin": Sample(
        "signin/paused.html", _COMMON | {"until_instant": None, "minutes": 1, "admin": False}, 429
    ),
    "07-set-up": Sample("signin/set_up.html", _COMMON | _SET_UP),
    "07a-set-up-forced": Sample(
        "signin/set_up.html",
        _COMMON | _SET_UP | {"days_left": None, "forced": True, "error": _said(Said.SET_UP_OVER)},
    ),
    "07b-recovery-codes": Sample("signin/recovery_codes.html", _COMMON | {"codes": (*_CODES, *_CODES[:2])}),
    "17b-timed-out": Sample("signin/timed_out.html", _COMMON | {"app": WIKI, "error": sentences.too_old("Wiki")}, 410),
    "18-no-cookie": Sample("signin/no_cookie.html", _COMMON, 400),
    "19-ended": Sample("signin/ended.html", _COMMON | {"error": _said(Said.TOO_MANY_CODES)}, 403),
    "20-signed-out": Sample("signin/signed_out.html", _COMMON | {"apps": ["Wiki", "Board"]}),
    "21-logout": Sample("signin/logout.html", _COMMON),
}
REFUSALS = {f"30-{each.value}": each for each in Refusal}
NAMES = (*SAMPLES, "17-sso-error", "17c-sso-unknown", *REFUSALS)


async def sample(request: Request) -> Response:
    """Answer with the page that the address names."""
    name = str(request.path_params["name"])
    if name in REFUSALS:
        raise Refused(REFUSALS[name])
    if name == "17-sso-error":
        return await sso_error(request, SsoRefusal.NOT_ASSIGNED, WIKI, {"Application": "wiki", "Entity ID": "urn:wiki"})
    if name == "17c-sso-unknown":
        return await sso_error(request, SsoRefusal.APP_UNKNOWN)
    if name not in SAMPLES:
        raise Refused(Refusal.NOT_FOUND)
    shown = SAMPLES[name]
    values = dict(shown.values)
    if request.query_params.get("long"):
        values |= {key: LONG_NAME for key in ("who", "label") if key in values}
    return await render(request, shown.template, values, status=shown.status)


async def taken(request: Request) -> Response:
    """Take any form of the samples, so that pressing a button leads somewhere."""
    return await render(request, "signin/logout.html", {"base": str(site_of(request).deployment.base_url)})


def gallery(deployment: Deployment, organization: Organization = ACME) -> Starlette:
    """Compose the gallery: the real server with the samples in front of its pages."""
    routes: list[BaseRoute] = [page("/sample/{name}", sample, guard=Guard.PUBLIC)]
    app = server.create_app(deployment)
    app.router.routes[:0] = routes
    lifespan = app.router.lifespan_context

    app.router.lifespan_context = _founded(lifespan, organization)
    return app


def _founded(lifespan, organization):  # noqa: ANN001, ANN202 - Starlette's own type is long
    from contextlib import asynccontextmanager  # noqa: PLC0415

    @asynccontextmanager
    async def founded(app: Starlette):  # noqa: ANN202
        async with lifespan(app) as state:
            site = app.state.site
            await site.db.write(lambda c: create(c, organization, site.clock()))
            yield state

    return founded


@contextmanager
def running_gallery(folder: Path, organization: Organization = ACME, *, demo: bool = False) -> Iterator[str]:
    """Serve the gallery from a thread on a free port; gives its base URL."""
    from support.ports import free_port  # noqa: PLC0415

    deployment = load({"data": str(folder), "port": str(free_port()), "log_format": "json"}, {})
    deployment = replace(deployment, demo=demo)
    config = uvicorn.Config(gallery(deployment, organization), host="127.0.0.1", port=deployment.port, log_config=None)
    served = uvicorn.Server(config)
    thread = threading.Thread(target=served.run)
    thread.start()
    try:
        while not served.started:
            if not thread.is_alive():
                raise RuntimeError("the gallery did not start")
            thread.join(0.02)
        yield deployment.base_url
    finally:
        served.should_exit = True
        thread.join()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    shown = load({"data": sys.argv[1], "port": sys.argv[2]}, {})
    uvicorn.run(gallery(shown), host="127.0.0.1", port=shown.port, log_config=None)
