"""`doorward apply` and `doorward export`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from doorward.cli.opened import opened
from doorward.cli.options import Command, Refused
from doorward.cli.printing import as_json
from doorward.cli.saying import hasher_of
from doorward.orgfile import Applied, BadFile, Prune, bring_about, read_organization_files
from doorward.orgfile import export as written

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option(
    "--prune",
    "prune",
    multiple=True,
    type=click.Choice([kind.value for kind in Prune]),
    help="Delete what is absent from this list; may be given several times. The last owner stays.",
)
@click.option("--json", "json_wanted", is_flag=True, help="Print plan, warnings and new secrets as JSON.")
@click.pass_context
def apply(
    ctx: click.Context, files: tuple[Path, ...], *, dry_run: bool, prune: tuple[str, ...], json_wanted: bool
) -> None:
    """Bring the organisation to what FILE says, in one transaction. A bad file changes nothing."""
    try:
        desired = read_organization_files(files, os.environ)
        with opened(ctx) as door:
            applied = bring_about(
                door,
                desired,
                hash_password=hasher_of(door).hash_now,
                now=door.clock(),
                prune=frozenset(Prune(kind) for kind in prune),
                is_rehearsal=dry_run,
            )
    except BadFile as bad:
        count = len(bad.problems)
        found = "a problem" if count == 1 else f"{count} problems"
        raise Refused(f"nothing was changed, because of {found}:\n{bad}") from bad
    _print(applied, json_wanted=json_wanted)


@click.command(cls=Command)
@click.pass_context
def export(ctx: click.Context) -> None:
    """Print the organisation as a file. Passwords, authenticators and client secrets are left out."""
    with opened(ctx, may_create=False) as door:
        click.echo(door.read(written), nl=False)


def _print(applied: Applied, *, json_wanted: bool) -> None:
    lines, warnings, is_rehearsal = applied.plan.lines(), applied.plan.warnings, applied.is_rehearsal
    # A rehearsal makes secrets too, but they hold for nothing: it does not show them.
    secrets = () if is_rehearsal else applied.secrets
    if json_wanted:
        as_json(
            {
                "dry_run": is_rehearsal,
                "plan": lines,
                "warnings": list(warnings),
                "client_secrets": [
                    {"slug": made.slug, "client_id": made.client_id, "client_secret": made.secret} for made in secrets
                ],
            }
        )
        return
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo("\n".join(lines) if lines else "Nothing to change.")
    for made in secrets:
        click.echo(f"client_secret of {made.slug} (shown this once): {made.secret}")
    if lines:
        click.echo("Nothing was changed: this was a dry run." if is_rehearsal else "Done.")
