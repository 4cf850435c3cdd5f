"""The administrators' pages, of which there is one for now: who is paused, and the rules that led there.

Owns what these pages show and nothing else. Never decides a rule: `signin.policy`, `signin.accounts` and
`organization` do. Read `overview.py`.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from doorward.pages.admin import overview


def routes() -> list[BaseRoute]:
    """List the addresses of the Admin Portal."""
    return [*overview.routes()]


__all__ = ["routes"]
