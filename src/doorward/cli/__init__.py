"""The command line: one file for each command group, loaded when it is asked for.

Owns arguments, printing and exit codes; holds no rule of the product. Read `options.py` first, then
`opened.py` for how a command reaches the rooms.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

import click

from doorward.cli.options import Group

_COMMANDS: Final = {
    "serve": ("doorward.cli.serve:serve", "Run the server."),
    "demo": ("doorward.cli.demo:demo", "Run the server with a demo organisation and two demo applications."),
    "apply": ("doorward.cli.apply_export:apply", "Bring the organisation to what a file says."),
    "export": ("doorward.cli.apply_export:export", "Print the organisation as such a file."),
    "user": ("doorward.cli.people:user", "List, add, change, unlock and remove people."),
    "group": ("doorward.cli.groups:group", "List, add, change and remove groups."),
    "app": ("doorward.cli.apps:app", "List, add, change and remove applications."),
    "admin": ("doorward.cli.admins:admin", "Create, recover, change and remove administrators."),
    "keys": ("doorward.cli.keys:keys", "Look at the signing keys."),
    "audit": ("doorward.cli.audit:audit", "Read the audit log."),
    "backup": ("doorward.cli.storage:backup", "Write everything but the master key into one file."),
    "restore": ("doorward.cli.storage:restore", "Bring a backup back."),
    "migrate": ("doorward.cli.storage:migrate", "Bring the database to this version."),
    "doctor": ("doorward.cli.doctor:doctor", "Check settings, clock, database and keys."),
}
"""Where each command lives and what the overview says of it, so that `--help` imports none of them."""


class _Overview(Group):
    """The top of the command line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the table."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        found = cast("object", getattr(import_module(module), name))
        if not isinstance(found, click.Command):
            raise TypeError(f"{module}:{name} is no command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview from the table."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in _COMMANDS.items()])


@click.group(cls=_Overview, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="doorward", prog_name="doorward")
def doorward() -> None:
    """Doorward: one sign-in with a second factor, then every app with one click."""


def main() -> None:
    """Run the command line."""
    doorward(prog_name="doorward")
