# Security: whose attempts are counted together is decided by this address (tests/web/test_address.py).
"""From which address a request comes: the peer, or what trusted proxies say about it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, TypeAlias

from doorward.deployment import Network

Address: TypeAlias = IPv4Address | IPv6Address

LOCAL: Final = "127.0.0.1"
_MOST_HOPS: Final = 64


def client_address(peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """Tell the address of the client, never raising.

    `forwarded_for` holds every X-Forwarded-For header in order. It is read only when the peer is a trusted proxy, and
    from the right: each hop wrote down whom it heard, so the first hop that is not trusted is the client, and what
    stands left of it is the client's own invention. Anything unparsable on the way means the peer.
    """
    heard = _parsed(peer or LOCAL)  # without a peer the request came by a local socket
    if heard is None:
        return LOCAL
    if not forwarded_for or not _is_trusted(heard, trusted):
        return str(heard)
    client = heard
    for hop in reversed(",".join(forwarded_for).split(",")[-_MOST_HOPS:]):
        told = _parsed(hop.strip(" \t"))
        if told is None:
            return str(heard)
        client = told
        if not _is_trusted(client, trusted):
            break
    return str(client)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> Address | None:
    """Parse an address. Kept, because the same few come with every request."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    if address.scope_id is not None:
        return None
    # ::ffff:192.0.2.1 is 192.0.2.1 as a dual-stack socket writes it: one client, one address.
    return address.ipv4_mapped or address


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted if network.version == address.version)
