"""The composed server: what runs beside the requests, and a database that is away at the start."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from doorward import server
from doorward.clock import HOUR
from doorward.deployment import load
from doorward.server import create_app
from doorward.store.migrate import SchemaError
from support.clocks import SettableClock

BASE = "http://localhost:8000"


def test_a_fresh_folder_becomes_a_working_server(tmp_path: Path, clock: SettableClock) -> None:
    deployment = load({"data": str(tmp_path / "new"), "base_url": BASE}, {})
    with TestClient(create_app(deployment, clock=clock), base_url=BASE) as client:
        assert client.get("/readyz").text == "ready\n"
        assert "Use your Doorward account." in client.get("/login").text


def test_a_database_of_another_version_stops_the_start(tmp_path: Path, sqlite_url: str, clock: SettableClock) -> None:
    with sqlite3.connect(sqlite_url.removeprefix("sqlite:///")) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    deployment = load({"data": str(tmp_path / "d"), "database": sqlite_url, "base_url": BASE}, {})
    with (
        pytest.raises(SchemaError, match="newer"),
        TestClient(create_app(deployment, clock=clock), base_url=BASE),
    ):
        pass


def test_what_has_expired_is_swept_beside_the_requests(
    tmp_path: Path, sqlite_url: str, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(server, "_SWEEP_ROWS", 2)
    monkeypatch.setattr(server, "_BREATH_SECONDS", 0.001)
    path = sqlite_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as raw:
        for n in range(5):
            raw.execute("INSERT INTO address_counters VALUES (?, 1, ?)", (f"a:{n}", clock() - HOUR))
        raw.execute("INSERT INTO address_counters VALUES ('a:kept', 1, ?)", (clock() + HOUR,))
    deployment = load({"data": str(tmp_path / "d"), "database": sqlite_url, "base_url": BASE}, {})
    with TestClient(create_app(deployment, clock=clock), base_url=BASE) as client:
        assert client.portal is not None
        for _ in range(100):
            left = raw.execute("SELECT key FROM address_counters").fetchall()
            if len(left) == 1:
                break
            client.portal.call(asyncio.sleep, 0.02)
    assert left == [("a:kept",)]
    raw.close()
