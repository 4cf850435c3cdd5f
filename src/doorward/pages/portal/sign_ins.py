"""How recent sign-ins are told to the person they belong to: from an audit entry to a line of words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from doorward.audit import Entry, Json, Outcome
from doorward.clock import Instant
from doorward.signin import Method
from doorward.signin.flow import Said
from doorward.web.texts import _, marked

_METHODS: Final[Mapping[str, str]] = {
    Method.PASSWORD.value: marked("password"),
    Method.TOTP.value: marked("authenticator app"),
    Method.RECOVERY_CODE.value: marked("recovery code"),
}
_TITLES: Final[Mapping[str, str]] = {
    Said.WRONG.value: marked("Wrong password"),
    Said.CODE_WRONG.value: marked("Wrong code"),
    Said.CODE_EXPIRED.value: marked("Code expired"),
    Said.CODE_EXPIRED_AGAIN.value: marked("Code expired"),
    Said.CODE_USED.value: marked("Code used again"),
    Said.RECOVERY_WRONG.value: marked("Wrong recovery code"),
    Said.RECOVERY_USED.value: marked("Recovery code used again"),
    Said.PAUSED.value: marked("Paused"),
    Said.SUSPENDED.value: marked("Suspended"),
}
_MILD: Final = frozenset({Said.CODE_EXPIRED.value, Said.CODE_EXPIRED_AGAIN.value, Said.CODE_USED.value})


@dataclass(frozen=True, slots=True)
class SignInLine:
    """One sign-in as a line. `tone` is ok, warn or bad."""

    at: Instant
    tone: str
    title: str
    line: str


def told(entries: Sequence[Entry]) -> list[SignInLine]:
    """Tell entries of the audit log, newest first as they come."""
    return [_line(entry) for entry in entries]


def _line(entry: Entry) -> SignInLine:
    event = entry.event
    place = _("from {address}").format(address=event.caller.address)
    if event.outcome is Outcome.SUCCESS:
        named = [_(_METHODS[method]) for method in _methods(event.details) if method in _METHODS]
        how = _(", then ").join(named)
        return SignInLine(
            entry.at, "ok", _("Signed in"), f"{how[:1].upper()}{how[1:]}, {place}" if how else _upper(place)
        )
    reason = event.reason or ""
    tone = "warn" if reason in _MILD else "bad"
    return SignInLine(entry.at, tone, _(_TITLES.get(reason, marked("Turned away"))), _upper(place))


def _methods(details: Mapping[str, Json]) -> list[str]:
    methods = details.get("methods")
    return [str(each) for each in methods] if isinstance(methods, list) else []


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
