"""`doorward serve`: check everything that can be wrong, say where the door is, then answer."""

from __future__ import annotations

import sys
from typing import Final, cast

import click
from sqlalchemy import func, select

from doorward.cli.opened import Opened, deployment_of, opened_deployment
from doorward.cli.options import Command, Refused, flag_option
from doorward.cli.running import check_tls, listen, run
from doorward.clock import Clock, system_clock
from doorward.deployment import MASTER_KEY_FILE, SETTINGS, Deployment
from doorward.store import StorageAway, schema
from doorward.store.engine import StorageRefused

_OWN: Final = (
    ("host", "H"),
    ("port", "P"),
    ("workers", "N"),
    ("tls_cert", "FILE"),
    ("tls_key", "FILE"),
    ("trusted_proxies", "NETWORKS"),
    ("log_format", "FORMAT"),
)
_SENTENCES: Final = {setting.name: setting.sentence for setting in SETTINGS}


def _serve() -> None:
    """Run the server until SIGTERM."""
    ctx = click.get_current_context()
    clock = cast("Clock | None", ctx.obj)
    ctx.exit(open_the_door(deployment_of(ctx), clock or system_clock))


serve: Final = Command(
    "serve",
    callback=_serve,
    params=[flag_option(name, metavar, _SENTENCES[name]) for name, metavar in _OWN],
    help="Run the server until SIGTERM, which drains it. With http the base URL must be loopback.",
)


def open_the_door(deployment: Deployment, clock: Clock) -> int:
    """Check database, keys and certificate, print where the server is, run it, and give the exit code.

    Raises:
        Refused: something is wrong that no request could mend.
    """
    is_new_key = deployment.sources["master_key"].startswith("made at")
    check_tls(deployment)
    has_admin = _looked(deployment, clock)
    sockets = listen(deployment)
    try:
        _greet(deployment, has_admin=has_admin, is_new_key=is_new_key)
        return run(deployment, clock, sockets)
    finally:
        for listener in sockets:
            listener.close()


def serve_with_clock(clock: Clock, arguments: list[str]) -> None:
    """Run `doorward serve` with a given clock: for the tests, which start it in a process of its own."""
    serve.main(arguments, prog_name="doorward serve", obj=clock)


def _has_admin(door: Opened) -> bool:
    return door.read(lambda c: c.execute(select(func.count()).select_from(schema.admins)).scalar_one()) > 0


def _looked(deployment: Deployment, clock: Clock) -> bool | None:
    """Tell whether there is an administrator; None while PostgreSQL is away, for which the server waits.

    Raises:
        Refused: the database is outdated, sealed with another key, or turned the settings away.
    """
    try:
        with opened_deployment(deployment, clock) as door:
            return _has_admin(door)
    except Refused as refused:
        away = refused.__cause__
        if isinstance(away, StorageAway) and not isinstance(away, StorageRefused) and not _is_file(deployment):
            sys.stderr.write(f"{refused.message} The server starts and waits for it.\n")
            return None
        raise


def _is_file(deployment: Deployment) -> bool:
    return deployment.database.startswith("sqlite:")


def _greet(deployment: Deployment, *, has_admin: bool | None, is_new_key: bool) -> None:
    lines = [f"Doorward is open at {deployment.base_url}"]
    if is_new_key:
        kept = deployment.data / MASTER_KEY_FILE
        lines.append(f"The master key was made: {kept}. Keep a copy of it apart from the backups; they leave it out.")
    if has_admin is False:
        lines.append(
            f"There is no administrator yet. Make the first one: doorward admin create --data {deployment.data}"
        )
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
