"""Running the server: sockets, one process or several, draining, and the end.

Processes share nothing but the database: with several workers the first process only binds the sockets, forks,
and starts anew what died. Each worker has a listening socket of its own, kept open by the first process as well,
so that connections which wait for a worker that died are answered by the next one.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from doorward.cli.options import Refused
from doorward.clock import Clock
from doorward.deployment import Deployment

if TYPE_CHECKING:
    import uvicorn

_BACKLOG: Final = 2048
_DRAIN_SECONDS: Final = 20
_KEEP_ALIVE_SECONDS: Final = 75  # longer than the 60 s of common reverse proxies, so that they close first
_SOON_SECONDS: Final = 5.0
_MOST_EARLY_ENDS: Final = 5
_ENDS: Final = (signal.SIGTERM, signal.SIGINT)


def listen(deployment: Deployment) -> list[socket.socket]:
    """Open one listening socket for each worker.

    Raises:
        Refused: the address cannot be had.
    """
    try:
        found = socket.getaddrinfo(deployment.host, deployment.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        if deployment.workers > 1:
            # Sockets that share a port would also share it with another server of this user: look first.
            _bind(family, address, shares=False).close()
        return [_bind(family, address, shares=deployment.workers > 1) for _ in range(deployment.workers)]
    except OSError as error:
        reason = error.strerror or str(error)
        raise Refused(
            f"{deployment.host} port {deployment.port} cannot be listened on ({reason}); "
            "end what listens there, or give --host and --port."
        ) from error


def _bind(
    family: int, address: tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes], *, shares: bool
) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shares:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def check_tls(deployment: Deployment) -> None:
    """Load certificate and key once, before anybody is promised an answer.

    Raises:
        Refused: they cannot be used together.
    """
    if deployment.tls_cert is None or deployment.tls_key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(deployment.tls_cert, deployment.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise Refused(
            f"tls_cert and tls_key cannot be used ({error}); both must be PEM files that belong together."
        ) from error


def run(deployment: Deployment, clock: Clock, sockets: list[socket.socket]) -> int:
    """Answer requests until SIGTERM or SIGINT, then drain. Give the exit code."""
    if len(sockets) == 1:
        return _serve(deployment, clock, sockets[0])
    return _Supervisor(deployment, clock, sockets).run()


# ------------------------------------------------------------------------------------------- one process


def _serve(deployment: Deployment, clock: Clock, listener: socket.socket) -> int:
    for end in _ENDS:
        signal.signal(end, _leave)
    server = _server(deployment, clock)
    try:
        server.run(sockets=[listener])
    except SystemExit as left:
        return 0 if left.code in {0, None} and server.started else 1
    return 0 if server.started else 1


def _leave(number: int, frame: object) -> None:
    """End with 0. The server answers a signal by draining and raises it again afterwards: then this is reached."""
    del number, frame
    raise SystemExit(0)


def _server(deployment: Deployment, clock: Clock) -> uvicorn.Server:
    # Imported here, so that commands and the supervising process do without them.
    import uvicorn  # noqa: PLC0415 - quick start

    from doorward.cli.connection import Connection  # noqa: PLC0415 - quick start
    from doorward.server import create_app  # noqa: PLC0415 - quick start

    _forward_uvicorn_log(deployment)
    config = uvicorn.Config(
        create_app(deployment, clock=clock),
        loop="uvloop",
        http=Connection,
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        ssl_certfile=deployment.tls_cert,
        ssl_keyfile=deployment.tls_key,
    )
    return uvicorn.Server(config)


class _ToOurLog(logging.Handler):
    """Hands what uvicorn and libraries log to the log of the product."""

    def __init__(self, write: Callable[[str, str, str | None], None]) -> None:
        super().__init__(logging.WARNING)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else None
        self._write(record.name, record.getMessage(), trace)


def _forward_uvicorn_log(deployment: Deployment) -> None:
    from doorward.web.log import open_log  # noqa: PLC0415 - quick start

    log, _ = open_log(deployment.log_format)

    def write(name: str, message: str, trace: str | None) -> None:
        log.warning("library", logger=name, message=message, **({} if trace is None else {"exception": trace}))

    logging.getLogger().handlers = [_ToOurLog(write)]


# ------------------------------------------------------------------------------------- several processes


@dataclass(slots=True)
class _Supervisor:
    """Keeps one worker for each socket until the end is asked for."""

    deployment: Deployment
    clock: Clock
    sockets: list[socket.socket]
    workers: dict[int, tuple[int, float]] = field(default_factory=dict)  # process -> (socket, started)
    early_ends: int = 0
    is_ending: bool = False

    def run(self) -> int:
        """Start the workers, start anew those that die, and end with them."""
        waiting = signal.pthread_sigmask(signal.SIG_BLOCK, [*_ENDS, signal.SIGCHLD])
        alive, told = os.pipe()
        try:
            for position in range(len(self.sockets)):
                self._start(position, waiting, alive, told)
            failed = False
            while self.workers:
                got = signal.sigwait([*_ENDS, signal.SIGCHLD])
                if got == signal.SIGCHLD:
                    failed = self._bury(waiting, alive, told) or failed
                else:
                    self._end()
            return 1 if failed else 0
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
            os.close(alive)
            os.close(told)

    def _start(self, position: int, waiting: set[int | signal.Signals], alive: int, told: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process:
            self.workers[process] = (position, time.monotonic())
            return
        code = 1
        try:
            os.close(told)
            _follow_parent(alive)
            for end in _ENDS:
                signal.signal(end, _leave)
            signal.pthread_sigmask(signal.SIG_SETMASK, waiting)
            for other, listener in enumerate(self.sockets):
                if other != position:
                    listener.close()
            code = _serve(self.deployment, self.clock, self.sockets[position])
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else 0
        except BaseException:
            logging.getLogger("doorward").exception("the worker failed")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _bury(self, waiting: set[int | signal.Signals], alive: int, told: int) -> bool:
        """Start anew each worker that ended; tell whether they keep ending at once, which no start mends."""
        while self.workers:
            process, _status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            if process not in self.workers:
                continue
            position, started = self.workers.pop(process)
            if self.is_ending:
                continue
            self.early_ends = self.early_ends + 1 if time.monotonic() - started < _SOON_SECONDS else 0
            if self.early_ends >= _MOST_EARLY_ENDS:
                logging.getLogger("doorward").error("workers end at once, again and again: the server stops")
                self._end()
                return True
            self._start(position, waiting, alive, told)
        return False

    def _end(self) -> None:
        self.is_ending = True
        for process in self.workers:
            os.kill(process, signal.SIGTERM)


def _follow_parent(alive: int) -> None:
    """Drain when the first process is gone: the pipe that it holds open ends with it, even by kill -9."""

    def wait() -> None:
        os.read(alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="follow-parent", daemon=True).start()
