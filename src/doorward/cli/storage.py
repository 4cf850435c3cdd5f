"""`doorward backup`, `restore` and `migrate`."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from pathlib import Path
from typing import Final

import click
from sqlalchemy import Connection

from doorward.cli.opened import Opened, deployment_of, opened, opened_deployment
from doorward.cli.options import Command, Refused
from doorward.store import StorageAway
from doorward.store.backup import About, BackupError, is_empty, read_about, write_backup
from doorward.store.backup import restore as restore_rows
from doorward.store.migrate import HEAD, SchemaError, refusal, upgrade

_FILE: Final = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Command)
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
@click.pass_context
def backup(ctx: click.Context, file: Path, *, force: bool, as_json: bool) -> None:
    """Write everything but the master key into FILE, while servers may run."""
    if file.exists() and not force:
        raise Refused(f"{file} exists; name another file, or give --force.")
    with opened(ctx, may_create=False) as door:
        about = _written(door, file)
        key = door.deployment.sources["master_key"]
    if as_json:
        click.echo(
            json.dumps({"file": str(file), "made_at": about.made_at, "rows": about.rows, "key_id": about.key_id})
        )
        return
    click.echo(f"{file}: {about.rows} rows, as they were at {about.made_at}.")
    click.echo(f"The master key is NOT in it, and without it the backup opens nothing. Keep it elsewhere: {key}")


def _written(door: Opened, file: Path) -> About:
    """Write a draft beside the file and give it the name in one step, so that a half-written one never has it."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")

    def work(connection: Connection) -> About:
        draft.unlink(missing_ok=True)
        return write_backup(connection, draft, key_id=door.vault.key_id, now=door.clock())

    try:
        about = door.read_slowly(work)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise Refused(f"{file} cannot be written ({error}); see that its folder exists and has room.") from error
    finally:
        for left in (draft, *(Path(f"{draft}{suffix}") for suffix in ("-wal", "-shm", "-journal"))):
            left.unlink(missing_ok=True)
    return about


@click.command(cls=Command)
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace what the database holds.")
@click.pass_context
def restore(ctx: click.Context, file: Path, *, force: bool) -> None:
    """Bring a backup back, into the same kind of database or the other. The master key must be in place already."""
    try:
        about = read_about(file)
    except BackupError as wrong:
        raise Refused(f"{wrong}.") from wrong
    with opened_deployment(deployment_of(ctx, may_create=False), check_key=False) as door:
        if about.key_id != door.vault.key_id.hex():
            raise Refused(
                f"{file} was sealed with another master key than {door.deployment.sources['master_key']}; "
                "put the one in place that belongs to the backup."
            )
        if not force and not door.read(is_empty):
            raise Refused("The database is not empty; give --force to replace everything in it.")
        rows = door.run(lambda connection: restore_rows(connection, file))
    click.echo(f"{rows} rows are back, as they were at {about.made_at}.")


@click.command(cls=Command)
@click.pass_context
def migrate(ctx: click.Context) -> None:
    """Bring the database to this version. Servers of the version before may go on meanwhile."""
    deployment = deployment_of(ctx)
    try:
        found = upgrade(deployment.database)
    except StorageAway as away:
        raise Refused(f"The database cannot be used ({away}); nothing was changed.") from away
    except SchemaError as wrong:
        raise Refused(str(wrong)) from wrong
    if found != HEAD:
        raise Refused(refusal(found))
    click.echo(f"The database is at revision {HEAD}, as this version needs it.")
