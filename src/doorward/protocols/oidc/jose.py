# Security: tokens are signed and believed here (tests/standards/oidc/test_ui_userinfo.py; A54, A55, A56).
"""Signed tokens: one algorithm, keys by `kid` from our own published ones, types and claims always checked.

What a header says of keys (`jku`, `jwk`, `x5u`) is never followed (RFC 8725 §3.10), and a token of one type is
never taken for another (RFC 8725 §3.11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry

from doorward.audit import Json
from doorward.clock import SECOND, Instant
from doorward.keys import PublishedKey, SigningKey
from doorward.protocols.oidc.names import ALGORITHM, ALGORITHMS

ID_TOKEN: Final = "JWT"  # noqa: S105 - a media type
ACCESS_TOKEN: Final = "at+jwt"  # noqa: S105 - RFC 9068 §2.1
_LONGEST: Final = 16 * 1024


class BadToken(ValueError):
    """A token is not one that we signed for this use, or its time is over. The message names the reason only."""


def signed(claims: Mapping[str, Json], kind: str, key: SigningKey) -> str:
    """Sign claims as a token of the type `kind`."""
    header: dict[str, object] = {"alg": ALGORITHM, "typ": kind, "kid": key.kid}
    return jwt.encode(header, dict(claims), _private(key), algorithms=list(ALGORITHMS))


def verified(token: str, kind: str, keys: Sequence[PublishedKey]) -> Mapping[str, object]:
    """Give the claims of a token that one of our keys signed as the type `kind`. Its claims are the caller's to check.

    Raises:
        BadToken: it is not such a token.
    """
    if len(token) > _LONGEST or not token.isascii():
        raise BadToken("no token")
    try:
        read = jwt.decode(token, _public(tuple(keys)), algorithms=list(ALGORITHMS), registry=_REGISTRY)
    except (JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadToken("no token of ours") from error
    header = cast("Mapping[str, object]", read.header)
    # Always with kid: a token of ours has one, and without it a library would try one key after another.
    if header.get("typ") != kind or header.get("alg") != ALGORITHM or not isinstance(header.get("kid"), str):
        raise BadToken("a token of another type")
    return cast("Mapping[str, object]", read.claims)


def check_issued(claims: Mapping[str, object], issuer: str, audience: str) -> str:
    """Check who issued a token and for whom, and give its subject (A55).

    Raises:
        BadToken: a claim is missing or another one's.
    """
    held = claims.get("aud")
    if claims.get("iss") != issuer or audience not in (held if isinstance(held, list) else [held]):
        raise BadToken("another issuer or audience")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise BadToken("no subject")
    return subject


def check_time(claims: Mapping[str, object], now: Instant) -> None:
    """Check that a token holds at `now`.

    Raises:
        BadToken: its time is over, was never given, or has not begun.
    """
    expires, issued = claims.get("exp"), claims.get("iat")
    if type(expires) is not int or type(issued) is not int:
        raise BadToken("no times")
    # Another worker's clock may be a little ahead of this one's.
    if expires * SECOND <= now or issued * SECOND > now + 10 * SECOND:
        raise BadToken("over, or not begun")


@lru_cache(maxsize=8)
def _private(key: SigningKey) -> RSAKey:
    return RSAKey.import_key(key.private_key, {"kid": key.kid, "alg": ALGORITHM, "use": "sig"})


@lru_cache(maxsize=8)
def _public(keys: tuple[PublishedKey, ...]) -> KeySet:
    return KeySet([RSAKey.import_key(key.public_key, {"kid": key.kid, "alg": ALGORITHM, "use": "sig"}) for key in keys])


_REGISTRY: Final = JWSRegistry(algorithms=list(ALGORITHMS))
