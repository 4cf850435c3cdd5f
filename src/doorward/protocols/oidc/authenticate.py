# Security: which client speaks at the token endpoint (tests/standards/oidc/test_tk_token.py; A49, A60).
"""Client authentication: what a request presents, by exactly one method, and whether that is the registered one. Pure.

The secret itself is judged by `apps.verify_client_secret`.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from doorward.protocols.oidc.received import Received
from doorward.protocols.oidc.refusals import Reason, TokenError, TokenRefused
from doorward.protocols.oidc.request import Client

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"
NONE: Final = "none"
_MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class Presented:
    """What a client shows of itself. Without a secret it only names itself."""

    client_id: str
    method: str
    secret: str | None


def presented(received: Received, authorization: list[str]) -> Presented:
    """Read by which one method a client authenticates (RFC 6749 §2.3: not more than one in each request).

    Raises:
        TokenRefused: there is none, more than one, or a damaged one.
    """
    body_id, body_secret = received.get("client_id"), received.get("client_secret")
    if received.get("client_assertion") is not None or received.get("client_assertion_type") is not None:
        raise TokenRefused(TokenError.INVALID_CLIENT, Reason.CLIENT_METHOD)
    if len(authorization) > 1 or (authorization and body_secret is not None):
        raise TokenRefused(TokenError.INVALID_REQUEST, Reason.CLIENT_METHODS)
    if authorization:
        client_id, secret = _basic(authorization[0])
        if body_id is not None and body_id != client_id:
            # RFC 6749 §3.2.1: client_id in the body names the client that authenticates, or nobody (TK-06).
            raise TokenRefused(TokenError.INVALID_REQUEST, Reason.CLIENT_ID)
        return Presented(client_id, BASIC, secret)
    if body_id is None:
        raise TokenRefused(TokenError.INVALID_CLIENT, Reason.CLIENT_ID)
    return Presented(body_id, NONE if body_secret is None else POST, body_secret)


def allowed(shown: Presented, client: Client | None, *, is_right: bool) -> Client:
    """Give the client, if it authenticates as it is registered (TK-05). `is_right`: its secret, where it showed one.

    Raises:
        TokenRefused: it is unknown, uses another method, or its secret is wrong.
    """
    if client is None:
        raise TokenRefused(TokenError.INVALID_CLIENT, Reason.UNKNOWN_CLIENT)
    if shown.method not in client.oidc.token_endpoint_auth_method:
        raise TokenRefused(TokenError.INVALID_CLIENT, Reason.CLIENT_METHOD)
    if shown.secret is not None and not is_right:
        raise TokenRefused(TokenError.INVALID_CLIENT, Reason.CLIENT_SECRET)
    return client


def _basic(header: str) -> tuple[str, str]:
    """Read HTTP Basic, whose two halves are form-urlencoded before they are joined (RFC 6749 §2.3.1; TK-04)."""
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic" or len(encoded) > _MOST:
            raise ValueError(scheme)  # noqa: TRY301 - one answer to every kind of damage
        client_id, separator, secret = b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
        shown = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError as error:
        raise TokenRefused(TokenError.INVALID_CLIENT, Reason.CLIENT_DAMAGED) from error
    if not separator or not shown[0] or any("\0" in half for half in shown):
        raise TokenRefused(TokenError.INVALID_CLIENT, Reason.CLIENT_DAMAGED)
    return shown
