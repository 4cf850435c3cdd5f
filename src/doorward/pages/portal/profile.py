"""The profile: name, phone, language, theme and the search key. Username and mail address are shown, never taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.audit import Actor
from doorward.directory import BadName, Person, Theme, change_person, person
from doorward.pages.portal.freshness import unproved
from doorward.pages.portal.notices import notice_of
from doorward.pages.portal.routing import BOTH, portal_page
from doorward.web import (
    BadInput,
    Cookie,
    caller_of,
    drop_cookie,
    put_cookie,
    read_form,
    read_query,
    redirect,
    render,
    session_of,
    site_of,
)
from doorward.web.texts import _

_Edit: TypeAlias = Callable[[Person], Person]

_HERE: Final = "/profile"
_PHONE: Final = "/profile/phone"
_NUMBER: Final = re.compile(r"\+?[0-9 ().\-/]{3,40}")
_OWN: Final = re.compile(r"/(?:(?:security|profile)(?:/[a-z-]{1,40})?)?")

LOCALES: Final = (
    ("ar", "العربية"),
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("en-GB", "English (United Kingdom)"),
    ("en-US", "English (United States)"),
    ("es", "Español"),
    ("fi", "Suomi"),
    ("fr", "Français"),
    ("he", "עברית"),
    ("hu", "Magyar"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("nb", "Norsk bokmål"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("pt-BR", "Português (Brasil)"),
    ("ro", "Română"),
    ("sv", "Svenska"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("zh-Hans", "简体中文"),
    ("zh-Hant", "繁體中文"),
)


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form of the profile holds."""

    name: str
    locale: str
    theme: Theme
    search_key: bool


def routes() -> list[BaseRoute]:
    """List the addresses of this file."""
    return [
        portal_page(_HERE, profile, methods=BOTH),
        portal_page("/profile/theme", theme, methods=("POST",)),
        portal_page(_PHONE, phone, methods=BOTH),
    ]


async def profile(request: Request) -> Response:
    """Show the profile and save what may be changed in it; any other field of the form is no field here."""
    who = session_of(request).person
    if request.method == "GET":
        return await _show(request, Typed(who.name, who.locale or "", who.theme, who.search_key), None)
    form = await read_form(request)
    typed = Typed(form.one("name"), form.one("locale"), _theme(form.needed("theme")), form.one("search_key") == "yes")
    if typed.locale and typed.locale != who.locale and typed.locale not in dict(LOCALES):
        raise BadInput("the language is not on the list")
    if not typed.name.strip():
        return await _show(request, typed, _("Enter your name."))
    try:
        await _save(request, typed)
    except BadName:
        return await _show(request, typed, _("That name is too long or has a character that cannot be shown."))
    _keep_theme(request, typed.theme)
    return redirect(f"{_HERE}?done=saved")


async def theme(request: Request) -> Response:
    """Choose a theme from the menu, and go on where one was."""
    form = await read_form(request)
    chosen, to = _theme(form.needed("theme")), form.one("to")
    await _change(request, lambda who: replace(who, theme=chosen))
    _keep_theme(request, chosen)
    return redirect(to if _OWN.fullmatch(to) else "/")


async def phone(request: Request) -> Response:
    """Change the phone number: a fresh proof first (SE-11)."""
    asked = await unproved(request, _PHONE)
    if asked is not None:
        return asked
    if request.method == "GET":
        values = {"current": "profile", "phone": session_of(request).person.phone or ""}
        return await render(request, "portal/phone.html", values)
    number = (await read_form(request)).one("phone").strip()
    if number and _NUMBER.fullmatch(number) is None:
        error = _("Enter a phone number: digits, with spaces and a + in front if you like.")
        values = {"current": "profile", "phone": number[:64], "field_error": error}
        return await render(request, "portal/phone.html", values, status=422)
    await _change(request, lambda who: replace(who, phone=number or None))
    return redirect(f"{_HERE}?done=phone")


async def _save(request: Request, typed: Typed) -> None:
    await _change(
        request,
        lambda who: replace(
            who, name=typed.name, locale=typed.locale or None, theme=typed.theme, search_key=typed.search_key
        ),
    )


async def _change(request: Request, edited: _Edit) -> None:
    """Write what `edited` makes of the person as they are now, not as they were when the page was shown."""
    session, site, caller = session_of(request), site_of(request), caller_of(request)
    now = site.clock()

    def work(connection: Connection) -> None:
        who = person(connection, session.person.id)
        if who is not None:
            change_person(connection, edited(who), Actor.person(who.id), caller, now)

    await site.db.write(work)


async def _show(request: Request, typed: Typed, name_error: str | None) -> Response:
    who = session_of(request).person
    locales = LOCALES
    if who.locale and who.locale not in dict(LOCALES):
        locales = (*LOCALES, (who.locale, who.locale))
    values = {
        "current": "profile",
        "form": typed,
        "locales": locales,
        "name_error": name_error,
        "notice": notice_of(read_query(request).one("done")),
    }
    return await render(request, "portal/profile.html", values, status=422 if name_error else 200)


def _theme(value: str) -> Theme:
    try:
        return Theme(value)
    except ValueError as unknown:
        raise BadInput("the theme is not known") from unknown


def _keep_theme(request: Request, chosen: Theme) -> None:
    """Let the browser tell the theme with each request, so that a page is drawn right before anybody is known."""
    if chosen is Theme.SYSTEM:
        drop_cookie(request, Cookie.THEME)
    else:
        put_cookie(request, Cookie.THEME, chosen.value)
