"""`doorward keys`: the signing keys."""

from __future__ import annotations

import click

from doorward.audit import Json
from doorward.cli.opened import opened
from doorward.cli.options import Group
from doorward.cli.printing import as_json, table
from doorward.clock import iso
from doorward.keys import PublishedKey, list_keys


@click.group(cls=Group)
def keys() -> None:
    """Look at the signing keys."""


@keys.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON, with the certificates.")
@click.pass_context
def list_them(ctx: click.Context, *, json_wanted: bool) -> None:
    """List all signing keys: what each signs, its state and the fingerprint of its certificate."""
    with opened(ctx, may_create=False) as door:
        found = door.read(list_keys)
    if json_wanted:
        as_json([{**_row(key), "certificate": key.certificate_pem} for key in found])
    else:
        table([_row(key) for key in found], ("use", "state", "algorithm", "created_at", "fingerprint"), _EMPTY)


_EMPTY = "There is no key yet: they are made when the server first needs them."


def _row(key: PublishedKey) -> dict[str, Json]:
    return {
        "kid": key.kid,
        "use": key.use.value,
        "state": key.state.value,
        "algorithm": key.algorithm,
        "created_at": iso(key.created_at),
        "retired_at": None if key.retired_at is None else iso(key.retired_at),
        "fingerprint": key.fingerprint,
    }
