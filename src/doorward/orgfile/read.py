# Security: YAML from outside is read here (tests/orgfile/test_read.py).
"""YAML into plain values with the line of each, within bounds, every fault at once.

PyYAML only composes: no tag constructs anything. Text stays text (`no`, `1:30`, a date), whole numbers, true, false
and null are what YAML 1.2 says. Aliases, depth, nodes and size have caps; a key that stands twice is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final, TypeAlias, cast

import yaml

from doorward.orgfile.problems import BadFile, Path, Problem, Where, written

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 16
MAX_NODES: Final = 1_000_000
MAX_ALIASES: Final = 1000
MAX_REFERENCED: Final = 1024 * 1024

_TAG: Final = "tag:yaml.org,2002:"
_WHOLE: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_TRUTH: Final = {"true": True, "false": False}
_PLAIN_TAGS: Final = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value"))

Plain: TypeAlias = "str | int | bool | list[Plain] | dict[str, Plain] | None"
"""What a file can hold."""

_SECRET_PLACES: Final = (
    re.compile(r"(users|admins)\[\d+\]\.(password|password_hash)"),
    re.compile(r"(users|admins)\[\d+\]\.totp\.secret"),
    re.compile(r"applications\[\d+\]\.oidc\.client_secret"),
    re.compile(r"applications\[\d+\]\.saml\.metadata"),
    re.compile(r"applications\[\d+\]\.saml\.signing_certificates\[\d+\]"),
)
"""Where `{file: …}` and `{env: …}` may stand: for secrets and metadata."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was read."""

    where: Where
    content: Mapping[str, Plain]


def read_file(path: FilePath, environ: Mapping[str, str]) -> Document:
    """Read one organisation file and what it refers to.

    Raises:
        BadFile: with everything that keeps it from being read.
    """
    name = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadFile([Problem(name, 1, "", f"cannot be read: {error.strerror or error}")]) from error
    if len(data) > MAX_BYTES:
        raise BadFile([Problem(name, 1, "", f"is larger than {MAX_BYTES // 1024 // 1024} MiB")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadFile([Problem(name, line, "", "is not written in UTF-8")]) from error
    return read_text(name, text, path.parent, environ)


def read_text(name: str, text: str, folder: FilePath, environ: Mapping[str, str]) -> Document:
    """Read the text of a file called `name`; `{file: …}` is relative to `folder`. Raises BadFile."""
    try:
        _refuse_bombs(name, text)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = 1 if mark is None else mark.line + 1
        raise BadFile([Problem(name, line, "", f"is no YAML: {error.problem or error}")]) from error
    except yaml.YAMLError as error:
        raise BadFile([Problem(name, 1, "", f"is no YAML: {error}")]) from error
    reader = _Reader(name, folder, environ)
    content = reader.value(root, ()) if root is not None else None
    if not reader.problems and not isinstance(content, dict):
        reader.problems.append(Problem(name, 1, "", "holds no mapping: it begins with organization:"))
    if reader.problems:
        raise BadFile(sorted(reader.problems, key=lambda problem: problem.line))
    return Document(Where(name, reader.lines), cast("dict[str, Plain]", content))


def _refuse_bombs(name: str, text: str) -> None:
    """Walk the events, which nest nothing, before anything is composed."""
    depth = aliases = documents = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        mark = cast("yaml.Mark | None", event.start_mark)
        line = 1 if mark is None else mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        for count, most, what in ((depth, MAX_DEPTH, "levels"), (aliases, MAX_ALIASES, "aliases")):
            if count > most:
                raise BadFile([Problem(name, line, "", f"has more than {most} {what}")])
        if documents > 1:
            raise BadFile([Problem(name, line, "", "holds a second document (---): write one file for each")])


@dataclass(slots=True)
class _Reader:
    """Turns nodes into values and remembers where each stood."""

    name: str
    folder: FilePath
    environ: Mapping[str, str]
    lines: dict[Path, int] = field(default_factory=dict[Path, int])
    problems: list[Problem] = field(default_factory=list[Problem])
    nodes: int = 0

    def value(self, node: yaml.Node, path: Path) -> Plain:
        self.nodes += 1
        if self.nodes > MAX_NODES or len(path) > MAX_DEPTH:
            # Aliases multiply after composing; this bound holds for what they multiply to.
            raise BadFile(
                [Problem(self.name, _line(node), "", f"holds more than {MAX_NODES} values or {MAX_DEPTH} levels")]
            )
        self.lines[path] = _line(node)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            items = cast("list[yaml.Node]", node.value)
            return [self.value(item, (*path, index)) for index, item in enumerate(items)]
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, path)
        self._fault(node, path, f"the tag {node.tag} is not accepted")
        return None

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Plain:
        text, tag = cast("str", node.value), node.tag
        if tag not in _PLAIN_TAGS:
            self._fault(node, path, f"the tag {tag} is not accepted")
        if "\0" in text:
            self._fault(node, path, "holds a NUL")
        if tag == _TAG + "null":
            return None
        if tag == _TAG + "bool":
            return _TRUTH.get(text.lower(), text)
        if tag == _TAG + "int" and _WHOLE.fullmatch(text):
            return int(text)
        return text

    def _mapping(self, node: yaml.MappingNode, path: Path) -> Plain:
        read: dict[str, Plain] = {}
        for key_node, value_node in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            key = cast("object", key_node.value)
            if key_node.tag == _TAG + "merge":
                self._fault(key_node, path, "merge keys (<<) are not accepted: write the fields out")
                continue
            if not isinstance(key, str):
                self._fault(key_node, path, "a key is text")
                continue
            if key in read:
                self._fault(key_node, (*path, key), "stands twice")
            read[key] = self.value(value_node, (*path, key))
            # People look for a field where its name stands, which may be a line before its value.
            self.lines[*path, key] = _line(key_node)
        if set(read) in ({"file"}, {"env"}) and any(place.fullmatch(written(path)) for place in _SECRET_PLACES):
            return self._referenced(node, path, read)
        return read

    def _referenced(self, node: yaml.Node, path: Path, reference: dict[str, Plain]) -> Plain:
        """Read what `{file: PATH}` or `{env: NAME}` stands for; one trailing newline is stripped."""
        (kind, target), *_ = reference.items()
        if not isinstance(target, str) or not target:
            self._fault(node, path, f"{kind} needs a name")
            return None
        text: str | None
        if kind == "env":
            text = self.environ.get(target)
            if text is None:
                self._fault(node, path, f"the environment has no {target}")
        else:
            text = self._file(node, path, target)
        return None if text is None else text.removesuffix("\n").removesuffix("\r")

    def _file(self, node: yaml.Node, path: Path, target: str) -> str | None:
        try:
            with (self.folder / target).open("rb") as stream:
                data = stream.read(MAX_REFERENCED + 1)
            if len(data) > MAX_REFERENCED:
                self._fault(node, path, f"{target} is larger than {MAX_REFERENCED // 1024} KiB")
                return None
            return data.decode("utf-8-sig")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not written in UTF-8"
            self._fault(node, path, f"{target} cannot be read: {reason}")
            return None

    def _fault(self, node: yaml.Node, path: Path, sentence: str) -> None:
        self.problems.append(Problem(self.name, _line(node), written(path), sentence))


def _line(node: yaml.Node) -> int:
    mark = cast("yaml.Mark | None", node.start_mark)
    return 1 if mark is None else mark.line + 1
