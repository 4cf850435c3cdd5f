"""What the tokens say: the ID Token for the client, the access token for userinfo. Pure but for the signature."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from doorward.audit import Json
from doorward.clock import SECOND, Instant
from doorward.keys import SigningKey
from doorward.protocols.oidc import jose
from doorward.protocols.oidc.grants import Grant
from doorward.protocols.oidc.names import ACCESS_TOKEN_LIFETIME, ID_TOKEN_LIFETIME


@dataclass(frozen=True, slots=True)
class Issuance:
    """Everything that the tokens of one redemption are made of. `extra`: claims that the ID Token carries as well."""

    issuer: str
    client_id: str
    grant: Grant
    extra: Mapping[str, Json]
    token_id: str
    now: Instant


def token_response(issuance: Issuance, key: SigningKey) -> dict[str, Json]:
    """Make the answer of a redeemed code (RFC 6749 §5.1, OIDC Core §3.1.3.3)."""
    access_token = jose.signed(access_claims(issuance), jose.ACCESS_TOKEN, key)
    return {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_LIFETIME // SECOND,
        "scope": " ".join(issuance.grant.granted.scope),
        "id_token": jose.signed(id_claims(issuance, access_token), jose.ID_TOKEN, key),
    }


def access_claims(issuance: Issuance) -> dict[str, Json]:
    """Say what an access token says (RFC 9068 §2.2). Its audience is Doorward's own userinfo, under the issuer's name.

    `sid` and `gid` name the session and the grant, by which it is asked at each use whether they still stand.
    """
    grant, granted = issuance.grant, issuance.grant.granted
    return {
        "iss": issuance.issuer,
        "aud": issuance.issuer,
        "sub": granted.person_id,
        "client_id": issuance.client_id,
        "iat": issuance.now // SECOND,
        "exp": (issuance.now + ACCESS_TOKEN_LIFETIME) // SECOND,
        "jti": issuance.token_id,
        "scope": " ".join(granted.scope),
        "auth_time": granted.auth_time // SECOND,
        "acr": granted.acr,
        "amr": list(granted.amr),
        "sid": grant.session_id,
        "gid": grant.id,
    }


def id_claims(issuance: Issuance, access_token: str) -> dict[str, Json]:
    """Say what an ID Token says (OIDC Core §2). One audience, so there is no `azp`."""
    grant, granted = issuance.grant, issuance.grant.granted
    claims: dict[str, Json] = {
        **issuance.extra,
        "iss": issuance.issuer,
        "sub": granted.person_id,
        "aud": issuance.client_id,
        "iat": issuance.now // SECOND,
        "exp": (issuance.now + ID_TOKEN_LIFETIME) // SECOND,
        "auth_time": granted.auth_time // SECOND,
        "acr": granted.acr,
        "amr": list(granted.amr),
        "sid": grant.session_id,
        "at_hash": at_hash(access_token),
    }
    if granted.nonce is not None:
        claims["nonce"] = granted.nonce
    return claims


def at_hash(access_token: str) -> str:
    """Bind an ID Token to its access token: the left half of its SHA-256 (OIDC Core §3.1.3.6)."""
    return urlsafe_b64encode(sha256(access_token.encode("ascii")).digest()[:16]).rstrip(b"=").decode("ascii")
