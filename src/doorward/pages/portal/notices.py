"""What is said at the top of the page that follows an action: named in the address, written here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from doorward.web.texts import _, marked

_SAID: Final = {
    "added": marked("Your authenticator app is set up."),
    "replaced": marked("Your authenticator app was replaced. The codes of the old one no longer work."),
    "removed": marked("The authenticator app was removed."),
    "password": marked("Password changed. You were signed out everywhere else."),
    "ended": marked("That browser is signed out."),
    "ended-others": marked("You are signed out everywhere else."),
    "saved": marked("Your profile is saved."),
    "phone": marked("Your phone number is saved."),
}
_LOST: Final = {
    "gone": marked("That set-up took too long and was ended. Start it again."),
    "full": marked("You have as many authenticator apps as you may. Remove one first."),
    "last": marked("The last method can be replaced, not removed, while a second step is required."),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A message: `kind` is ok or warn."""

    kind: str
    text: str


def notice_of(done: str) -> Notice | None:
    """Give the message that `done` names; anything else is no message, so that an address cannot say what it likes."""
    if done in _SAID:
        return Notice("ok", _(_SAID[done]))
    return Notice("warn", _(_LOST[done])) if done in _LOST else None
