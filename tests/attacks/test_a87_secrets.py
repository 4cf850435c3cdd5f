"""A87: no secret is compared in a time that tells how much of it was right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import doorward

SECRET = re.compile(r"(?i)secret|token|csrf|handle|password|digest|^mac$|signature|code_hash")
COLUMN = re.compile(r"^(\w+\.)?(c|_[A-Z]+(\.c)?|_C)\.\w+$|^_[A-Z]\w*\.c\.\w+$")
HARMLESS = re.compile(r"changed_at$|_CLASS$|_claimed$|_failed$|auth_method$|_id$")


def names(node: ast.expr) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr


def compared_in_the_open(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare) or not any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) or COLUMN.match(ast.unparse(side)) for side in sides):
            continue
        if any(SECRET.search(name) and not HARMLESS.search(name) for side in sides for name in names(side)):
            found.append(ast.unparse(node))
    return found


def test_a87_every_comparison_of_a_secret_takes_constant_time() -> None:
    allowed = {
        "password.changed_at != changed_at",
        "changed_at == password.changed_at",
        "state.password_set_at != password_set_at",
    }
    for path in sorted(Path(doorward.__file__).parent.rglob("*.py")):
        found = [each for each in compared_in_the_open(path.read_text("utf-8")) if each not in allowed]
        assert found == [], f"{path}: compare by store.same_secret, or let the database compare hashes"


def test_a87_the_check_sees_what_it_is_for() -> None:
    assert compared_in_the_open("if given == token: pass") == ["given == token"]
    assert compared_in_the_open("x = form.one('csrf') != self.csrf_token") == ["form.one('csrf') != self.csrf_token"]
    assert compared_in_the_open("q = _T.c.handle_hash == hashed") == []
