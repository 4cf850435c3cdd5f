"""What all given files say together: each object once, each with its place, references not yet followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Final, Generic, TypeVar, cast

from doorward.directory.names import email_key, group_key, username_key
from doorward.organization.settings import Setting, Value, declared, refusal
from doorward.orgfile.later import later_value
from doorward.orgfile.model import (
    AdminModel,
    ApplicationModel,
    FileModel,
    GroupModel,
    OrganizationModel,
    UserModel,
    parse_file,
    unknown_field,
)
from doorward.orgfile.problems import BadFile, Problem, Where
from doorward.orgfile.read import Document, read_file

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """Something a file says, and where."""

    said: T
    where: Where


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything that is said. `sections` are the lists that are given, even if they are empty.

    `is_partial`: a command speaks of one object, and does not found the organisation.
    """

    organization: Placed[OrganizationModel] | None = None
    settings: Mapping[str, Placed[Value]] = field(default_factory=dict[str, Placed[Value]])
    groups: tuple[Placed[GroupModel], ...] = ()
    users: tuple[Placed[UserModel], ...] = ()
    admins: tuple[Placed[AdminModel], ...] = ()
    applications: tuple[Placed[ApplicationModel], ...] = ()
    sections: frozenset[str] = frozenset()
    start: Where = field(default_factory=lambda: Where("-", {}))
    is_partial: bool = False


def read_organization_files(paths: Sequence[FilePath], environ: Mapping[str, str]) -> Desired:
    """Read one or several files.

    Raises:
        BadFile: with everything that is wrong with any of them.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            documents.append(read_file(path, environ))
        except BadFile as bad:
            problems.extend(bad.problems)
    if problems:
        raise BadFile(problems)
    return gather(documents)


def gather(documents: Sequence[Document]) -> Desired:
    """Put together what several documents say. Raises BadFile."""
    problems: list[Problem] = []
    models: list[tuple[Where, FileModel]] = []
    settings: dict[str, Placed[Value]] = {}
    for document in documents:
        _settings(document, settings, problems)
        model = parse_file(document.where, document.content)
        if isinstance(model, FileModel):
            models.append((document.where, model))
        else:
            problems.extend(model)
    if problems:
        raise BadFile(sorted(problems, key=lambda problem: (problem.file, problem.line)))
    organizations = [
        Placed(model.organization, where.at("organization"))
        for where, model in models
        if model.organization is not None
    ]
    desired = Desired(
        organization=organizations[0] if organizations else None,
        settings=settings,
        groups=_placed(models, "groups", lambda model: model.groups),
        users=_placed(models, "users", lambda model: model.users),
        admins=_placed(models, "admins", lambda model: model.admins),
        applications=_placed(models, "applications", lambda model: model.applications),
        sections=frozenset(name for _, model in models for name in model.model_fields_set),
        start=documents[0].where if documents else Where("-", {}),
    )
    problems = _twice(desired, organizations)
    if problems:
        raise BadFile(problems)
    return desired


def _placed(
    models: Sequence[tuple[Where, FileModel]], name: str, read: Callable[[FileModel], Sequence[T]]
) -> tuple[Placed[T], ...]:
    return tuple(
        Placed(item, where.at(name, index)) for where, model in models for index, item in enumerate(read(model))
    )


def _settings(document: Document, into: dict[str, Placed[Value]], problems: list[Problem]) -> None:
    """Judge settings by their declarations."""
    by_group: dict[str, dict[str, Setting]] = {}
    for setting in declared():
        by_group.setdefault(setting.group, {})[setting.name] = setting
    given = document.content.get("settings")
    if not isinstance(given, dict):
        return
    for group, values in given.items():
        place = document.where.at("settings", group)
        if group not in by_group:
            problems.append(place.problem(unknown_field(place.path, list(by_group))))
        elif not isinstance(values, dict):
            problems.append(place.problem("must be a mapping"))
        else:
            for name, value in values.items():
                _setting(place.at(name), by_group[group], value, into, problems)


def _setting(
    place: Where,
    known: Mapping[str, Setting],
    value: object,
    into: dict[str, Placed[Value]],
    problems: list[Problem],
) -> None:
    name = str(place.path[-1])
    if name not in known:
        problems.append(place.problem(unknown_field(place.path, list(known))))
        return
    setting = known[name]
    if isinstance(value, list):
        later = [later_value(item) for item in cast("list[object]", value)]
        problems.extend(
            place.at(index).problem(sentence) for index, sentence in enumerate(later) if sentence is not None
        )
        if any(later):
            return
    reason = refusal(setting, cast("object", value))
    if reason is not None:
        problems.append(place.problem(reason))
    elif setting.path in into:
        problems.append(place.problem(f"is set in {_place(into[setting.path].where)} already"))
    else:
        accepted = tuple(cast("list[str]", value)) if isinstance(value, list) else value
        into[setting.path] = Placed(cast("Value", accepted), place)


def _twice(desired: Desired, organizations: Sequence[Placed[OrganizationModel]]) -> list[Problem]:
    """Find objects that are said twice, in one file or in two."""
    problems = [_again(each.where, organizations[0].where) for each in organizations[1:]]
    keyed: Final[tuple[Sequence[tuple[str, Where]], ...]] = (
        [(group_key(each.said.name), each.where) for each in desired.groups],
        [(username_key(each.said.username), each.where) for each in desired.users],
        [(each.said.id, each.where) for each in desired.users if each.said.id is not None],
        [(email_key(each.said.email), each.where) for each in desired.users if each.said.email is not None],
        [(email_key(each.said.email), each.where) for each in desired.admins],
        [(each.said.slug, each.where) for each in desired.applications],
    )
    for pairs in keyed:
        first: dict[str, Where] = {}
        for key, where in pairs:
            if key in first:
                problems.append(_again(where, first[key]))
            first.setdefault(key, where)
    return problems


def _again(where: Where, before: Where) -> Problem:
    return where.problem(f"stands in {_place(before)} already")


def _place(where: Where) -> str:
    return f"{where.file}:{where.line}"
