"""`doorward group`: groups and who is in them."""

from __future__ import annotations

import click
from sqlalchemy import Connection

from doorward.cli.opened import Opened, opened
from doorward.cli.options import Group, Refused
from doorward.cli.printing import as_json, table
from doorward.cli.saying import ACTOR, carry_out, local
from doorward.directory import (
    Group as People,
)
from doorward.directory import (
    Person,
    create_group,
    find_group,
    find_person,
    groups,
    groups_of,
    members_of,
    remove_group,
    rename_group,
    set_groups,
)


@click.group(cls=Group)
def group() -> None:
    """List, add, change and remove groups. Applications are given to groups."""


@group.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON.")
@click.pass_context
def list_groups(ctx: click.Context, *, json_wanted: bool) -> None:
    """List all groups with the number of people in each."""
    with opened(ctx, may_create=False) as door:
        rows = door.read(
            lambda connection: [
                {"name": each.name, "people": len(members_of(connection, each.id))} for each in groups(connection)
            ]
        )
    if json_wanted:
        as_json(rows)
    else:
        table(rows, ("name", "people"), "There is no group yet.")


@group.command("show")
@click.argument("name")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON.")
@click.pass_context
def show(ctx: click.Context, name: str, *, json_wanted: bool) -> None:
    """Name the people in a group."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, name)
        members = door.read(lambda connection: members_of(connection, found.id))
    if json_wanted:
        as_json({"name": found.name, "users": members})
    else:
        click.echo("\n".join(members) if members else f"Nobody is in {found.name}.")


@group.command("add")
@click.argument("name")
@click.pass_context
def add(ctx: click.Context, name: str) -> None:
    """Add a group."""
    with opened(ctx) as door:

        def work(connection: Connection) -> None:
            create_group(connection, name, ACTOR, local(), door.clock())

        carry_out(door, work)
    click.echo(f"+ group {name}")


@group.command("change")
@click.argument("name")
@click.option("--name", "new_name", help="A new name.")
@click.option("--add-user", "added", multiple=True, metavar="USER", help="Put this person into the group.")
@click.option("--remove-user", "removed", multiple=True, metavar="USER", help="Take this person out of the group.")
@click.pass_context
def change(
    ctx: click.Context, name: str, new_name: str | None, added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    """Rename a group, put people in or take them out."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, name)
        entering = [_person(door, username) for username in added]
        leaving = [_person(door, username) for username in removed]

        def work(connection: Connection) -> None:
            caller, now = local(), door.clock()
            renamed = rename_group(connection, found, new_name, ACTOR, caller, now) if new_name else found
            every = {each.name: each for each in groups(connection)}
            for person, enters in [*((each, True) for each in entering), *((each, False) for each in leaving)]:
                wanted = {name: every[name] for name in groups_of(connection, person.id)}
                wanted.pop(renamed.name, None)
                if enters:
                    wanted[renamed.name] = renamed
                set_groups(connection, person.id, wanted.values(), ACTOR, caller, now)

        carry_out(door, work)
    click.echo(f"~ group {new_name or found.name}")


@group.command("remove")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def remove(ctx: click.Context, name: str, *, yes: bool) -> None:
    """Remove a group: its people stay, and lose the applications that it gave them."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, name)
        if not yes:
            click.confirm(f"Remove the group {found.name}?", abort=True, err=True)
        carry_out(door, lambda connection: remove_group(connection, found, ACTOR, local(), door.clock()))
    click.echo(f"{found.name} is removed.")


def _known(door: Opened, name: str) -> People:
    found = door.read(lambda connection: find_group(connection, name))
    if found is None:
        raise Refused(f"There is no group {name}.")
    return found


def _person(door: Opened, username: str) -> Person:
    found = door.read(lambda connection: find_person(connection, username))
    if found is None:
        raise Refused(f"There is nobody with the username or mail address {username}.")
    return found
