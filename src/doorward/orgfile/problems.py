"""What is wrong with an organisation file, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Path: TypeAlias = "tuple[str | int, ...]"
"""The way to a value: names and positions."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: file, line (from 1), the path of the value, and a sentence without its full stop."""

    file: str
    line: int
    path: str
    sentence: str

    def __str__(self) -> str:
        """Write it as compilers do: `org.yaml:12: users[0].email: …`."""
        place = f"{self.file}:{self.line}: "
        return f"{place}{self.path}: {self.sentence}" if self.path else f"{place}{self.sentence}"


class BadFile(Exception):
    """The files are refused whole: `problems` holds everything that is wrong with them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems: Final = tuple(problems)


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file. `at` gives the place of something below it."""

    file: str
    # Every place of a file shares this mapping: it is no part of what a place is, and never printed with it.
    lines: Mapping[Path, int] = field(repr=False, compare=False)
    path: Path = ()

    def at(self, *below: str | int) -> Where:
        """Go to a value below this one; one that is not written stands where its holder stands."""
        return Where(self.file, self.lines, (*self.path, *below))

    def problem(self, sentence: str) -> Problem:
        """Say that something is wrong here."""
        return Problem(self.file, self.line, written(self.path), sentence)

    @property
    def line(self) -> int:
        """The line of the nearest value that is written on the way here."""
        path = self.path
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def written(path: Path) -> str:
    """Write a path as people do: `applications[2].oidc.redirect_uris[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def parsed(path: str) -> Path:
    """Read a path that `written` wrote, such as the one of a fault of `apps`; a name may hold dots."""
    parts: list[str | int] = []
    for piece in path.split("."):
        name, *positions = piece.split("[")
        parts.append(name)
        parts.extend(
            int(position.rstrip("]")) if position.rstrip("]").isdigit() else position for position in positions
        )
    return tuple(parts)
