# Security: what an authorization request must be (tests/standards/oidc/test_az_authorization.py, A47 to A50).
"""Judging an authorization request: small named checks in order, each with the clause that it keeps. Pure.

`addressed` finds out whom an answer may go to; until it has, nothing is sent anywhere. `accepted` runs the list of
checks; the first that speaks decides what the client is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, cast

from doorward.clock import Instant
from doorward.protocols.oidc.names import CHALLENGE_METHODS, RESPONSE_MODES, RESPONSE_TYPES, Prompt
from doorward.protocols.oidc.received import Received
from doorward.protocols.oidc.redirects import is_registered
from doorward.protocols.oidc.refusals import ErrorCode, Reason, Refused, Untrusted
from doorward.protocols.oidc.request import Addressed, AuthorizationRequest, Client
from doorward.signin.proof import ACR_MFA

MAX_STATE: Final = 4096
MAX_NONCE: Final = 1024
MAX_HINT: Final = 320
MAX_CLIENT_ID: Final = 255
_MAX_AGE: Final = re.compile(r"[0-9]{1,9}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # the 32 octets of SHA-256 (RFC 7636 §4.2)
_PROMPTS: Final = frozenset(prompt.value for prompt in Prompt)
_OBJECTS: Final = {
    # OIDC Core §3.1.2.6: each has an error of its own, and silence would drop what the client relies on (AZ-21).
    "request": ErrorCode.REQUEST_NOT_SUPPORTED,
    "request_uri": ErrorCode.REQUEST_URI_NOT_SUPPORTED,
    "registration": ErrorCode.REGISTRATION_NOT_SUPPORTED,
}

VerifyHint = Callable[[str], str]
"""Gives the subject of an ID Token that we issued to this client. Raises ValueError where it is none."""


def client_id_of(received: Received) -> str:
    """Give the client that asks.

    Raises:
        Untrusted: it is missing, doubled or no client id.
    """
    client_id = received.get("client_id")
    if client_id is None or "client_id" in received.doubled or len(client_id) > MAX_CLIENT_ID:
        raise Untrusted(Reason.CLIENT_ID, "client_id is missing, doubled or too long")
    return client_id


def addressed(received: Received, client: Client | None) -> Addressed:
    """Find out to whom an answer may go (RFC 6749 §4.1.2.1: otherwise never redirect).

    Raises:
        Untrusted: the client is unknown, or the address is missing, doubled or not registered for it.
    """
    if client is None:
        raise Untrusted(Reason.UNKNOWN_CLIENT, "no application has this client_id")
    # OIDC Core §3.1.2.1: redirect_uri is required, even where one address alone is registered.
    uri = received.get("redirect_uri")
    if uri is None or "redirect_uri" in received.doubled:
        raise Untrusted(Reason.REDIRECT_URI, "redirect_uri is missing or doubled")
    if not is_registered(uri, client.oidc.redirect_uris):
        raise Untrusted(Reason.REDIRECT_URI, "redirect_uri is not registered for this application")
    state = received.get("state")
    return Addressed(client, uri, None if state is None or len(state) > MAX_STATE else state)


def accepted(asked: Addressed, received: Received, verify_hint: VerifyHint, now: Instant) -> AuthorizationRequest:
    """Run every check and give the request.

    Raises:
        Refused: one of them spoke; the client is told.
    """
    for check in _CHECKS:
        refused = check(asked.client, received)
        if refused is not None:
            raise refused
    client, max_age = asked.client, received.get("max_age")
    hint = received.get("login_hint") or ""
    return AuthorizationRequest(
        app_id=client.app.id,
        redirect_uri=asked.redirect_uri,
        state=asked.state,
        # RFC 6749 §3.3: what is unknown or not registered for the client is left out, and the answer says so.
        scope=tuple(word for word in received.words("scope") if word in client.oidc.scopes),
        nonce=received.get("nonce"),
        code_challenge=received.get("code_challenge"),
        prompts=tuple(Prompt(word) for word in received.words("prompt")),
        max_age=None if max_age is None else int(max_age),
        subject=_subject(received, verify_hint),
        # OIDC Core §3.1.2.1: a hint fills a field in; it selects nobody and is not looked up (AZ-16).
        login_hint=hint if len(hint) <= MAX_HINT and hint.isprintable() else "",
        wants_mfa=received.words("acr_values")[:1] == (ACR_MFA,),
        accepted_at=now,
    )


def _no_parameter_twice(_client: Client, received: Received) -> Refused | None:
    """RFC 6749 §3.1: parameters MUST NOT be included more than once."""
    if received.doubled:
        return _invalid(Reason.DOUBLED, "a parameter is included more than once")
    return None


def _no_request_object(_client: Client, received: Received) -> Refused | None:
    """OIDC Core §6: not supported, and said so."""
    if _OBJECTS.keys().isdisjoint(received.fields):
        return None
    name = next(name for name in _OBJECTS if name in received.fields)
    return Refused(_OBJECTS[name], Reason.REQUEST_OBJECT, f"{name} is not supported")


def _response_type(_client: Client, received: Received) -> Refused | None:
    """RFC 6749 §3.1.1: required. Tokens never come by the front channel (RFC 9700 §2.1.2)."""
    wanted = received.get("response_type")
    if wanted is None:
        return _invalid(Reason.RESPONSE_TYPE, "response_type is missing")
    if wanted not in RESPONSE_TYPES:
        return Refused(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, Reason.RESPONSE_TYPE, "response_type must be code")
    return None


def _response_mode(_client: Client, received: Received) -> Refused | None:
    """OAuth 2.0 Multiple Response Types §2.1: a mode that is not offered is refused, not replaced."""
    if (received.get("response_mode") or RESPONSE_MODES[0]) not in RESPONSE_MODES:
        return _invalid(Reason.RESPONSE_MODE, "response_mode must be query")
    return None


def _scope(_client: Client, received: Received) -> Refused | None:
    """OIDC Core §3.1.2.1: requests MUST contain the openid scope value."""
    if "openid" not in received.words("scope"):
        return Refused(ErrorCode.INVALID_SCOPE, Reason.SCOPE, "scope must contain openid")
    return None


def _prompt(_client: Client, received: Received) -> Refused | None:
    """OIDC Core §3.1.2.1: none stands alone."""
    words = received.words("prompt")
    if not _PROMPTS.issuperset(words):
        return _invalid(Reason.PROMPT, "a value of prompt is not supported")
    if Prompt.NONE in words and len(words) > 1:
        return _invalid(Reason.PROMPT, "prompt=none cannot stand with another value")
    return None


def _max_age(_client: Client, received: Received) -> Refused | None:
    """OIDC Core §3.1.2.1: a number of seconds."""
    given = received.get("max_age")
    if given is not None and _MAX_AGE.fullmatch(given) is None:
        return _invalid(Reason.MAX_AGE, "max_age must be a number of seconds")
    return None


def _lengths(_client: Client, received: Received) -> Refused | None:
    """Both are kept or echoed; what is too long is refused rather than cut (AZ-08, AZ-09)."""
    if len(received.get("state") or "") > MAX_STATE:
        return _invalid(Reason.STATE, f"state has more than {MAX_STATE} characters")
    if len(received.get("nonce") or "") > MAX_NONCE:
        return _invalid(Reason.NONCE, f"nonce has more than {MAX_NONCE} characters")
    return None


def _pkce(client: Client, received: Received) -> Refused | None:
    """RFC 7636 §4.4.1 and RFC 9700 §2.1.1: required of public clients always, and S256 alone (PK-01, PK-02)."""
    challenge, method = received.get("code_challenge"), received.get("code_challenge_method")
    if challenge is None:
        if method is not None or client.oidc.needs_pkce:
            return _invalid(Reason.PKCE_MISSING, "code_challenge is missing")
        return None
    # RFC 7636 §4.3: a missing method means plain, which shows the verifier to whoever reads the address.
    if method not in CHALLENGE_METHODS:
        return _invalid(Reason.PKCE_METHOD, "code_challenge_method must be S256")
    if _CHALLENGE.fullmatch(challenge) is None:
        return _invalid(Reason.PKCE_CHALLENGE, "code_challenge must be 43 characters of base64url")
    return None


def _claims(_client: Client, received: Received) -> Refused | None:
    """OIDC Core §5.5: the parameter is not supported and is ignored; what is no JSON is an error nevertheless."""
    given = received.get("claims")
    if given is None:
        return None
    try:
        is_object = isinstance(json.loads(given), dict)
    except (ValueError, RecursionError):
        is_object = False
    return None if is_object else _invalid(Reason.CLAIMS, "claims must be a JSON object")


_CHECKS: Final[tuple[Callable[[Client, Received], Refused | None], ...]] = (
    _no_parameter_twice,
    _no_request_object,
    _response_type,
    _response_mode,
    _scope,
    _prompt,
    _max_age,
    _lengths,
    _pkce,
    _claims,
)


def _subject(received: Received, verify_hint: VerifyHint) -> str | None:
    """Name whom the client expects: by an ID Token of ours (OIDC Core §3.1.2.1), or by value (§5.5.1).

    The second is the one part of `claims` that is honoured: success for somebody else would be a mix-up (AZ-20).
    """
    hint = received.get("id_token_hint")
    hinted: str | None = None
    if hint is not None:
        try:
            hinted = verify_hint(hint)
        except ValueError as error:
            raise _invalid(Reason.ID_TOKEN_HINT, "id_token_hint is no ID Token for this client") from error
    claimed = _claimed_subject(received.get("claims"))
    if hinted is not None and claimed is not None and hinted != claimed:
        raise _invalid(Reason.CLAIMS, "claims and id_token_hint name different subjects")
    return hinted or claimed


def _claimed_subject(claims: str | None) -> str | None:
    if claims is None:
        return None
    asked = cast("dict[str, object]", json.loads(claims))
    for part in ("id_token", "userinfo"):
        sub = _member(_member(_member(asked, part), "sub"), "value")
        if isinstance(sub, str) and sub:
            return sub
    return None


def _member(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _invalid(reason: Reason, description: str) -> Refused:
    return Refused(ErrorCode.INVALID_REQUEST, reason, description)
