"""A real `doorward serve` with the real time, and real clients of other makers beside it.

Times of certificates, assertions and tokens are judged by the clients' own clocks, so no clock is given here. A code
works once in 60 seconds: each test takes people of its own from `somebody`.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from clients.acme import BASIC_SECRET, PASSWORD, PEOPLE, Acme, applications, person
from clients.apache import Apache, choose_ports, missing, running_apache
from support.browserless import Account, Browser
from support.ports import free_port
from support.processes import Place, start, stop, wait_until
from support.server import clean_environ, is_healthy

_NODE = Path(__file__).with_name("node")


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    """The organisation on a running server."""
    folder = tmp_path_factory.mktemp("acme")
    port, node, saml_demo, oidc_demo, ports = free_port(), free_port(), free_port(), free_port(), choose_ports()
    inside = [person(f"person{n}", ["engineering"]) for n in range(PEOPLE)]
    outside = [person(f"visitor{n}", ["visitors"]) for n in range(6)]
    acme = Acme(
        f"http://localhost:{port}",
        folder / "data",
        ports,
        node,
        saml_demo,
        oidc_demo,
        [account for account, _ in inside],
        [account for account, _ in outside],
    )
    acme.apply(
        "acme",
        {
            "organization": {"name": "Acme", "domains": ["acme.example"]},
            "groups": [{"name": "engineering"}, {"name": "visitors"}],
            "users": [{**said, "password": PASSWORD} for _, said in inside + outside],
            "applications": applications(ports, node, saml_demo, oidc_demo),
        },
    )
    log = folder / "server.log"
    flags = ["--data", acme.data, "--port", str(port)]
    process = start([sys.executable, "-m", "doorward", "serve", *flags], Place(folder, log, clean_environ()))
    wait_until(lambda: is_healthy(port), process, log)
    yield acme
    stop(process)


@pytest.fixture
def somebody(acme: Acme) -> Callable[[], Account]:
    """Gives a person of the group `engineering` whom no other test has taken."""
    return lambda: acme.people[next(acme.taken)]


@pytest.fixture
def outsider(acme: Acme) -> Account:
    """A person of a group that no application was given to."""
    return acme.outsiders.pop()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser without a screen."""
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def apache(acme: Acme) -> Iterator[Apache]:
    """Apache with both modules; metadata went both ways by the product's own addresses and commands."""
    lacking = missing()
    assert lacking is None, lacking
    idp = httpx2.get(f"{acme.base_url}/saml/metadata", trust_env=False)
    assert idp.status_code == 200
    with running_apache(acme.base_url, idp.content, acme.apache) as apache:
        sp = httpx2.get(f"{apache.saml}/mellon/metadata", trust_env=False)
        assert sp.status_code == 200
        (acme.data.parent / "sp.xml").write_bytes(sp.content)
        mellon = {
            "slug": "mellon",
            "name": "Mellon",
            "groups": ["engineering"],
            "saml": {
                "metadata": {"file": "sp.xml"},
                "attributes": {"mail": "user.email"},
                "groups_attribute": "memberOf",
                "relay_state": f"{apache.saml}/secret/",
            },
        }
        acme.apply("mellon", {"applications": [mellon]})
        yield apache


@pytest.fixture(scope="session")
def node(acme: Acme) -> Iterator[str]:
    """The relying parties on openid-client 6 and oauth4webapi; their address."""
    assert (_NODE / "node_modules" / "openid-client").exists(), "run `make test`, which installs the npm clients"
    program = shutil.which("node")
    assert program is not None, "Node.js is not installed; `make test` installs it"
    settings = {
        "port": acme.node,
        "issuer": acme.base_url,
        "clients": {"basic": {"id": "basic", "secret": BASIC_SECRET}, "public": {"id": "public"}},
    }
    yield from _client(
        acme, "node", [program, str(_NODE / "relying_party.mjs"), json.dumps(settings)], acme.node, cwd=_NODE
    )


@pytest.fixture(scope="session")
def expenses(acme: Acme) -> Iterator[str]:
    """The demo's SAML application, on python3-saml; its address."""
    yield from _demo_app(acme, "saml_app", acme.saml_demo)


@pytest.fixture(scope="session")
def board(acme: Acme) -> Iterator[str]:
    """The demo's OpenID Connect application, on Authlib; its address."""
    yield from _demo_app(acme, "oidc_app", acme.oidc_demo)


def _demo_app(acme: Acme, module: str, port: int) -> Iterator[str]:
    address = f"http://localhost:{port}"
    flags = ["--port", str(port), "--base-url", address, "--doorward", acme.base_url]
    yield from _client(acme, module, [sys.executable, "-m", f"doorward.cli.demo_apps.{module}", *flags], port)


def _client(acme: Acme, name: str, arguments: list[str], port: int, cwd: Path | None = None) -> Iterator[str]:
    folder = acme.data.parent
    log = folder / f"{name}.log"
    environ = {**clean_environ(), "DEMO_CLIENT_SECRET": BASIC_SECRET}
    process = start(arguments, Place(cwd or folder, log, environ))
    address = f"http://localhost:{port}"

    def is_up() -> bool:
        try:
            return httpx2.get(f"{address}/ready", trust_env=False, timeout=2).status_code in {200, 404}
        except httpx2.HTTPError:
            return False

    try:
        wait_until(is_up, process, log)
        yield address
    finally:
        stop(process)
