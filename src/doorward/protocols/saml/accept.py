# Security: what may be answered, and where to (tests/standards/saml/test_sr_accept.py; SR-06 to SR-20).
"""From a `ReceivedRequest` to an `AcceptedRequest`. Pure: who is registered, the message and `now` are given.

The order matters. First who asks and where the answer may go, then the signature, then whether the message is meant
for us: until then a failure is `Refused` and nothing is sent. Only after that is a failure `Answered` to the provider.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, cast

from doorward.apps import App, SamlProvider
from doorward.clock import MINUTE, Instant, from_datetime
from doorward.protocols.saml.context import AskedContext, asked_context
from doorward.protocols.saml.names import EMAIL_ADDRESS, ENTITY_FORMAT, POST, UNSPECIFIED, Status
from doorward.protocols.saml.parse import ReceivedRequest
from doorward.protocols.saml.refusals import Answered, Reason, Refused

TOLERANCE: Final = 5 * MINUTE
"""How far the clock of a provider may be off, either way (SR-08)."""

NAME_ID_FORMATS: Final[Mapping[str, str]] = {"emailAddress": EMAIL_ADDRESS, "unspecified": UNSPECIFIED}
"""The formats of CONTRACT.md that exist so far, and their names on the wire."""

_NAME: Final = re.compile(r"[^\W\d][\w.\-]{0,255}\Z")  # xs:ID (SAML Core §1.3.4)
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?\Z", re.ASCII)
_VERSION: Final = re.compile(r"(\d{1,4})\.(\d{1,4})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and the one registered address that may be answered."""

    app: App
    provider: SamlProvider
    acs_url: str


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A request that was checked against its provider's registration; it may be answered at `acs_url`.

    `request_id` and `relay_state` go back unchanged. `accepted_at` is what ForceAuthn is measured from.
    """

    app_id: str
    acs_url: str
    request_id: str
    relay_state: str | None
    accepted_at: Instant
    force_authn: bool
    is_passive: bool
    subject: str | None
    context: AskedContext | None


def request_to_json(request: AcceptedRequest) -> dict[str, object]:
    """Write a request for the row in which it waits."""
    return asdict(request)


def request_from_json(saved: Mapping[str, object]) -> AcceptedRequest:
    """Read a request that `request_to_json` wrote."""
    context = cast("Mapping[str, object] | None", saved["context"])
    return AcceptedRequest(
        app_id=cast("str", saved["app_id"]),
        acs_url=cast("str", saved["acs_url"]),
        request_id=cast("str", saved["request_id"]),
        relay_state=cast("str | None", saved["relay_state"]),
        accepted_at=cast("int", saved["accepted_at"]),
        force_authn=cast("bool", saved["force_authn"]),
        is_passive=cast("bool", saved["is_passive"]),
        subject=cast("str | None", saved["subject"]),
        context=None
        if context is None
        else AskedContext(cast("str", context["comparison"]), tuple(cast("Sequence[str]", context["classes"]))),
    )


def issuer_of(request: ReceivedRequest) -> str:
    """Give the entity ID of who asks, compared as it stands (SR-09; CATALOGUE rule 1).

    Raises:
        Refused: there is none, or its format is not that of an entity.
    """
    if not request.issuer:
        raise Refused(Reason.ISSUER, "there is no Issuer")
    if request.issuer_format not in {None, ENTITY_FORMAT}:
        raise Refused(Reason.ISSUER, "the Issuer has another Format than entity")
    return request.issuer


def asker_of(request: ReceivedRequest, registered: Sequence[App]) -> Asker:
    """Choose the application and its address among those registered with the Issuer (SR-10, SR-11; CATALOGUE rule 2).

    Raises:
        Refused: nobody is registered, several remain, or the address is not one of theirs.
    """
    providers = [(app, app.kind) for app in registered if isinstance(app.kind, SamlProvider)]
    if not providers:
        raise Refused(Reason.UNKNOWN_PROVIDER, f"no application has the entity ID {request.issuer}")
    if request.acs_url is not None and request.acs_index is not None:
        # SAML Core §3.4.1: the two exclude each other.
        raise Refused(Reason.ACS_CONFLICT, "the request names its address by URL and by index")
    if request.acs_url is not None:
        matching = [(app, provider) for app, provider in providers if request.acs_url in provider.acs_urls]
        if not matching:
            raise Refused(Reason.ACS_UNKNOWN, _near_miss(request.acs_url, providers))
        app, provider = _only(matching)
        return Asker(app, provider, request.acs_url)
    app, provider = _only(providers)
    if request.acs_index is None:
        return Asker(app, provider, provider.acs_urls[0])
    if not re.fullmatch(r"\d{1,5}", request.acs_index, re.ASCII) or int(request.acs_index) >= len(provider.acs_urls):
        raise Refused(Reason.ACS_UNKNOWN, f"there is no address with the index {request.acs_index[:20]}")
    return Asker(app, provider, provider.acs_urls[int(request.acs_index)])


def check_destination(request: ReceivedRequest, endpoint: str, *, is_signed: bool) -> None:
    """Check that a request was meant for `endpoint`; a signed one must say so (SR-07; SAML Bindings §3.4.5.2).

    Raises:
        Refused: it was meant for another address.
    """
    if request.destination is None and not is_signed:
        return
    if request.destination != endpoint:
        raise Refused(Reason.DESTINATION, f"Destination is {request.destination or 'missing'}, not {endpoint}")


def accept(request: ReceivedRequest, asker: Asker, relay_state: str | None, now: Instant) -> AcceptedRequest:
    """Check the rest of a request whose asker, signature and destination were checked before.

    Raises:
        Answered: it cannot be granted; the provider is told why by a status.
    """
    _check_version(request)
    _check_id(request)
    _check_issue_instant(request, now)
    if request.protocol_binding not in {None, POST}:
        raise Answered(Reason.BINDING, Status.REQUESTER, Status.UNSUPPORTED_BINDING, "ProtocolBinding is not HTTP-POST")
    _check_name_id_policy(request, asker.provider)
    return AcceptedRequest(
        app_id=asker.app.id,
        acs_url=asker.acs_url,
        request_id=request.id or "",
        relay_state=relay_state,
        accepted_at=now,
        force_authn=_boolean(request.force_authn),
        is_passive=_boolean(request.is_passive),
        subject=_subject(request, asker.provider),
        context=asked_context(request.authn_context, asker.provider.authn_context),
    )


def _only(found: Sequence[tuple[App, SamlProvider]]) -> tuple[App, SamlProvider]:
    if len(found) > 1:
        slugs = ", ".join(app.slug for app, _ in found)
        raise Refused(Reason.AMBIGUOUS_PROVIDER, f"several applications share this entity ID and address: {slugs}")
    return found[0]


def _near_miss(sent: str, providers: Sequence[tuple[App, SamlProvider]]) -> str:
    """Tell the admin what nearly matched (CATALOGUE rule 4). Only told, never taken."""
    for _, provider in providers:
        for url in provider.acs_urls:
            if sent.rstrip("/") == url.rstrip("/"):
                return f"{sent} differs from {url} by a trailing slash"
            if sent.casefold() == url.casefold():
                return f"{sent} differs from {url} by upper and lower case"
            if sent.partition("?")[0] == url.partition("?")[0]:
                return f"{sent} differs from {url} by its query"
    return f"{sent} is not registered"


def _check_version(request: ReceivedRequest) -> None:
    match = _VERSION.match(request.version or "")
    if match is None:
        raise Answered(Reason.VERSION, Status.VERSION_MISMATCH, None, "there is no Version")
    version = (int(match[1]), int(match[2]))
    if version != (2, 0):
        nested = Status.VERSION_TOO_HIGH if version > (2, 0) else Status.VERSION_TOO_LOW
        raise Answered(Reason.VERSION, Status.VERSION_MISMATCH, nested, f"Version is {request.version}")


def _check_id(request: ReceivedRequest) -> None:
    if request.id is None or _NAME.match(request.id) is None:
        raise Answered(Reason.ID, Status.REQUESTER, None, "ID is missing or no xs:ID")


def valid_id(request: ReceivedRequest) -> str | None:
    """Give the ID that an answer may name in InResponseTo, if the request has a valid one."""
    return request.id if request.id is not None and _NAME.match(request.id) is not None else None


def _check_issue_instant(request: ReceivedRequest, now: Instant) -> None:
    text = request.issue_instant or ""
    if _INSTANT.match(text) is None:
        raise Answered(Reason.ISSUE_INSTANT, Status.REQUESTER, None, "IssueInstant is missing or no time")
    # Times of SAML are UTC (SAML Core §1.3.3); a missing zone can only be that.
    has_zone = text.endswith("Z") or text[-6] in "+-"
    fraction = re.sub(r"\.(\d{1,6})\d*", r".\1", text)
    try:
        issued = from_datetime(datetime.fromisoformat(fraction if has_zone else fraction + "Z"))
    except ValueError as error:
        raise Answered(Reason.ISSUE_INSTANT, Status.REQUESTER, None, "IssueInstant is no time") from error
    if abs(now - issued) > TOLERANCE:
        minutes = (now - issued) // MINUTE
        raise Answered(
            Reason.ISSUE_INSTANT, Status.REQUESTER, Status.REQUEST_DENIED, f"the request is {minutes} minutes old"
        )


def _check_name_id_policy(request: ReceivedRequest, provider: SamlProvider) -> None:
    policy = request.name_id_policy
    if policy is None:
        return
    if policy.format not in {None, UNSPECIFIED, NAME_ID_FORMATS[provider.name_id_format]}:
        raise Answered(
            Reason.NAME_ID_POLICY, Status.REQUESTER, Status.INVALID_NAME_ID_POLICY, f"Format {policy.format}"
        )
    if policy.sp_name_qualifier not in {None, "", request.issuer}:
        raise Answered(
            Reason.NAME_ID_POLICY, Status.REQUESTER, Status.INVALID_NAME_ID_POLICY, "SPNameQualifier is of another"
        )


def _subject(request: ReceivedRequest, provider: SamlProvider) -> str | None:
    subject = request.subject
    if subject is None:
        return None
    formats = {None, UNSPECIFIED, NAME_ID_FORMATS[provider.name_id_format]}
    if not subject.name_id or subject.has_confirmation or subject.format not in formats:
        # Naming somebody in a way that we cannot compare must not pass as naming nobody (SR-19, SR-20).
        raise Answered(
            Reason.SUBJECT_UNSUPPORTED, Status.REQUESTER, Status.REQUEST_UNSUPPORTED, "Subject is not by NameID alone"
        )
    return subject.name_id


def _boolean(text: str | None) -> bool:
    """Read xs:boolean. Anything else than its four forms is an error, never a silent no."""
    match (text or "false").strip():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case other:
            raise Answered(Reason.MALFORMED, Status.REQUESTER, None, f"{other[:20]!r} is neither true nor false")
