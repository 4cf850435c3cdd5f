"""`doorward demo` stays on this machine, in a folder of its own, and ends everything that it started."""

from __future__ import annotations

import json
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pyotp
import pytest
from click.testing import CliRunner, Result

from doorward.cli.demo import demo
from doorward.cli.demo.codes import present_codes
from doorward.cli.demo.organisation import KEPT_FILE, make_folder, read_folder
from doorward.clock import system_clock
from support.browserless import Account, Browser, sign_in
from support.ports import free_port
from support.processes import Place, start, stop, wait_until
from support.server import clean_environ, is_healthy


def refuse(*arguments: str, environ: dict[str, str] | None = None) -> Result:
    result = CliRunner().invoke(demo, arguments, env=environ)
    assert result.exit_code == 1, result.output
    return result


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "id.example"])  # noqa: S104 - it must be refused
def test_a_host_that_is_not_loopback_is_refused(tmp_path: Path, host: str) -> None:
    folder = tmp_path / "demo"
    result = refuse("--data", str(folder), "--host", host)
    assert "loopback" in result.output
    assert not folder.exists()


@pytest.mark.parametrize("base_url", ["https://id.example", "http://192.0.2.1:8000", "https://localhost.id.example"])
def test_a_base_url_that_is_not_loopback_is_refused(tmp_path: Path, base_url: str) -> None:
    folder = tmp_path / "demo"
    result = refuse("--data", str(folder), "--base-url", base_url)
    assert "loopback" in result.output
    assert not folder.exists()


def test_the_environment_cannot_open_the_demo_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    environ = {"DOORWARD_HOST": "0.0.0.0", "DOORWARD_BASE_URL": "https://id.example"}  # noqa: S104 - likewise
    refuse("--data", str(folder), environ=environ)
    refuse("--data", str(folder), environ={"DOORWARD_BASE_URL": "https://id.example"})
    assert not folder.exists()


@pytest.mark.parametrize("content", [None, "{}", "[]", "not JSON", '{"mark": "another"}'])
def test_a_folder_that_the_demo_did_not_make_is_refused(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    if content is not None:
        (folder / KEPT_FILE).write_text(content)
    before = sorted(folder.iterdir())
    result = refuse("--data", str(folder))
    assert "name another" in result.output
    assert sorted(folder.iterdir()) == before


def test_seeds_and_passwords_are_made_anew_and_kept_for_this_user_alone(tmp_path: Path) -> None:
    one, other = make_folder(tmp_path / "one"), make_folder(tmp_path / "other")
    assert {login.password for login in one.logins}.isdisjoint({login.password for login in other.logins})
    assert one.client_secret != other.client_secret
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "one" / KEPT_FILE).stat().st_mode) == 0o600
    assert read_folder(tmp_path / "one") == one


def test_the_codes_are_those_of_the_people(tmp_path: Path) -> None:
    kept = make_folder(tmp_path / "demo")
    now = system_clock()
    shown = {code.typed: code.code for code in present_codes(kept, now)}
    for login in kept.logins:
        if login.secret is not None:
            assert shown.pop(login.typed) == pyotp.TOTP(login.secret, interval=60).at(now // 1000)
    assert not shown
    told = json.loads(CliRunner().invoke(demo, ["--data", str(tmp_path / "demo"), "codes", "--json"]).output)
    assert {code["name"] for code in told["codes"]} == {"alice", "bob", "admin@acme.example"}


class Demo:
    """A running demo."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "demo"
        self.ports = [free_port() for _ in range(3)]
        log = folder / f"demo-{self.ports[0]}.log"
        flags = ["--data", self.data, "--port", self.ports[0]]
        flags += ["--saml-port", self.ports[1], "--oidc-port", self.ports[2]]
        arguments = [sys.executable, "-m", "doorward", "demo", *map(str, flags)]
        self.log = log
        self.process = start(arguments, Place(folder, log, clean_environ()))
        wait_until(lambda: "Codes" in log.read_text(), self.process, log)

    def account(self, name: str) -> Account:
        """One of the demo's people."""
        [login] = [login for login in read_folder(self.data).logins if login.typed == name]
        return Account(login.typed, login.password, login.secret)

    def url(self, number: int) -> str:
        """Doorward (0), the SAML application (1), the OpenID Connect application (2)."""
        return f"http://localhost:{self.ports[number]}"

    def is_down(self) -> bool:
        """Whether nothing of it listens any more."""
        for port in self.ports:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=2)
            except httpx2.TransportError:
                continue
            return False
        return True


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    stop(demo.process)


@pytest.mark.slow
def test_alice_opens_both_applications_and_bob_neither(running: Demo) -> None:
    with Browser() as browser:
        browser.open(f"{running.url(1)}/reports/november").follow("Sign in with Doorward")
        assert "Demo" in browser.text
        sign_in(browser, running.account("alice"))
        browser.submit("Continue")
        assert browser.heading == "Hello, Alice Liddell"
        assert browser.path == "/reports/november"
        browser.open(f"{running.url(2)}/").follow("Sign in with Doorward")
        assert browser.heading == "Hello, Alice Liddell"
        assert "otp" in browser.text
        browser.open(f"{running.url(0)}/")
        for name in ("Expenses", "Board", "Handbook", "Wiki"):
            assert name in browser.text
    with Browser() as browser:
        browser.open(f"{running.url(2)}/login")
        sign_in(browser, running.account("bob"))
        assert "Hello" not in browser.text


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_cleanly_and_the_next_start_is_the_same_demo(
    running: Demo, how: signal.Signals
) -> None:
    assert is_healthy(running.ports[0])
    before = running.account("alice")
    assert stop(running.process, how) == 0, running.log.read_text()
    assert running.is_down()
    again = Demo(running.data.parent)
    assert again.account("alice") == before
    assert stop(again.process) == 0


@pytest.mark.slow
def test_children_end_when_the_demo_is_killed(running: Demo) -> None:
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
    assert len(children) == 3
    running.process.kill()
    running.process.wait()
    watcher = start([sys.executable, "-c", "import time; time.sleep(60)"], Place(running.data, running.log))
    try:
        wait_until(running.is_down, watcher, running.log)
    finally:
        stop(watcher)
