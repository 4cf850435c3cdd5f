"""The page of each stage of a sign-in. Templates get finished values; what may be shown was decided in `signin`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from doorward.clock import MINUTE, NEVER, SECOND, Instant, units_until
from doorward.pages import sentences
from doorward.signin import Audience, Heading, Method
from doorward.signin.answers import Shown
from doorward.signin.factors import Held as HeldFactor
from doorward.signin.factors import authenticator, totp
from doorward.signin.flow import Said, Stage
from doorward.signin.passwords import least_length
from doorward.signin.policy import mfa_required
from doorward.signin.transaction import TimedOut, Transaction
from doorward.web import app_mark, render, site_of
from doorward.web.qr import qr_svg
from doorward.web.texts import _
from doorward.web.visit import visit_of

_FIELD_ERRORS = frozenset({Said.CODE_MALFORMED})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a form, or why nothing was looked at; `is_field` shows it under the field."""

    sentence: str
    status: int
    is_field: bool = False
    retry_after: int | None = None


async def username(
    request: Request,
    audience: Audience,
    base: str,
    *,
    typed: str,
    to: str,
    tx: str = "",
    heading: Heading | None = None,
    field_error: str | None = None,
    status: int = 200,
) -> Response:
    """Show the first page: a name and Continue."""
    values = _common(audience, base, heading or Heading())
    values |= {"typed": typed, "to": to, "tx": tx, "field_error": field_error}
    return await render(request, "signin/username.html", values, status=status, form_action=_leads_to(heading))


async def username_of(request: Request, audience: Audience, base: str, transaction: Transaction) -> Response:
    """Show the name of a sign-in under way again, to change it."""
    typed = transaction.state.typed
    return await username(request, audience, base, typed=typed, to="", tx=transaction.id, heading=transaction.heading)


async def stage(
    request: Request, audience: Audience, base: str, shown: Shown, problem: Problem | None = None
) -> Response:
    """Show the page of the stage that a sign-in stands at, with what there is to tell."""
    heading, state = shown.transaction.heading, shown.transaction.state
    values = _common(audience, base, heading) | {"tx": shown.transaction.id, "who": state.typed}
    status = 200
    if problem is not None:
        values["field_error" if problem.is_field else "error"] = problem.sentence
        status = problem.status
    elif shown.said is not None:
        sentence = _sentence(shown, shown.said)
        values["field_error" if shown.said in _FIELD_ERRORS else "error"] = sentence
        status = 200 if shown.said in {Said.SET_UP_OVER, Said.PASSWORD_EXPIRED} else 422
    match state.stage:
        case Stage.USERNAME:
            values |= {"typed": state.typed, "to": ""}
            template = "signin/username.html"
        case Stage.PASSWORD:
            template = "signin/password.html"
        case Stage.CHOOSE:
            values["methods"] = _methods(shown)
            template = "signin/choose.html"
        case Stage.CODE:
            values |= _code(shown, site_of(request).clock())
            template = "signin/code.html"
        case Stage.RECOVERY:
            template = "signin/recovery.html"
        case Stage.SET_UP:
            if shown.pending is None:
                return await timed_out(request, audience, base, TimedOut(shown.transaction.id, heading))
            values |= _set_up(shown)
            template = "signin/set_up.html"
        case Stage.RECOVERY_CODES:
            values["codes"] = shown.codes
            template = "signin/recovery_codes.html"
        case Stage.NEW_PASSWORD:
            values |= _new_password(shown, audience)
            status = 422 if shown.fault is not None else status
            template = "signin/new_password.html"
        case Stage.ENDED | Stage.DONE:
            status = 403 if state.stage is Stage.ENDED else 200
            template = "signin/ended.html"
    response = await render(request, template, values, status=status, form_action=heading.leads_to)
    if problem is not None and problem.retry_after is not None:
        response.headers["retry-after"] = str(problem.retry_after)
    return response


async def paused(request: Request, audience: Audience, base: str, transaction: Transaction, until: Instant) -> Response:
    """Show that sign-in with this name is paused: the same for a name that nobody has."""
    now = site_of(request).clock()
    values = _common(audience, base, transaction.heading) | {
        "who": transaction.state.typed,
        "until_instant": None if until >= NEVER else until,
        "minutes": units_until(until, now, MINUTE),
        "admin": audience is Audience.ADMIN,
        "reference": visit_of(request).reference,
    }
    response = await render(request, "signin/paused.html", values, status=429)
    if until < NEVER:
        response.headers["retry-after"] = str(units_until(until, now, SECOND))
    return response


async def timed_out(request: Request, audience: Audience, base: str, ended: TimedOut | None) -> Response:
    """Show that a sign-in is over; one button starts again, still heading to the application."""
    heading = ended.heading if ended else Heading()
    values = _common(audience, base, heading) | {
        "tx": ended.id if ended else "",
        "error": sentences.too_old(heading.app_name),
    }
    return await render(request, "signin/timed_out.html", values, status=410, form_action=heading.leads_to)


async def no_cookie(request: Request, audience: Audience, base: str) -> Response:
    """Show that the browser did not send our cookie."""
    host = urlsplit(site_of(request).deployment.base_url).netloc
    values = _common(audience, base, Heading()) | {"host": host}
    return await render(request, "signin/no_cookie.html", values, status=400)


def _common(audience: Audience, base: str, heading: Heading) -> dict[str, object]:
    app = None
    if heading.app_name is not None and heading.app_slug is not None:
        app = app_mark(heading.app_name, heading.app_slug)
    return {"audience": audience.value, "base": base, "app": app}


def _leads_to(heading: Heading | None) -> Sequence[str]:
    return heading.leads_to if heading else ()


def _sentence(shown: Shown, what: Said) -> str:
    contact = shown.organization.support.contact
    return sentences.said(what, contact=contact, label=shown.label, attempts_left=shown.attempts_left)


def _methods(shown: Shown) -> list[dict[str, object]]:
    """One row for each kind of method that is set up, the last used first."""
    first: dict[Method, HeldFactor] = {}
    for held in shown.factors.held:
        first.setdefault(held.method, held)
    used = [held for held in first.values() if held.last_used_at is not None]
    last = max(used, key=lambda held: held.last_used_at or 0).method if used else None
    rows = sorted(first, key=lambda method: method is not last)
    return [_method_row(method, shown.label, is_last=method is last) for method in rows]


def _method_row(method: Method, label: str, *, is_last: bool) -> dict[str, object]:
    if method is Method.RECOVERY_CODE:
        name, line = _("Recovery code"), _("Use one of the codes you saved")
    else:
        name, line = _("Authenticator app"), _("6-digit code for {label}").format(label=label)
    return {"kind": method.value, "id": method.value, "name": name, "line": line, "last_used": is_last}


def _code(shown: Shown, now: Instant) -> dict[str, object]:
    apps = [held for held in shown.factors.held if held.method is Method.TOTP]
    period = (apps[0].period_seconds if apps else None) or shown.organization.settings.totp.period_seconds
    drift = apps[0].drift_steps if apps else 0
    seconds = totp.seconds_left(now, period, drift)
    return {
        "label": shown.label,
        "period": period,
        "seconds_left": seconds,
    }


def _set_up(shown: Shown) -> dict[str, object]:
    pending = shown.pending
    secret = authenticator.base32(pending.seed) if pending else ""
    period = shown.organization.settings.totp.period_seconds
    uri = totp.key_uri(shown.label, shown.account_name, secret, period)
    return {
        "qr_svg": Markup(qr_svg(uri)),  # noqa: S704 - made by us, of squares alone
        "key": totp.in_fours(secret),
        "label": shown.label,
        "days_left": shown.transaction.state.may_wait_days or None,
    }


def _new_password(shown: Shown, audience: Audience) -> dict[str, object]:
    settings = shown.organization.settings
    least = least_length(settings.password, mfa_always=mfa_required(audience, settings, None))
    values: dict[str, object] = {"least": least, "reason": _sentence(shown, Said.PASSWORD_EXPIRED)}
    if shown.fault is not None:
        values["field_error"] = sentences.fault(shown.fault, least=least)
    return values
