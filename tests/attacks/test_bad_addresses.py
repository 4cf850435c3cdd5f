"""Addresses with octets that no name of ours has: a page that is not found, never a fault (issue 3, 'Bad input')."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clocks import SettableClock
from support.house import House, open_house
from support.store import Store

ADDRESSES = (
    "/security/authenticators/set-up/{}",
    "/security/authenticators/{}/remove",
    "/security/authenticators/{}/replace",
    "/security/sessions/{}/end",
    "/apps/{}/launch",
    "/apps/{}/favourite",
    "/oidc/resume/{}",
    "/saml/resume/{}",
    "/saml/apps/{}/launch",
    "/static/{}",
    "/{}",
)


@pytest.fixture
def house(tmp_path: Path, database_url: str, store: Store, clock: SettableClock) -> Iterator[House]:
    """The composed application, once on each database: PostgreSQL takes no NUL."""
    yield from open_house(tmp_path / "data", database_url, store, clock)


def test_no_address_is_a_fault(house: House) -> None:
    browser = house.signed_in(house.person("alice"))
    for address in ADDRESSES:
        for odd in ("%00", "a%00b", "%ff", "%ed%a0%80", "%0d%0aset-cookie:x", "x" * 5000):
            path = address.format(odd)
            answers = (browser.get(path), browser.post(path, code="123456"))
            assert all(answer.status_code < 500 for answer in answers), path
            assert all("set-cookie:x" not in str(answer.headers).lower() for answer in answers), path
