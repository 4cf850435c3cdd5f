"""The values that leave to an application."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorward.apps import launch_address
from doorward.apps.kinds import AppKind
from doorward.apps.launch import may_begin_here
from doorward.apps.values import claim, groups_out, is_source, resolve
from doorward.audit import Json
from support.app_samples import BOOKMARK, CLIENT, PROVIDER, a_person, an_app

GROUPS = frozenset({"app-b", "app-a", "Staff"})


@pytest.mark.parametrize(
    ("source", "values", "written"),
    [
        ("user.id", ["p"], "p"),
        ("user.number", ["42"], 42),
        ("user.username", ["alice"], "alice"),
        ("user.email", ["alice@acme.example"], "alice@acme.example"),
        ("user.family_name", [], None),
        ("user.groups", ["Staff", "app-a", "app-b"], ["Staff", "app-a", "app-b"]),
        ("user.attributes.department", ["R&D"], "R&D"),
        ("user.attributes.roles", ["a", "b"], ["a", "b"]),
        ("user.attributes.nothing", [], None),
        ("constant:gold: 1", ["gold: 1"], "gold: 1"),
        ("group_map", ["one", "two"], ["one", "two"]),
    ],
)
def test_each_source_gives_its_values(source: str, values: list[str], written: Json) -> None:
    app = an_app(group_map={"staff": "one", "app-a": ["one", "two"], "absent": "never"})
    assert is_source(source)
    assert resolve(source, a_person(), GROUPS, app) == values
    assert claim(source, a_person(), GROUPS, app) == written


@pytest.mark.parametrize("source", ["", "user", "user.password", "user.attributes.", "groups", "{user.id}"])
def test_what_is_no_source_is_never_resolved(source: str) -> None:
    assert not is_source(source)
    with pytest.raises(ValueError, match="no such source"):
        resolve(source, a_person(), GROUPS, an_app())


def test_only_groups_with_the_prefix_go_out_and_200_at_most() -> None:
    assert groups_out(GROUPS, an_app(groups_filter="app-")) == ["app-a", "app-b"]
    assert len(groups_out({f"g{n}" for n in range(500)}, an_app())) == 200


@pytest.mark.parametrize(
    ("kind", "start_url", "address"),
    [
        (BOOKMARK, None, "https://handbook.example"),
        (BOOKMARK, "https://start.example", "https://start.example"),
        (CLIENT, None, "https://board.example/"),
        (replace(CLIENT, redirect_uris=("app.board://cb",)), None, None),
        (CLIENT, "https://board.example/", "https://board.example/"),
        (
            replace(CLIENT, initiate_login_uri="https://board.example/login?a=1"),
            None,
            "https://board.example/login?a=1&iss=https%3A%2F%2Fid.example",
        ),
        (PROVIDER, None, "/saml/apps/board/launch"),
        (PROVIDER, "https://wiki.example/", "https://wiki.example/"),
        (replace(PROVIDER, idp_initiated=False), None, None),
    ],
)
def test_a_launch_leads_where_the_application_begins(kind: AppKind, start_url: str | None, address: str | None) -> None:
    assert launch_address(an_app(kind, start_url=start_url), "https://id.example") == address


def test_a73_an_assertion_nobody_asked_for_is_sent_only_where_it_may_be() -> None:
    assert may_begin_here(an_app(PROVIDER))
    assert not may_begin_here(an_app(PROVIDER, start_url="https://wiki.example"))
    assert not may_begin_here(an_app(replace(PROVIDER, idp_initiated=False)))
    assert may_begin_here(an_app(replace(PROVIDER, idp_initiated=True), start_url="https://wiki.example"))
    assert not may_begin_here(an_app(CLIENT))
