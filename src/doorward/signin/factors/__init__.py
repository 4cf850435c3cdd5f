"""The second factors, one file each, registered here.

Owns how each is stored, judged and consumed. Never decides what a right or wrong code leads to: that is `flow.py`.
Read `interface.py` first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from doorward.signin.factors.authenticator import AuthenticatorApps
from doorward.signin.factors.interface import Factor, Held, NotRight, Right, count_and_check
from doorward.signin.factors.recovery import RecoveryCodes
from doorward.signin.proof import Method

FACTORS: Final[Mapping[Method, Factor]] = {factor.method: factor for factor in (AuthenticatorApps(), RecoveryCodes())}
"""Every factor, in the order in which a person is offered them."""

NEVER_ALONE: Final = frozenset({Method.RECOVERY_CODE})
"""Factors that count, but never as the last method."""

__all__ = ["FACTORS", "NEVER_ALONE", "Factor", "Held", "NotRight", "Right", "count_and_check"]
