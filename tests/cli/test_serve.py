"""`doorward serve`: what it prints, what it refuses, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import trustme

from support.ports import free_port
from support.server import Server, ServerStarter, is_healthy

pytestmark = pytest.mark.slow
DOORWARD = Path(__file__).parents[2] / ".venv" / "bin" / "doorward"


def refused(*arguments: str | Path) -> str:
    """Run a start that must stop, and give its one sentence."""
    done = subprocess.run([DOORWARD, "serve", *arguments], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def children(process: int) -> set[int]:
    told = Path(f"/proc/{process}/task/{process}/children").read_text()
    return {int(child) for child in told.split()}


def wait_for(is_so: object, seconds: float = 30) -> None:
    assert callable(is_so)
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def test_the_first_start_tells_where_the_door_is_and_how_to_make_an_administrator(server: ServerStarter) -> None:
    running = server()
    told = running.log.read_text()
    assert f"Doorward is open at {running.base_url}\n" in told
    assert "doorward admin create" in told
    assert "master.key" in told
    with urllib.request.urlopen(f"{running.base_url}/readyz") as answer:
        assert answer.status == 200
    assert running.stop() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_signal_drains_and_ends_with_0_even_with_idle_connections(
    server: ServerStarter, how: signal.Signals, workers: int
) -> None:
    running = server(workers=workers)
    with socket.create_connection(("127.0.0.1", running.port)) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" in idle.recv(4096)
        started = time.monotonic()
        assert running.stop(how) == 0
        assert time.monotonic() - started < 12
    assert not is_healthy(running.port)


def test_a_second_start_knows_the_key_and_says_less(server: ServerStarter) -> None:
    first = server()
    first.stop()
    assert "master key was made" not in server(data=first.data).log.read_text()


def test_a_worker_that_is_killed_is_replaced(server: ServerStarter) -> None:
    running = server(workers=2)
    before = children(running.process.pid)
    assert len(before) == 2
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: len(children(running.process.pid) - {victim}) == 2)
    for _ in range(8):
        assert is_healthy(running.port)
    assert running.stop() == 0


def test_workers_end_with_the_first_process_even_by_kill_9(server: ServerStarter) -> None:
    running = server(workers=2)
    workers = children(running.process.pid)
    running.kill()
    wait_for(lambda: not any(is_running(worker) for worker in workers))
    assert not is_healthy(running.port)


def test_https_is_served_directly(server: ServerStarter, authority: trustme.CA, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    issued = authority.issue_cert("localhost")
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    running = server(tls_cert=certificate, tls_key=key)
    assert running.base_url.startswith("https://localhost:")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with urllib.request.urlopen(f"{running.base_url}/healthz", context=context) as answer:
        assert answer.status == 200
        assert "server" not in {name.lower() for name in answer.headers}
    assert running.stop() == 0


def test_a_port_that_is_taken_is_told(server: ServerStarter, tmp_path: Path) -> None:
    running: Server = server(workers=2)
    for workers in ("1", "2"):
        flags = ["--data", tmp_path / "other", "--port", str(running.port), "--workers", workers]
        assert str(running.port) in refused(*flags)


def test_wrong_settings_stop_the_start_with_one_sentence(tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    assert "--base-url" in refused(*data, "--host", "0.0.0.0")  # noqa: S104 - refused here
    assert "https" in refused(*data, "--base-url", "http://id.example")
    file = tmp_path / "x.pem"
    file.write_text("no certificate")
    assert "tls_cert" in refused(*data, "--tls-cert", file, "--tls-key", file)
    assert "database" in refused(*data, "--database", "mysql://x").lower()
    assert "cannot be used" in refused(*data, "--database", f"sqlite:///{tmp_path}/no/folder.db")


def test_a_database_of_another_version_stops_the_start_and_names_migrate(sqlite_url: str, tmp_path: Path) -> None:
    raw = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    raw.execute("UPDATE alembic_version SET version_num = '0000'")
    raw.commit()
    raw.close()
    assert "doorward migrate" in refused("--data", tmp_path / "data", "--database", sqlite_url)


def test_postgresql_that_turns_the_settings_away_stops_the_start(postgres_url: str, tmp_path: Path) -> None:
    wrong = postgres_url.rpartition("/")[0] + "/no_such_database"
    assert "no_such_database" in refused("--data", tmp_path / "data", "--database", wrong)


def test_postgresql_that_is_away_is_waited_for(server: ServerStarter) -> None:
    running = server(database=f"postgresql://doorward@127.0.0.1:{free_port()}/doorward")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        urllib.request.urlopen(f"{running.base_url}/readyz")
    assert "waits for it" in running.log.read_text()
    assert running.stop() == 0
