"""Whose address a request has: A3, A80, TH-clauses of SIGNIN.md 'Attempts'."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.web.address import LOCAL, client_address

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
PROXIES = (*LOOPBACK, ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))

addresses = st.ip_addresses().map(str)
junk = st.one_of(st.text(max_size=60), st.sampled_from(["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "::g", "a b"]))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.9", [], "192.0.2.9"),
        ("192.0.2.9", ["203.0.113.5"], "192.0.2.9"),
        ("127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("127.0.0.1", ["1.1.1.1, 203.0.113.5"], "203.0.113.5"),
        ("127.0.0.1", ["1.1.1.1, 203.0.113.5, 10.1.2.3"], "203.0.113.5"),
        ("127.0.0.1", ["1.1.1.1", "203.0.113.5"], "203.0.113.5"),
        ("127.0.0.1", ["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
        ("::1", ["2001:db8:0:0::7"], "2001:db8::7"),
        ("::ffff:127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("127.0.0.1", ["::ffff:203.0.113.5"], "203.0.113.5"),
        ("::ffff:192.0.2.9", ["203.0.113.5"], "192.0.2.9"),
        (None, ["203.0.113.5"], "203.0.113.5"),
        (None, [], LOCAL),
    ],
)
def test_the_first_hop_from_the_right_that_is_not_trusted_is_the_client(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    assert client_address(peer, forwarded, PROXIES) == client


@pytest.mark.parametrize(
    "bad", ["", " ", "unknown", "203.0.113.5:80", "[2001:db8::1]", "fe80::1%eth0", "203.0.113.5,", "0x7f.1", "٣.1.1.1"]
)
def test_a3_what_cannot_be_parsed_means_the_peer(bad: str) -> None:
    assert client_address("127.0.0.1", [bad], PROXIES) == "127.0.0.1"
    assert client_address("127.0.0.1", ["203.0.113.5, " + bad], PROXIES) == "127.0.0.1"


def test_a3_junk_left_of_the_client_is_never_looked_at() -> None:
    assert client_address("127.0.0.1", ["\x00'; --, 203.0.113.5"], PROXIES) == "203.0.113.5"


@given(st.one_of(addresses, st.none(), junk), st.lists(st.one_of(junk, addresses), max_size=8))
def test_a3_whatever_is_sent_the_answer_is_an_address(peer: str | None, forwarded: list[str]) -> None:
    ip_address(client_address(peer, forwarded, PROXIES))


@given(addresses, st.lists(st.one_of(junk, addresses), max_size=8))
def test_a3_a_peer_that_is_not_trusted_cannot_say_who_it_is(peer: str, forwarded: list[str]) -> None:
    told = client_address(peer, forwarded, ())
    assert told == client_address(peer, [], ())


@given(st.lists(st.one_of(junk, addresses), max_size=6), st.ip_addresses(v=4).map(str))
def test_a3_a_client_cannot_change_what_the_proxy_wrote(invented: list[str], real: str) -> None:
    if any(ip_address(real) in network for network in PROXIES if network.version == 4):
        return
    honest = client_address("127.0.0.1", [real], PROXIES)
    assert client_address("127.0.0.1", [", ".join([*invented, real])], PROXIES) == honest == real


def test_a_thousand_hops_are_not_walked() -> None:
    assert client_address("127.0.0.1", [", ".join(["10.0.0.1"] * 100_000)], PROXIES) == "10.0.0.1"
