"""The values that go out to an application: from a source in its configuration and a person. Pure.

Sources: `user.id`, `user.number`, `user.username`, `user.email`, `user.name`, `user.given_name`,
`user.family_name`, `user.phone`, `user.locale`, `user.groups`, `user.attributes.<name>`, `group_map`,
and `constant:<text>`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from doorward.apps.app import App
from doorward.audit import Json
from doorward.directory import Person

CONSTANT: Final = "constant:"
ATTRIBUTE: Final = "user.attributes."
GROUPS: Final = "user.groups"
GROUP_MAP: Final = "group_map"
NUMBER: Final = "user.number"
MAX_GROUPS: Final = 200

_PLAIN: Final[Mapping[str, Callable[[Person], str | None]]] = {
    "user.id": lambda person: person.id,
    NUMBER: lambda person: str(person.number),
    "user.username": lambda person: person.username,
    "user.email": lambda person: person.email,
    "user.name": lambda person: person.name,
    "user.given_name": lambda person: person.given_name,
    "user.family_name": lambda person: person.family_name,
    "user.phone": lambda person: person.phone,
    "user.locale": lambda person: person.locale,
}

SOURCES: Final = (*_PLAIN, GROUPS, GROUP_MAP)
"""The sources that are names alone; `user.attributes.<name>` and `constant:<text>` come beside them."""


def is_source(source: str) -> bool:
    """Tell whether `source` can be resolved."""
    if source.startswith(CONSTANT):
        return True
    return source in SOURCES or (source.startswith(ATTRIBUTE) and len(source) > len(ATTRIBUTE))


def resolve(source: str, person: Person, groups: Collection[str], app: App) -> list[str]:
    """Give the values of `source` in a stable order; an empty list where the person has none.

    Raises:
        ValueError: `source` is none (registration refuses such a one).
    """
    if source in _PLAIN:
        value = _PLAIN[source](person)
        return [] if value is None else [value]
    if source == GROUPS:
        return groups_out(groups, app)
    if source == GROUP_MAP:
        return _mapped(groups, app)
    if source.startswith(CONSTANT):
        return [source.removeprefix(CONSTANT)]
    if is_source(source):
        found = person.attributes.get(source.removeprefix(ATTRIBUTE))
        return [] if found is None else [found] if isinstance(found, str) else list(found)
    raise ValueError(f"no such source: {source}")


def claim(source: str, person: Person, groups: Collection[str], app: App) -> Json:
    """Give a source as a JSON value: a number for `user.number`, lists for groups and for several values.

    None means that the person has no such value, and the claim is left out (OIDC Core §5.3.2).
    """
    values = resolve(source, person, groups, app)
    if source == NUMBER:
        return person.number
    if source == GROUPS or len(values) > 1:
        return values
    if source.startswith(ATTRIBUTE) and isinstance(person.attributes.get(source.removeprefix(ATTRIBUTE)), list):
        return values
    return values[0] if values else None


def groups_out(groups: Collection[str], app: App) -> list[str]:
    """Name the groups that this application is told of, A to Z: those with the prefix `groups_filter`, 200 at most."""
    prefix = app.groups_filter or ""
    return sorted(name for name in groups if name.startswith(prefix))[:MAX_GROUPS]


def _mapped(groups: Collection[str], app: App) -> list[str]:
    held = {name.casefold() for name in groups}
    mapped: list[str] = []
    for name, value in app.group_map.items():
        if name.casefold() in held:
            mapped.extend([value] if isinstance(value, str) else value)
    return list(dict.fromkeys(mapped))
