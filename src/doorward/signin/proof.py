"""What a session has proved: each method with its time, and what protocols are told of it.

A password-only session never yields the value of a second factor (SS-02), and the time that is told is that
of the real authentication (SS-01).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from doorward.clock import Instant


class Method(StrEnum):
    """How something was proved. The value is stored in sessions and in the audit log."""

    PASSWORD = "password"  # noqa: S105 - the name of a method
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


_AMR: Final[Mapping[Method, str]] = {
    # RFC 8176 §2
    Method.PASSWORD: "pwd",
    Method.TOTP: "otp",
    Method.RECOVERY_CODE: "otp",
}

ACR_PASSWORD: Final = "urn:doorward:acr:password"  # noqa: S105 - an identifier
ACR_MFA: Final = "https://refeds.org/profile/mfa"


@dataclass(frozen=True, slots=True)
class Proof:
    """One method that succeeded, and when."""

    method: Method
    at: Instant


def is_mfa(proofs: Sequence[Proof]) -> bool:
    """Tell whether two different kinds of factor were proved."""
    methods = {proof.method for proof in proofs}
    return Method.PASSWORD in methods and len(methods) > 1


def wholly_proved_at(proofs: Sequence[Proof], authenticated_at: Instant) -> Instant:
    """Tell since when everything that a session stands for has been proved; `authenticated_at` is its last proof.

    With a second factor it is the older of the two halves, so that a code alone, asked for on another page, does not
    pass for a whole sign-in (ForceAuthn, prompt=login; SR-13, AZ-12).
    """
    if not is_mfa(proofs):
        return authenticated_at
    passwords = [proof.at for proof in proofs if proof.method is Method.PASSWORD]
    others = [proof.at for proof in proofs if proof.method is not Method.PASSWORD]
    return min(max(passwords), max(others))


def amr(proofs: Sequence[Proof]) -> list[str]:
    """List the methods as RFC 8176 names them, `mfa` last where more than one kind was proved."""
    names = list(dict.fromkeys(_AMR[proof.method] for proof in proofs))
    return [*names, "mfa"] if is_mfa(proofs) else names


def acr(proofs: Sequence[Proof]) -> str:
    """Name the assurance reached (OIDC Core §2)."""
    return ACR_MFA if is_mfa(proofs) else ACR_PASSWORD


def proofs_to_json(proofs: Sequence[Proof]) -> list[dict[str, object]]:
    """Write proofs for a row."""
    return [{"method": proof.method.value, "at": proof.at} for proof in proofs]


def proofs_from_json(saved: Sequence[Mapping[str, object]]) -> tuple[Proof, ...]:
    """Read proofs that `proofs_to_json` wrote."""
    return tuple(Proof(Method(str(item["method"])), int(str(item["at"]))) for item in saved)
