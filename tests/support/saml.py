"""A service provider of the tests: its keys, its requests by both bindings, and what it reads in an answer.

Signatures are made by `cryptography` (Redirect) and python-xmlsec (embedded), never by the code under test.
"""

from __future__ import annotations

import html.parser
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from doorward.apps import App, AppId, AppState, SamlProvider
from doorward.clock import Instant, iso
from support.clocks import START

BASE_URL = "https://id.acme.example"
ENDPOINT = f"{BASE_URL}/saml/sso"
ENTITY_ID = "https://wiki.example/saml"
ACS = "https://wiki.example/acs?tenant=a&x=1"
SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
DS = "http://www.w3.org/2000/09/xmldsig#"
NAMES = {"saml": SAML, "samlp": SAMLP, "ds": DS}
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """A key with its self-signed certificate. Its dates are long over: certificates are bare keys (SDP-IDP32)."""

    key: Key
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate as it is registered."""
        return self.certificate.public_bytes(Encoding.PEM).decode("ascii")

    @property
    def key_pem(self) -> bytes:
        """The private key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certified(key: Key, name: str = "wiki.example") -> Pair:
    """Make a certificate that expired in 2021."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=366))
        .sign(key, SHA256())
    )
    return Pair(key, made)


@cache
def rsa_pair(bits: int = 2048, which: int = 0) -> Pair:
    """An RSA key of the provider; another for each number."""
    return certified(rsa.generate_private_key(65537, bits), f"wiki{which}.example")


@cache
def ec_pair() -> Pair:
    """An elliptic-curve key of the provider."""
    return certified(ec.generate_private_key(ec.SECP256R1()))


def saml_app(provider: SamlProvider | None = None, **said: object) -> App:
    """An application as it is read from the database."""
    slug = str(said.pop("slug", "wiki"))
    values = {
        "id": AppId(f"app-{slug}"),
        "slug": slug,
        "name": "Wiki",
        "kind": provider or SamlProvider(ENTITY_ID, (ACS,)),
        "state": AppState.ACTIVE,
        "description": None,
        "hidden": False,
        "start_url": None,
        "groups_filter": None,
        "group_map": {},
        "created_at": START,
        "changed_at": START,
    }
    return App(**{**values, **said})


@dataclass(frozen=True, slots=True)
class Asks:
    """An AuthnRequest. A value of None leaves its attribute out; `inside` are further children as XML."""

    id: str | None = "_r1"
    version: str | None = "2.0"
    issued: Instant | str | None = START
    issuer: str | None = ENTITY_ID
    issuer_format: str | None = None
    destination: str | None = ENDPOINT
    acs_url: str | None = ACS
    inside: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    def xml(self) -> bytes:
        """Write the message."""
        issued = iso(self.issued) if isinstance(self.issued, int) else self.issued
        attributes = {
            "ID": self.id,
            "Version": self.version,
            "IssueInstant": issued,
            "Destination": self.destination,
            "AssertionConsumerServiceURL": self.acs_url,
            **self.more,
        }
        written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items() if value is not None)
        named = "" if self.issuer_format is None else f" Format={quoteattr(self.issuer_format)}"
        issuer = "" if self.issuer is None else f"<saml:Issuer{named}>{escape(self.issuer)}</saml:Issuer>"
        spaces = f'xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}"'
        return f"<samlp:AuthnRequest {spaces}{written}>{issuer}{self.inside}</samlp:AuthnRequest>".encode()


def deflated(octets: bytes) -> str:
    """Encode a message for the Redirect binding, before percent-encoding."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b64encode(stream.compress(octets) + stream.flush()).decode("ascii")


def redirect_query(
    octets: bytes, relay_state: str | None = None, pair: Pair | None = None, algorithm: str = RSA_SHA256
) -> str:
    """Write the query of the Redirect binding, signed if a key is given."""
    query = f"SAMLRequest={quote(deflated(octets), safe='')}"
    if relay_state is not None:
        query += f"&RelayState={quote(relay_state, safe='')}"
    return query if pair is None else signed_query(query, pair, algorithm)


def signed_query(query: str, pair: Pair, algorithm: str = RSA_SHA256) -> str:
    """Sign a query as it stands."""
    signed = f"{query}&SigAlg={quote(algorithm, safe='')}"
    value = quote(b64encode(query_signature(signed.encode(), pair, algorithm)).decode(), safe="")
    return f"{signed}&Signature={value}"


def query_signature(octets: bytes, pair: Pair, algorithm: str) -> bytes:
    """Sign octets by the hash that the algorithm's name ends with."""
    kinds: dict[str, HashAlgorithm] = {"sha256": SHA256(), "sha384": SHA384(), "sha512": SHA512()}
    digest = kinds.get(algorithm.rpartition("-")[2], SHA256())
    if isinstance(pair.key, rsa.RSAPrivateKey):
        return pair.key.sign(octets, padding.PKCS1v15(), digest)
    r, s = decode_dss_signature(pair.key.sign(octets, ec.ECDSA(digest)))
    return r.to_bytes(32) + s.to_bytes(32)


def posted(octets: bytes) -> str:
    """Encode a message for the POST binding."""
    return b64encode(octets).decode("ascii")


def signed_message(octets: bytes, pair: Pair) -> bytes:
    """Sign a message with an embedded signature behind its Issuer, by python-xmlsec."""
    root = etree.fromstring(octets)
    kind = xmlsec.Transform.RSA_SHA256 if isinstance(pair.key, rsa.RSAPrivateKey) else xmlsec.Transform.ECDSA_SHA256
    signature = xmlsec.template.create(root, xmlsec.Transform.EXCL_C14N, kind, ns="ds")
    issuer = root.find("saml:Issuer", NAMES)
    if issuer is None:
        root.insert(0, signature)
    else:
        issuer.addnext(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri=f"#{root.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    info = xmlsec.template.ensure_key_info(signature)
    xmlsec.template.add_x509_data(info)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pair.key_pem, xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(pair.pem.encode(), xmlsec.KeyFormat.PEM)
    xmlsec.tree.add_ids(root, ["ID"])
    context.sign(signature)
    return etree.tostring(root)


class _Forms(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self.action = given["action"]
        if tag == "input" and self.action is not None and given.get("type") == "hidden":
            self.fields[given["name"]] = given["value"]


@dataclass(frozen=True, slots=True)
class Posted:
    """What the page would send to the provider."""

    action: str
    fields: Mapping[str, str]

    @property
    def octets(self) -> bytes:
        """The Response as it is sent."""
        return b64decode(self.fields["SAMLResponse"], validate=True)

    @property
    def response(self) -> etree._Element:
        """The Response, read by another parser configuration than ours."""
        return etree.fromstring(self.octets)

    def text(self, path: str) -> str | None:
        """The text of one element."""
        found = self.response.findtext(path, namespaces=NAMES)
        return None if found is None else str(found)

    @property
    def statuses(self) -> list[str]:
        """The status codes from the outermost in, without their common prefix."""
        return [str(code.get("Value")).removeprefix(STATUS) for code in self.response.iter(f"{{{SAMLP}}}StatusCode")]

    @property
    def assertions(self) -> list[etree._Element]:
        """The assertions, wherever they stand."""
        return list(self.response.iter(f"{{{SAML}}}Assertion"))


def posted_by(page: str) -> Posted:
    """Read the form of the page that carries a Response."""
    forms = _Forms()
    forms.feed(page)
    assert forms.action is not None, page
    return Posted(forms.action, forms.fields)
