"""Connections of the server are bounded in time and in memory, whoever opens them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import ClassVar

import pytest
import uvicorn
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from doorward.cli.connection import MOST_HEAD_BYTES, Connection

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n"


class Impatient(Connection):
    request_seconds: ClassVar[float] = 0.3


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that waits 0.3 seconds for a request."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(echo, http=Impatient, ws="none", lifespan="off", log_config=None, timeout_keep_alive=5)
    server = uvicorn.Server(config)
    running = threading.Thread(target=server.run, args=([listening],))
    running.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    running.join()


def opened(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(4096) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"\r\nab"], ids=["nothing", "half a head", "half a body"])
def test_who_sends_no_whole_request_in_time_is_cut_off(port: int, sent: bytes) -> None:
    with opened(port) as connection:
        begun = time.monotonic()
        connection.sendall(sent)
        assert is_closed(connection)
        assert 0.2 < time.monotonic() - begun < 3


def test_sending_a_little_now_and_then_wins_no_time(port: int) -> None:
    with opened(port) as connection:
        connection.sendall(HEAD)
        connection.settimeout(0.1)
        cut_off = False
        for _ in range(20):
            try:
                connection.sendall(b"X: y\r\n")
                cut_off = is_closed(connection)
            except TimeoutError:
                continue
            except OSError:
                cut_off = True
            if cut_off:
                break
        assert cut_off


def test_a_head_without_an_end_is_cut_off_before_it_fills_the_memory(port: int) -> None:
    with opened(port) as connection:
        taken = 0
        try:
            while taken < 64 * MOST_HEAD_BYTES:
                connection.sendall(b"X: " + b"a" * 65_000)
                taken += 65_003
        except OSError:
            return  # cut off
    pytest.fail("the head went on")


def test_requests_in_time_are_answered_one_after_the_other_and_in_pieces(port: int) -> None:
    with opened(port) as connection:
        for _ in range(3):
            connection.sendall(HEAD)
            connection.sendall(b"\r\nab")
            connection.sendall(b"cde")
            answer = b""
            while not answer.endswith(b"abcde"):
                answer += connection.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")
            time.sleep(0.35)  # longer than a request may take: between two of them nothing is waited for
