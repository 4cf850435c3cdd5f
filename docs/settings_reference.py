"""Writes docs/settings.md from the declarations in the code: `make docs`. A test fails while the two differ."""

from __future__ import annotations

from pathlib import Path

from doorward.deployment.settings import SETTINGS
from doorward.organization.settings import Kind, Setting, Value, declared, sentence

PAGE = Path(__file__).with_name("settings.md")

_HEAD = """# Settings

Made from the code by `make docs`; do not edit.

There are two kinds. Settings of the **organisation** say how people sign in; they live in the database and are changed
by the organisation file (`doorward apply`). Settings of the **deployment** say where and how the server runs.

## The organisation

In the organisation file under `settings:`. What a value means stands beside it.

| setting | default | limits | what the default means |
| --- | --- | --- | --- |
"""

_DEPLOYMENT = """
Administrators have five attempts, always: no setting, API or file changes this.

## The deployment

A flag outranks the environment, which outranks `doorward.toml` in the data folder. Every secret can also be given as a
file, by the variable's name with `_FILE`: one trailing newline is stripped, and giving both is an error. An unknown
name is refused. `doorward doctor` prints where each value came from.

| setting | flag | environment | default | what it is |
| --- | --- | --- | --- | --- |
"""


def reference() -> str:
    """Write the page."""
    organisation = [
        f"| `{each.path}` | {_shown(each.default)} | {_limits(each)} | {_cell(sentence(each, each.default))} |"
        for each in declared()
    ]
    deployment = [
        f"| `{each.name}` | `{each.flag}` | `{each.variable}`{' or `_FILE`' if each.is_secret else ''} "
        f"| {f'`{each.default}`' if each.default else 'none'} | {_cell(each.sentence)} |"
        for each in SETTINGS
    ]
    return _HEAD + "\n".join(organisation) + "\n" + _DEPLOYMENT + "\n".join(deployment) + "\n"


def _limits(setting: Setting) -> str:
    declaration = setting.declaration
    match setting.kind:
        case Kind.NUMBER:
            return f"{declaration.lowest} to {declaration.highest} {declaration.unit or ''}".strip()
        case Kind.SWITCH:
            return "true or false"
        case Kind.LIST:
            return ", ".join(f"`{choice}`" for choice in declaration.choices)


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{', '.join(value)}]" if isinstance(value, tuple) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
