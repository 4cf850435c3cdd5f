"""The attack corpus sent to the server by POST: each refusal is a 4xx page and one audit event with its reason.

The messages name another server as their destination, so that those that are well made end there.
"""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

from sqlalchemy import func, select

from doorward.apps import SamlProvider
from doorward.store import schema
from support.house import House
from support.saml import ACS, ENTITY_ID, redirect_query
from support.saml_house import alice, wiki

CORPUS = Path(__file__).parent / "corpus"
EXPECTED: dict[str, str] = json.loads((CORPUS / "expected.json").read_text("utf-8"))


def test_xa01_to_xa19_a74_each_refusal_is_a_page_an_event_and_no_harm(quick_house: House) -> None:
    house = quick_house
    certificate = (CORPUS / "provider.pem").read_text("ascii")
    wiki(house, SamlProvider(ENTITY_ID, (ACS,), (certificate,)))
    browser = house.signed_in(alice(house))
    for name, expected in EXPECTED.items():
        before = len(house.events("app.refused"))
        message = base64.b64encode((CORPUS / name).read_bytes()).decode()
        begun = time.perf_counter()
        page = browser.raw_post("/saml/sso", {"SAMLRequest": message}, origin="https://wiki.example")
        assert time.perf_counter() - begun < 1, name
        assert page.status_code == 400, name
        assert "SAMLResponse" not in page.text
        events = house.events("app.refused")
        assert len(events) == before + 1, name
        event = events[0].event
        assert event.caller.reference in page.text
        if expected == "accepted":
            assert event.reason == "destination", name
        else:
            assert event.reason == expected, name
    waiting = select(func.count()).select_from(schema.saml_requests)
    assert house.store.read(lambda c: c.execute(waiting).scalar_one()) == 0
    assert browser.get("/saml/apps/wiki/launch").status_code == 200  # the worker survives, and opens what it should


def test_a74_a_bomb_in_a_query_is_a_page_and_the_server_goes_on(quick_house: House) -> None:
    wiki(quick_house)
    browser = quick_house.browser()
    bomb = redirect_query(b"<" + b"a" * 30_000_000)
    assert len(bomb) < 60_000
    begun = time.perf_counter()
    assert browser.get(f"/saml/sso?{bomb}").status_code == 400
    assert time.perf_counter() - begun < 1
    assert [entry.event.reason for entry in quick_house.events("app.refused")] == ["too_large"]
