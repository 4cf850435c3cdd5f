"""What every request may use: settings of the deployment, database, clock, vault, hasher, log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from starlette.requests import HTTPConnection

from doorward.clock import Clock
from doorward.deployment import Deployment
from doorward.signin.hashing import PasswordHasher
from doorward.store import Database, Vault
from doorward.web.log import Log
from doorward.web.templates import Templates

if TYPE_CHECKING:
    from starlette.types import Scope

SITE: str = "doorward.site"
"""Where the scope of a request holds its site."""


@dataclass(frozen=True, slots=True)
class Site:
    """One running server, opened in the lifespan of the application and closed with it."""

    deployment: Deployment
    db: Database
    clock: Clock
    vault: Vault
    hasher: PasswordHasher
    log: Log
    templates: Templates


def site_of(request: HTTPConnection) -> Site:
    """Give the site that answers `request`."""
    return site_in(request.scope)


def site_in(scope: Scope) -> Site:
    """Give the site that a scope belongs to."""
    return cast("Site", scope[SITE])
