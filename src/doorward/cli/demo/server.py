"""The server of the demo, as a process of its own: `serve` for a folder that the demo made."""

from __future__ import annotations

import os
from pathlib import Path

import click

from doorward.cli.demo.settings import demo_deployment
from doorward.cli.demo_apps.parent import end_with_parent
from doorward.cli.serve import open_the_door
from doorward.clock import system_clock


@click.command()
@click.option("--data", required=True)
@click.option("--host", required=True)
@click.option("--port", required=True)
@click.option("--base-url", required=True)
def main(data: str, host: str, port: str, base_url: str) -> None:
    """Serve the demo."""
    end_with_parent()
    deployment = demo_deployment(Path(data), {"host": host, "port": port, "base_url": base_url}, os.environ)
    raise SystemExit(open_the_door(deployment, system_clock))


if __name__ == "__main__":
    main()
