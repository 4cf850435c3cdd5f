"""`doorward user`: people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import click

from doorward.audit import Json
from doorward.cli.opened import Opened, opened
from doorward.cli.options import Group, Refused
from doorward.cli.printing import as_json, card, table
from doorward.cli.saying import ACTOR, PASSWORD_FILE, carry_out, change_password, judged_hash, local, read_password, say
from doorward.clock import iso
from doorward.directory import Person, find_person, groups_of, people, remove_person
from doorward.orgfile.changes import told
from doorward.orgfile.read import Plain
from doorward.signin import Audience, accounts

_FIELDS: Final = (
    click.option("--email", help="Mail address."),
    click.option("--name", help="Name that pages show."),
    click.option("--given-name", help="Given name."),
    click.option("--family-name", help="Family name."),
    click.option("--phone", help="Phone number."),
    click.option("--locale", help="Language tag such as en or pt-BR."),
    click.option("--starts-at", help="Not before, such as 2026-12-01T09:00:00Z."),
    click.option("--ends-at", help="Not from then on."),
    click.option("--mfa", type=click.Choice(["required", "not-required", "as-organisation"]), help="Second factor."),
    click.option("--group", "groups", multiple=True, help="A group; those given replace all others."),
    click.option(
        "--attribute", "attributes", multiple=True, metavar="NAME=VALUE", help="Those given replace all others."
    ),
)
_MFA: Final[Mapping[str, bool | None]] = {"required": True, "not-required": False, "as-organisation": None}


def _with_fields(command: click.Command) -> click.Command:
    """Add the options of a person's fields."""
    for option in reversed(_FIELDS):
        option(command)
    return command


@click.group(cls=Group)
def user() -> None:
    """List, add, change, unlock and remove people. NAME is a username or mail address."""


@user.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON.")
@click.pass_context
def list_users(ctx: click.Context, *, json_wanted: bool) -> None:
    """List everybody."""
    with opened(ctx, may_create=False) as door:
        rows = [_row(person) for person in door.read(people)]
    if json_wanted:
        as_json(rows)
    else:
        table(rows, ("username", "email", "name", "state", "last_sign_in_at"), "There is nobody yet.")


@user.command("show")
@click.argument("name")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON.")
@click.pass_context
def show(ctx: click.Context, name: str, *, json_wanted: bool) -> None:
    """Show one person, with groups and factors."""
    with opened(ctx, may_create=False) as door:
        person = _known(door, name)
        groups = sorted(door.read(lambda connection: groups_of(connection, person.id)))
        factors = door.read(lambda connection: accounts.factors_of(connection, Audience.PERSON, person.id))
    values: dict[str, Json] = {
        **_row(person),
        "groups": groups,
        "attributes": dict(person.attributes),
        "second_factor": factors.is_enough,
        "recovery_codes_left": factors.recovery_left,
    }
    as_json(values) if json_wanted else card(values)


@user.command("add")
@click.argument("username")
@PASSWORD_FILE
@click.option("--state", type=click.Choice(["staged", "active"]), default="active", help="Whether they may sign in.")
@click.pass_context
def add(ctx: click.Context, username: str, password_file: Path | None, **given: object) -> None:
    """Add a person; without a password they cannot sign in until they have one."""
    said = _said(username, given)
    if password_file is not None:
        said["password"] = read_password(password_file, "Password")
    with opened(ctx) as door:
        if door.read(lambda connection: find_person(connection, username)) is not None:
            raise Refused(f"{username} is the username or mail address of somebody already.")
        applied = say(door, "users", said)
    click.echo("\n".join(line for change in applied.plan.changes for line in told(change)))


@user.command("change")
@click.argument("who", metavar="NAME")
@click.option("--username", help="A new username.")
@click.pass_context
def change(ctx: click.Context, who: str, username: str | None, **given: object) -> None:
    """Change what is given, and leave the rest. An empty text takes a field away."""
    with opened(ctx) as door:
        person = _known(door, who)
        said = _said(username or person.username, given)
        said["id"] = person.id
        # A username that is the own mail address is judged beside it, so both are said.
        said.setdefault("email", person.email)
        said.setdefault("email_verified", person.email_verified)
        lines = say(door, "users", said).plan.lines()
    click.echo("\n".join(lines) if lines else "Nothing to change.")


@user.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def remove(ctx: click.Context, name: str, *, yes: bool) -> None:
    """Remove a person with all that is theirs. Their id is never used again."""
    with opened(ctx, may_create=False) as door:
        person = _known(door, name)
        if not yes:
            click.confirm(f"Remove {person.username} ({person.name})?", abort=True, err=True)
        carry_out(door, lambda connection: remove_person(connection, person.id, ACTOR, local(), door.clock()))
    click.echo(f"{person.username} is removed.")


@user.command("unlock")
@click.argument("name")
@click.pass_context
def unlock(ctx: click.Context, name: str) -> None:
    """Open sign-in with this name again, after too many wrong guesses."""
    with opened(ctx, may_create=False) as door:
        person = _known(door, name)
        door.run(
            lambda connection: accounts.unlock(
                connection, door.vault, Audience.PERSON, person.id, ACTOR, local(), door.clock()
            )
        )
    click.echo(f"{person.username} may sign in again.")


@user.command("reset-mfa")
@click.argument("name")
@click.pass_context
def reset_mfa(ctx: click.Context, name: str) -> None:
    """Remove every second factor: the person sets up a new one at the next sign-in."""
    with opened(ctx, may_create=False) as door:
        person = _known(door, name)
        door.run(
            lambda connection: accounts.reset_mfa(connection, Audience.PERSON, person.id, ACTOR, local(), door.clock())
        )
    click.echo(f"{person.username} has no second factor any more and sets up a new one at the next sign-in.")


@user.command("suspend")
@click.argument("name")
@click.pass_context
def suspend(ctx: click.Context, name: str) -> None:
    """Turn a person away everywhere, from the next request on."""
    with opened(ctx, may_create=False) as door:
        person = _known(door, name)
        done = door.run(lambda connection: accounts.suspend(connection, person.id, ACTOR, local(), door.clock()))
    click.echo(f"{person.username} is suspended." if done else f"{person.username} was suspended already.")


@user.command("activate")
@click.argument("name")
@click.pass_context
def activate(ctx: click.Context, name: str) -> None:
    """Let a staged or suspended person in."""
    with opened(ctx, may_create=False) as door:
        person = _known(door, name)
        done = door.run(lambda connection: accounts.activate(connection, person.id, ACTOR, local(), door.clock()))
    click.echo(f"{person.username} is active." if done else f"{person.username} was active already.")


@user.command("set-password")
@click.argument("name")
@PASSWORD_FILE
@click.pass_context
def set_password(ctx: click.Context, name: str, password_file: Path | None) -> None:
    """Set a password; every session of the person ends."""
    with opened(ctx, may_create=False) as door:
        person = _known(door, name)
        words = [word for word in (person.username, person.email, person.name) if word]
        phc = judged_hash(door, read_password(password_file, "Password"), words, mfa_required=person.mfa_required)
        door.run(lambda connection: change_password(connection, Audience.PERSON, person.id, phc, local(), door.clock()))
    click.echo(f"The password of {person.username} is set.")


_with_fields(add)
_with_fields(change)


def _known(door: Opened, name: str) -> Person:
    person = door.read(lambda connection: find_person(connection, name))
    if person is None:
        raise Refused(f"There is nobody with the username or mail address {name}.")
    return person


def _said(username: str, given: Mapping[str, object]) -> dict[str, Plain]:
    said: dict[str, Plain] = {"username": username}
    for name in ("email", "name", "given_name", "family_name", "phone", "locale", "starts_at", "ends_at", "state"):
        value = cast("str | None", given.get(name))
        if value is not None:
            said[name] = value or None
    groups = cast("tuple[str, ...]", given.get("groups") or ())
    if groups:
        said["groups"] = [group for group in groups if group]
    attributes = cast("tuple[str, ...]", given.get("attributes") or ())
    if attributes:
        said["attributes"] = _attributes(attributes)
    mfa = cast("str | None", given.get("mfa"))
    if mfa is not None:
        said["mfa_required"] = _MFA[mfa]
    return said


def _attributes(given: tuple[str, ...]) -> dict[str, Plain]:
    read: dict[str, list[Plain]] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if each and not equals:
            raise click.BadParameter("an attribute is NAME=VALUE", param_hint="--attribute")
        if each:
            read.setdefault(name, []).append(value)
    return {name: values for name, values in read.items()}  # noqa: C416 - a dict of the wider type


def _row(person: Person) -> dict[str, Json]:
    return {
        "id": person.id,
        "username": person.username,
        "email": person.email,
        "name": person.name,
        "state": person.state.value,
        "starts_at": None if person.starts_at is None else iso(person.starts_at),
        "ends_at": None if person.ends_at is None else iso(person.ends_at),
        "mfa_required": person.mfa_required,
        "last_sign_in_at": None if person.last_sign_in_at is None else iso(person.last_sign_in_at),
    }
