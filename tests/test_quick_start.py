"""Nothing slow is imported before the socket answers (the list of what loads at its first use)."""

from __future__ import annotations

import subprocess
import sys

import pytest

LATER = [
    "fastapi",
    "pydantic",
    "scim2_models",
    "sqlalchemy.ext.asyncio",
    "asyncpg",
    "sqlalchemy.dialects.postgresql",
    "alembic",
    "lxml",
    "signxml",
    "fido2",
    "joserfc",
    "ua_parser",
    "PIL",
]


def imported_by(module: str) -> set[str]:
    program = f"import {module}, sys; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(told.stdout.split())


@pytest.mark.parametrize("module", ["doorward.server", "doorward.cli.serve"])
def test_what_only_some_requests_need_is_not_imported_at_the_start(module: str) -> None:
    assert imported_by(module).isdisjoint(LATER)


def test_the_overview_of_the_commands_imports_no_command() -> None:
    program = """
import sys
from doorward.cli import doorward
try:
    doorward.main(["--help"])
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert "backup" in told.stdout
    assert {"sqlalchemy", "starlette", "doorward.cli.serve"}.isdisjoint(told.stderr.split())
