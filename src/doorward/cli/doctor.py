"""`doorward doctor`: look at settings, clock, database and keys, and say for each what to do."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, cast

import click
from cryptography import x509
from sqlalchemy import Connection, func, select, text

from doorward.cli.opened import Opened, deployment_of, opened_deployment
from doorward.cli.options import Command, Refused
from doorward.clock import DAY, MINUTE, SECOND, Instant, from_datetime, iso, system_clock
from doorward.deployment import MASTER_KEY_FILE, SETTINGS, Deployment
from doorward.store import schema
from doorward.store.migrate import HEAD
from doorward.store.opening import SQLITE
from doorward.store.sealed import count_sealed

_LITTLE_ROOM: Final = 200 * 1024 * 1024
_MOST_SKEW: Final = 5 * SECOND
_FEW_SIGN_INS: Final = 20
_PLAUSIBLE_SINCE: Final[Instant] = 1_767_225_600_000  # 2026-01-01: before the first release, so a clock that is off


class Level(StrEnum):
    """How bad it is: only `FAIL` makes the command exit with 1."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `mend` says what to do, where something should be done."""

    level: Level
    what: str
    found: str
    mend: str | None = None


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Check settings, clock, database and keys. Exit code 1 if something would stop the server or harm people."""
    findings = list(_findings(ctx))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.level.value:<5}{finding.what}: {finding.found}")
            if finding.mend:
                click.echo(f"     -> {finding.mend}")
    ctx.exit(1 if any(finding.level is Level.FAIL for finding in findings) else 0)


def _findings(ctx: click.Context) -> Iterator[Finding]:
    try:
        deployment = deployment_of(ctx, may_create=False)
    except Refused as refused:
        yield Finding(Level.FAIL, "settings", refused.message, "Mend this setting, then run doctor again.")
        return
    yield from _settings(deployment)
    yield from _files(deployment)
    yield from _certificate(deployment, system_clock())
    path = deployment.database.removeprefix(SQLITE)
    if path != deployment.database and not Path(path).exists():
        yield Finding(Level.FAIL, "database", f"{path} does not exist", "Start the server, or restore a backup.")
        return
    try:
        with opened_deployment(deployment, check_key=False) as door:
            yield from _database(door)
    except Refused as refused:
        yield Finding(Level.FAIL, "database", refused.message, "Mend this, then run doctor again.")


# ------------------------------------------------------------------------------- settings and files


def _settings(deployment: Deployment) -> Iterator[Finding]:
    for setting in SETTINGS:
        value = cast("object", getattr(deployment, setting.name))
        shown = "(secret)" if setting.is_secret else _written(value)
        yield Finding(Level.OK, setting.name, f"{shown}  from {deployment.sources[setting.name]}")
    if not deployment.is_secure:
        yield Finding(
            Level.WARN,
            "base_url",
            "http: cookies are not Secure, which is for trying things out on this machine only",
            "Serve HTTPS by --tls-cert and --tls-key or behind a proxy, and give an https base URL.",
        )


def _written(value: object) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in cast("tuple[object, ...]", value)) or "(none)"
    return str(value)


def _files(deployment: Deployment) -> Iterator[Finding]:
    key = deployment.data / MASTER_KEY_FILE
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding(Level.WARN, "master_key", f"{key} is open to others on this machine", f"chmod 600 {key}")
    room = shutil.disk_usage(deployment.data).free if deployment.data.exists() else None
    if room is not None and room < _LITTLE_ROOM:
        yield Finding(
            Level.WARN, "disk", f"{room // 1024 // 1024} MiB are free in {deployment.data}", "Make room on that disk."
        )


def _certificate(deployment: Deployment, now: Instant) -> Iterator[Finding]:
    if deployment.tls_cert is None:
        return
    try:
        certificate = x509.load_pem_x509_certificate(deployment.tls_cert.read_bytes())
    except ValueError as error:
        yield Finding(Level.FAIL, "tls_cert", f"is no PEM certificate ({error})", "Name the PEM file of the chain.")
        return
    ends_at = from_datetime(certificate.not_valid_after_utc)
    days = (ends_at - now) // DAY
    level = Level.FAIL if ends_at <= now else Level.WARN if days < 21 else Level.OK
    mend = None if level is Level.OK else "Renew the certificate and restart the server."
    yield Finding(level, "tls_cert", f"valid until {iso(ends_at)}", mend)


# ------------------------------------------------------------------------------------ the database


def _database(door: Opened) -> Iterator[Finding]:
    yield Finding(Level.OK, "database", f"{door.database.dialect}, reachable, at revision {HEAD}")
    try:
        door.run(lambda c: c.execute(schema.ticks.update().values(at=schema.ticks.c.at)))
        yield Finding(Level.OK, "database", "writable")
    except Refused as refused:
        yield Finding(
            Level.FAIL, "database", f"cannot be written: {refused.message}", "Make room, or make it writable."
        )
    yield from door.read(lambda connection: list(_clock(connection, door.clock())))
    yield from door.read(lambda connection: list(_keys(connection, door)))
    yield from door.read(lambda connection: list(_people(connection)))
    yield from door.read(lambda connection: list(_addresses(connection, door.clock())))


def _clock(connection: Connection, now: Instant) -> Iterator[Finding]:
    mend = "Set the clock, by NTP best: codes of authenticator apps depend on it."
    newest = cast("int | None", connection.execute(select(func.max(schema.audit_events.c.at))).scalar())
    if now < _PLAUSIBLE_SINCE:
        yield Finding(Level.FAIL, "clock", f"it says {iso(now)}, which is over", mend)
    elif newest is not None and newest > now + MINUTE:
        yield Finding(Level.FAIL, "clock", f"it says {iso(now)}, and the audit log reaches {iso(newest)}", mend)
    else:
        yield Finding(Level.OK, "clock", f"it says {iso(now)}")
    if connection.dialect.name == "postgresql":
        theirs = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
        skew = abs(cast("int", connection.execute(theirs).scalar_one()) - system_clock())
        if skew > _MOST_SKEW:
            yield Finding(Level.WARN, "clock", f"it and PostgreSQL's are {skew // SECOND} seconds apart", mend)


def _keys(connection: Connection, door: Opened) -> Iterator[Finding]:
    counts = count_sealed(connection, door.vault)
    strange = {place: wrong for place, (_, wrong) in counts.items() if wrong}
    if strange:
        places = ", ".join(f"{wrong} in {place}" for place, wrong in strange.items())
        yield Finding(
            Level.FAIL,
            "master_key",
            f"does not open everything in this database: {places}",
            "Put the master key of this database back; without it these people must set up their factors anew.",
        )
    else:
        yield Finding(Level.OK, "master_key", f"opens all {sum(total for total, _ in counts.values())} sealed values")
    signing = connection.execute(select(schema.keys.c.use).where(schema.keys.c.state == "current")).scalars().all()
    yield Finding(Level.OK, "keys", f"{len(signing)} current signing keys; missing ones are made at their first use")


def _people(connection: Connection) -> Iterator[Finding]:
    if not connection.execute(select(func.count()).select_from(schema.admins)).scalar_one():
        yield Finding(Level.WARN, "administrators", "there is none", "Make the first one: doorward admin create")


def _addresses(connection: Connection, now: Instant) -> Iterator[Finding]:
    """Warn when everybody seems to come from one address: then a proxy hides them (SIGNIN.md, attempts)."""
    events = schema.audit_events
    asked = select(
        func.count(),
        func.count(events.c.address.distinct()),
        func.count(events.c.person_id.distinct()),
        func.max(events.c.address),
    ).where(events.c.action == "signin.succeeded", events.c.at > now - 7 * DAY)
    sign_ins, addresses, people, address = cast("tuple[int, int, int, str | None]", connection.execute(asked).one())
    if sign_ins >= _FEW_SIGN_INS and addresses == 1 and people > 1:
        yield Finding(
            Level.WARN,
            "addresses",
            f"all {sign_ins} sign-ins of the last 7 days came from {address}, as behind a proxy that is not trusted",
            "If a reverse proxy stands in front, let it set X-Forwarded-For and name its network in trusted_proxies.",
        )
