"""The organisation and its settings.

Owns what an IT admin may set, each setting declared once, and the only function that changes one.
Never holds the rules that read them: those stand in the rooms above. Read `settings.py` first.
"""

from __future__ import annotations

from doorward.organization.change import StaleChange, change, create
from doorward.organization.organization import Organization, Support, current, found
from doorward.organization.settings import (
    Lockout,
    Mfa,
    PasswordRules,
    Sessions,
    Settings,
    TotpSettings,
)

__all__ = [
    "Lockout",
    "Mfa",
    "Organization",
    "PasswordRules",
    "Sessions",
    "Settings",
    "StaleChange",
    "Support",
    "TotpSettings",
    "change",
    "create",
    "current",
    "found",
]
