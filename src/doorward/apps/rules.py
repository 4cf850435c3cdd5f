"""What may be registered: addresses, identifiers, claims and choices, each rule with its sentence. Pure.

`faults_of` finds every fault at once, with the path of its field under the application.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, assert_never
from urllib.parse import SplitResult, parse_qsl, urlsplit

from doorward.apps import kinds, values
from doorward.apps.app import NewApp
from doorward.apps.certificates import BadCertificate, pem_of
from doorward.apps.kinds import Bookmark, OidcClient, SamlProvider

MAX_ADDRESS: Final = 2048
MAX_NAME: Final = 200
MAX_SLUG: Final = 64
MAX_ENTITY_ID: Final = 1024  # SAML Core §8.3.6
MAX_LIST: Final = 100
MAX_TEXT: Final = 1000
MAX_CLIENT_ID: Final = 255
MAX_RELAY_STATE: Final = 80  # SAML Bindings §3.5.3

RESERVED_SLUGS: Final = frozenset({"portal", "admin"})
"""The names by which policies call the portals themselves."""

_SLUG: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,254}")
_CLIENT_ID: Final = re.compile(r"[\x21-\x7e]+")  # RFC 6749 appendix A.1, without the space

_SCRIPT_SCHEMES: Final = frozenset(
    {"javascript", "data", "file", "vbscript", "blob", "about", "filesystem", "view-source", "jar", "ws", "wss", "ftp"}
)
"""Schemes that run, read or lead nowhere: never the end of a sign-in (CATALOGUE, rule 13; ATTACKS 48)."""

_RESPONSE_NAMES: Final = frozenset({"code", "state", "iss", "error", "error_description", "id_token", "access_token"})
"""Parameters that our answer adds: an address that has one already could pass its own for ours (ATTACKS 58)."""

RESERVED_CLAIMS: Final = frozenset(
    [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "azp",
        "sid",
        "at_hash",
        "c_hash",
        "s_hash",
        "cnf",
        "scope",
        "client_id",
        "email_verified",
        "phone_number_verified",
        "act",
        "may_act",
        "events",
    ]
)
"""Claims that we answer for: no configuration may write them (ATTACKS 66, 68)."""

NAME_FORMATS: Final = ("basic", "uri", "unspecified")
SIGN: Final = ("response", "assertion", "both")
PKCE: Final = ("required", "optional")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field: its path under the application, such as `oidc.redirect_uris[1]`."""

    path: str
    sentence: str


def faults_of(app: NewApp) -> list[Fault]:
    """Find everything that keeps `app` from being registered."""
    return [*_common(app), *_of_kind(app)]


def _common(app: NewApp) -> Iterator[Fault]:
    if app.slug in RESERVED_SLUGS:
        yield Fault("slug", f"{app.slug!r} is the name of the {app.slug} itself")
    elif len(app.slug) > MAX_SLUG or _SLUG.fullmatch(app.slug) is None:
        yield Fault("slug", f"a slug has lower-case letters, digits and hyphens, and {MAX_SLUG} of them at most")
    yield from _line("name", app.name)
    if app.description is not None:
        yield from _line("description", app.description)
    if app.start_url is not None:
        yield from _web_address("start_url", app.start_url)
    if app.groups_filter is not None and (
        not 0 < len(app.groups_filter) <= MAX_NAME or _unprintable(app.groups_filter)
    ):
        yield Fault("groups_filter", f"a prefix has from 1 to {MAX_NAME} characters")
    if len(app.group_map) > MAX_LIST:
        yield Fault("group_map", f"has more than {MAX_LIST} groups")
    for group, mapped in app.group_map.items():
        each = [mapped] if isinstance(mapped, str) else mapped
        if len(each) > MAX_LIST or any(len(value) > MAX_TEXT or _unprintable(value) for value in (group, *each)):
            yield Fault(f"group_map.{group}", "a value is too long or holds control characters")


def _of_kind(app: NewApp) -> Iterator[Fault]:
    match app.kind:
        case Bookmark(url):
            yield from _web_address("bookmark.url", url)
        case OidcClient():
            yield from _oidc(app.kind)
        case SamlProvider():
            yield from _saml(app.kind)
        case _:
            assert_never(app.kind)


def _oidc(client: OidcClient) -> Iterator[Fault]:
    if len(client.client_id) > MAX_CLIENT_ID or _CLIENT_ID.fullmatch(client.client_id) is None:
        yield Fault("oidc.client_id", f"a client id has from 1 to {MAX_CLIENT_ID} printable ASCII characters, no space")
    yield from _listed("oidc.redirect_uris", client.redirect_uris)
    for index, uri in enumerate(client.redirect_uris):
        sentence = redirect_refusal(uri)
        if sentence is not None:
            yield Fault(f"oidc.redirect_uris[{index}]", sentence)
    yield from _chosen("oidc.token_endpoint_auth_method", client.token_endpoint_auth_method, kinds.AUTH_METHODS)
    if "none" in client.token_endpoint_auth_method and len(client.token_endpoint_auth_method) > 1:
        yield Fault("oidc.token_endpoint_auth_method", "none stands alone: a client with a secret always shows it")
    yield from _chosen("oidc.grant_types", client.grant_types, kinds.GRANT_TYPES)
    yield from _chosen("oidc.scopes", client.scopes, kinds.SCOPES)
    if "openid" not in client.scopes:
        yield Fault("oidc.scopes", "needs openid")
    yield from _chosen("oidc.pkce", (client.pkce,), PKCE)
    if client.is_public and client.pkce != "required":
        yield Fault("oidc.pkce", "must be required for a client without a secret (RFC 9700 §2.1.1)")
    yield from _chosen("oidc.id_token_signed_response_alg", (client.id_token_signed_response_alg,), ("RS256",))
    yield from _sources("oidc.claims", client.claims)
    for name in client.claims:
        if name in RESERVED_CLAIMS:
            yield Fault(f"oidc.claims.{name}", "this claim is written by Doorward alone")
    if client.initiate_login_uri is not None:
        yield from _service_address("oidc.initiate_login_uri", client.initiate_login_uri)


def _saml(provider: SamlProvider) -> Iterator[Fault]:
    # An entity ID is any string and is never normalised (CATALOGUE, rule 1).
    if not 0 < len(provider.entity_id) <= MAX_ENTITY_ID or _unprintable(provider.entity_id):
        yield Fault("saml.entity_id", f"an entity ID has from 1 to {MAX_ENTITY_ID} characters")
    yield from _listed("saml.acs_urls", provider.acs_urls)
    for index, url in enumerate(provider.acs_urls):
        yield from _service_address(f"saml.acs_urls[{index}]", url)
    yield from _chosen("saml.sign", (provider.sign,), SIGN)
    yield from _chosen("saml.signature_algorithm", (provider.signature_algorithm,), ("rsa-sha256",))
    yield from _chosen("saml.name_id.format", (provider.name_id_format,), ("emailAddress",))
    if not values.is_source(provider.name_id_from) or _unprintable(provider.name_id_from):
        yield Fault("saml.name_id.from", _no_source(provider.name_id_from))
    yield from _sources("saml.attributes", {name: rule.source for name, rule in provider.attributes.items()})
    for name, rule in provider.attributes.items():
        if rule.name_format is not None:
            yield from _chosen(f"saml.attributes.{name}.name_format", (rule.name_format,), NAME_FORMATS)
    for field, text, limit in (
        ("groups_attribute", provider.groups_attribute, MAX_NAME),
        ("authn_context", provider.authn_context, MAX_NAME),
        ("relay_state", provider.relay_state, MAX_RELAY_STATE),
    ):
        if text is not None and (_unprintable(text) or not 0 < len(text.encode()) <= limit):
            yield Fault(f"saml.{field}", f"has from 1 to {limit} bytes")
    yield from _saml_keys(provider)


def _saml_keys(provider: SamlProvider) -> Iterator[Fault]:
    if len(provider.signing_certificates) > MAX_LIST:
        yield Fault("saml.signing_certificates", f"has more than {MAX_LIST} entries")
    for index, certificate in enumerate(provider.signing_certificates):
        try:
            pem_of(certificate)
        except BadCertificate as error:
            yield Fault(f"saml.signing_certificates[{index}]", str(error))
    if provider.require_signed_requests and not provider.signing_certificates:
        # Import never weakens: a demand that cannot be checked is refused, not dropped (ATTACKS 72).
        yield Fault("saml.require_signed_requests", "needs at least one of signing_certificates")


def redirect_refusal(uri: str) -> str | None:
    """Say why `uri` cannot be a redirect address, or None. It is kept and compared as the string that it is.

    https anywhere; http on loopback only; any other scheme is a private-use one (RFC 8252 §7.1), kept as a string.
    """
    sentence = _address_refusal(uri)
    if sentence is not None:
        return sentence
    scheme, _, rest = uri.partition(":")
    if scheme.lower() in _SCRIPT_SCHEMES:
        return f"an address with {scheme}: cannot be the end of a sign-in"
    if "*" in uri:
        return "a redirect address has no wildcard: list each address"
    parts = _split(uri)
    if parts is None or not rest:
        return "this is no address"
    reserved = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} & _RESPONSE_NAMES)
    if reserved:
        return f"its query may not hold {reserved[0]!r}, which the answer adds"
    if scheme.lower() in {"http", "https"}:
        return _http_refusal(parts)
    return None


def service_refusal(url: str) -> str | None:
    """Say why `url` is no https address, or http on loopback, or None (SM-09, DR-07)."""
    parts = _split(url)
    sentence = _address_refusal(url)
    if sentence is not None:
        return sentence
    if parts is None or parts.scheme not in {"http", "https"}:
        return "this is no https address"
    return _http_refusal(parts)


def _service_address(path: str, url: str) -> Iterator[Fault]:
    sentence = service_refusal(url)
    if sentence is not None:
        yield Fault(path, sentence)


def web_refusal(url: str) -> str | None:
    """Say why `url` is no web address, or None. It may be plain http: nothing about the person goes with it."""
    parts = _split(url)
    if len(url) > MAX_ADDRESS or _unprintable(url) or " " in url or "\\" in url:
        return "this is no web address"
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return "this is no web address: it begins with https:// and a host"
    return None


def _web_address(path: str, url: str) -> Iterator[Fault]:
    sentence = web_refusal(url)
    if sentence is not None:
        yield Fault(path, sentence)


def _address_refusal(uri: str) -> str | None:
    if not uri or len(uri) > MAX_ADDRESS:
        return f"an address has from 1 to {MAX_ADDRESS} characters"
    if not uri.isascii() or _unprintable(uri) or any(letter in uri for letter in ' \\"<>^`{|}'):
        return "an address holds no space, backslash, quote or letter beyond ASCII: percent-encode it"
    if "#" in uri:
        return "an address has no fragment (RFC 6749 §3.1.2)"
    scheme = uri.partition(":")[0]
    if ":" not in uri or _SCHEME.fullmatch(scheme.lower()) is None:
        return "an address begins with its scheme, such as https://"
    return None


def _http_refusal(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "an address has no user name before its host"
    if not parts.hostname or not _port_is_valid(parts):
        return "this address has no valid host"
    if any(segment in {".", "..", ".;", "..;"} for segment in parts.path.split("/")):
        return "its path may not hold . or .. segments"
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        return "http is accepted for loopback addresses only: use https"
    return None


def is_loopback(host: str) -> bool:
    """Tell whether a host name means this machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(uri: str) -> SplitResult | None:
    try:
        return urlsplit(uri)
    except ValueError:
        return None


def _port_is_valid(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _sources(path: str, sources: Mapping[str, str]) -> Iterator[Fault]:
    if len(sources) > MAX_LIST:
        yield Fault(path, f"has more than {MAX_LIST} entries")
    for name, source in sources.items():
        if _NAME.fullmatch(name) is None:
            yield Fault(f"{path}.{name[:MAX_NAME]}", "this is no name: letters, digits and _ . : / -, a letter first")
        if not values.is_source(source) or len(source) > MAX_TEXT or _unprintable(source):
            yield Fault(f"{path}.{name[:MAX_NAME]}", _no_source(source))


def _no_source(source: str) -> str:
    known = ", ".join(values.SOURCES)
    return f"{source[:MAX_NAME]!r} is no source; there are {known}, user.attributes.NAME and constant:TEXT"


def _chosen(path: str, given: Sequence[str], known: Sequence[str]) -> Iterator[Fault]:
    if not given:
        yield Fault(path, "is empty")
    for each in given:
        if each not in known:
            yield Fault(path, f"{each[:MAX_NAME]!r} is not one of {', '.join(known)}")
    if len(set(given)) != len(given):
        yield Fault(path, "names one of them twice")


def _listed(path: str, given: Sequence[str]) -> Iterator[Fault]:
    if not given:
        yield Fault(path, "needs at least one address")
    if len(given) > MAX_LIST:
        yield Fault(path, f"has more than {MAX_LIST} entries")
    if len(set(given)) != len(given):
        yield Fault(path, "names an address twice")


def _line(path: str, text: str) -> Iterator[Fault]:
    if not text.strip() or len(text) > MAX_NAME or _unprintable(text):
        yield Fault(path, f"has from 1 to {MAX_NAME} characters, in one line")


def _unprintable(text: str) -> bool:
    return any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in text)
