"""Every way in which a message is turned away, by a stable name that log, audit and tests share.

Two kinds, because of whom the answer goes to. A `Refused` message is answered by a page of our own and nothing is sent
to anybody: who asks, or where an answer would go, is not certain. An `Answered` one came from a known provider with
a checked address, which is told a status.
"""

from __future__ import annotations

from enum import StrEnum

from doorward.protocols.saml.names import Status


class Reason(StrEnum):
    """Why. The value is written to the audit log."""

    # What arrived is no message that we read.
    PARAMETERS = "parameters"
    ENCODING = "encoding"
    TOO_LARGE = "too_large"
    NOT_XML = "not_xml"
    MARKUP_REFUSED = "markup_refused"
    NOT_A_REQUEST = "not_a_request"
    MALFORMED = "malformed"
    RELAY_STATE = "relay_state"
    # Who asks, or where the answer would go, is not certain.
    ISSUER = "issuer"
    UNKNOWN_PROVIDER = "unknown_provider"
    AMBIGUOUS_PROVIDER = "ambiguous_provider"
    ACS_UNKNOWN = "acs_unknown"
    ACS_CONFLICT = "acs_conflict"
    DESTINATION = "destination"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_INVALID = "signature_invalid"
    SIGNATURE_ALGORITHM = "signature_algorithm"
    # The request is of its provider, and is not granted.
    VERSION = "version"
    ID = "id"
    ISSUE_INSTANT = "issue_instant"
    BINDING = "binding"
    NAME_ID_POLICY = "name_id_policy"
    AUTHN_CONTEXT = "authn_context"
    SUBJECT_UNSUPPORTED = "subject_unsupported"
    OTHER_SUBJECT = "other_subject"
    NO_PASSIVE = "no_passive"
    NO_NAME_ID = "no_name_id"
    # A launch that does not begin or end here.
    UNKNOWN_APP = "unknown_app"
    NOT_IDP_INITIATED = "not_idp_initiated"
    REQUEST_GONE = "request_gone"
    REQUEST_EXPIRED = "request_expired"


class SamlError(Exception):
    """A message or launch that is not granted."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        """Name the reason; `detail` is for the operator and never shown to the person."""
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail


class Refused(SamlError):
    """Answered by a page of our own; nothing is sent anywhere."""


class Answered(SamlError):
    """Answered by an error Response to the checked address of the provider."""

    def __init__(self, reason: Reason, top: Status, nested: Status | None = None, detail: str = "") -> None:
        """Name the reason and the status codes that the provider is told."""
        super().__init__(reason, detail)
        self.top = top
        self.nested = nested
