"""Static files, probes and what stands at fixed addresses: PM-03, RFC 9116."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import pytest

from doorward.store import StorageAway

if TYPE_CHECKING:
    from conftest import Door

CONTACT = "Contact: mailto:help@acme.example\nExpires: 2027-05-23T06:00:00Z\n"


def sheet(door: Door) -> str:
    found = re.search(r'href="(/static/signin-[0-9a-f]{12}\.css)"', door.client.get("/login").text)
    assert found is not None
    return found[1]


def test_a_static_file_is_kept_for_ever_under_its_hash(door: Door) -> None:
    answer = door.client.get(sheet(door), headers={"accept-encoding": "identity"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "--canvas" in answer.text
    assert ".card" in answer.text
    assert "set-cookie" not in answer.headers


def test_a_static_file_is_sent_compressed_to_whom_understands_it(door: Door) -> None:
    with door.client.stream("GET", sheet(door), headers={"accept-encoding": "gzip, br"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert b"--canvas" in gzip.decompress(raw)
    assert len(raw) < 8_000


@pytest.mark.parametrize(
    "path",
    [
        "/static/signin.css",
        "/static/signin-000000000000.css",
        "/static/../login.py",
        "/static/%2e%2e/login.py",
        "/static/",
    ],
)
def test_no_other_file_can_be_reached(door: Door, path: str) -> None:
    assert door.client.get(path).status_code == 404


def test_pm03_an_address_that_cannot_exist_is_not_found(door: Door) -> None:
    path = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"
    assert door.client.get(path).status_code == 404


def test_security_txt_names_whom_to_write_to(door: Door) -> None:
    answer = door.client.get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.startswith(CONTACT)
    assert "Canonical: http://localhost:8000/.well-known/security.txt\n" in answer.text


def test_readiness_tells_what_liveness_does_not(door: Door) -> None:
    assert door.client.get("/readyz").status_code == 200
    site = door.app.state.site

    class Away:
        async def read(self, _work: object) -> None:
            raise StorageAway("gone")

        async def close(self) -> None:
            return

    real = site.db
    object.__setattr__(site, "db", Away())
    try:
        assert door.client.get("/readyz").status_code == 503
        assert door.client.get("/healthz").status_code == 200
        assert door.client.get("/login").status_code == 503
        assert door.client.get("/nope").status_code == 404
        assert door.client.post("/login", data={"username": "alice"}).status_code == 400
    finally:
        object.__setattr__(site, "db", real)
    assert door.client.get("/readyz").status_code == 200


def test_search_engines_stay_out(door: Door) -> None:
    assert "Disallow: /" in door.client.get("/robots.txt").text
