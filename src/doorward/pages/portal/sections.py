"""How a person's applications are laid out: favourites, recently opened, then one section for each collection.

Pure: takes what the rooms below know and returns finished values for the template.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from doorward.apps import App, Bookmark, Tile
from doorward.clock import Instant

RECENT: Final = 5
MAX_QUERY: Final = 200
_EVERYONE: Final = "everyone"


@dataclass(frozen=True, slots=True)
class Card:
    """One application as the portal shows it. `line` is its description, or where a bookmark leads."""

    slug: str
    name: str
    line: str
    leads_outside: bool
    favourite: bool
    opened_at: Instant | None

    @property
    def searched(self) -> str:
        """Give the text that the search looks through."""
        return f"{self.name} {self.line}"


@dataclass(frozen=True, slots=True)
class Section:
    """Applications under one heading. A `group` of None is the rest: given to the person by no group."""

    group: str | None
    is_everyone: bool
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """What the first page shows. With a query there are neither favourites nor recent ones, which would repeat."""

    query: str
    total: int
    favourites: tuple[Card, ...]
    recent: tuple[Card, ...]
    sections: tuple[Section, ...]

    @property
    def found(self) -> int:
        """Count the applications in the sections, each once."""
        return sum(len(section.cards) for section in self.sections)


def arrange(tiles: Sequence[Tile], query: str = "") -> Home:
    """Lay out `tiles`; with a `query` only those whose name or line contains it, without case and accents.

    An application that several groups give stands once: under the first of them, A to Z, and under the group of
    everyone only where no other gives it.
    """
    wanted = plain(query[:MAX_QUERY])
    placed = sorted(((_card(tile), _home_group(tile.groups)) for tile in tiles), key=lambda pair: _order(pair[0]))
    cards = [(card, group) for card, group in placed if wanted in plain(card.searched)]
    groups = sorted({group for _, group in cards}, key=_group_order)
    sections = tuple(
        Section(group, group is not None and group.casefold() == _EVERYONE, tuple(c for c, g in cards if g == group))
        for group in groups
    )
    if wanted:
        return Home(query.strip(), len(tiles), (), (), sections)
    opened = sorted((card for card, _ in cards if card.opened_at is not None), key=lambda card: -(card.opened_at or 0))
    favourites = tuple(card for card, _ in cards if card.favourite)
    return Home("", len(tiles), favourites, tuple(opened[:RECENT]), sections)


def plain(text: str) -> str:
    """Write `text` as it is compared: without case, accents and space around it."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(each for each in apart if not unicodedata.category(each).startswith("M")).casefold().strip()


def card_of(app: App, *, favourite: bool = False, opened_at: Instant | None = None) -> Card:
    """Show one application; a bookmark without description shows where it leads."""
    line = app.description or ""
    if not line and isinstance(app.kind, Bookmark):
        line = urlsplit(app.kind.url).hostname or ""
    return Card(app.slug, app.name, line, isinstance(app.kind, Bookmark), favourite, opened_at)


def _card(tile: Tile) -> Card:
    return card_of(tile.app, favourite=tile.favourite, opened_at=tile.opened_at)


def _home_group(groups: Sequence[str]) -> str | None:
    return min(groups, key=_group_order, default=None)


def _group_order(group: str | None) -> tuple[int, str, str]:
    if group is None:
        return 2, "", ""
    return int(group.casefold() == _EVERYONE), plain(group), group


def _order(card: Card) -> tuple[str, str]:
    return plain(card.name), card.slug
