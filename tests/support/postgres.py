"""A real PostgreSQL that the suite starts for itself: in a folder of its own, on a free port of loopback."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg

from doorward.store import schema
from doorward.store.migrate import HEAD, ensure_schema
from support.ports import free_port
from support.processes import Place, start, stop, wait_until

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "on",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "80",
    "max_wal_size": "256MB",
    "autovacuum": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "log_min_messages": "error",
}

_TABLES = [table.name for table in reversed(schema.metadata.sorted_tables)]
_EMPTY = f"""DO $$ BEGIN
SET LOCAL lock_timeout = '200ms';
IF EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()) THEN
  RAISE EXCEPTION 'somebody is still connected';
END IF;
{"".join(f'DELETE FROM "{name}";' for name in _TABLES)}
INSERT INTO ticks (id, at) VALUES (1, 0);
UPDATE alembic_version SET version_num = '{HEAD}';
END $$"""


def programs() -> Path:
    """Find the folder of initdb and postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise RuntimeError("PostgreSQL is not installed; `make test` installs it")
    return Path(on_path).resolve().parent


def system_user() -> str | None:
    """Tell as whom PostgreSQL must run: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam("postgres").pw_name


@dataclass(slots=True)
class Cluster:
    """A running PostgreSQL. `fresh` makes a migrated database in a few hundredths of a second."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    numbers: Iterator[int] = field(default_factory=count)
    has_template: bool = False
    emptied: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        """Give the address of a database."""
        return f"postgresql://doorward@127.0.0.1:{self.port}/{name}"

    def empty(self) -> str:
        """Make an empty database and give its address."""
        return self._create("template0")

    def fresh(self) -> str:
        """Give the address of a database as the migrations leave it: an emptied one, or a new one."""
        if self.emptied:
            return self.emptied.pop()
        if not self.has_template:
            self.run("CREATE DATABASE migrated TEMPLATE template0")
            ensure_schema(self.url("migrated"))
            self.has_template = True
        return self._create("migrated")

    def give_back(self, url: str) -> None:
        """Empty a database for the next test, which takes a tenth of making one; if that cannot be, remove it."""
        try:
            self.run(_EMPTY, url)
        except (asyncpg.PostgresError, OSError):
            self.drop(url)
        else:
            self.emptied.append(url)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        self.run(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def run(self, statement: str, url: str | None = None) -> None:
        """Run one statement as the owner of the cluster."""

        async def work() -> None:
            connection = await asyncpg.connect(url or self.url("postgres"))
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(work())

    def halt(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop at once; connections break. SIGQUIT stops as a crash does."""
        stop(self.process, how)

    def resume(self) -> None:
        """Start again on the same port."""
        self.process = _start(self.folder, self.port)

    def _create(self, template: str) -> str:
        name = f"test_{next(self.numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE {template} STRATEGY FILE_COPY')
        return self.url(name)


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    log = folder / "log"
    place = Place(folder, log, {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}, system_user())
    process = start([programs() / "postgres", "-D", folder / "data", "-p", str(port), *settings], place)

    def is_ready() -> bool:
        asked = [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        return subprocess.run(asked, check=False).returncode == 0

    wait_until(is_ready, process, log)
    return process


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a cluster in a temporary folder, and remove both afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-postgres-"))
    user = system_user()
    try:
        if user is not None:
            shutil.chown(folder, user, user)
        subprocess.run(
            [
                programs() / "initdb",
                "-D",
                folder / "data",
                "-U",
                "doorward",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions",
            ],
            cwd=folder,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            check=True,
            capture_output=True,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        )
        port = free_port()
        cluster = Cluster(folder, port, _start(folder, port))
        try:
            yield cluster
        finally:
            stop(cluster.process, signal.SIGINT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
