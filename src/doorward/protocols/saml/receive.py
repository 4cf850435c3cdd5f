# Security: the way of every request from octets to acceptance (tests/standards/saml/).
"""Receiving an AuthnRequest: decode, parse, find who asks, check the signature, accept.

Each step works on what the step before gave, and on nothing else: after a signature was checked, only what was signed
is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from doorward.apps import App, SamlProvider
from doorward.clock import Instant
from doorward.protocols.saml.accept import (
    AcceptedRequest,
    Asker,
    accept,
    asker_of,
    check_destination,
    issuer_of,
)
from doorward.protocols.saml.bindings import Message
from doorward.protocols.saml.names import Element
from doorward.protocols.saml.parse import ReceivedRequest, parse_message, read_request, signatures_in
from doorward.protocols.saml.refusals import Reason, Refused
from doorward.protocols.saml.verify import check_signature_places, verify_embedded, verify_query


@dataclass(frozen=True, slots=True)
class Opened:
    """A message with the request that it seems to hold. `issuer` says only whose keys to try."""

    message: Message
    root: Element
    request: ReceivedRequest
    issuer: str


@dataclass(frozen=True, slots=True)
class Known:
    """A request that comes from a known provider, as far as its registration asks, and was meant for us."""

    request: ReceivedRequest
    asker: Asker


def opened(message: Message) -> Opened:
    """Parse a message and read who seems to have sent it.

    Raises:
        Refused: it cannot be read.
    """
    root = parse_message(message.octets)
    request = read_request(root)
    check_signature_places(root)
    if message.is_redirect and signatures_in(root):
        # SAML Bindings §3.4.4.1: a signature within the message must be removed, and is never taken as its signature.
        raise Refused(Reason.SIGNATURE_INVALID, "a signature within a message of the Redirect binding")
    return Opened(message, root, request, issuer_of(request))


def known(received: Opened, registered: Sequence[App], endpoint: str) -> Known:
    """Check the signature against the registered keys, then whom the request names and where it was meant for.

    Raises:
        Refused: it does not come from a provider that is registered, or was not meant for `endpoint`.
    """
    asker = asker_of(received.request, registered)
    request, is_signed = _verified(received, asker.provider)
    if request is not received.request:
        # The signed octets are what counts: whoever asks is read again from them, and must be the same.
        asker = _same_asker(asker, request, registered)
    check_destination(request, endpoint, is_signed=is_signed)
    return Known(request, asker)


def accepted(known_request: Known, relay_state: str | None, now: Instant) -> AcceptedRequest:
    """Accept what a known provider asks for.

    Raises:
        Answered: it cannot be granted.
    """
    return accept(known_request.request, known_request.asker, relay_state, now)


def _verified(received: Opened, provider: SamlProvider) -> tuple[ReceivedRequest, bool]:
    """Check whatever signature there is; without a registered key nothing can be checked, and none counts (SR-06).

    A signature that its sender left out could have been taken out by anybody, so one that nobody can check gives no
    safety and takes none away. With a key, any signature that is present must verify, required or not.
    """
    query_signature = received.message.signature
    embedded = signatures_in(received.root)
    keys = provider.signing_certificates
    if query_signature is None and not embedded:
        if provider.require_signed_requests:
            raise Refused(Reason.SIGNATURE_MISSING, "the provider's requests must be signed")
        return received.request, False
    if not keys:
        if provider.require_signed_requests:
            raise Refused(Reason.SIGNATURE_INVALID, "no key is registered for this provider")
        return received.request, False
    if query_signature is not None:
        verify_query(query_signature, keys)
        return received.request, True
    return read_request(verify_embedded(received.root, keys)), True


def _same_asker(asker: Asker, request: ReceivedRequest, registered: Sequence[App]) -> Asker:
    issuer_of(request)
    if request.issuer != asker.provider.entity_id:
        raise Refused(Reason.SIGNATURE_INVALID, "the signed Issuer is another")
    again = asker_of(request, registered)
    if again.app.id != asker.app.id:
        raise Refused(Reason.SIGNATURE_INVALID, "the signed request names another application")
    return again
