"""The kinds of application, under the field names of the organisation file, with the defaults of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, TypeAlias, assert_never, cast

from doorward.audit import Json

SCOPES: Final = ("openid", "profile", "email", "address", "phone", "groups")
AUTH_METHODS: Final = ("client_secret_basic", "none")
GRANT_TYPES: Final = ("authorization_code",)


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A link: the tile leads to `url`, and nothing about the person goes with it."""

    url: str


@dataclass(frozen=True, slots=True)
class OidcClient:
    """An OpenID Connect client. Its secret is no field: see `secrets.py`.

    `claims` maps a claim's name to a source of `values.py`; `claims_in_id_token` puts every claim into the ID Token
    too, for applications that never call userinfo.
    """

    client_id: str
    redirect_uris: tuple[str, ...]
    token_endpoint_auth_method: tuple[str, ...] = ("client_secret_basic",)
    grant_types: tuple[str, ...] = GRANT_TYPES
    pkce: str = "required"
    scopes: tuple[str, ...] = SCOPES
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - the name of an algorithm
    claims: Mapping[str, str] = field(default_factory=dict[str, str])
    claims_in_id_token: bool = False
    initiate_login_uri: str | None = None

    @property
    def is_public(self) -> bool:
        """Tell whether the client has no secret."""
        return self.token_endpoint_auth_method == ("none",)

    @property
    def needs_pkce(self) -> bool:
        """Tell whether a request without a code challenge is refused. One that was sent is always checked."""
        return self.pkce == "required" or self.is_public


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """One SAML attribute: where its values come from, and the name format that is written (None: basic)."""

    source: str
    name_format: str | None = None


@dataclass(frozen=True, slots=True)
class SamlProvider:
    """A SAML service provider.

    `acs_urls` are in the order of preference: the first is the default. Certificates are PEM.
    `slo_url` and `encryption_certificate` come from metadata and are kept for features to come; nothing reads them.
    """

    entity_id: str
    acs_urls: tuple[str, ...]
    signing_certificates: tuple[str, ...] = ()
    require_signed_requests: bool = False
    idp_initiated: bool | None = None
    relay_state: str | None = None
    sign: str = "both"
    signature_algorithm: str = "rsa-sha256"
    name_id_format: str = "emailAddress"
    name_id_from: str = "user.email"
    attributes: Mapping[str, AttributeRule] = field(default_factory=dict[str, AttributeRule])
    groups_attribute: str | None = None
    authn_context: str | None = None
    slo_url: str | None = None
    encryption_certificate: str | None = None


AppKind: TypeAlias = Bookmark | OidcClient | SamlProvider


def kind_name(kind: AppKind) -> str:
    """Name a kind as the organisation file and the table do."""
    match kind:
        case Bookmark():
            return "bookmark"
        case OidcClient():
            return "oidc"
        case SamlProvider():
            return "saml"
        case _:
            assert_never(kind)


def config_of(kind: AppKind) -> dict[str, Json]:
    """Write a kind for its row."""
    return cast("dict[str, Json]", _plain(asdict(kind)))


def kind_from_config(name: str, config: Mapping[str, Json]) -> AppKind:
    """Read a kind that `config_of` wrote.

    Raises:
        ValueError: the kind is unknown to this version.
    """
    known = dict(config)
    match name:
        case "bookmark":
            return Bookmark(cast("str", known["url"]))
        case "oidc":
            tuples = ("redirect_uris", "token_endpoint_auth_method", "grant_types", "scopes")
            known.update({key: cast("Json", _tuple(known[key])) for key in tuples if key in known})
            return OidcClient(**cast("dict[str, str]", known))  # pyright: ignore[reportArgumentType] - our own row
        case "saml":
            tuples = ("acs_urls", "signing_certificates")
            known.update({key: cast("Json", _tuple(known[key])) for key in tuples if key in known})
            rules = cast("Mapping[str, Mapping[str, str]]", known.pop("attributes", {}))
            attributes = {key: AttributeRule(**rule) for key, rule in rules.items()}
            return SamlProvider(**cast("dict[str, str]", known), attributes=attributes)  # pyright: ignore[reportArgumentType] - likewise
        case other:
            raise ValueError(f"this version knows no application of the kind {other!r}")


def _tuple(value: Json) -> tuple[str, ...]:
    return tuple(cast("list[str]", value))


def _plain(value: object) -> object:
    """Turn tuples into lists, as JSON has them, so that what is written equals what is read."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in cast("dict[str, object]", value).items()}
    return list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
