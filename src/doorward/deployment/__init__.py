"""The settings of a deployment: flags over `DOORWARD_*` over `doorward.toml` in the data folder.

Owns where the server listens, where it keeps its data and whom it trusts; never a setting of the organisation,
which lives in the database (organization/settings.py). A secret may also be given as a file: `DOORWARD_X_FILE`.
Read `settings.py` first: each setting is declared there, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from doorward.deployment import values
from doorward.deployment.master_key import MASTER_KEY_FILE, given_key, kept_key
from doorward.deployment.settings import SETTINGS, Found, Setting, SettingError
from doorward.deployment.sources import SETTINGS_FILE, gather
from doorward.deployment.values import Network, is_loopback

__all__ = [
    "MASTER_KEY_FILE",
    "SETTINGS",
    "SETTINGS_FILE",
    "Deployment",
    "Network",
    "Setting",
    "SettingError",
    "is_loopback",
    "load",
]


@dataclass(frozen=True, slots=True)
class Deployment:
    """The settings of one deployment, checked. `sources` tells for each setting where its value came from."""

    data: Path
    database: str = field(repr=False)
    host: str
    port: int
    base_url: str
    workers: int
    tls_cert: Path | None
    tls_key: Path | None
    trusted_proxies: tuple[Network, ...]
    egress_allow: tuple[Network | str, ...]
    egress_ca_file: Path | None
    master_key: bytes = field(repr=False)
    log_format: str
    argon2_memory_kib: int
    argon2_time_cost: int
    demo: bool
    sources: Mapping[str, str]

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by https, so that cookies are Secure."""
        return self.base_url.startswith("https://")


def load(
    flags: Mapping[str, str | None], environ: Mapping[str, str], *, demo: bool = False, may_create: bool = True
) -> Deployment:
    """Read the settings of the deployment.

    `flags` names settings as `SETTINGS` does; None means not given. With `may_create`, the data folder and the
    master key are made where they are missing; without it a missing master key is an error.

    Raises:
        SettingError: a setting is unknown, doubled or wrong.
    """
    found = gather(flags, environ)
    data = Path(found["data"].text).expanduser().absolute()
    if may_create:
        _make_folder(data, found["data"])
    tls_cert, tls_key = values.tls_pair(found)
    port = values.number(found["port"], 1, 65535)
    host = values.listen_host(found["host"])
    base_url = values.base_url(
        found.get("base_url"), host, port, is_https=tls_cert is not None, host_found=found["host"]
    )
    key, key_source = _master_key(found, data, may_create=may_create)
    sources = {setting.name: "default" for setting in SETTINGS} | {n: f.source for n, f in found.items()}
    sources["master_key"] = key_source
    return Deployment(
        data=data,
        database=values.database(found["database"]) if "database" in found else f"sqlite:///{data / 'doorward.db'}",
        host=host,
        port=port,
        base_url=base_url,
        workers=values.number(found["workers"], 1, 64),
        tls_cert=tls_cert,
        tls_key=tls_key,
        trusted_proxies=tuple(
            values.network(found["trusted_proxies"], item) for item in values.items(found["trusted_proxies"])
        ),
        egress_allow=tuple(
            values.network_or_host(found["egress_allow"], item) for item in values.items(found["egress_allow"])
        ),
        egress_ca_file=values.readable(found.get("egress_ca_file")),
        master_key=key,
        log_format=values.one_of(found["log_format"], ("auto", "json", "console")),
        argon2_memory_kib=values.number(found["argon2_memory_kib"], 7168, 1048576),
        argon2_time_cost=values.number(found["argon2_time_cost"], 1, 20),
        demo=demo,
        sources=sources,
    )


def _master_key(found: Mapping[str, Found], data: Path, *, may_create: bool) -> tuple[bytes, str]:
    """Give the master key and where it came from; "made at …" when this start made it."""
    if "master_key" in found:
        return given_key(found["master_key"]), found["master_key"].source
    path = data / MASTER_KEY_FILE
    was_there = path.exists()
    return kept_key(data, may_create=may_create), str(path) if was_there else f"made at {path}"


def _make_folder(data: Path, found: Found) -> None:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise found.wrong(f"cannot be made a folder ({error})") from error
