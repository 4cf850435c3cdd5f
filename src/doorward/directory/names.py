"""Names in the form in which they are compared (RFC 8265), so that one person is not two by case, width or alias.

Usernames and mail addresses lie in one space (ATTACKS 34): both become keys by `lookup_key`. Pure.
"""

from __future__ import annotations

import re
from typing import Final, Protocol, cast

import precis_i18n

from doorward.directory.errors import BadName

MAX_USERNAME: Final = 64
MAX_EMAIL: Final = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets
MAX_LOCAL_PART: Final = 64  # RFC 5321 §4.5.3.1.1
MAX_GROUP: Final = 128

_MAX_TYPED: Final = 1024
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_MAX_DOMAIN: Final = 253


class _Profile(Protocol):
    """A profile of precis-i18n, which ships no types."""

    def enforce(self, value: str) -> str: ...


_CASE_MAPPED: Final = cast("_Profile", precis_i18n.get_profile("UsernameCaseMapped"))
_CASE_KEPT: Final = cast("_Profile", precis_i18n.get_profile("UsernameCasePreserved"))
_NICKNAME: Final = cast("_Profile", precis_i18n.get_profile("NicknameCaseMapped"))
_NICKNAME_KEPT: Final = cast("_Profile", precis_i18n.get_profile("NicknameCasePreserved"))


def lookup_key(typed: str) -> str | None:
    """Turn what somebody typed into the key by which they are found; None where nobody can have that name.

    Never raises, whatever was typed.
    """
    stripped = typed[:_MAX_TYPED].strip()
    if len(typed) > _MAX_TYPED or not stripped:
        return None
    try:
        return email_key(stripped) if "@" in stripped else username_key(stripped)
    except BadName:
        return None


def username_key(username: str) -> str:
    """Map a username to its key: width, case and form of its letters do not matter (RFC 8265 §3.3).

    Raises:
        BadName: it holds something that no username may hold.
    """
    key = _enforce(_CASE_MAPPED, username, f"the username {_shown(username)}")
    if "@" in key:
        return email_key(key)
    if len(key) > MAX_USERNAME:
        raise BadName(f"the username {_shown(username)} is longer than {MAX_USERNAME} characters")
    return key


def kept_username(username: str) -> str:
    """Write a username as it is stored and shown: its own case, canonical width and form.

    Raises:
        BadName: as `username_key`.
    """
    username_key(username.strip())
    return _enforce(_CASE_KEPT, username.strip(), f"the username {_shown(username)}")


def email_key(email: str) -> str:
    """Map a mail address to its key: the local part as a username, the domain by IDNA in lower case.

    Raises:
        BadName: it is no mail address.
    """
    local, at, domain = email.rpartition("@")
    what = f"the mail address {_shown(email)}"
    if not at or not local or "@" in local:
        raise BadName(f"{what} needs one @ between a name and a domain")
    key = f"{_enforce(_CASE_MAPPED, local, what)}@{_domain_key(domain, what)}"
    if len(local) > MAX_LOCAL_PART or len(key) > MAX_EMAIL:
        raise BadName(f"{what} is too long")
    return key


def kept_email(email: str) -> str:
    """Write a mail address as it is stored and shown: the local part in its own case, the domain in lower case.

    Raises:
        BadName: as `email_key`.
    """
    stripped = email.strip()
    email_key(stripped)
    local, _, domain = stripped.rpartition("@")
    return f"{_enforce(_CASE_KEPT, local, 'the mail address')}@{domain.lower()}"


def domain_key(domain: str) -> str:
    """Map a domain of the organisation to its key.

    Raises:
        BadName: it is no domain.
    """
    return _domain_key(domain, f"the domain {_shown(domain)}")


def group_key(name: str) -> str:
    """Map a group's name to its key: case, width and doubled spaces do not matter (RFC 8266 §2.3).

    Raises:
        BadName: it is empty, too long, or holds what no name may hold.
    """
    key = _enforce(_NICKNAME, name, f"the group name {_shown(name)}")
    if len(key) > MAX_GROUP:
        raise BadName(f"the group name {_shown(name)} is longer than {MAX_GROUP} characters")
    return key


def kept_group_name(name: str) -> str:
    """Write a group's name as it is stored and sent.

    Raises:
        BadName: as `group_key`.
    """
    group_key(name)
    return _enforce(_NICKNAME_KEPT, name, f"the group name {_shown(name)}")


def _enforce(profile: _Profile, text: str, what: str) -> str:
    if len(text) > _MAX_TYPED:
        raise BadName(f"{what} is too long")
    try:
        once = profile.enforce(text)
        # Enforced until it stays (RFC 8265 §3.1 recommends at most three rounds): a key of a key is that key.
        return profile.enforce(once)
    except UnicodeError as error:
        reason = "is empty" if not text.strip() else "holds a character that a name may not hold"
        raise BadName(f"{what} {reason}") from error


def _domain_key(domain: str, what: str) -> str:
    lowered = domain.lower().removesuffix(".")
    if len(lowered) > _MAX_DOMAIN:
        raise BadName(f"{what} is too long")
    if not lowered.isascii():
        lowered = _in_ascii(lowered, what)
    labels = lowered.split(".")
    if len(lowered) > _MAX_DOMAIN or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadName(f"{what} has no valid domain")
    return lowered


def _in_ascii(domain: str, what: str) -> str:
    # Tables of 30 ms that only a domain beyond ASCII needs.
    import idna  # noqa: PLC0415 - quick start

    try:
        return idna.encode(domain, uts46=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise BadName(f"{what} has no valid domain") from error


def _shown(text: str) -> str:
    return repr(text if len(text) <= MAX_USERNAME else text[:MAX_USERNAME] + "…")
