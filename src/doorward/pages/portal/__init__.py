"""The User Portal: a person's applications, their security and their profile.

Owns what these pages show and which room they ask. Never decides who may open an application (`apps.access`), what
a right code is (`signin`) or what a field may hold (`directory`). Read `home.py` first, then `freshness.py` for the
rule that guards every change of a factor.
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from doorward.pages.portal import confirm, home, launch, methods, password, profile, security


def routes() -> list[BaseRoute]:
    """List the portal's addresses."""
    return [
        *home.routes(),
        *launch.routes(),
        *security.routes(),
        *confirm.routes(),
        *methods.routes(),
        *password.routes(),
        *profile.routes(),
    ]


__all__ = ["routes"]
