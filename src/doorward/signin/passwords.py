"""What a new password must be: long enough, not known, not about the person (63B §3.1.1.2). Pure but for the scoring.

No composition rules, no hints, no calendar unless the organisation asks for one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from zxcvbn_rs_py import zxcvbn

from doorward.organization import PasswordRules

MOST_BYTES: Final = 1024
LEAST_WITHOUT_MFA: Final = 15
"""63B §3.1.1.2(1): the least length where a password is the only factor."""
_SCORED: Final = 100
_GUESSABLE: Final = 1
_NAME_WORDS: Final = 4
_PRODUCT: Final = "doorward"


class PasswordFault(StrEnum):
    """Why a new password is refused."""

    EMPTY = "empty"
    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    PERSONAL = "personal"
    REUSED = "reused"


def least_length(rules: PasswordRules, *, mfa_always: bool) -> int:
    """Tell the least number of code points, which rises where no second factor protects the account (PW-01)."""
    return rules.min_length if mfa_always else max(rules.min_length, LEAST_WITHOUT_MFA)


def refusal(password: str, *, names: Sequence[str], rules: PasswordRules, mfa_required: bool) -> PasswordFault | None:
    """Decide whether a new password may be set; `names` are the person's and the organisation's own words.

    Length counts code points of the normalised password (PW-03); the cap is 1,024 octets (PW-02), said plainly and
    checked before any work.
    """
    if not password:
        return PasswordFault.EMPTY
    if len(password.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return PasswordFault.LONG
    password = unicodedata.normalize("NFC", password)
    if len(password) < least_length(rules, mfa_always=mfa_required):
        return PasswordFault.SHORT
    return _guessable(password, _words(names))


def _words(names: Sequence[str]) -> list[str]:
    words = {_PRODUCT}
    for name in names:
        words.add(name.casefold())
        words.update(
            part for part in name.casefold().replace("@", " ").replace(".", " ").split() if len(part) >= _NAME_WORDS
        )
    return sorted(words)


def _guessable(password: str, words: list[str]) -> PasswordFault | None:
    folded = password.casefold()
    core = folded.strip("0123456789!?.,;:_-*#$%&@ ")
    if any(word in {core, folded} or core == word + word for word in words):
        return PasswordFault.PERSONAL
    if len(set(folded)) <= 3 or _repeats(folded):
        return PasswordFault.COMMON
    # The score of a long password is high by length alone; what scores low is on the lists or made of one pattern.
    scored = password[:_SCORED].encode("utf-8", "replace").decode()
    if int(zxcvbn(scored, words).score) <= _GUESSABLE:
        return PasswordFault.COMMON
    return None


def _repeats(text: str) -> bool:
    return any(
        len(text) % size == 0 and text == text[:size] * (len(text) // size)
        for size in range(1, len(text) // 2 + 1)
        if size <= 8
    )
