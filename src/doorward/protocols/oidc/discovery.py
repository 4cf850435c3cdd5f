"""What clients find out by themselves: the provider's metadata and its keys, made from what the checks accept."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from doorward.apps.kinds import AUTH_METHODS, GRANT_TYPES, SCOPES
from doorward.audit import Json
from doorward.clock import Instant
from doorward.keys import KeyUse, PublishedKey, current_key, published
from doorward.keys.key import base64url_number
from doorward.protocols.oidc import claims, names
from doorward.protocols.oidc.cors import PUBLIC
from doorward.web import site_of, texts

_HEADERS: Final = {**PUBLIC, "cache-control": "public, max-age=300"}


async def show_metadata(request: Request) -> Response:
    """GET both well-known addresses (OIDC Discovery §4, RFC 8414 §3): the same document."""
    return JSONResponse(metadata(site_of(request).deployment.base_url), headers=_HEADERS)


async def show_keys(request: Request) -> Response:
    """GET /oidc/jwks (RFC 7517 §5)."""
    site, now = site_of(request), site_of(request).clock()
    keys = await site.db.read(lambda connection: _published(connection, now))
    if not keys:
        await current_key(site.db, site.vault, KeyUse.OIDC, now)
        keys = await site.db.read(lambda connection: _published(connection, now))
    body = {"keys": [_jwk(key) for key in keys]}
    return JSONResponse(body, headers=_HEADERS, media_type="application/jwk-set+json")


def metadata(issuer: str) -> dict[str, Json]:
    """Describe this provider. Every address begins with the configured base URL, whatever Host was asked (DI-09)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + names.AUTHORIZE,
        "token_endpoint": issuer + names.TOKEN,
        "userinfo_endpoint": issuer + names.USERINFO,
        "jwks_uri": issuer + names.JWKS,
        "scopes_supported": list(SCOPES),
        "response_types_supported": list(names.RESPONSE_TYPES),
        "response_modes_supported": list(names.RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "acr_values_supported": list(names.ACR_VALUES),
        "subject_types_supported": list(names.SUBJECT_TYPES),
        "id_token_signing_alg_values_supported": list(names.ALGORITHMS),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "claim_types_supported": ["normal"],
        "claims_supported": [*claims.CLAIMS, "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"],
        "code_challenge_methods_supported": list(names.CHALLENGE_METHODS),
        "prompt_values_supported": [prompt.value for prompt in names.PROMPTS],
        "ui_locales_supported": list(texts.languages()),
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        # The default of this one is true (OIDC Discovery §3).
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }


def _published(connection: Connection, now: Instant) -> list[PublishedKey]:
    return published(connection, KeyUse.OIDC, now)


def _jwk(key: PublishedKey) -> dict[str, Json]:
    """Write the public part of a key alone (RFC 7517 §4; DI-07)."""
    numbers = key.public_key.public_numbers()
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": key.algorithm,
        "kid": key.kid,
        "n": base64url_number(numbers.n),
        "e": base64url_number(numbers.e),
    }
