"""What every command shares: the options --data, --database and --base-url, and how a refusal is told.

A command group is made with `cls=Group`; its commands then carry the shared options by themselves, and
`flags_of(ctx)` gives what was written. Exit codes: 0 done, 1 refused with a sentence on stderr, 2 bad usage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import click

_META: Final = "doorward.flags"
_SHARED: Final = (
    ("data", "DIR", "Folder of the database, the master key and doorward.toml."),
    ("database", "URL", "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME."),
    ("base_url", "URL", "Address under which browsers reach the server."),
)


class Refused(click.ClickException):
    """The command was understood and refused: one sentence to stderr, exit code 1."""

    exit_code = 1


def flags_of(ctx: click.Context) -> Mapping[str, str | None]:
    """Give the settings that were written on the command line, by their names in `deployment.SETTINGS`."""
    return cast("Mapping[str, str | None]", ctx.meta.get(_META, {}))


def keep_flag(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Remember a flag of the deployment for `flags_of`: the callback of such an option."""
    if value is None or not parameter.name:
        return
    kept = {**flags_of(ctx), parameter.name: value}
    ctx.meta[_META] = kept


def flag_option(name: str, metavar: str, sentence: str) -> click.Option:
    """Make the option of a setting of the deployment; `flags_of` gives its value."""
    return click.Option(
        ["--" + name.replace("_", "-"), name],
        metavar=metavar,
        help=sentence,
        expose_value=False,
        is_eager=True,
        callback=keep_flag,
    )


class Command(click.Command):
    """A command that carries the shared options."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give the command's own parameters, then the shared options."""
        own = super().get_params(ctx)
        return [*own[:-1], *(flag_option(*shared) for shared in _SHARED), *own[-1:]]


class Group(click.Group):
    """A group whose commands carry the shared options."""

    command_class = Command
    group_class = type
