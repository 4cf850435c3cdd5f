"""Fields of the contract that this version does not have yet: refused by name, never ignored."""

from __future__ import annotations

import re
from typing import Final

_LATER: Final[tuple[tuple[str, str], ...]] = (
    (r"networks", "named networks"),
    (r"policies", "policies"),
    (r"settings\.push", "push (Doorward Protect)"),
    (r"settings\.mfa\.remember_browser_days", "remembered browsers"),
    (r"applications\[\d+\]\.(template|inputs)", "the catalogue of applications"),
    (r"applications\[\d+\]\.saml\.slo_url", "SAML single logout"),
    (r"applications\[\d+\]\.saml\.(encrypt|encryption_certificate)", "encryption of SAML assertions"),
    (r"applications\[\d+\]\.saml\.own_idp_entity_id", "an issuer for each SAML application"),
    (r"applications\[\d+\]\.oidc\.(backchannel|frontchannel)_logout_uri", "OpenID Connect logout"),
    (r"applications\[\d+\]\.oidc\.access_token", "a choice of access tokens"),
    (r"applications\[\d+\]\.oidc\.subject_type", "pairwise subjects"),
    (r"applications\[\d+\]\.oidc\.consent", "questions for consent"),
    (r"applications\[\d+\]\.oidc\.(jwks|jwks_uri)", "client authentication by private_key_jwt"),
    (r"applications\[\d+\]\.oidc\.require_pushed_authorization_requests", "pushed authorization requests"),
    (r"applications\[\d+\]\.oidc\.dpop_bound_access_tokens", "DPoP"),
    (r"applications\[\d+\]\.oidc\.profile", "the FAPI 2.0 profile"),
)

_VALUES: Final[dict[str, str]] = {
    "push": "push (Doorward Protect)",
    "passkey": "passkeys",
    "refresh_token": "refresh tokens",
    "offline_access": "refresh tokens",
    "client_secret_post": "client authentication by client_secret_post",
    "private_key_jwt": "client authentication by private_key_jwt",
    "ecdsa-sha256": "signatures with ECDSA",
    "ES256": "signatures with ECDSA",
    "persistent": "the NameID format persistent",
    "transient": "the NameID format transient",
    "unspecified": "the NameID format unspecified",
}


def later_field(path: str) -> str | None:
    """Say that the field at `path` has not come yet, or None where the contract has no such field."""
    for pattern, feature in _LATER:
        if re.fullmatch(pattern, path):
            return _sentence(feature)
    return None


def later_value(value: object) -> str | None:
    """Say that a value of a choice has not come yet, or None where the contract has no such value."""
    return _sentence(_VALUES[value]) if isinstance(value, str) and value in _VALUES else None


def _sentence(feature: str) -> str:
    return f"needs {feature}, which Doorward does not have yet: leave it out"
