"""What an organisation file may say: one model for each object, strict, with the field names of the contract.

A model judges form alone, and names by the rules of the directory; what must fit together is judged by the rooms.
`model_fields_set` tells what was written: what is absent stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar, cast
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from doorward.apps.rules import web_refusal
from doorward.clock import Instant, from_datetime
from doorward.directory import fields, names
from doorward.directory.errors import BadName
from doorward.orgfile.later import later_field, later_value
from doorward.orgfile.problems import Problem, Where, written

T = TypeVar("T")

LEAST_SEED_BYTES: Final = 10
MOST_SEED_BYTES: Final = 128
_BASE32: Final = re.compile(r"[A-Z2-7]+")


def _judged(judge: Callable[[str], str]) -> AfterValidator:
    """Judge a text by a rule of the directory; what it writes differently (case, width) is taken from it."""

    def validate(text: str) -> str:
        try:
            return judge(text)
        except BadName as error:
            raise ValueError(str(error)) from error

    return AfterValidator(validate)


def _line(limit: int) -> AfterValidator:
    return _judged(lambda text: fields.checked_line(text, "this", limit))


def _one_or_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _rule(value: object) -> object:
    return {"from": value} if isinstance(value, str) else value


def _text_or_list(value: object) -> list[str]:
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in items):
        raise ValueError("must be text or a list of texts; put numbers in quotes")
    return cast("list[str]", items)


def _instant(value: object) -> object:
    if value is None:
        return None
    try:
        return from_datetime(datetime.fromisoformat(str(value)))
    except (ValueError, OverflowError) as error:
        raise ValueError("must be an instant with its zone, such as 2026-12-01T09:00:00Z") from error


def _seed(text: str) -> str:
    cleaned = text.replace(" ", "").replace("-", "").upper().rstrip("=")
    if not _BASE32.fullmatch(cleaned):
        raise ValueError("must be base32: letters and the digits 2 to 7")
    if not LEAST_SEED_BYTES <= len(decoded_seed(cleaned)) <= MOST_SEED_BYTES:
        raise ValueError(f"has from {LEAST_SEED_BYTES * 8} to {MOST_SEED_BYTES * 8} bits")
    return cleaned


def decoded_seed(text: str) -> bytes:
    """Decode a seed that a model accepted.

    Raises:
        ValueError: it is no base32.
    """
    try:
        return base64.b32decode(text + "=" * (-len(text) % 8))
    except binascii.Error as error:
        raise ValueError("must be base32: letters and the digits 2 to 7") from error


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise ValueError("must be a UUID") from error


def _web(text: str) -> str:
    sentence = web_refusal(text)
    if sentence is not None:
        raise ValueError(sentence)
    return text


WebAddress = Annotated[str, AfterValidator(_web)]
Id = Annotated[str, AfterValidator(_uuid)]
Name = Annotated[str, _line(fields.MAX_NAME)]
Phone = Annotated[str, _line(fields.MAX_PHONE)]
Email = Annotated[str, _judged(names.kept_email)]
GroupName = Annotated[str, _judged(names.kept_group_name)]
Time = Annotated[Instant | None, BeforeValidator(_instant)]
Texts = Annotated[list[str], BeforeValidator(_text_or_list)]


class _Object(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class SupportModel(_Object):
    """Whom a person asks for help."""

    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None
    url: WebAddress | None = None


class OrganizationModel(_Object):
    """The organisation."""

    name: Name
    domains: list[Annotated[str, _judged(names.domain_key)]] = []
    authenticator_label: Name | None = None
    support: SupportModel | None = None


class GroupModel(_Object):
    """A group."""

    name: GroupName


class TotpModel(_Object):
    """An authenticator that was enrolled elsewhere."""

    secret: Annotated[str, AfterValidator(_seed)]
    period_seconds: Literal[30, 60] | None = None


class UserModel(_Object):
    """A person."""

    id: Id | None = None
    username: Annotated[str, _judged(names.kept_username)]
    email: Email | None = None
    email_verified: bool = True
    name: Name | None = None
    given_name: Name | None = None
    family_name: Name | None = None
    phone: Phone | None = None
    address: dict[str, str] | None = None
    locale: str | None = None
    state: Literal["staged", "active", "suspended"] = "active"
    starts_at: Time = None
    ends_at: Time = None
    password: str | None = None
    password_hash: str | None = None
    groups: list[GroupName] = []
    attributes: dict[str, Texts] = {}
    mfa_required: bool | None = None
    totp: TotpModel | None = None


class AdminModel(_Object):
    """An administrator."""

    id: Id | None = None
    email: Email
    name: Name | None = None
    role: Literal["owner", "administrator", "help_desk", "auditor"]
    state: Literal["active", "suspended"] = "active"
    password: str | None = None
    password_hash: str | None = None
    totp: TotpModel | None = None


class NameIdModel(_Object):
    """The name by which a SAML application knows the person."""

    format: str = "emailAddress"
    source: Annotated[str, Field(alias="from")] = "user.email"


class AttributeModel(_Object):
    """One SAML attribute."""

    source: Annotated[str, Field(alias="from")]
    name_format: str | None = None


class SamlModel(_Object):
    """The SAML part of an application."""

    metadata: str | None = None
    entity_id: str | None = None
    acs_urls: list[str] | None = None
    signing_certificates: list[str] = []
    require_signed_requests: bool = False
    idp_initiated: bool | None = None
    relay_state: str | None = None
    sign: str = "both"
    signature_algorithm: str = "rsa-sha256"
    name_id: NameIdModel | None = None
    attributes: dict[str, Annotated[AttributeModel, BeforeValidator(_rule)]] = {}
    groups_attribute: str | None = None
    authn_context: str | None = None


class OidcModel(_Object):
    """The OpenID Connect part of an application."""

    client_id: str
    client_secret: str | None = None
    token_endpoint_auth_method: Annotated[list[str], BeforeValidator(_one_or_list)] = ["client_secret_basic"]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str] = []
    grant_types: list[str] = ["authorization_code"]
    pkce: str = "required"
    scopes: list[str] = ["openid", "profile", "email", "address", "phone", "groups"]
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - the name of an algorithm
    claims: dict[str, str] = {}
    claims_in_id_token: bool = False
    initiate_login_uri: str | None = None


class BookmarkModel(_Object):
    """A link."""

    url: str


class ApplicationModel(_Object):
    """An application of one kind."""

    slug: str
    name: str | None = None
    state: Literal["draft", "active", "off"] = "active"
    description: str | None = None
    groups: list[GroupName] = []
    groups_filter: str | None = None
    group_map: dict[str, Texts] = {}
    hidden: bool = False
    start_url: str | None = None
    saml: SamlModel | None = None
    oidc: OidcModel | None = None
    bookmark: BookmarkModel | None = None


class FileModel(_Object):
    """A whole file. Settings are judged by their declarations (`desired.py`)."""

    organization: OrganizationModel | None = None
    settings: dict[str, object] = {}
    groups: list[GroupModel] = []
    users: list[UserModel] = []
    admins: list[AdminModel] = []
    applications: list[ApplicationModel] = []


_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "": FileModel,
    "organization": OrganizationModel,
    "organization.support": SupportModel,
    "groups[]": GroupModel,
    "users[]": UserModel,
    "users[].totp": TotpModel,
    "admins[]": AdminModel,
    "admins[].totp": TotpModel,
    "applications[]": ApplicationModel,
    "applications[].saml": SamlModel,
    "applications[].saml.name_id": NameIdModel,
    "applications[].oidc": OidcModel,
    "applications[].bookmark": BookmarkModel,
}

_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "string_type": "must be text; put it in quotes",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "literal_error": "must be {expected}",
}


def parse_file(where: Where, content: Mapping[str, object]) -> FileModel | list[Problem]:
    """Judge the form of a whole file: the model, or everything that is wrong."""
    try:
        return FileModel.model_validate(content)
    except ValidationError as error:
        return [_problem(where, fault) for fault in error.errors(include_url=False)]


def unknown_field(path: tuple[str | int, ...], known: list[str]) -> str:
    """Say that there is no such field: that it has not come yet, or what may have been meant."""
    later = later_field(written(path))
    if later is not None:
        return later
    near = difflib.get_close_matches(str(path[-1]), known, 1)
    return f"is no field; did you mean {near[0]}?" if near else "is no field here"


def _problem(where: Where, fault: ErrorDetails) -> Problem:
    path = fault["loc"]
    place = where.at(*path)
    if fault["type"] == "extra_forbidden":
        model = _MODELS.get(written(tuple(part for part in path[:-1])).translate(_NO_DIGITS), FileModel)
        known = [field.alias or name for name, field in model.model_fields.items()]
        return place.problem(unknown_field(path, known))
    context = fault.get("ctx", {})
    own = cast("object", context.get("error"))
    if isinstance(own, ValueError):
        return place.problem(str(own))
    if fault["type"] == "literal_error":
        later = later_value(cast("object", fault["input"]))
        if later is not None:
            return place.problem(later)
    sentence = _SENTENCES.get(fault["type"], fault["msg"])
    return place.problem(sentence.format(expected=cast("object", context.get("expected"))))


_NO_DIGITS: Final = str.maketrans("", "", "0123456789")
