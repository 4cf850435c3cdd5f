"""An Apache of the suite's own: mod_auth_mellon on one port, mod_auth_openidc on another, in a temporary folder."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from support.ports import free_port
from support.processes import Place, start, stop, wait_until

_MODULES = Path("/usr/lib/apache2/modules")
_LOADED = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "headers",
    "dir",
    "mime",
    "setenvif",
    "auth_mellon",
    "auth_openidc",
)
_USER = "www-data"
OIDC_SECRET = "an-apache-of-the-suite.0123456789"

_CONFIG = """\
ServerRoot "{folder}"
DefaultRuntimeDir "{folder}"
PidFile "{folder}/apache.pid"
Mutex file:{folder} default
ErrorLog "{folder}/error.log"
LogLevel warn auth_mellon:info auth_openidc:info
ServerName localhost
UseCanonicalName On
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
TypesConfig /etc/mime.types
{user}
{modules}
DocumentRoot "{folder}/pages"
DirectoryIndex index.html
Listen 127.0.0.1:{saml_port}
Listen 127.0.0.1:{oidc_port}

<VirtualHost 127.0.0.1:{saml_port}>
  ServerName http://localhost:{saml_port}
  # Its cookies would say SameSite=None, which browsers take with Secure alone, and this is http.
  SetEnvIf Request_URI "." MELLON_DISABLE_SAMESITE=1
  <Location />
    MellonEnable "info"
    MellonEndpointPath "/mellon"
    MellonSPPrivateKeyFile "{folder}/sp.key"
    MellonSPCertFile "{folder}/sp.crt"
    MellonSPMetadataFile "{folder}/sp.xml"
    MellonIdPMetadataFile "{folder}/idp.xml"
    MellonSignatureMethod rsa-sha256
    MellonSecureCookie Off
    MellonUser "NAME_ID"
    MellonSetEnvNoPrefix "SAML_MAIL" "mail"
    MellonSetEnvNoPrefix "SAML_GROUPS" "memberOf"
    MellonMergeEnvVars On ";"
  </Location>
  <Location /secret>
    AuthType "Mellon"
    MellonEnable "auth"
    Require valid-user
    Header set X-User "expr=%{{REMOTE_USER}}"
    Header set X-Mail "%{{SAML_MAIL}}e"
    Header set X-Groups "%{{SAML_GROUPS}}e"
  </Location>
</VirtualHost>

<VirtualHost 127.0.0.1:{oidc_port}>
  ServerName http://localhost:{oidc_port}
  OIDCProviderMetadataURL {doorward}/.well-known/openid-configuration
  OIDCClientID apache
  OIDCClientSecret {oidc_secret}
  OIDCRedirectURI http://localhost:{oidc_port}/secret/callback
  OIDCCryptoPassphrase an-apache-of-the-suite
  OIDCProviderTokenEndpointAuth client_secret_basic
  OIDCPKCEMethod S256
  OIDCScope "openid profile email groups"
  OIDCRemoteUserClaim preferred_username
  OIDCPassClaimsAs environment
  <Location /secret>
    AuthType openid-connect
    Require valid-user
    Header set X-User "expr=%{{REMOTE_USER}}"
    Header set X-Mail "%{{OIDC_CLAIM_email}}e"
    Header set X-Groups "%{{OIDC_CLAIM_groups}}e"
    Header set X-Methods "%{{OIDC_CLAIM_amr}}e"
  </Location>
</VirtualHost>
"""

# Of itself mellon asks for transient names, as its generated metadata says; its own file says what is asked for.
_SP_METADATA = """\
<EntityDescriptor entityID="{address}/mellon/metadata" xmlns="urn:oasis:names:tc:SAML:2.0:metadata"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
  <SPSSODescriptor AuthnRequestsSigned="true" WantAssertionsSigned="true"
      protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
{certificate}
    </ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>
    <SingleLogoutService
      Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{address}/mellon/logout"/>
    <NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</NameIDFormat>
    <AssertionConsumerService index="0" isDefault="true"
      Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{address}/mellon/postResponse"/>
  </SPSSODescriptor>
</EntityDescriptor>
"""


@dataclass(frozen=True, slots=True)
class Apache:
    """A running Apache and where it is reached."""

    folder: Path
    saml: str
    oidc: str

    @property
    def log(self) -> str:
        """What it wrote to its error log."""
        path = self.folder / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""


@dataclass(frozen=True, slots=True)
class Ports:
    """The two ports, known before Apache starts, so that Doorward can be told of the applications first."""

    saml: int
    oidc: int


def choose_ports() -> Ports:
    """Choose two free ports."""
    return Ports(free_port(), free_port())


def _is_root() -> bool:
    return os.geteuid() == 0


def _write_pair(folder: Path) -> None:
    """Make the service provider's key and certificate."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mellon")])
    now = datetime.fromtimestamp(int(folder.stat().st_mtime), UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "sp.key").write_bytes(private)
    (folder / "sp.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def missing() -> str | None:
    """Say what is not installed."""
    for module in _LOADED:
        if not (_MODULES / f"mod_{module}.so").exists():
            return f"Apache's {module} is not installed; `make test` installs it"
    return None


@contextmanager
def running_apache(doorward: str, idp_metadata: bytes, ports: Ports) -> Iterator[Apache]:
    """Start Apache with the identity provider's metadata, and remove everything afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-apache-"))
    try:
        (folder / "pages" / "secret").mkdir(parents=True)
        (folder / "pages" / "secret" / "index.html").write_text("<h1>The secret page</h1>")
        (folder / "pages" / "index.html").write_text("<h1>The open page</h1>")
        (folder / "idp.xml").write_bytes(idp_metadata)
        _write_pair(folder)
        body = "".join((folder / "sp.crt").read_text().splitlines(keepends=True)[1:-1])
        described = _SP_METADATA.format(address=f"http://localhost:{ports.saml}", certificate=body)
        (folder / "sp.xml").write_text(described)
        text = _CONFIG.format(
            folder=folder,
            user=f"User {_USER}\nGroup {_USER}" if _is_root() else "",
            modules="\n".join(f"LoadModule {module}_module {_MODULES}/mod_{module}.so" for module in _LOADED),
            saml_port=ports.saml,
            oidc_port=ports.oidc,
            doorward=doorward,
            oidc_secret=OIDC_SECRET,
        )
        (folder / "apache.conf").write_text(text)
        if _is_root():  # its children run as another user, who must read the metadata and make the mutexes
            subprocess.run(["chown", "-R", f"{_USER}:{_USER}", folder], check=True)
        log = folder / "start.log"
        process = start(
            ["/usr/sbin/apache2", "-d", folder, "-f", folder / "apache.conf", "-DFOREGROUND"], Place(folder, log)
        )
        try:
            wait_until(lambda: _listens(ports.saml) and _listens(ports.oidc), process, log)
            yield Apache(folder, f"http://localhost:{ports.saml}", f"http://localhost:{ports.oidc}")
        finally:
            stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
