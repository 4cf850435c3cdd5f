"""Bringing the demo's organisation about: whole at the first start, later only the addresses of its applications."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from doorward.cli.demo.organisation import Kept, organisation, own_applications
from doorward.cli.demo_apps.addresses import DemoAddresses
from doorward.cli.opened import opened_deployment
from doorward.cli.options import Refused
from doorward.clock import system_clock
from doorward.deployment import Deployment
from doorward.organization import current
from doorward.orgfile import BadFile, bring_about, read_organization_files
from doorward.signin.hashing import PasswordHasher

_WHOLE: Final = "organisation.yaml"
_ADDRESSES: Final = "addresses.yaml"


def found(deployment: Deployment, kept: Kept, at: DemoAddresses) -> None:
    """Make the organisation, or bring its two applications to the addresses of this start.

    The files that are applied stay in the folder, to look at and to play with.

    Raises:
        Refused: the organisation was changed so that the demo's applications no longer fit in.
    """
    hasher = PasswordHasher(deployment.argon2_memory_kib, deployment.argon2_time_cost)
    with opened_deployment(deployment) as door:
        is_new = door.read(current).version == 0
        file = deployment.data / (_WHOLE if is_new else _ADDRESSES)
        content = organisation(kept, at) if is_new else {"applications": own_applications(kept, at)}
        _write(file, json.dumps(content, indent=2, ensure_ascii=False))
        try:
            desired = read_organization_files([file], {})
            bring_about(door, desired, hash_password=hasher.hash_now, now=system_clock())
        except BadFile as bad:
            raise Refused(f"The demo's organisation cannot be applied: {bad}") from bad
        finally:
            hasher.close()


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
