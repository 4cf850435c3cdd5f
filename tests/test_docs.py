"""The documentation tells what the code does: the settings reference is made from it, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def test_the_settings_reference_is_what_the_code_declares() -> None:
    path = ROOT / "docs" / "settings_reference.py"
    spec = importlib.util.spec_from_file_location("settings_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text("utf-8") == module.reference(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_make_command_that_the_pages_name_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z]+)`", page.read_text("utf-8"))}
    assert named <= targets


def test_every_test_that_a_file_names_as_its_own_exists() -> None:
    named = {
        (path.relative_to(ROOT).as_posix(), test)
        for path in (ROOT / "src").rglob("*.py")
        for test in re.findall(r"\btests/[a-z0-9_/]+(?:\.py|/)", path.read_text("utf-8"))
    }
    assert sorted(pair for pair in named if not (ROOT / pair[1]).exists()) == []
