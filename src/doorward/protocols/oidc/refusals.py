"""Every way in which an authorization request is turned away, by stable names that log, audit and tests share.

Two kinds, because of whom the answer goes to. An `Untrusted` request is answered by a page of our own and nothing is
sent anywhere: who asks, or where an answer would go, is not certain. A `Refused` one is told to its client, at the
registered address, by one of the codes of the standards.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why. The value is written to the audit log."""

    # Who asks, or where the answer would go, is not certain (RFC 6749 §4.1.2.1).
    UNREADABLE = "unreadable"
    CLIENT_ID = "client_id"
    UNKNOWN_CLIENT = "unknown_client"
    REDIRECT_URI = "redirect_uri"
    # The request is of its client, and is not granted.
    DOUBLED = "doubled"
    REQUEST_OBJECT = "request_object"
    RESPONSE_TYPE = "response_type"
    RESPONSE_MODE = "response_mode"
    SCOPE = "scope"
    PROMPT = "prompt"
    MAX_AGE = "max_age"
    STATE = "state"
    NONCE = "nonce"
    PKCE_MISSING = "pkce_missing"
    PKCE_METHOD = "pkce_method"
    PKCE_CHALLENGE = "pkce_challenge"
    ID_TOKEN_HINT = "id_token_hint"  # noqa: S105 - the name of a parameter
    CLAIMS = "claims"
    # What the person's session answers.
    NO_SESSION = "no_session"
    OTHER_SUBJECT = "other_subject"
    TOO_OLD = "too_old"
    SECOND_FACTOR = "second_factor"
    NOT_GRANTED = "not_granted"
    REQUEST_GONE = "request_gone"
    REQUEST_EXPIRED = "request_expired"
    # At the token endpoint.
    CLIENT_METHOD = "client_method"
    CLIENT_METHODS = "client_methods"
    CLIENT_DAMAGED = "client_damaged"
    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a parameter
    CONTENT_TYPE = "content_type"
    GRANT_TYPE = "grant_type"
    CODE_MISSING = "code_missing"
    CODE_UNKNOWN = "code_unknown"
    CODE_REUSED = "code_reused"
    VERIFIER = "verifier"
    SESSION_OVER = "session_over"


class ErrorCode(StrEnum):
    """What a client is told (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6)."""

    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    INVALID_SCOPE = "invalid_scope"
    ACCESS_DENIED = "access_denied"
    LOGIN_REQUIRED = "login_required"
    INTERACTION_REQUIRED = "interaction_required"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
    REGISTRATION_NOT_SUPPORTED = "registration_not_supported"


class Untrusted(Exception):
    """Answered by a page of our own; never by a redirect (AZ-04)."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Name the reason; `detail` is for the administrator and holds nothing that was sent."""
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class Refused(Exception):
    """Told to the client at its registered address."""

    def __init__(self, code: ErrorCode, reason: Reason, description: str = "") -> None:
        """Name code and reason. `description` is for the client's developer, in the characters of RFC 6749 §4.1.2.1."""
        super().__init__(f"{code.value}: {reason.value}")
        self.code = code
        self.reason = reason
        self.description = description


class TokenError(StrEnum):
    """What a client is told at the token endpoint (RFC 6749 §5.2)."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"

    @property
    def status(self) -> int:
        """RFC 6749 §5.2: 400, but 401 where the client is not who it says."""
        return 401 if self is TokenError.INVALID_CLIENT else 400


_DESCRIPTIONS: dict[Reason, str] = {
    Reason.UNREADABLE: "the parameters could not be read",
    Reason.DOUBLED: "a parameter is included more than once",
    Reason.CONTENT_TYPE: "the content type must be application/x-www-form-urlencoded",
    Reason.CLIENT_METHODS: "the client authenticates by more than one method",
    Reason.CLIENT_ID: "client_id is missing or another one than that of the Authorization header",
    Reason.GRANT_TYPE: "grant_type is missing or not one that this client uses",
    Reason.CODE_MISSING: "code is missing",
}
"""What the client's developer reads beside the code. Nothing tells which part of a client or code was wrong."""


class TokenRefused(Exception):
    """The token endpoint refuses. The client is told the code; the audit log knows the reason."""

    def __init__(self, error: TokenError, reason: Reason, why: str | None = None) -> None:
        """Name what the client is told and why; `why` is a finer reason of another room, such as `not_assigned`."""
        super().__init__(f"{error.value}: {why or reason.value}")
        self.error = error
        self.reason = reason
        self.why = why or reason.value

    @property
    def description(self) -> str | None:
        """What the client's developer reads."""
        return _DESCRIPTIONS.get(self.reason)
