"""Every sentence that the sign-in says of what happened, beside the name that the audit log keeps for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from doorward.signin.flow import Said
from doorward.signin.passwords import PasswordFault
from doorward.web.texts import _, counted, marked

_SAID: Final[Mapping[Said, str]] = {
    Said.WRONG: marked("The username or password is not right. Check both and try again."),
    Said.SUSPENDED: marked("Your account is suspended. Ask {contact}."),
    Said.STAGED: marked("Your account is not active yet. Use the link in your invitation, or ask {contact}."),
    Said.PASSWORD_EXPIRED: marked("Your password has expired. Choose a new one to go on."),
    Said.CODE_MALFORMED: marked("The code has 6 digits. Enter all of them."),
    Said.CODE_WRONG: marked("That code is not right. Enter the code that your app shows for {label}."),
    Said.CODE_EXPIRED: marked("That code has expired. Enter the next code your app shows."),
    Said.CODE_EXPIRED_AGAIN: marked(
        "The clock of your phone seems to be off. Set it to automatic, then enter the next code."
    ),
    Said.CODE_USED: marked("That code has been used already. Enter the next code your app shows."),
    Said.RECOVERY_WRONG: marked("That recovery code is not right."),
    Said.RECOVERY_USED: marked("That recovery code has been used already. Enter another one."),
    Said.SET_UP_WRONG: marked(
        "That code does not match. Check that you scanned this QR code, then enter the code shown now."
    ),
    Said.SET_UP_OVER: marked("The days to set up a second step are over. Set one up now to go on."),
    Said.TOO_MANY_CODES: marked("There were too many wrong codes, and this sign-in was ended. Start again."),
    Said.PAUSED: marked("Sign-in with this username is paused. There were too many failed attempts."),
}

_FAULTS: Final[Mapping[PasswordFault, str]] = {
    PasswordFault.EMPTY: marked("Enter your new password."),
    PasswordFault.SHORT: marked("That password is too short. Use at least {least} characters."),
    PasswordFault.LONG: marked("That password is too long. Use at most 1,024 bytes."),
    PasswordFault.COMMON: marked("That password is easy to guess. Choose one that is not on the lists of known ones."),
    PasswordFault.PERSONAL: marked("That password is made of names that others know. Choose something else."),
    PasswordFault.REUSED: marked("You have used that password before. Choose another one."),
}


def said(what: Said, *, contact: str, label: str, attempts_left: int | None = None) -> str:
    """Write what is told of a step."""
    if what is Said.CODE_WRONG and attempts_left is not None:
        sentence = counted(
            "That code is not right. You have {n} attempt left before sign-in is paused.",
            "That code is not right. You have {n} attempts left before sign-in is paused.",
            attempts_left,
        )
        return sentence.format(n=attempts_left)
    return _(_SAID[what]).format(contact=contact, label=label)


def fault(what: PasswordFault, *, least: int) -> str:
    """Write why a new password was refused; `least` is its least length."""
    return _(_FAULTS[what]).format(least=least)


def username_empty() -> str:
    """Say that no name was typed."""
    return _("Enter your username.")


def email_empty() -> str:
    """Say that an administrator typed no mail address."""
    return _("Enter your email address.")


def password_empty() -> str:
    """Say that no password was typed."""
    return _("Enter your password.")


def code_empty() -> str:
    """Say that no code was typed."""
    return _("Enter the 6-digit code.")


def recovery_empty() -> str:
    """Say that no recovery code was typed."""
    return _("Enter a recovery code.")


def slowed(seconds: int) -> str:
    """Say that an address or network is slowed."""
    return counted(
        "There were many attempts from your network. Wait {n} second and try again.",
        "There were many attempts from your network. Wait {n} seconds and try again.",
        seconds,
    ).format(n=seconds)


def waiting(seconds: int) -> str:
    """Say that the next try with this name must wait."""
    return counted(
        "There were many attempts with this username. Wait {n} second and try again.",
        "There were many attempts with this username. Wait {n} seconds and try again.",
        seconds,
    ).format(n=seconds)


def busy() -> str:
    """Say that nothing was checked and nothing counted."""
    return _("We could not check your password just now. It was not counted. Try again in a few seconds.")


def too_old(app_name: str | None) -> str:
    """Say that a sign-in took longer than ten minutes."""
    if app_name is None:
        return _("This sign-in took too long and was ended. Start again.")
    return _("This sign-in took too long and was ended. Start again; you will still get to {app}.").format(app=app_name)
