"""The organisation as it stands now, read from its one row and kept per connection until its version changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Final, cast

from sqlalchemy import Connection, select

from doorward.audit import Json
from doorward.clock import Instant
from doorward.organization.settings import GROUPS, Settings, declared, refusal
from doorward.store import schema

_ROW: Final = schema.organization
ROW_ID: Final = 1
_CACHE: Final = "doorward.organization"

_STAMP: Final = select(_ROW.c.version, _ROW.c.changed_at).where(_ROW.c.id == ROW_ID)  # runs at every request

UNFOUNDED_NAME: Final = "Doorward"


@dataclass(frozen=True, slots=True)
class Support:
    """Whom a person asks for help. Every field may be absent."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    url: str | None = None

    @property
    def contact(self) -> str:
        """Name whom to ask, as part of a sentence: 'Contact …'."""
        return self.name or self.email or self.phone or "your administrator"


@dataclass(frozen=True, slots=True)
class Organization:
    """The organisation. `version` 0 is one that was not founded yet: it has defaults alone."""

    name: str
    domains: tuple[str, ...] = ()
    authenticator_label: str | None = None
    support: Support = field(default_factory=Support)
    settings: Settings = field(default_factory=Settings)
    version: int = 0
    changed_at: Instant = 0

    @property
    def user_label(self) -> str:
        """Name the issuer that a person's authenticator app shows."""
        return self.authenticator_label or f"{self.name} User"

    @property
    def admin_label(self) -> str:
        """Name the issuer that an administrator's authenticator app shows."""
        return f"{self.name} Admin"


def found(connection: Connection) -> bool:
    """Tell whether the organisation was founded."""
    return connection.execute(select(_ROW.c.id).where(_ROW.c.id == ROW_ID)).first() is not None


def current(connection: Connection) -> Organization:
    """Read the organisation. Until one is founded, it is one with every default and the product's name.

    One small SELECT of version and instant; the rest is read and parsed again only when either changed. What was
    parsed is kept with the database connection itself, so that two databases in one process never mix.
    """
    stamp = connection.execute(_STAMP).first()
    if stamp is None:
        return Organization(UNFOUNDED_NAME)
    kept = connection.info.get(_CACHE)
    if isinstance(kept, Organization) and (kept.version, kept.changed_at) == tuple(stamp):
        return kept
    row = connection.execute(select(_ROW).where(_ROW.c.id == ROW_ID)).mappings().one()
    read = _parse(cast("Mapping[str, object]", row))
    connection.info[_CACHE] = read
    return read


def forget(connection: Connection) -> None:
    """Drop what `current` kept with this connection: called by the one who changes the row."""
    connection.info.pop(_CACHE, None)


def columns(organization: Organization) -> dict[str, Json]:
    """Write an organisation as the values of its row, without version and instant."""
    return {
        "name": organization.name,
        "domains": list(organization.domains),
        "authenticator_label": organization.authenticator_label,
        "support": cast("dict[str, Json]", asdict(organization.support)),
        "settings": settings_as_json(organization.settings),
    }


def settings_as_json(settings: Settings) -> dict[str, Json]:
    """Write all settings as nested names and values."""
    return cast("dict[str, Json]", asdict(settings))


def settings_from_json(stored: Mapping[str, object]) -> Settings:
    """Read settings. What is absent, unknown or outside its limits (another version wrote it) has its default."""
    values: dict[str, dict[str, object]] = {name: {} for name in GROUPS}
    for setting in declared():
        group = stored.get(setting.group)
        if not isinstance(group, Mapping):
            continue
        value = cast("Mapping[str, object]", group).get(setting.name)
        if value is not None and refusal(setting, value) is None:
            values[setting.group][setting.name] = tuple(cast("list[str]", value)) if isinstance(value, list) else value
    groups = {name: cast("Callable[..., object]", holder)(**values[name]) for name, holder in GROUPS.items()}
    return cast("Callable[..., Settings]", Settings)(**groups)


def _parse(row: Mapping[str, object]) -> Organization:
    support = cast("Mapping[str, str | None]", row["support"])
    known = {each.name for each in fields(Support)}
    return Organization(
        name=cast("str", row["name"]),
        domains=tuple(cast("list[str]", row["domains"])),
        authenticator_label=cast("str | None", row["authenticator_label"]),
        support=Support(**{name: value for name, value in support.items() if name in known}),
        settings=settings_from_json(cast("Mapping[str, object]", row["settings"])),
        version=cast("int", row["version"]),
        changed_at=cast("int", row["changed_at"]),
    )
