"""What a plan finds on its way, and how a difference is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from doorward.orgfile.problems import Problem

_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Findings:
    """Problems refuse the file, warnings do not."""

    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[str] = field(default_factory=list[str])


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    """Tell each value that differs: `name: before -> after`."""
    return [
        f"{name}: {_shown(old.get(name))} -> {_shown(value)}" for name, value in new.items() if old.get(name) != value
    ]


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(list(value)) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownArgumentType] - only shown
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
