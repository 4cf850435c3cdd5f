"""A portal and the demo's two applications: on one site over HTTP, and on different sites over HTTPS."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from browser.town import People, organisation
from clients.acme import BASIC_SECRET, run
from support.ports import free_port
from support.processes import Place as Where
from support.processes import start, stop, wait_until
from support.server import clean_environ, is_healthy

_FAR = Path(__file__).with_name("far_app.py")
HOSTS = ("login.acme.example", "wiki.other.example", "board.third.example")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the portal and both applications are, and the people who may open them."""

    portal: str
    expenses: str
    board: str
    people: People
    is_far: bool


def _applications(expenses: str, board: str) -> list[dict[str, object]]:
    return [
        {
            "slug": "expenses",
            "name": "Expenses",
            "groups": ["engineering"],
            "saml": {
                "entity_id": f"{expenses}/metadata",
                "acs_urls": [f"{expenses}/acs"],
                "attributes": {"displayName": "user.name", "mail": "user.email"},
                "groups_attribute": "memberOf",
            },
        },
        {
            "slug": "board",
            "name": "Board",
            "groups": ["engineering"],
            "start_url": f"{board}/login",
            "oidc": {
                "client_id": "board",
                "client_secret": BASIC_SECRET,
                "redirect_uris": [f"{board}/callback"],
                "grant_types": ["authorization_code"],
            },
        },
    ]


@dataclass(frozen=True, slots=True)
class _Certificates:
    """Files of a certificate for every host of the tests."""

    chain: Path
    key: Path
    authority: Path


def _certificates(folder: Path, authority: trustme.CA) -> _Certificates:
    made = authority.issue_cert("localhost", "127.0.0.1", *HOSTS)
    files = _Certificates(folder / "chain.pem", folder / "key.pem", folder / "authority.pem")
    files.chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    made.private_key_pem.write_to_path(str(files.key))
    authority.cert_pem.write_to_path(str(files.authority))
    return files


@contextmanager
def running_place(folder: Path, people: People, authority: trustme.CA, *, far: bool) -> Iterator[Place]:
    """Serve the portal and both applications, at the real time, by which their libraries judge."""
    ports = free_port(), free_port(), free_port()
    hosts = HOSTS if far else ("localhost",) * 3
    scheme = "https" if far else "http"
    portal, expenses, board = (f"{scheme}://{host}:{port}" for host, port in zip(hosts, ports, strict=True))
    place = Place(portal, expenses, board, people, far)
    file = folder / "acme.yaml"
    file.write_text(json.dumps(organisation(people, _applications(expenses, board))), "utf-8")
    data = folder / "data"
    run("apply", str(file), "--data", str(data), "--base-url", portal)
    certificates = _certificates(folder, authority)
    tls = [f"--tls-cert={certificates.chain}", f"--tls-key={certificates.key}"] if far else []
    environ = {**clean_environ(), "DEMO_CLIENT_SECRET": BASIC_SECRET, "PYTHONPATH": str(_FAR.parents[1])}
    with ExitStack() as running:

        def process(name: str, arguments: list[str], port: int) -> None:
            log = folder / f"{name}.log"
            begun = start([sys.executable, *arguments], Where(folder, log, environ))
            running.callback(stop, begun)
            wait_until(lambda: is_listening(port), begun, log)

        flags = [f"--data={data}", f"--port={ports[0]}", f"--base-url={portal}", *tls]
        process("server", ["-m", "doorward", "serve", *flags], ports[0])
        wait_for_health = is_healthy(ports[0], is_https=far)
        assert wait_for_health
        for kind, port, address in (("saml", ports[1], expenses), ("oidc", ports[2], board)):
            if far:
                files = [str(certificates.chain), str(certificates.key), str(certificates.authority)]
                process(kind, [str(_FAR), kind, str(port), address, portal, *files], port)
            else:
                flags = ["--port", str(port), "--base-url", address, "--doorward", portal]
                process(kind, ["-m", f"doorward.cli.demo_apps.{kind}_app", *flags], port)
        yield place


def is_listening(port: int) -> bool:
    """Tell whether somebody takes connections at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
