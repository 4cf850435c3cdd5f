"""`doorward app`: applications."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

import click
from sqlalchemy import Connection

from doorward.apps import (
    App,
    OidcClient,
    add_client_secret,
    by_slug,
    drop_client_secrets,
    groups_of_app,
    listed,
    new_client_secret,
    remove_app,
)
from doorward.apps.kinds import config_of, kind_name
from doorward.audit import Event, Json, Outcome, record
from doorward.cli.opened import Opened, opened
from doorward.cli.options import Group, Refused
from doorward.cli.printing import as_json, card, table
from doorward.cli.saying import ACTOR, carry_out, local, say
from doorward.orgfile import Applied
from doorward.orgfile.read import Plain

_FIELDS: Final = (
    click.option("--name", help="Name that the tile shows."),
    click.option("--description", help="A line below the name."),
    click.option("--state", type=click.Choice(["draft", "active", "off"]), help="Whether it opens."),
    click.option("--group", "groups", multiple=True, help="A group that may open it; those given replace all others."),
    click.option("--hidden/--shown", default=None, help="Whether the portal shows it."),
    click.option("--start-url", help="Where the tile leads when the application begins by itself."),
    click.option("--bookmark", metavar="URL", help="A link."),
    click.option("--client-id", help="OpenID Connect: the client id; by default the slug."),
    click.option("--redirect-uri", "redirect_uris", multiple=True, help="OpenID Connect: a redirect address, exact."),
    click.option("--public", is_flag=True, help="OpenID Connect: a client without a secret (with PKCE)."),
    click.option(
        "--saml-metadata",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="SAML: the service provider's metadata, as a file.",
    ),
    click.option("--entity-id", help="SAML: the service provider's entity ID."),
    click.option("--acs-url", "acs_urls", multiple=True, help="SAML: an assertion consumer service, exact."),
)


def _with_fields(command: click.Command) -> click.Command:
    for option in reversed(_FIELDS):
        option(command)
    return command


@click.group(cls=Group)
def app() -> None:
    """List, add, change and remove applications. SLUG is the short name in addresses."""


@app.command("list")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON.")
@click.pass_context
def list_apps(ctx: click.Context, *, json_wanted: bool) -> None:
    """List all applications."""
    with opened(ctx, may_create=False) as door:
        rows = door.read(lambda connection: [_row(connection, each) for each in listed(connection)])
    if json_wanted:
        as_json(rows)
    else:
        table(rows, ("slug", "name", "kind", "state", "groups"), "There is no application yet.")


@app.command("show")
@click.argument("slug")
@click.option("--json", "json_wanted", is_flag=True, help="Print as JSON.")
@click.pass_context
def show(ctx: click.Context, slug: str, *, json_wanted: bool) -> None:
    """Show one application with what is registered of it."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, slug)
        values = door.read(lambda connection: {**_row(connection, found), **config_of(found.kind)})
    as_json(values) if json_wanted else card(values)


@app.command("add")
@click.argument("slug")
@click.pass_context
def add(ctx: click.Context, slug: str, **given: object) -> None:
    """Register an application: a bookmark, an OpenID Connect client or a SAML service provider."""
    with opened(ctx) as door:
        if door.read(lambda connection: by_slug(connection, slug)) is not None:
            raise Refused(f"There is an application {slug} already.")
        said = _said(slug, given, None)
        said.setdefault("name", slug)
        _print(say(door, "applications", said))


@app.command("change")
@click.argument("slug")
@click.pass_context
def change(ctx: click.Context, slug: str, **given: object) -> None:
    """Change what is given, and leave the rest."""
    with opened(ctx, may_create=False) as door:
        _print(say(door, "applications", _said(slug, given, _known(door, slug))))


@app.command("new-secret")
@click.argument("slug")
@click.pass_context
def new_secret(ctx: click.Context, slug: str) -> None:
    """Make a new client secret and print it once; the ones before end at once."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, slug)
        if not isinstance(found.kind, OidcClient) or found.kind.is_public:
            raise Refused(f"{slug} has no client secret.")
        secret = new_client_secret()

        def work(connection: Connection) -> None:
            drop_client_secrets(connection, found.id)
            add_client_secret(connection, door.vault, found.id, secret, door.clock())
            event = Event("app.secret_replaced", Outcome.SUCCESS, ACTOR, local(), app_id=found.id)
            record(connection, event, door.clock())

        door.run(work)
    click.echo(f"client_secret of {slug} (shown this once): {secret}")


@app.command("remove")
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def remove(ctx: click.Context, slug: str, *, yes: bool) -> None:
    """Remove an application; nobody can open it any more."""
    with opened(ctx, may_create=False) as door:
        found = _known(door, slug)
        if not yes:
            click.confirm(f"Remove {found.slug} ({found.name})?", abort=True, err=True)
        carry_out(door, lambda connection: remove_app(connection, found, ACTOR, local(), door.clock()))
    click.echo(f"{slug} is removed.")


_with_fields(add)
_with_fields(change)


def _said(slug: str, given: Mapping[str, object], old: App | None) -> dict[str, Plain]:
    said: dict[str, Plain] = {"slug": slug}
    for name in ("name", "description", "state", "start_url"):
        value = cast("str | None", given.get(name))
        if value is not None:
            said[name] = value or None
    hidden = cast("bool | None", given.get("hidden"))
    if hidden is not None:
        said["hidden"] = hidden
    groups = cast("tuple[str, ...]", given.get("groups") or ())
    if groups:
        said["groups"] = [group for group in groups if group]
    parts = {
        "bookmark": _bookmark(given),
        "oidc": _oidc(slug, given, old.kind if old is not None and isinstance(old.kind, OidcClient) else None),
        "saml": _saml(given),
    }
    said.update({name: part for name, part in parts.items() if part is not None})
    return said


def _bookmark(given: Mapping[str, object]) -> dict[str, Plain] | None:
    url = cast("str | None", given.get("bookmark"))
    return None if url is None else {"url": url}


def _oidc(slug: str, given: Mapping[str, object], old: OidcClient | None) -> dict[str, Plain] | None:
    client_id = cast("str | None", given.get("client_id"))
    uris = cast("tuple[str, ...]", given.get("redirect_uris") or ())
    is_public = bool(given.get("public"))
    if client_id is None and not uris and not is_public:
        return None
    part: dict[str, Plain] = {
        "client_id": client_id or (slug if old is None else old.client_id),
        "redirect_uris": list(uris or (() if old is None else old.redirect_uris)),
    }
    if is_public:
        part["token_endpoint_auth_method"] = "none"  # noqa: S105 - the name of a method
    return part


def _saml(given: Mapping[str, object]) -> dict[str, Plain] | None:
    part: dict[str, Plain] = {}
    file = cast("Path | None", given.get("saml_metadata"))
    if file is not None:
        try:
            part["metadata"] = file.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise Refused(f"{file} cannot be read: {error}.") from error
    entity_id = cast("str | None", given.get("entity_id"))
    if entity_id is not None:
        part["entity_id"] = entity_id
    acs_urls = cast("tuple[str, ...]", given.get("acs_urls") or ())
    if acs_urls:
        part["acs_urls"] = list(acs_urls)
    return part or None


def _print(applied: Applied) -> None:
    lines = applied.plan.lines()
    click.echo("\n".join(lines) if lines else "Nothing to change.")
    for made in applied.secrets:
        click.echo(f"client_id      {made.client_id}")
        click.echo(f"client_secret  {made.secret}    (shown this once)")


def _known(door: Opened, slug: str) -> App:
    found = door.read(lambda connection: by_slug(connection, slug))
    if found is None:
        raise Refused(f"There is no application {slug}.")
    return found


def _row(connection: Connection, of: App) -> dict[str, Json]:
    return {
        "slug": of.slug,
        "name": of.name,
        "kind": kind_name(of.kind),
        "state": of.state.value,
        "description": of.description,
        "groups": groups_of_app(connection, of.id),
        "hidden": of.hidden,
        "start_url": of.start_url,
    }
