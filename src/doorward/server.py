"""The server: one ASGI application, composed here and nowhere else.

Opens and closes what requests need, lists the rooms that answer, and keeps up what must run beside them. Nothing that
is slow to import is imported before the socket answers (tests/test_quick_start.py).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from doorward.clock import Clock, system_clock
from doorward.deployment import Deployment
from doorward.organization import current
from doorward.pages import admin, login, logout, portal, wellknown
from doorward.signin.hashing import PasswordHasher
from doorward.store import StorageAway, Vault, open_database
from doorward.store.migrate import SchemaError, ensure_schema
from doorward.store.sealed import SealedByAnotherKey, check_master_key
from doorward.store.sweep import sweep
from doorward.web.edge import Edge
from doorward.web.guards import unguarded
from doorward.web.lazily import LazyRoom
from doorward.web.log import Log, open_log
from doorward.web.site import Site
from doorward.web.templates import Templates

_RETRY_SECONDS: Final = 2.0
_SWEEP_SECONDS: Final = 60.0
_SWEEP_ROWS: Final = 200
_BREATH_SECONDS: Final = 0.05


def create_app(deployment: Deployment, *, clock: Clock = system_clock) -> Starlette:
    """Compose the application of one deployment. It opens the database when its lifespan begins.

    Raises:
        TypeError: a route has no guard.
    """
    lazy = [
        LazyRoom(
            "doorward.protocols.oidc.routes",
            ("/oidc", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"),
        ),
        LazyRoom("doorward.protocols.saml.routes", ("/saml",)),
    ]
    routes = _routes()
    if found := unguarded(routes):
        raise TypeError(f"routes without a guard: {found}")
    app = Starlette(
        routes=[*lazy, *routes],
        middleware=[Middleware(Edge)],
        exception_handlers={HTTPException: _to_the_edge},
        lifespan=_lifespan(deployment, clock, lazy),
    )
    app.router.redirect_slashes = False
    return app


def _routes() -> Sequence[BaseRoute]:
    """List the pages that answer from the first request on; those asked most come first."""
    return [*portal.routes(), *login.routes(), *logout.routes(), *admin.routes(), *wellknown.routes()]


async def _to_the_edge(_request: Request, error: Exception) -> Response:
    """Leave 404 and 405 to the edge, which makes the page of every refusal."""
    raise error


def _lifespan(
    deployment: Deployment, clock: Clock, lazy: Sequence[LazyRoom]
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        log, gathered = open_log(deployment.log_format)
        site = _open(deployment, clock, log)
        app.state.site = site
        is_ready = await _prepare(site)
        if not deployment.is_secure:
            site.log.warning("plain_http", base_url=deployment.base_url, note="cookies are neither __Host- nor Secure")
        beside = [asyncio.create_task(_warm(site, lazy)), asyncio.create_task(_keep_up(site, is_ready=is_ready))]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            site.hasher.close()
            await site.db.close()
            gathered.flush()

    return lifespan


def _open(deployment: Deployment, clock: Clock, log: Log) -> Site:
    return Site(
        deployment=deployment,
        db=open_database(deployment.database),
        clock=clock,
        vault=Vault(deployment.master_key),
        hasher=PasswordHasher(deployment.argon2_memory_kib, deployment.argon2_time_cost),
        log=log,
        templates=Templates(),
    )


async def _prepare(site: Site) -> bool:
    """Make sure of schema and master key, and read the organisation; false while the database is away.

    Raises:
        SchemaError: the database is of another version.
        SealedByAnotherKey: it was sealed with another master key.
    """
    try:
        await asyncio.to_thread(ensure_schema, site.deployment.database)
        await site.db.read(lambda connection: check_master_key(connection, site.vault))
        site.templates.organization = await site.db.read(current)
    except StorageAway as away:
        site.log.warning("storage_away", detail=str(away)[:500])
        return False
    return True


async def _warm(site: Site, lazy: Sequence[LazyRoom]) -> None:
    """Compile templates and import the rooms that wait, off the loop, so that the first who asks need not wait."""
    steps: list[tuple[str, Callable[[], object]]] = [
        ("signin templates", lambda: site.templates.warm("signin/")),
        *((room.module, room.load) for room in lazy),
        ("templates", lambda: site.templates.warm("")),
    ]
    for name, step in steps:
        try:
            await asyncio.to_thread(step)
        except Exception as error:  # noqa: BLE001 - a background task: the first request to the room tells the same
            site.log.warning("not_warmed", what=name, detail=repr(error))


async def _keep_up(site: Site, *, is_ready: bool) -> None:
    """Do what nobody asks for: wait for a database that was away at the start, then sweep what has expired."""
    try:
        while not is_ready:
            await asyncio.sleep(_RETRY_SECONDS)
            is_ready = await _prepare(site)
    except (SchemaError, SealedByAnotherKey) as wrong:
        # The database came back as another one: /readyz and every page tell; an operator must look.
        site.log.critical("database_unusable", detail=str(wrong))
        return
    while True:
        # Spread, so that several processes do not sweep at once.
        await asyncio.sleep(_SWEEP_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - spreads, protects nothing
        with suppress(StorageAway):
            while await _swept(site) == _SWEEP_ROWS:  # noqa: ASYNC110 - the pause is the point
                # Small batches: nobody who signs in waits for the broom.
                await asyncio.sleep(_BREATH_SECONDS)


async def _swept(site: Site) -> int:
    return await site.db.write(lambda connection: sweep(connection, site.clock(), _SWEEP_ROWS), durable=False)
