"""`doorward demo`: the server with a demo organisation, and two applications beside it, on this machine alone."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from doorward.cli.demo.applying import found
from doorward.cli.demo.codes import codes_lines, present_codes, seconds_left, step_of
from doorward.cli.demo.organisation import Kept, NotADemo, make_folder, read_folder
from doorward.cli.demo.running import Running
from doorward.cli.demo.settings import check_demo_settings, demo_deployment
from doorward.cli.demo.welcome import welcome
from doorward.cli.demo_apps.addresses import CLIENT_SECRET_VARIABLE, DemoAddresses
from doorward.cli.options import Refused
from doorward.clock import system_clock
from doorward.deployment import Deployment

_FOLDER: Final = "./doorward-demo"
_LIBRARIES: Final = ("onelogin", "authlib", "httpx2")
_PORT: Final = click.IntRange(1, 65535)


@click.group(invoke_without_command=True)
@click.option("--data", metavar="DIR", default=_FOLDER, show_default=True, help="Folder of the demo; made by it.")
@click.option("--host", metavar="H", help="Loopback address to listen on.  [default: 127.0.0.1]")
@click.option("--port", metavar="P", help="Port of Doorward.  [default: 8000]")
@click.option("--base-url", metavar="URL", help="Loopback address for browsers.  [default: http://localhost:PORT]")
@click.option("--saml-port", type=_PORT, help="Port of the SAML application.  [default: PORT + 1]")
@click.option("--oidc-port", type=_PORT, help="Port of the OpenID Connect application.  [default: PORT + 2]")
@click.pass_context
def demo(
    ctx: click.Context,
    data: str,
    host: str | None,
    port: str | None,
    base_url: str | None,
    saml_port: int | None,
    oidc_port: int | None,
) -> None:
    """Run the server with a demo organisation and two demo applications, on this machine alone."""
    folder = Path(data).expanduser().absolute()
    ctx.obj = folder
    if ctx.invoked_subcommand is None:
        _run(folder, {"host": host, "port": port, "base_url": base_url}, saml_port, oidc_port)


@demo.command()
@click.option("--json", "as_json", is_flag=True, help="Print for a machine to read.")
@click.option("--data", metavar="DIR", help="Folder of the demo.")
@click.pass_obj
def codes(folder: Path, as_json: bool, data: str | None) -> None:  # noqa: FBT001 - click calls it by name
    """Print the present codes of the demo's people."""
    kept, now = _read(folder if data is None else Path(data).expanduser().absolute()), system_clock()
    if as_json:
        shown = [{"name": code.typed, "code": code.code} for code in present_codes(kept, now)]
        click.echo(json.dumps({"codes": shown, "seconds_left": seconds_left(now)}))
        return
    click.echo("\n".join(codes_lines(present_codes(kept, now), now)))


def _run(folder: Path, flags: Mapping[str, str | None], saml_port: int | None, oidc_port: int | None) -> None:
    if any(find_spec(name) is None for name in _LIBRARIES):
        raise Refused(
            "The demo's two applications need libraries that are not installed: run `make setup`, "
            "or `pip install authlib httpx2 python3-saml`."
        )
    check_demo_settings(folder, flags, os.environ)
    with Running() as running:
        kept = _read(folder) if folder.exists() else _make(folder)
        deployment = demo_deployment(folder, flags, os.environ)
        ports = (saml_port or deployment.port + 1, oidc_port or deployment.port + 2)
        at = DemoAddresses(deployment.base_url, f"http://localhost:{ports[0]}", f"http://localhost:{ports[1]}")
        found(deployment, kept, at)
        _start(running, deployment, kept, at)
        gone = running.watch(_Telling(kept, at, deployment))
    raise Refused(f"The demo ended because {gone} did; what it said stands above.")


def _start(running: Running, deployment: Deployment, kept: Kept, at: DemoAddresses) -> None:
    host, port = deployment.host, str(deployment.port)
    flags = ["--data", str(deployment.data), "--host", host, "--port", port, "--base-url", deployment.base_url]
    running.start("the server", "doorward.cli.demo.server", flags, {})
    for name, module, address, environ in (
        ("the SAML application", "saml_app", at.saml_app, {}),
        ("the OpenID Connect application", "oidc_app", at.oidc_app, {CLIENT_SECRET_VARIABLE: kept.client_secret}),
    ):
        port = str(urlsplit(address).port)
        flags = ["--host", host, "--port", port, "--base-url", address, "--doorward", at.doorward]
        running.start(name, f"doorward.cli.demo_apps.{module}", flags, environ)


@dataclass(slots=True)
class _Telling:
    """What the demo prints while it runs: the addresses once, the codes at each step on a terminal."""

    kept: Kept
    at: DemoAddresses
    deployment: Deployment
    told_step: int | None = None

    def __call__(self) -> None:
        """Look whether there is something to print."""
        now = system_clock()
        if self.told_step is None:
            if not self._answers():
                return
            click.echo("\n".join([*welcome(self.kept, self.at), *codes_lines(present_codes(self.kept, now), now), ""]))
        elif step_of(now) != self.told_step and sys.stdout.isatty():
            click.echo("\n".join(codes_lines(present_codes(self.kept, now), now)))
        self.told_step = step_of(now)

    def _answers(self) -> bool:
        """Tell whether all three processes listen."""
        ports = (self.deployment.port, urlsplit(self.at.saml_app).port, urlsplit(self.at.oidc_app).port)
        for port in ports:
            try:
                socket.create_connection((self.deployment.host, port or 0), timeout=1).close()
            except OSError:
                return False
        return True


def _make(folder: Path) -> Kept:
    try:
        return make_folder(folder)
    except NotADemo as refused:
        raise Refused(str(refused)) from refused


def _read(folder: Path) -> Kept:
    try:
        return read_folder(folder)
    except NotADemo as refused:
        raise Refused(str(refused)) from refused
