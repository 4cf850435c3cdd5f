"""Authentication contexts: what a provider may ask for, and which class tells the truth about a session. Pure.

Two levels exist: a password (0), and a password with a second factor (1). A class is only ever named if what it
says was really done in this session (SR-15 to SR-17, SS-02).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorward.protocols.saml.names import (
    ANY_CLASS,
    MICROSOFT_MFA,
    PASSWORD_CLASS,
    REFEDS_MFA,
    REFEDS_SFA,
    TIME_SYNC_TOKEN_CLASS,
    Status,
)
from doorward.protocols.saml.parse import AuthnContext
from doorward.protocols.saml.refusals import Answered, Reason
from doorward.signin.proof import Method, Proof, is_mfa

_LEVELS: Final[Mapping[str, int]] = {
    ANY_CLASS: 0,
    PASSWORD_CLASS: 0,
    REFEDS_SFA: 0,
    REFEDS_MFA: 1,
    MICROSOFT_MFA: 1,
    TIME_SYNC_TOKEN_CLASS: 1,
}
_COMPARISONS: Final = frozenset({"exact", "minimum", "maximum", "better"})


@dataclass(frozen=True, slots=True)
class AskedContext:
    """What was asked for: only classes that can be given, in the provider's order of preference."""

    comparison: str
    classes: tuple[str, ...]


def asked_context(asked: AuthnContext | None, own_class: str | None) -> AskedContext | None:
    """Keep of RequestedAuthnContext what can be satisfied by somebody here.

    `own_class` is the application's configured value for a second factor.

    Raises:
        Answered: nobody can satisfy it, or it is of a kind that is not supported; it is never ignored.
    """
    if asked is None:
        return None
    if asked.classes and asked.has_declarations:
        raise _unsatisfiable("classes and declarations are mixed")  # SAML Core §3.3.2.2.1: one or the other
    known = tuple(name for name in asked.classes if name in _LEVELS or name == own_class)
    context = AskedContext(asked.comparison, known)
    if asked.comparison not in _COMPARISONS or not any(context_for(context, level, own_class) for level in _SESSIONS):
        raise _unsatisfiable(f"{asked.comparison} {', '.join(asked.classes)[:200]}")
    return context


def needs_second_factor(context: AskedContext | None, own_class: str | None) -> bool:
    """Tell whether only a session with a second factor can satisfy what was asked for."""
    return context is not None and context_for(context, _SESSIONS[0], own_class) is None


def context_for(context: AskedContext | None, proofs: tuple[Proof, ...], own_class: str | None) -> str | None:
    """Name the class that is true of a session with `proofs` and satisfies `context`; None where there is none."""
    reached = int(is_mfa(proofs))
    told = (own_class or REFEDS_MFA) if reached else PASSWORD_CLASS
    if context is None:
        return told
    if not context.classes:
        return None
    levels = [_level(name) for name in context.classes]
    named = next((name for name in context.classes if _is_true(name, proofs)), None)
    answer: str | None = None
    match context.comparison:
        case "exact":
            # The class that is returned is the one that was satisfied (SAML Core §3.3.2.2.1).
            answer = named
        case "minimum":
            answer = named or (told if min(levels) <= reached else None)
        case "maximum":
            # As strong as possible without exceeding one of those named: with a second factor done, a password was too.
            answer = told if max(levels) >= reached else PASSWORD_CLASS
        case "better":
            answer = told if max(levels) < reached else None
        case _:
            pass
    return answer


def _level(name: str) -> int:
    # A class that only the application's own configuration knows is what it wants to hear of a second factor.
    return _LEVELS.get(name, 1)


def _is_true(name: str, proofs: tuple[Proof, ...]) -> bool:
    if name == TIME_SYNC_TOKEN_CLASS:
        return is_mfa(proofs) and any(proof.method is Method.TOTP for proof in proofs)
    if name == PASSWORD_CLASS:
        return any(proof.method is Method.PASSWORD for proof in proofs)
    return _level(name) <= int(is_mfa(proofs))


def _unsatisfiable(detail: str) -> Answered:
    return Answered(Reason.AUTHN_CONTEXT, Status.REQUESTER, Status.NO_AUTHN_CONTEXT, detail)


_SESSIONS: Final = (
    (Proof(Method.PASSWORD, 0),),
    (Proof(Method.PASSWORD, 0), Proof(Method.TOTP, 0)),
)
"""The two kinds of session there are, by what they proved: a password, and a password with a second factor."""
