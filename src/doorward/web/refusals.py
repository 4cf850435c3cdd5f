"""Every way in which a request of a browser is turned away, declared once: status, what happened, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from doorward.web.texts import marked


@dataclass(frozen=True, slots=True)
class Wording:
    """What the page of a refusal says. `{contact}` and `{host}` are filled in when it is shown."""

    status: int
    title: str
    sentence: str
    advice: str = ""


class Refusal(Enum):
    """The refusals; the value is the stable name that the log and the audit carry."""

    BAD_INPUT = "bad_input"
    CROSS_SITE = "cross_site"
    STALE_PAGE = "stale_page"
    NO_COOKIE = "no_cookie"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD = "method_not_allowed"
    TOO_LARGE = "too_large"
    TOO_LONG = "too_long"
    WRONG_TYPE = "wrong_type"
    WRONG_HOST = "wrong_host"
    INTERNAL = "internal"
    STORAGE_AWAY = "storage_away"

    @property
    def wording(self) -> Wording:
        """What the page says."""
        return _WORDINGS[self]


_BACK = marked("Go back, load the page again and try once more.")

_WORDINGS: dict[Refusal, Wording] = {
    Refusal.BAD_INPUT: Wording(
        400, marked("This request could not be read"), marked("A part of it was missing, doubled or damaged."), _BACK
    ),
    Refusal.CROSS_SITE: Wording(
        403,
        marked("This request came from another site"),
        marked("For your safety nothing was changed."),
        marked("If you wanted this, open the page here and do it again."),
    ),
    Refusal.STALE_PAGE: Wording(
        403, marked("This page is out of date"), marked("For your safety nothing was changed."), _BACK
    ),
    Refusal.NO_COOKIE: Wording(
        400,
        marked("A cookie is missing"),
        marked("Your browser did not send our cookie. Allow cookies for {host}, then start again."),
    ),
    Refusal.FORBIDDEN: Wording(
        403,
        marked("This is not open to you"),
        marked("Your account is fine and you are still signed in."),
        marked("If you need this page, ask {contact}."),
    ),
    Refusal.NOT_FOUND: Wording(
        404,
        marked("There is no page here"),
        marked("The address may be mistyped, or the page has moved."),
        marked("Your apps are one step away."),
    ),
    Refusal.METHOD: Wording(405, marked("This page cannot be used in this way"), marked("Nothing was changed."), _BACK),
    Refusal.TOO_LARGE: Wording(
        413, marked("That was too much at once"), marked("Nothing was changed."), marked("Send less and try again.")
    ),
    Refusal.TOO_LONG: Wording(414, marked("That address is too long"), marked("Nothing was changed."), _BACK),
    Refusal.WRONG_TYPE: Wording(
        415, marked("This form was sent in a way we do not read"), marked("Nothing was changed."), _BACK
    ),
    Refusal.WRONG_HOST: Wording(
        421,
        marked("This is not our address"),
        marked("Nothing was changed."),
        marked("Open {host} and try again."),
    ),
    Refusal.INTERNAL: Wording(
        500,
        marked("Something went wrong here"),
        marked("It is not your fault, and it has been noted."),
        marked("Try again in a minute. If it happens again, give the reference to {contact}."),
    ),
    Refusal.STORAGE_AWAY: Wording(
        503,
        marked("Please wait a minute"),
        marked("Sign-in is not available at the moment. Nothing is wrong with your account. Try again in a minute."),
    ),
}


class SsoRefusal(Enum):
    """Why an application could not be opened; the value is the stable name that log and audit carry."""

    NOT_ASSIGNED = "not_assigned"
    APP_UNKNOWN = "app_unknown"
    APP_OFF = "app_off"
    NO_START = "no_start"
    REQUEST_INVALID = "request_invalid"
    REPLAYED = "replayed"
    EXPIRED = "expired"

    @property
    def wording(self) -> SsoWording:
        """What the page says."""
        return _SSO_WORDINGS[self]


@dataclass(frozen=True, slots=True)
class SsoWording:
    """What the page of a failed launch says. `{app}` and `{contact}` are filled in when it is shown."""

    status: int
    sentence: str
    advice: str


_SSO_WORDINGS: dict[SsoRefusal, SsoWording] = {
    SsoRefusal.NOT_ASSIGNED: SsoWording(
        403,
        marked("Your account is fine and you are still signed in. {app} has not been given to you yet."),
        marked("Ask {contact} to add you to the group for {app}"),
    ),
    SsoRefusal.APP_UNKNOWN: SsoWording(
        400,
        marked("The request came from an application that is not known here."),
        marked("Ask {contact} to add the application"),
    ),
    SsoRefusal.APP_OFF: SsoWording(
        403,
        marked("Your account is fine. {app} is switched off at the moment."),
        marked("Ask {contact} when {app} comes back"),
    ),
    SsoRefusal.NO_START: SsoWording(
        404,
        marked("Your account is fine. {app} has no address at which it can be opened from here."),
        marked("Open {app} by its own address, or ask {contact}"),
    ),
    SsoRefusal.REQUEST_INVALID: SsoWording(
        400,
        marked("{app} sent a request that could not be checked."),
        marked("Go back to {app} and start again. If it happens again, tell {contact}"),
    ),
    SsoRefusal.REPLAYED: SsoWording(
        400,
        marked("This request was used already. Go back to {app} and start again."),
        marked("Go back to {app} and start again"),
    ),
    SsoRefusal.EXPIRED: SsoWording(
        400,
        marked("This sign-in took too long and was ended. Go back to {app} and start again."),
        marked("Go back to {app} and start again"),
    ),
}


class Refused(Exception):
    """A request is turned away. Raised by guards and readers of input; the edge makes the page of it."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        """Refuse; `detail` is for the log alone."""
        super().__init__(detail or refusal.value)
        self.refusal = refusal


class BadInput(Refused):
    """What a client sent cannot be read or is not what was asked for: a 4xx page, and nothing was changed."""

    def __init__(self, detail: str, refusal: Refusal = Refusal.BAD_INPUT) -> None:
        """Refuse the input; `detail` is for the log alone and holds nothing that was typed."""
        super().__init__(refusal, detail)
