# Security: what a browser brings is taken apart here (tests/standards/saml/test_sr_binding.py; SR-02 to SR-04).
"""From a query or a form to the octets of one message (SAML Bindings §3.4 and §3.5). Pure."""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, unquote_plus

from doorward.protocols.saml.names import DEFLATE
from doorward.protocols.saml.parse import MAX_MESSAGE_BYTES
from doorward.protocols.saml.refusals import Reason, Refused

MAX_ENCODED: Final = MAX_MESSAGE_BYTES // 3 * 4 + 4
MAX_RELAY_STATE_BYTES: Final = 8 * 1024
_READ: Final = ("SAMLRequest", "RelayState", "SigAlg", "Signature", "SAMLEncoding")
_LONE_BREAK: Final = re.compile(r"\r(?!\n)|(?<!\r)\n")
_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class QuerySignature:
    """A signature of the Redirect binding: what was signed is the query exactly as it was encoded (§3.4.4.1)."""

    algorithm: str
    value: bytes
    signed: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it arrived. `relay_state` is None where none was sent, which is not the same as an empty one."""

    octets: bytes
    relay_state: str | None
    signature: QuerySignature | None
    is_redirect: bool


def from_query(query: bytes) -> Message:
    """Take a message out of the query of a GET (HTTP-Redirect binding).

    Raises:
        Refused: parameters are missing, doubled or mixed, or the message does not decode within its caps.
    """
    raw = _parameters(query)
    encoded = unquote(_ascii(raw.get("SAMLRequest", b"")))
    if not encoded:
        raise Refused(Reason.PARAMETERS, "there is no SAMLRequest")
    if unquote(_ascii(raw.get("SAMLEncoding", b""))) not in {"", DEFLATE}:
        raise Refused(Reason.ENCODING, "SAMLEncoding is not DEFLATE")
    return Message(
        octets=inflate(_base64(encoded)),
        relay_state=checked_relay_state(_text(raw["RelayState"])) if "RelayState" in raw else None,
        signature=_signature(raw),
        is_redirect=True,
    )


def from_form(fields: Mapping[str, str]) -> Message:
    """Take a message out of the fields of a POST (HTTP-POST binding); each field stands once already.

    Raises:
        Refused: the field is missing or mixed with a response, or does not decode within its caps.
    """
    if "SAMLResponse" in fields:
        raise Refused(Reason.PARAMETERS, "a response was sent to where requests are answered")
    encoded = re.sub(r"[ \t\r\n]+", "", fields.get("SAMLRequest", ""))
    if not encoded:
        raise Refused(Reason.PARAMETERS, "there is no SAMLRequest")
    relay_state = fields.get("RelayState")
    return Message(
        octets=_base64(encoded),
        relay_state=None if relay_state is None else checked_relay_state(relay_state),
        signature=None,
        is_redirect=False,
    )


def checked_relay_state(value: str) -> str:
    """Give back a RelayState that a form can echo byte for byte.

    Providers exceed the 80 bytes of Bindings §3.4.3, so up to 8 KiB are taken; nothing is ever cut. Browsers drop NUL
    and turn a lone line break into two characters when they send a form, so such values are refused.

    Raises:
        Refused: it is too long, or would change on its way back.
    """
    if len(value.encode("utf-8", "surrogatepass")) > MAX_RELAY_STATE_BYTES:
        raise Refused(Reason.RELAY_STATE, "RelayState is longer than 8 KiB")
    if "\0" in value or _LONE_BREAK.search(value):
        raise Refused(Reason.RELAY_STATE, "RelayState cannot be sent back unchanged")
    return value


def inflate(octets: bytes) -> bytes:
    """Inflate raw DEFLATE (RFC 1951), never beyond the cap of a message.

    Raises:
        Refused: it is larger than the cap, damaged, cut off, or followed by more.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(octets, MAX_MESSAGE_BYTES + 1)
    except zlib.error as error:
        raise Refused(Reason.ENCODING, "the message is not DEFLATE") from error
    if len(inflated) > MAX_MESSAGE_BYTES:
        raise Refused(Reason.TOO_LARGE, "the message inflates to more than 64 KiB")
    if not stream.eof or stream.unconsumed_tail:
        raise Refused(Reason.ENCODING, "the message is cut off")
    if stream.unused_data:
        raise Refused(Reason.ENCODING, "octets follow the message")
    return inflated


def _parameters(query: bytes) -> dict[str, bytes]:
    """Split a query into its still encoded values; a name of ours may stand once and only in plain letters."""
    found: dict[str, bytes] = {}
    for part in query.split(b"&"):
        raw_name, _, value = part.partition(b"=")
        name = unquote_plus(raw_name.decode("latin-1"))
        if name == "SAMLResponse":
            raise Refused(Reason.PARAMETERS, "a response was sent to where requests are answered")
        if name not in _READ:
            continue
        # An escaped name would be read here and left out by whoever signs or verifies the plain octets.
        if name in found or raw_name != name.encode():
            raise Refused(Reason.PARAMETERS, f"{name} stands twice or escaped")
        found[name] = value
    return found


def _signature(raw: Mapping[str, bytes]) -> QuerySignature | None:
    if "Signature" not in raw and "SigAlg" not in raw:
        return None
    if not raw.get("Signature") or not raw.get("SigAlg"):
        raise Refused(Reason.PARAMETERS, "Signature and SigAlg belong together")
    names = [name for name in ("SAMLRequest", "RelayState", "SigAlg") if name in raw]
    return QuerySignature(
        algorithm=unquote(_ascii(raw["SigAlg"])),
        value=_base64(unquote(_ascii(raw["Signature"]))),
        signed=b"&".join(name.encode() + b"=" + raw[name] for name in names),
    )


def _base64(encoded: str) -> bytes:
    if len(encoded) > MAX_ENCODED:
        raise Refused(Reason.TOO_LARGE, "the message is larger than 64 KiB")
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(Reason.ENCODING, "the message is not base64") from error


def _ascii(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError as error:
        raise Refused(Reason.ENCODING, "a parameter is not percent-encoded") from error


def _text(value: bytes) -> str:
    if _ESCAPE.search(value):
        raise Refused(Reason.ENCODING, "RelayState is not percent-encoded")
    try:
        return unquote_plus(_ascii(value), errors="strict")
    except UnicodeDecodeError as error:
        raise Refused(Reason.ENCODING, "RelayState is not UTF-8") from error
