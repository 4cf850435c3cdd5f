"""What stands on the wire: addresses, lifetimes, and the values that discovery publishes and the checks accept.

Discovery is made from these, so that nothing is advertised that is refused and nothing offered that is hidden (DI-04).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from doorward.clock import HOUR, MINUTE, SECOND
from doorward.signin.proof import ACR_MFA, ACR_PASSWORD

AUTHORIZE: Final = "/oidc/authorize"
RESUME: Final = "/oidc/resume"
TOKEN: Final = "/oidc/token"  # noqa: S105 - an address
USERINFO: Final = "/oidc/userinfo"
JWKS: Final = "/oidc/jwks"
DISCOVERY: Final = "/.well-known/openid-configuration"
OAUTH_DISCOVERY: Final = "/.well-known/oauth-authorization-server"  # RFC 8414 §3

CODE_LIFETIME: Final = 60 * SECOND
"""ASVS 10.4.3; RFC 6749 §4.1.2 allows ten minutes."""
ACCESS_TOKEN_LIFETIME: Final = 10 * MINUTE
"""What a resource server may believe of somebody who is gone (SIGNIN, 'Flow')."""
ID_TOKEN_LIFETIME: Final = 10 * MINUTE
GRANT_KEPT: Final = HOUR
"""How long a grant is remembered: longer than everything that came of it, so that a late second use is noticed."""

ALGORITHM: Final = "RS256"
ALGORITHMS: Final = (ALGORITHM,)
RESPONSE_TYPES: Final = ("code",)
RESPONSE_MODES: Final = ("query",)
CHALLENGE_METHODS: Final = ("S256",)
SUBJECT_TYPES: Final = ("public",)
ACR_VALUES: Final = (ACR_MFA, ACR_PASSWORD)


class Prompt(StrEnum):
    """What a client may ask the sign-in to do (OIDC Core §3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    SELECT_ACCOUNT = "select_account"
    CONSENT = "consent"


PROMPTS: Final = (Prompt.NONE, Prompt.LOGIN, Prompt.SELECT_ACCOUNT)
"""What is published. `consent` is accepted too and asks nothing: the organisation has consented for its people."""
