"""How tiles are laid out, and how devices are named: pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.apps import App, AppState, Bookmark, Tile
from doorward.apps.app import AppId
from doorward.pages.portal.devices import Device, DeviceKind, describe
from doorward.pages.portal.sections import arrange, plain

APP = App(
    id=AppId("1"),
    slug="wiki",
    name="Wiki",
    kind=Bookmark("https://wiki.example/x"),
    state=AppState.ACTIVE,
    description=None,
    hidden=False,
    start_url=None,
    groups_filter=None,
    group_map={},
    created_at=0,
    changed_at=0,
)


def _tile(slug: str, *groups: str, opened_at: int | None = None, favourite: bool = False) -> Tile:
    app = replace(APP, slug=slug, name=slug.title(), kind=Bookmark(f"https://{slug}.example/x"))
    return Tile(app, favourite, opened_at, groups)


def test_an_application_stands_under_its_first_group_and_under_everyone_only_where_no_other_gives_it() -> None:
    home = arrange([_tile("a", "Everyone", "zoo"), _tile("b", "everyone"), _tile("c", "art", "zoo"), _tile("d")])
    placed = {section.group: [card.slug for card in section.cards] for section in home.sections}
    assert placed == {"art": ["c"], "zoo": ["a"], "everyone": ["b"], None: ["d"]}
    assert [section.group for section in home.sections] == ["art", "zoo", "everyone", None]


def test_a_search_shows_each_application_once_and_neither_favourites_nor_recent_ones() -> None:
    home = arrange([_tile("wiki", "g", opened_at=5, favourite=True), _tile("board", "g")], " WIKI ")
    assert (home.query, home.found, home.total) == ("WIKI", 1, 2)
    assert home.favourites == home.recent == ()


def test_five_recent_ones_newest_first() -> None:
    home = arrange([_tile(f"app{n}", "g", opened_at=n) for n in range(1, 8)])
    assert [card.opened_at for card in home.recent] == [7, 6, 5, 4, 3]


@pytest.mark.parametrize(("one", "other"), [("Café", "cafe"), ("STRASSE", "straße"), ("\ufb01le", "FILE")])
def test_words_are_compared_without_case_and_accents(one: str, other: str) -> None:
    assert plain(one) == plain(other)


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Gecko/20100101 Firefox/130.0",
            Device("Firefox", "macOS", DeviceKind.COMPUTER),
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36",
            Device("Chrome", "Android", DeviceKind.PHONE),
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
            Device("Safari", "iOS", DeviceKind.TABLET),
        ),
        ("curl/8.1", Device("curl", None, DeviceKind.PROGRAM)),
        ("", Device(None, None, DeviceKind.PROGRAM)),
        ("<script>" * 60, Device(None, None, DeviceKind.PROGRAM)),
    ],
)
def test_a_device_is_named_in_words_that_a_person_knows(user_agent: str, device: Device) -> None:
    assert describe(user_agent) == device
