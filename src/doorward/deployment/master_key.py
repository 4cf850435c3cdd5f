# Security: the key that opens everything is read and made here (tests/deployment/test_master_key.py).
"""The master key: given, or kept in the data folder and made there at the first start."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from doorward.deployment.settings import Found, SettingError

MASTER_KEY_BYTES: Final = 32
MASTER_KEY_FILE: Final = "master.key"


def given_key(found: Found) -> bytes:
    """Decode a master key that a setting gives.

    Raises:
        SettingError: it is not 32 bytes in base64.
    """
    return _decoded(found.text, lambda: found.wrong(f"is not {MASTER_KEY_BYTES} bytes in base64"))


def _decoded(text: str, wrong: Callable[[], SettingError]) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise wrong() from None
    if len(key) != MASTER_KEY_BYTES:
        raise wrong()
    return key


def kept_key(data: Path, *, may_create: bool) -> bytes:
    """Read the master key of the data folder; with `may_create`, make it first where it is missing.

    Raises:
        SettingError: it is missing, not readable, or not 32 bytes in base64.
    """
    path = data / MASTER_KEY_FILE
    try:
        if may_create and not path.exists():
            _create_key(path)
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise SettingError(
            f"master_key: {path} does not exist; put the master key of this database there, readable for you alone"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"master_key: {path} cannot be read ({error}); make it readable for this user") from error
    return _decoded(text, lambda: SettingError(f"master_key: {path} does not hold {MASTER_KEY_BYTES} bytes in base64"))


def _create_key(path: Path) -> None:
    """Make the master key whole or not at all, even when two processes start at once or one is killed."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink(missing_ok=True)
