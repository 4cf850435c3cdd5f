"""The sentences of the portal's own forms: why a proof or a new password was not taken, and what to do."""

from __future__ import annotations

from doorward.clock import MINUTE, NEVER, SECOND, Instant, units_until
from doorward.organization import Organization, PasswordRules
from doorward.pages import sentences
from doorward.signin.flow import Said
from doorward.signin.guesses import Slowed
from doorward.store.once import Paused, Waiting
from doorward.web.texts import _, counted


def said(what: Said, label: str) -> str:
    """Say why a proof was not accepted; `label` is what the authenticator app calls the account."""
    if what is Said.WRONG:
        return _("That is not your password. Try again.")
    return sentences.said(what, contact="", label=label)


def not_looked(why: Paused | Waiting | Slowed | None, now: Instant, organization: Organization) -> str:
    """Say why nothing was looked at, and when it will be."""
    if why is None:
        return sentences.busy()
    contact = organization.support.contact
    if isinstance(why, Paused):
        if why.until >= NEVER:
            return _(
                "Sign-in with your username is paused. There were too many failed attempts. "
                "{contact} can open it again."
            ).format(contact=contact)
        minutes = units_until(why.until, now, MINUTE)
        return counted(
            "Sign-in with your username is paused. There were too many failed attempts. It opens again in {n} minute.",
            "Sign-in with your username is paused. There were too many failed attempts. It opens again in {n} minutes.",
            minutes,
        ).format(n=minutes)
    seconds = units_until(why.until, now, SECOND)
    return sentences.slowed(seconds) if isinstance(why, Slowed) else sentences.waiting(seconds)


def password_rules(least_length: int, rules: PasswordRules) -> list[str]:
    """List what a new password must be."""
    listed = [_("At least {n} characters").format(n=least_length), _("Not your name, and not a common password")]
    if rules.history:
        listed.append(
            counted("Not your present password", "Not one of your last {n} passwords", rules.history).format(
                n=rules.history
            )
        )
    return listed
