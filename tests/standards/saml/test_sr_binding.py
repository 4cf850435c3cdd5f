"""Taking a message out of a query or a form (STANDARDS 2.2; SAML Bindings §3.4 and §3.5)."""

from __future__ import annotations

import time
import zlib
from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.protocols.saml.bindings import (
    MAX_RELAY_STATE_BYTES,
    checked_relay_state,
    from_form,
    from_query,
    inflate,
)
from doorward.protocols.saml.parse import MAX_MESSAGE_BYTES, parse_message, read_request
from doorward.protocols.saml.refusals import Reason, Refused
from support.saml import Asks, deflated, posted, redirect_query

MESSAGE = Asks().xml()


def _raw_deflate(octets: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return stream.compress(octets) + stream.flush()


def refused_query(query: str) -> Reason:
    with pytest.raises(Refused) as refused:
        from_query(query.encode())
    return refused.value.reason


def test_sr01_both_bindings_give_the_same_octets() -> None:
    assert from_query(redirect_query(MESSAGE).encode()).octets == MESSAGE
    assert from_form({"SAMLRequest": posted(MESSAGE)}).octets == MESSAGE


def test_sr02_a_message_at_the_cap_inflates_and_one_octet_more_does_not() -> None:
    assert len(inflate(_raw_deflate(b"a" * MAX_MESSAGE_BYTES))) == MAX_MESSAGE_BYTES
    with pytest.raises(Refused) as refused:
        inflate(_raw_deflate(b"a" * (MAX_MESSAGE_BYTES + 1)))
    assert refused.value.reason is Reason.TOO_LARGE


def test_sr02_a74_a_ratio_bomb_is_refused_in_bounded_time() -> None:
    bomb = _raw_deflate(b"\0" * 50_000_000)
    begun = time.perf_counter()
    with pytest.raises(Refused) as refused:
        inflate(bomb)
    assert refused.value.reason is Reason.TOO_LARGE
    assert time.perf_counter() - begun < 0.05


@pytest.mark.parametrize(
    "octets",
    [
        _raw_deflate(MESSAGE) + b"x",
        _raw_deflate(MESSAGE) + _raw_deflate(MESSAGE),
        _raw_deflate(MESSAGE)[:-3],
        zlib.compress(MESSAGE),
        b"",
        b"\xff\xff\xff",
    ],
    ids=["trailing", "two streams", "cut off", "zlib header", "empty", "no deflate"],
)
def test_sr02_what_is_not_one_whole_deflate_stream_is_refused(octets: bytes) -> None:
    with pytest.raises(Refused) as refused:
        inflate(octets)
    assert refused.value.reason is Reason.ENCODING


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SAMLRequest=",
        "samlrequest={m}",
        "SAMLRequest={m}&SAMLResponse={m}",
        "SAMLResponse={m}",
        "SAMLRequest={m}&SAMLRequest={m}",
        "SAMLRequest={m}&SAMLRequest=",
        "SAMLRequest={m}&SAML%52equest={m}",
        "SAML%52equest={m}",
        "SAMLRequest={m}&RelayState=a&RelayState=b",
        "SAMLRequest={m}&Relay%53tate=b",
        "SAMLRequest={m}&SigAlg=a&SigAlg=b&Signature=eA%3D%3D",
        "SAMLRequest={m}&SigAlg=a&Signature=eA%3D%3D&Signature=eA%3D%3D",
        "SAMLRequest={m}&SigAlg=a",
        "SAMLRequest={m}&Signature=eA%3D%3D",
        "SAMLRequest={m}&Signature=eA%3D%3D&SigAlg=",
    ],
)
def test_sr04_missing_doubled_escaped_and_mixed_parameters_are_refused(query: str) -> None:
    assert refused_query(query.format(m=quote(deflated(MESSAGE), safe=""))) is Reason.PARAMETERS


def test_sr04_a_form_with_a_response_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        from_form({"SAMLRequest": posted(MESSAGE), "SAMLResponse": posted(MESSAGE)})
    assert refused.value.reason is Reason.PARAMETERS


def test_other_parameters_are_tolerated() -> None:
    assert from_query(f"utm=1&{redirect_query(MESSAGE)}&utm=2".encode()).octets == MESSAGE


@pytest.mark.parametrize("value", ["%%%", "a b", "ä", "A", "=", "AAAA=AAA", "AA*A"])
def test_a_message_that_is_not_base64_is_refused(value: str) -> None:
    assert refused_query(f"SAMLRequest={value}") is Reason.ENCODING


def test_another_encoding_of_the_redirect_binding_is_refused() -> None:
    named = quote("urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE", safe="")
    assert from_query(f"{redirect_query(MESSAGE)}&SAMLEncoding={named}".encode()).octets == MESSAGE
    assert refused_query(f"{redirect_query(MESSAGE)}&SAMLEncoding=urn%3Aother") is Reason.ENCODING


def test_xa17_ten_megabytes_of_base64_are_refused_before_they_are_decoded() -> None:
    huge = b64encode(b"a" * 10_000_000).decode()
    begun = time.perf_counter()
    for reason in (refused_query(f"SAMLRequest={huge}"), _refused_form(huge)):
        assert reason is Reason.TOO_LARGE
    assert time.perf_counter() - begun < 1


def _refused_form(value: str) -> Reason:
    with pytest.raises(Refused) as refused:
        from_form({"SAMLRequest": value})
    return refused.value.reason


@pytest.mark.parametrize(
    "value",
    ["", "a", "/deep/link?x=1&y=2", "é ü 🦊", "a b+c", "\r\n", "x" * 81, "x" * MAX_RELAY_STATE_BYTES, '"><script>'],
)
def test_sr21_relay_state_is_kept_as_it_came(value: str) -> None:
    assert from_query(redirect_query(MESSAGE, value).encode()).relay_state == value
    assert from_form({"SAMLRequest": posted(MESSAGE), "RelayState": value}).relay_state == value


def test_sr21_no_relay_state_is_not_an_empty_one() -> None:
    assert from_query(redirect_query(MESSAGE).encode()).relay_state is None
    assert from_form({"SAMLRequest": posted(MESSAGE)}).relay_state is None


@pytest.mark.parametrize("value", ["x" * (MAX_RELAY_STATE_BYTES + 1), "é" * MAX_RELAY_STATE_BYTES, "a\0", "\n", "\r"])
def test_sr21_relay_state_that_could_not_go_back_whole_is_refused(value: str) -> None:
    with pytest.raises(Refused) as refused:
        checked_relay_state(value)
    assert refused.value.reason is Reason.RELAY_STATE


@pytest.mark.parametrize("value", ["%ff", "%", "%zz", "\u00e9"])
def test_sr21_relay_state_that_is_no_text_is_refused(value: str) -> None:
    assert refused_query(f"{redirect_query(MESSAGE)}&RelayState={value}") is Reason.ENCODING


@settings(max_examples=300, deadline=1000)
@given(st.binary(max_size=2000))
def test_a74_any_query_is_read_or_refused(octets: bytes) -> None:
    for query in (octets, b"SAMLRequest=" + octets, b"SAMLRequest=" + quote(b64encode(octets)).encode()):
        try:
            read_request(parse_message(from_query(query).octets))
        except Refused:
            continue


@settings(max_examples=300, deadline=1000)
@given(st.binary(max_size=2000), st.integers(0, 400))
def test_a74_a_damaged_message_is_read_or_refused(noise: bytes, at: int) -> None:
    damaged = MESSAGE[:at] + noise + MESSAGE[at + len(noise) // 2 :]
    for message in (noise, damaged):
        for read in (
            lambda octets: from_query(f"SAMLRequest={quote(deflated(octets), safe='')}".encode()),
            lambda octets: from_form({"SAMLRequest": posted(octets)}),
        ):
            try:
                read_request(parse_message(read(message).octets))
            except Refused:
                continue
