"""How commands print: a table for people, JSON where a machine may read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click

from doorward.audit import Json


def as_json(value: Json) -> None:
    """Print one JSON value, with a newline."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(rows: Sequence[Mapping[str, Json]], columns: Sequence[str], empty: str) -> None:
    """Print rows under their column names, or the sentence `empty` where there are none."""
    if not rows:
        click.echo(empty)
        return
    written = [[_text(row.get(column)) for column in columns] for row in rows]
    heads = [column.upper().replace("_", " ") for column in columns]
    widths = [max(len(line[index]) for line in (heads, *written)) for index in range(len(columns))]
    for line in (heads, *written):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def card(values: Mapping[str, Json]) -> None:
    """Print one thing, a line for each of its values."""
    width = max(len(name) for name in values)
    for name, value in values.items():
        click.echo(f"{name.replace('_', ' ').ljust(width)}  {_text(value)}")


def _text(value: Json) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_text(each)}" for name, each in value.items()) or "-"
    return ", ".join(_text(each) for each in value) or "-"
