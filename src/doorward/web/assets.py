"""The static files: read once, served from memory under a name that holds their hash, so that browsers keep them.

A sheet of a page is served as one file with `base.css` in front of it. Text is kept compressed as well. Nothing here
depends on who asks, so compression reveals nothing.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "/static/"
BASE_SHEET: Final = "base.css"
_HASH_DIGITS: Final = 12
_KEEP: Final = b"public, max-age=31536000, immutable"
_KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_COMPRESSED: Final = frozenset({".css", ".js", ".svg", ".webmanifest"})


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file. `packed` is its gzip form, None where that is not smaller."""

    name: str
    kind: str
    body: bytes
    packed: bytes | None


class Assets:
    """Every file of the static folder, by the name that its templates use."""

    def __init__(self, folder: Path) -> None:
        """Read the folder; it is small."""
        files = {path.name: path for path in sorted(folder.iterdir()) if path.suffix in _KINDS}
        made = {name: _asset(path, files.get(BASE_SHEET)) for name, path in files.items()}
        self._by_name: Final[Mapping[str, Asset]] = made
        self._by_address: Final[Mapping[str, Asset]] = {PREFIX + asset.name: asset for asset in made.values()}

    def address(self, name: str) -> str:
        """Give the address of a file.

        Raises:
            KeyError: there is no such file: a template is wrong.
        """
        return PREFIX + self._by_name[name].name

    def find(self, path: str) -> Asset | None:
        """Find the file that is served at `path`."""
        return self._by_address.get(path)


def headers_of(asset: Asset, *, is_packed: bool) -> list[tuple[bytes, bytes]]:
    """Make the headers of an answer with `asset`."""
    body = asset.packed if is_packed and asset.packed is not None else asset.body
    headers = [
        (b"content-type", asset.kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", _KEEP),
        (b"vary", b"accept-encoding"),
    ]
    return [*headers, (b"content-encoding", b"gzip")] if body is asset.packed else headers


def _asset(path: Path, base: Path | None) -> Asset:
    body = path.read_bytes()
    if path.suffix == ".css" and path.name != BASE_SHEET and base is not None:
        body = base.read_bytes() + body
    digest = hashlib.sha256(body).hexdigest()[:_HASH_DIGITS]
    packed = gzip.compress(body, 9, mtime=0) if path.suffix in _COMPRESSED else None
    if packed is not None and len(packed) >= len(body):
        packed = None
    return Asset(f"{path.stem}-{digest}{path.suffix}", _KINDS[path.suffix], body, packed)
