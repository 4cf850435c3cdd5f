"""Every setting of the deployment, declared once: name, default, sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PREFIX: Final = "DOORWARD_"


class SettingError(Exception):
    """A setting of the deployment is wrong. The one sentence names the setting, where it came from and the mend."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of the deployment, as flags, environment and `doorward.toml` name it."""

    name: str
    default: str | None
    sentence: str
    is_secret: bool = False
    in_file: bool = True

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return PREFIX + self.name.upper()


SETTINGS: Final = (
    Setting("data", "./doorward-data", "The folder of the database, the master key and doorward.toml.", in_file=False),
    Setting(
        "database",
        None,
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME; by default doorward.db in the data folder.",
        is_secret=True,
    ),
    Setting("host", "127.0.0.1", "The address on which the server listens."),
    Setting("port", "8000", "The port on which the server listens, 1 to 65535."),
    Setting(
        "base_url",
        None,
        "The address under which browsers reach the server, such as https://id.example; http only for loopback.",
    ),
    Setting("workers", "1", "The number of worker processes, 1 to 64."),
    Setting("tls_cert", None, "A PEM file with the certificate chain, to serve HTTPS directly; needs tls_key."),
    Setting("tls_key", None, "A PEM file with the private key of tls_cert."),
    Setting(
        "trusted_proxies",
        "127.0.0.0/8,::1/128",
        "Networks of the reverse proxies whose X-Forwarded-For is believed, separated by commas.",
    ),
    Setting(
        "egress_allow",
        "",
        "Networks and host names outside the public internet that outgoing calls may reach, separated by commas.",
    ),
    Setting("egress_ca_file", None, "A PEM file with further certificates that outgoing calls trust."),
    Setting(
        "master_key",
        None,
        "32 bytes in base64 that seal what is secret in the database; by default master.key in the data folder.",
        is_secret=True,
    ),
    Setting("log_format", "auto", "auto, json or console; auto writes JSON when the output is not a terminal."),
    Setting("argon2_memory_kib", "19456", "Memory of one password hash in KiB, 7168 to 1048576."),
    Setting("argon2_time_cost", "2", "Passes of one password hash, 1 to 20."),
)
"""Every setting of the deployment, in the order of the reference documentation."""

BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Found:
    """A value as it was written, and who wrote it."""

    setting: Setting
    text: str
    source: str

    def wrong(self, mend: str) -> SettingError:
        """Say what is wrong with this value; a secret is not repeated."""
        shown = "its value" if self.setting.is_secret else repr(self.text)
        return SettingError(f"{self.setting.name} from {self.source}: {shown} {mend}")
