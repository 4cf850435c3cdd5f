"""Starting the composed application in processes of its own, with a clock that a file tells."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.clocks import FileClock
from support.ports import free_port
from support.processes import Place, start, stop, wait_until

_SERVE = Path(__file__).with_name("serve.py")


@dataclass(slots=True)
class Server:
    """A running server. `data` is its folder; commands of `doorward` may work on it meanwhile."""

    base_url: str
    port: int
    data: Path
    log: Path
    clock: FileClock
    process: subprocess.Popen[bytes]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the server and give its exit code."""
        return stop(self.process, how)

    def kill(self) -> None:
        """End the server with kill -9."""
        stop(self.process, signal.SIGKILL)


@dataclass(slots=True)
class ServerStarter:
    """Starts servers that end with the test. Settings are given by name: `server(workers=2, database=url)`."""

    folder: Path
    clock: FileClock
    running: list[Server] = field(default_factory=list)

    def __call__(
        self, *, data: Path | None = None, environ: Mapping[str, str] | None = None, **settings: str | int | Path
    ) -> Server:
        """Start a server and wait until it answers `/healthz`."""
        data = data or self.folder / "data"
        port = int(str(settings.pop("port", 0))) or free_port()
        flags = [
            f"--{name.replace('_', '-')}={value}" for name, value in {"data": data, "port": port, **settings}.items()
        ]
        log = self.folder / f"server-{port}.log"
        place = Place(self.folder, log, {**clean_environ(), **(environ or {})})
        process = start([sys.executable, _SERVE, self.clock.path, *flags], place)
        is_https = "tls_cert" in settings
        wait_until(lambda: is_healthy(port, is_https=is_https), process, log)
        base_url = str(settings.get("base_url", f"http{'s' if is_https else ''}://localhost:{port}"))
        server = Server(base_url, port, data, log, self.clock, process)
        self.running.append(server)
        return server

    def stop_all(self) -> None:
        """End all servers."""
        for server in self.running:
            server.stop()


def clean_environ() -> dict[str, str]:
    """Give this process's environment without settings of a deployment."""
    left_out = ("DOORWARD_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def is_healthy(port: int, *, is_https: bool = False) -> bool:
    """Tell whether a server on loopback answers `/healthz`."""
    context = ssl._create_unverified_context() if is_https else None  # noqa: S323 - asks only whether it is up
    connection = (
        http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
        if is_https
        else http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    )
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
