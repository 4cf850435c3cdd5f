# Security: keeps the demo, whose passwords are printed, on this machine (tests/cli/demo/test_demo.py).
"""The settings of the demo: `serve`'s, with its own database always, and loopback alone."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from doorward.cli.options import Refused
from doorward.deployment import Deployment, SettingError, is_loopback, load

_NO_KEY: Final = base64.b64encode(bytes(32)).decode("ascii")


def check_demo_settings(folder: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> None:
    """Read the demo's settings before anything is made. Raises as `demo_deployment`."""
    # The folder and its master key may not exist yet, so another key stands in for it.
    _checked(lambda: load({**_all_flags(folder, flags), "master_key": _NO_KEY}, environ, demo=True, may_create=False))


def demo_deployment(folder: Path, flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Deployment:
    """Read the demo's settings.

    The database is always the embedded one in `folder`, so that the demo organisation never lands in a database that
    the environment names.

    Raises:
        Refused: a setting is wrong, or the host or base URL is not loopback.
    """
    return _checked(lambda: load(_all_flags(folder, flags), environ, demo=True))


def _all_flags(folder: Path, flags: Mapping[str, str | None]) -> dict[str, str | None]:
    return {**flags, "data": str(folder), "database": f"sqlite:///{folder / 'doorward.db'}", "workers": "1"}


def _checked(read: Callable[[], Deployment]) -> Deployment:
    try:
        deployment = read()
    except SettingError as wrong:
        raise Refused(f"{wrong}.") from wrong
    if not is_loopback(deployment.host):
        raise Refused(f"--host: {deployment.host} is not loopback; the demo stays on this machine, use 127.0.0.1.")
    if not is_loopback(urlsplit(deployment.base_url).hostname or ""):
        raise Refused(
            f"--base-url: {deployment.base_url} is not loopback; the demo stays on this machine, use http://localhost."
        )
    return deployment
