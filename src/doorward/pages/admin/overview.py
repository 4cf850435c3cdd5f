# Security: an administrator opens paused names here (tests/pages/test_admin.py).
"""The page an administrator lands on: who is paused, with Unlock, and the attempt settings as sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.audit import Actor, Event, Outcome, record
from doorward.clock import NEVER, Instant
from doorward.directory import Admin, Role
from doorward.organization import Settings
from doorward.organization.settings import declared, sentence, value_of
from doorward.signin import Audience, accounts
from doorward.signin.accounts import PausedName
from doorward.signin.policy import may_unlock
from doorward.web import (
    BadInput,
    Guard,
    Refusal,
    Refused,
    admin_of,
    caller_of,
    load_organization,
    page,
    read_form,
    read_query,
    redirect,
    render,
    site_of,
)
from doorward.web.texts import _, marked

_HERE: Final = "/admin"
_EXPLAINED: Final = ("lockout.", "mfa.required", "mfa.enrolment_days")
_ROLES: Final[Mapping[Role, str]] = {
    Role.OWNER: marked("Owner"),
    Role.ADMINISTRATOR: marked("Administrator"),
    Role.HELP_DESK: marked("Help desk"),
    Role.AUDITOR: marked("Auditor"),
}


@dataclass(frozen=True, slots=True)
class PausedRow:
    """An account with which sign-in is paused. `until` is None where only an administrator opens it."""

    id: str
    audience: Audience
    name: str
    login: str
    until: Instant | None
    failed_at: Instant
    may_unlock: bool

    @property
    def is_admin(self) -> bool:
        """Whether it is an administrator's account."""
        return self.audience is Audience.ADMIN


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said at the top of the page that follows an action."""

    kind: str
    text: str


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [
        page(_HERE, show, guard=Guard.ADMIN),
        page("/admin/unlock", unlock, guard=Guard.ADMIN, methods=("POST",)),
    ]


async def show(request: Request) -> Response:
    """Show who is paused and what the settings mean."""
    admin, site = admin_of(request).admin, site_of(request)
    now, done = site.clock(), read_query(request).one("done")

    def work(connection: Connection) -> list[PausedName]:
        return [*(name for audience in Audience for name in accounts.paused_names(connection, audience, now))]

    paused = sorted(await site.db.read(work), key=lambda each: -each.failed_at)
    settings = (await load_organization(request)).settings
    values = {
        "audience": "admin",
        "current": "overview",
        "role": _(_ROLES[admin.role]),
        "paused": [_row(each, admin) for each in paused],
        "sentences": explained(settings),
        "notice": Notice("ok", _("Sign-in is open again.")) if done == "unlocked" else None,
    }
    return await render(request, "admin/overview.html", values)


async def unlock(request: Request) -> Response:
    """Open sign-in with a paused name again, for whom `policy.may_unlock` lets."""
    form = await read_form(request)
    signed, site, caller = admin_of(request), site_of(request), caller_of(request)
    admin, account_id = signed.admin, form.needed("id")
    try:
        audience = Audience(form.needed("kind"))
    except ValueError as unknown:
        raise BadInput("the kind of account is not known") from unknown
    now = site.clock()
    if not may_unlock(admin, audience, account_id):
        event = Event(
            "account.unlocked",
            Outcome.REFUSED,
            Actor.admin(admin.id),
            caller,
            reason="role",
            admin_id=admin.id,
            session_id=signed.id,
        )
        await site.db.write(lambda connection: record(connection, event, now))
        raise Refused(Refusal.FORBIDDEN, "role")

    def work(connection: Connection) -> bool:
        # Only what is on the list: anything else, such as an id that is nobody's, changes and records nothing.
        if account_id not in {each.account_id for each in accounts.paused_names(connection, audience, now)}:
            return False
        accounts.unlock(connection, site.vault, audience, account_id, Actor.admin(admin.id), caller, now)
        return True

    # A pause that has ended meanwhile is as open as it was asked to be.
    await site.db.write(work)
    return redirect(f"{_HERE}?done=unlocked")


def explained(settings: Settings) -> list[str]:
    """Explain the present attempt settings, in the order of the organisation file."""
    return [
        sentence(setting, value_of(settings, setting)) for setting in declared() if setting.path.startswith(_EXPLAINED)
    ]


def _row(paused: PausedName, admin: Admin) -> PausedRow:
    return PausedRow(
        id=paused.account_id,
        audience=paused.audience,
        name=paused.name,
        login=paused.label,
        until=None if paused.until >= NEVER else paused.until,
        failed_at=paused.failed_at,
        may_unlock=may_unlock(admin, paused.audience, paused.account_id),
    )
