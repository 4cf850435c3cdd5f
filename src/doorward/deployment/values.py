"""Reading one written value: numbers, networks, hosts, addresses, files. Pure but for the files that it opens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from doorward.deployment.settings import Found, SettingError

Network: TypeAlias = IPv4Network | IPv6Network

_HOST_NAME: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.ASCII)


def number(found: Found, least: int, most: int) -> int:
    """Read a whole number from `least` to `most`. Raises SettingError."""
    if not re.fullmatch(r"[0-9]{1,9}", found.text, re.ASCII) or not least <= int(found.text) <= most:
        raise found.wrong(f"is not a whole number from {least} to {most}")
    return int(found.text)


def one_of(found: Found, choices: tuple[str, ...]) -> str:
    """Read one of `choices`. Raises SettingError."""
    if found.text not in choices:
        raise found.wrong(f"is not one of {', '.join(choices)}")
    return found.text


def items(found: Found) -> list[str]:
    """Split a list at its commas; empty items count for nothing."""
    return [item.strip() for item in found.text.split(",") if item.strip()]


def network(found: Found, item: str) -> Network:
    """Read a network, or one address as a network of one. Raises SettingError."""
    try:
        return ip_network(item)
    except ValueError as error:
        raise found.wrong(f"names {item!r}, which is no network ({error}); write it as 192.0.2.0/24") from error


def network_or_host(found: Found, item: str) -> Network | str:
    """Read a network or a host name. Raises SettingError."""
    if "/" in item or ":" in item or item.replace(".", "").isdigit():
        return network(found, item)
    name = item.lower().removesuffix(".")
    if not _HOST_NAME.fullmatch(name):
        raise found.wrong(f"names {item!r}, which is neither a network nor a host name")
    return name


def readable(found: Found | None) -> Path | None:
    """Read the path of a file that can be opened. Raises SettingError."""
    if found is None:
        return None
    path = Path(found.text).expanduser().absolute()
    try:
        with path.open("rb"):
            return path
    except (OSError, ValueError) as error:
        raise found.wrong(f"cannot be read ({error}); name a readable file") from error


def tls_pair(found: Mapping[str, Found]) -> tuple[Path | None, Path | None]:
    """Read certificate and key, which go together. Raises SettingError."""
    one, other = found.get("tls_cert"), found.get("tls_key")
    if (one is None) != (other is None):
        missing = "tls_cert" if one is None else "tls_key"
        raise SettingError(f"{missing} is missing: tls_cert and tls_key go together")
    return readable(one), readable(other)


def database(found: Found) -> str:
    """Read the address of a database; the path of an SQLite file becomes absolute. Raises SettingError."""
    if not found.text.startswith(("sqlite:///", "postgresql://", "postgres://")) or found.text == "sqlite:///":
        raise found.wrong("is not a database; write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME")
    if found.text.startswith("sqlite:///"):
        return f"sqlite:///{Path(found.text.removeprefix('sqlite:///')).expanduser().absolute()}"
    return found.text


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address can only mean this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def listen_host(found: Found) -> str:
    """Read the address or host name to listen on. Raises SettingError."""
    host = found.text.strip().lower().removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(host))
    except ValueError:
        if not _HOST_NAME.fullmatch(host) or host.replace(".", "").isdigit():
            raise found.wrong("is neither an address nor a host name; write 127.0.0.1 or 0.0.0.0") from None
        return host


def base_url(found: Found | None, host: str, port: int, *, is_https: bool, host_found: Found) -> str:
    """Read the base URL, or make it of what the server listens on. Raises SettingError."""
    if found is not None:
        return _checked_base_url(found)
    if not is_loopback(host):
        raise host_found.wrong(
            "is not loopback, so the address that browsers use must be known; give --base-url, such as https://id.example"
        )
    scheme, default_port = ("https", 443) if is_https else ("http", 80)
    # Browsers treat `localhost` as trustworthy by name, and passkeys refuse bare addresses.
    return f"{scheme}://localhost" + ("" if port == default_port else f":{port}")


def _checked_base_url(found: Found) -> str:
    try:
        parts = urlsplit(found.text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise found.wrong(f"is not an address ({error}); write https://id.example") from error
    if parts.scheme not in {"http", "https"} or not host or not _is_host(host) or not _is_bare(parts, found.text):
        raise found.wrong("must be scheme, host and perhaps a port alone, such as https://id.example")
    if parts.scheme == "http" and not is_loopback(host):
        raise found.wrong("must begin with https://; http is for loopback only")
    shown = f"[{host}]" if ":" in host else host
    is_default = port is None or port == {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" + ("" if is_default else f":{port}")


def _is_host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return _HOST_NAME.fullmatch(host) is not None
    return "%" not in host


def _is_bare(parts: SplitResult, text: str) -> bool:
    # urlsplit drops tabs and line ends and strips control characters, so the text itself is looked at as well.
    is_plain = all(33 <= ord(character) <= 126 for character in text)
    return is_plain and parts.path in {"", "/"} and "@" not in parts.netloc and not re.search(r"[?#\\]", text)
