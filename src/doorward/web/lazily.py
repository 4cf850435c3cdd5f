"""Rooms that are imported on their first request: protocols cost more to import than the first page may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from importlib import import_module
from threading import Lock
from typing import Final, Protocol, cast

from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send

from doorward.web.guards import unguarded


class _Room(Protocol):
    routes: Callable[[], Sequence[BaseRoute]]


class LazyRoom(BaseRoute):
    """The routes of a module that offers `routes()`, under fixed prefixes."""

    def __init__(self, module: str, prefixes: tuple[str, ...]) -> None:
        """Stand for `module`; nothing is imported yet."""
        self.module: Final = module
        self.prefixes: Final = prefixes
        self._lock: Final = Lock()
        self._router: Router | None = None

    def load(self) -> Router:
        """Import the module and make its routes, once, on whatever thread comes first.

        Raises:
            TypeError: a route of the room has no guard.
        """
        with self._lock:
            if self._router is None:
                routes = list(cast("_Room", cast("object", import_module(self.module))).routes())
                if unguarded(routes):
                    raise TypeError(f"{self.module} has routes that web.guards.page did not make")
                self._router = Router(routes, redirect_slashes=False)
            return self._router

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Take every path under the prefixes."""
        path = cast("str", scope["path"])
        mine = any(path == prefix or path.startswith(prefix + "/") for prefix in self.prefixes)
        return (Match.FULL if mine and scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the room's own routes."""
        router = self._router or await asyncio.to_thread(self.load)
        await router(scope, receive, send)
