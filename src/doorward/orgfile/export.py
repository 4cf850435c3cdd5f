"""The organisation written as a file: whole, without secrets; applying it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, assert_never

import yaml
from sqlalchemy import Connection

from doorward.apps import App, Bookmark, OidcClient, SamlProvider, groups_of_app, listed
from doorward.apps.kinds import AppKind
from doorward.clock import Instant, iso
from doorward.directory import Admin, Person, admins, groups, people
from doorward.organization import Organization, current
from doorward.organization.settings import declared, value_of
from doorward.orgfile.snapshot import memberships

Written: TypeAlias = "str | int | bool | list[Written] | dict[str, Written] | None"


def export(connection: Connection) -> str:
    """Write the organisation as YAML. Passwords, authenticators and client secrets are left out."""
    organization = current(connection)
    member_of = memberships(connection)
    whole: dict[str, Written] = {
        "organization": _organization(organization),
        "settings": _settings(organization),
        "groups": [{"name": group.name} for group in groups(connection)],
        "users": [_person(person, sorted(member_of.get(person.id, ()))) for person in people(connection)],
        "admins": [_admin(admin) for admin in admins(connection)],
        "applications": [_app(app, groups_of_app(connection, app.id)) for app in listed(connection)],
    }
    return yaml.dump(whole, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=120)


def _organization(of: Organization) -> dict[str, Written]:
    support = of.support
    return {
        "name": of.name,
        "domains": list(of.domains),
        "authenticator_label": of.authenticator_label,
        "support": {"name": support.name, "email": support.email, "phone": support.phone, "url": support.url},
    }


def _settings(of: Organization) -> dict[str, Written]:
    written: dict[str, dict[str, Written]] = {}
    for setting in declared():
        value = value_of(of.settings, setting)
        written.setdefault(setting.group, {})[setting.name] = list(value) if isinstance(value, tuple) else value
    return {group: values for group, values in written.items()}  # noqa: C416 - a dict of the wider type


def _person(of: Person, in_groups: list[str]) -> dict[str, Written]:
    return {
        "id": of.id,
        "username": of.username,
        "email": of.email,
        "email_verified": of.email_verified,
        "name": of.name,
        "given_name": of.given_name,
        "family_name": of.family_name,
        "phone": of.phone,
        "address": None if of.address is None else dict(of.address),
        "locale": of.locale,
        "state": of.state.value,
        "starts_at": _time(of.starts_at),
        "ends_at": _time(of.ends_at),
        "groups": list(in_groups),
        "attributes": _texts(of.attributes),
        "mfa_required": of.mfa_required,
    }


def _admin(of: Admin) -> dict[str, Written]:
    return {"id": of.id, "email": of.email, "name": of.name, "role": of.role.value, "state": of.state.value}


def _app(of: App, in_groups: list[str]) -> dict[str, Written]:
    written: dict[str, Written] = {
        "slug": of.slug,
        "name": of.name,
        "state": of.state.value,
        "description": of.description,
        "groups": list(in_groups),
        "groups_filter": of.groups_filter,
        "group_map": _texts(of.group_map),
        "hidden": of.hidden,
        "start_url": of.start_url,
    }
    name, part = _kind(of.kind)
    return {**written, name: part}


def _kind(of: AppKind) -> tuple[str, dict[str, Written]]:
    match of:
        case Bookmark(url):
            return "bookmark", {"url": url}
        case OidcClient():
            return "oidc", _oidc(of)
        case SamlProvider():
            return "saml", _saml(of)
        case _:
            assert_never(of)


def _oidc(of: OidcClient) -> dict[str, Written]:
    methods = list(of.token_endpoint_auth_method)
    return {
        "client_id": of.client_id,
        "token_endpoint_auth_method": methods[0] if len(methods) == 1 else [*methods],
        "redirect_uris": list(of.redirect_uris),
        "grant_types": list(of.grant_types),
        "pkce": of.pkce,
        "scopes": list(of.scopes),
        "id_token_signed_response_alg": of.id_token_signed_response_alg,
        "claims": dict(of.claims),
        "claims_in_id_token": of.claims_in_id_token,
        "initiate_login_uri": of.initiate_login_uri,
    }


def _saml(of: SamlProvider) -> dict[str, Written]:
    attributes: dict[str, Written] = {
        name: rule.source if rule.name_format is None else {"from": rule.source, "name_format": rule.name_format}
        for name, rule in of.attributes.items()
    }
    return {
        "entity_id": of.entity_id,
        "acs_urls": list(of.acs_urls),
        "signing_certificates": list(of.signing_certificates),
        "require_signed_requests": of.require_signed_requests,
        "idp_initiated": of.idp_initiated,
        "relay_state": of.relay_state,
        "sign": of.sign,
        "signature_algorithm": of.signature_algorithm,
        "name_id": {"format": of.name_id_format, "from": of.name_id_from},
        "attributes": attributes,
        "groups_attribute": of.groups_attribute,
        "authn_context": of.authn_context,
    }


def _texts(of: Mapping[str, str | list[str]]) -> dict[str, Written]:
    return {name: value if isinstance(value, str) else [*value] for name, value in of.items()}


def _time(at: Instant | None) -> str | None:
    return None if at is None else iso(at)
