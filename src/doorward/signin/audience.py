"""The two audiences, which are kept apart everywhere: people and administrators."""

from __future__ import annotations

from enum import StrEnum

from doorward.store import schema


class Audience(StrEnum):
    """Who signs in. Each audience has its own tables, identifiers, counters and cookies."""

    PERSON = "person"
    ADMIN = "admin"

    @property
    def tables(self) -> schema.AccountTables:
        """The tables of this audience."""
        return schema.PERSON if self is Audience.PERSON else schema.ADMIN
