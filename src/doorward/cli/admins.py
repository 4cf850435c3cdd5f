"""`doorward admin`: administrators, and the way back in for one who is locked out."""

from __future__ import annotations

import secrets
import sys
from dataclasses import replace
from pathlib import Path

import click
from sqlalchemy import Connection

from doorward.audit import Event, Json, Outcome, record
from doorward.cli.opened import Opened, opened
from doorward.cli.options import Group, Refused
from doorward.cli.printing import as_json, card, table
from doorward.cli.saying import (
    ACTOR,
    PASSWORD_FILE,
    carry_out,
    change_password,
    judged_hash,
    local,
    read_password,
    say,
)
from doorward.clock import iso
from doorward.directory import Admin, AdminState, Role, admins, change_admin, find_admin, remove_admin
from doorward.organization import current
from doorward.signin import Audience, accounts
from doorward.signin.factors.authenticator import SEED_BYTES, base32
from doorward.signin.factors.totp import in_fours, key_uri

_ROLE = click.Choice([role.value for role in Role])


@click.group(cls=Group)
def admin() -> None:
    """Create, recover, change and remove administrators. EMAIL is the mail address."""


@admin.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON.")
@click.pass_context
def list_admins(ctx: click.Context, *, json_wanted: bool) -> None:
    """List all administrators."""
    with opened(ctx, may_create=False) as door:
        rows = [_row(each) for each in door.read(admins)]
    if json_wanted:
        as_json(rows)
    else:
        table(rows, ("email", "name", "role", "state", "last_sign_in_at"), "There is no administrator yet.")


@admin.command("show")
@click.argument("email")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON.")
@click.pass_context
def show(ctx: click.Context, email: str, *, json_wanted: bool) -> None:
    """Show one administrator."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, email)
        factors = door.read(lambda connection: accounts.factors_of(connection, Audience.ADMIN, found.id))
    values: dict[str, Json] = {**_row(found), "second_factor": factors.is_enough}
    as_json(values) if json_wanted else card(values)


@admin.command("create")
@click.argument("email")
@click.option("--name", help="Name that pages show; by default the mail address.")
@click.option("--role", type=_ROLE, default=Role.OWNER.value, show_default=True, help="What they may do.")
@PASSWORD_FILE
@click.option("--json", "json_wanted", is_flag=True, help="Print the authenticator's key as JSON.")
@click.pass_context
def create(
    ctx: click.Context, email: str, name: str | None, role: str, password_file: Path | None, *, json_wanted: bool
) -> None:
    """Create an administrator with a password and an authenticator, whose key is printed once."""
    with opened(ctx) as door:
        if door.read(lambda connection: find_admin(connection, email)) is not None:
            raise Refused(f"{email} is an administrator already; to let them in again, use `doorward admin recover`.")
        password = read_password(password_file, f"Password for {email}")
        seed = secrets.token_bytes(SEED_BYTES)
        say(
            door,
            "admins",
            {
                "email": email,
                "name": name or email,
                "role": role,
                "password": password,
                "totp": {"secret": base32(seed), "period_seconds": door.read(_period)},
            },
        )
        _print_key(door, email, seed, json_wanted=json_wanted)


@admin.command("recover")
@click.argument("email")
@PASSWORD_FILE
@click.option("--json", "json_wanted", is_flag=True, help="Print the authenticator's key as JSON.")
@click.pass_context
def recover(ctx: click.Context, email: str, password_file: Path | None, *, json_wanted: bool) -> None:
    """Let an administrator in again: unlocks, sets a new password and a new authenticator, ends their sessions."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, email)
        password = read_password(password_file, f"New password for {found.email}")
        phc = judged_hash(door, password, [found.email, found.name], mfa_required=True)
        seed = secrets.token_bytes(SEED_BYTES)

        def work(connection: Connection) -> None:
            caller, now = local(), door.clock()
            period = _period(connection)
            change_admin(connection, replace(found, state=AdminState.ACTIVE), ACTOR, caller, now)
            accounts.unlock(connection, door.vault, Audience.ADMIN, found.id, ACTOR, caller, now)
            accounts.reset_mfa(connection, Audience.ADMIN, found.id, ACTOR, caller, now)
            change_password(connection, Audience.ADMIN, found.id, phc, caller, now)
            accounts.import_totp(connection, door.vault, Audience.ADMIN, found.id, seed, period, now)
            record(connection, Event("admin.recovered", Outcome.SUCCESS, ACTOR, caller, admin_id=found.id), now)

        carry_out(door, work)
        _print_key(door, found.email, seed, json_wanted=json_wanted)


@admin.command("change")
@click.argument("email")
@click.option("--email", "new_email", help="A new mail address.")
@click.option("--name", help="A new name.")
@click.option("--role", type=_ROLE, help="A new role.")
@click.option("--state", type=click.Choice([state.value for state in AdminState]), help="Whether they may sign in.")
@click.pass_context
def change(
    ctx: click.Context,
    email: str,
    new_email: str | None,
    name: str | None,
    role: str | None,
    state: str | None,
) -> None:
    """Change what is given, and leave the rest. The last owner stays an owner."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, email)
        wanted = replace(
            found,
            email=new_email or found.email,
            name=name or found.name,
            role=Role(role) if role else found.role,
            state=AdminState(state) if state else found.state,
        )

        def work(connection: Connection) -> None:
            change_admin(connection, wanted, ACTOR, local(), door.clock())

        carry_out(door, work)
    click.echo(f"~ admin {wanted.email}" if wanted != found else "Nothing to change.")


@admin.command("remove")
@click.argument("email")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def remove(ctx: click.Context, email: str, *, yes: bool) -> None:
    """Remove an administrator, but never the last owner."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, email)
        if not yes:
            click.confirm(f"Remove the administrator {found.email}?", abort=True, err=True)
        carry_out(door, lambda connection: remove_admin(connection, found.id, ACTOR, local(), door.clock()))
    click.echo(f"{found.email} is removed.")


def _known(door: Opened, email: str) -> Admin:
    found = door.read(lambda connection: find_admin(connection, email))
    if found is None:
        raise Refused(f"There is no administrator {email}.")
    return found


def _period(connection: Connection) -> int:
    return current(connection).settings.totp.period_seconds


def _print_key(door: Opened, email: str, seed: bytes, *, json_wanted: bool) -> None:
    organization = door.read(current)
    secret = base32(seed)
    address = key_uri(organization.admin_label, email, secret, organization.settings.totp.period_seconds)
    if json_wanted:
        as_json({"email": email, "secret": secret, "otpauth": address})
        return
    click.echo(f"{email} may sign in at {door.deployment.base_url}/admin with this authenticator, shown this once:")
    if sys.stdout.isatty():
        # The library that draws is needed here alone.
        import segno  # noqa: PLC0415 - quick start

        segno.make(address, error="m").terminal(sys.stdout, compact=True)
    click.echo(f"  key      {in_fours(secret)}")
    click.echo(f"  address  {address}")


def _row(of: Admin) -> dict[str, Json]:
    return {
        "id": of.id,
        "email": of.email,
        "name": of.name,
        "role": of.role.value,
        "state": of.state.value,
        "last_sign_in_at": None if of.last_sign_in_at is None else iso(of.last_sign_in_at),
    }
