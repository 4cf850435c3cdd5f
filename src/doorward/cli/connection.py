# Security: what a client may do to a connection before it has asked for anything (tests/cli/test_connection.py).
"""A connection of the server, bounded: nobody keeps one open by sending slowly or nothing, or fills the memory.

uvicorn's own has no limit on the head of a request, and waits for one for ever.
"""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES: Final = 128 * 1024
"""Twice the longest address (web/edge.py): nothing of ours sends a larger head."""
REQUEST_SECONDS: Final = 60.0
"""A whole request, head and body, is here within this time; a silent connection is closed after it."""


class Connection(HttpToolsProtocol):
    """uvicorn's connection with those two bounds. A request that comes in one piece costs no timer."""

    request_seconds = REQUEST_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._in_head = True
        self._unfinished = True
        self._deadline: asyncio.TimerHandle | None = None
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what came, and wait for the rest no longer than is allowed."""
        super().data_received(data)
        if not self._unfinished:
            self._stop_waiting()
            return
        self._wait()
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._give_up()

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        super().on_message_begin()
        self._head_bytes = 0
        self._in_head = self._unfinished = True

    def on_headers_complete(self) -> None:
        """Note that the head of a request is here."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that a request is here."""
        self._unfinished = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.request_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()
