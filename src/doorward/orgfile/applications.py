"""The plan for applications. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from doorward.apps import App, AppState, AttributeRule, Bookmark, NewApp, OidcClient, SamlProvider
from doorward.apps.app import said_of
from doorward.apps.certificates import BadCertificate, pem_of
from doorward.apps.kinds import AppKind, config_of, kind_name
from doorward.apps.metadata import BadMetadata, ProviderMetadata, read_metadata
from doorward.apps.rules import Fault, faults_of
from doorward.apps.secrets import LEAST, MOST
from doorward.orgfile.accounts import group_names
from doorward.orgfile.changes import AddApp, AlterApp, Change, Secret
from doorward.orgfile.desired import Desired, Placed
from doorward.orgfile.findings import Findings, differences
from doorward.orgfile.later import later_value
from doorward.orgfile.model import ApplicationModel, OidcModel, SamlModel
from doorward.orgfile.problems import Problem, Where, parsed
from doorward.orgfile.snapshot import KnownApp, Snapshot

_PLAIN: Final = ("description", "groups_filter", "hidden", "start_url")


def plan_applications(
    snapshot: Snapshot, desired: Desired, groups: Mapping[str, str], findings: Findings
) -> tuple[list[Change], list[App]]:
    """Plan the applications, and tell which are there and absent from the file."""
    changes: list[Change] = []
    for placed in desired.applications:
        known = snapshot.apps.get(placed.said.slug)
        wanted = group_names(placed.where, placed.said.groups, groups, findings)
        new = _wanted(placed, known, findings)
        if new is None:
            continue
        findings.problems.extend(_problem(placed.where, new.kind, fault) for fault in faults_of(new))
        secret = _secret(placed, new, known, findings)
        if known is None:
            changes.append(AddApp(placed.where, new, wanted, secret))
            continue
        given = wanted if "groups" in placed.said.model_fields_set and set(wanted) != set(known.groups) else None
        change = _altered(placed.where, known, new, given, secret)
        if change is not None:
            changes.append(change)
    named = {placed.said.slug for placed in desired.applications}
    return changes, [known.app for slug, known in snapshot.apps.items() if slug not in named]


def _altered(
    where: Where, known: KnownApp, new: NewApp, groups: tuple[str, ...] | None, secret: Secret | None
) -> AlterApp | None:
    lines = differences(_view(said_of(known.app)), _view(new))
    if groups is not None:
        lines += differences({"groups": sorted(known.groups)}, {"groups": sorted(groups)})
    keeps = isinstance(new.kind, OidcClient) and not new.kind.is_public
    drops = known.has_secret and not keeps
    if not lines and secret is None and not drops:
        return None
    return AlterApp(where, known.app, new, groups, secret, drops, tuple(lines))


def _wanted(placed: Placed[ApplicationModel], known: KnownApp | None, findings: Findings) -> NewApp | None:
    said, given = placed.said, placed.said.model_fields_set
    kind = _kind(placed, known, findings)
    if kind is None:
        return None
    if known is None:
        name = said.name
        if name is None:
            findings.problems.append(placed.where.at("name").problem("is missing"))
            return None
        return NewApp(
            said.slug,
            name,
            kind,
            AppState(said.state),
            said.description,
            said.hidden,
            said.start_url,
            said.groups_filter,
            _group_map(said),
        )
    old = known.app
    return NewApp(
        slug=said.slug,
        name=said.name if said.name is not None else old.name,
        kind=kind,
        state=AppState(said.state) if "state" in given else old.state,
        description=said.description if "description" in given else old.description,
        hidden=said.hidden if "hidden" in given else old.hidden,
        start_url=said.start_url if "start_url" in given else old.start_url,
        groups_filter=said.groups_filter if "groups_filter" in given else old.groups_filter,
        group_map=_group_map(said) if "group_map" in given else old.group_map,
    )


def _kind(placed: Placed[ApplicationModel], known: KnownApp | None, findings: Findings) -> AppKind | None:
    said = placed.said
    parts = [name for name, part in (("saml", said.saml), ("oidc", said.oidc), ("bookmark", said.bookmark)) if part]
    if len(parts) > 1:
        findings.problems.append(placed.where.at(parts[1]).problem(f"stands beside {parts[0]}: an application has one"))
        return None
    old = None if known is None else known.app.kind
    if said.saml is not None:
        return _saml(placed.where.at("saml"), said.saml, old if isinstance(old, SamlProvider) else None, findings)
    if said.oidc is not None:
        return _oidc(placed.where.at("oidc"), said.oidc, old if isinstance(old, OidcClient) else None, findings)
    if said.bookmark is not None:
        return Bookmark(said.bookmark.url)
    if old is None:
        findings.problems.append(placed.where.problem("needs one of saml, oidc and bookmark"))
    return old


def _oidc(where: Where, said: OidcModel, old: OidcClient | None, findings: Findings) -> OidcClient:
    if said.post_logout_redirect_uris:
        sentence = "needs OpenID Connect logout, which Doorward does not have yet: leave it out"
        findings.problems.append(where.at("post_logout_redirect_uris").problem(sentence))
    client = OidcClient(
        client_id=said.client_id,
        redirect_uris=tuple(said.redirect_uris),
        token_endpoint_auth_method=tuple(said.token_endpoint_auth_method),
        grant_types=tuple(said.grant_types),
        pkce=said.pkce,
        scopes=tuple(said.scopes),
        id_token_signed_response_alg=said.id_token_signed_response_alg,
        claims=said.claims,
        claims_in_id_token=said.claims_in_id_token,
        initiate_login_uri=said.initiate_login_uri,
    )
    if old is None:
        return client
    return _merged(client, old, said.model_fields_set)


def _merged(new: OidcClient, old: OidcClient, given: set[str]) -> OidcClient:
    """Keep what the file does not say."""
    return OidcClient(
        client_id=new.client_id,
        redirect_uris=new.redirect_uris,
        token_endpoint_auth_method=(new if "token_endpoint_auth_method" in given else old).token_endpoint_auth_method,
        grant_types=(new if "grant_types" in given else old).grant_types,
        pkce=(new if "pkce" in given else old).pkce,
        scopes=(new if "scopes" in given else old).scopes,
        id_token_signed_response_alg=(
            new if "id_token_signed_response_alg" in given else old
        ).id_token_signed_response_alg,
        claims=(new if "claims" in given else old).claims,
        claims_in_id_token=(new if "claims_in_id_token" in given else old).claims_in_id_token,
        initiate_login_uri=(new if "initiate_login_uri" in given else old).initiate_login_uri,
    )


def _saml(where: Where, said: SamlModel, old: SamlProvider | None, findings: Findings) -> SamlProvider | None:
    """Put a provider together: what the file says, else what its metadata says, else what stood before."""
    imported = _metadata(where, said, findings)
    given = said.model_fields_set
    if imported is None and "metadata" in given and said.metadata is not None:
        return None
    entity_id = said.entity_id or (imported.entity_id if imported else old.entity_id if old else None)
    acs_urls = said.acs_urls or (imported.acs_urls if imported else old.acs_urls if old else None)
    if entity_id is None or acs_urls is None:
        missing = "entity_id" if entity_id is None else "acs_urls"
        findings.problems.append(where.at(missing).problem("is missing: give metadata, or entity_id and acs_urls"))
        return None
    base = old or SamlProvider(entity_id, tuple(acs_urls))
    signing = imported.signing_certificates if imported else base.signing_certificates
    name_id = said.name_id
    return SamlProvider(
        entity_id=entity_id,
        acs_urls=tuple(acs_urls),
        signing_certificates=_certificates(said) if "signing_certificates" in given else signing,
        require_signed_requests=(
            said.require_signed_requests
            if "require_signed_requests" in given
            else (imported.require_signed_requests if imported else base.require_signed_requests)
        ),
        idp_initiated=said.idp_initiated if "idp_initiated" in given else base.idp_initiated,
        relay_state=said.relay_state if "relay_state" in given else base.relay_state,
        sign=said.sign if "sign" in given else base.sign,
        signature_algorithm=said.signature_algorithm if "signature_algorithm" in given else base.signature_algorithm,
        name_id_format=name_id.format if name_id is not None else base.name_id_format,
        name_id_from=name_id.source if name_id is not None else base.name_id_from,
        attributes=(
            {name: AttributeRule(rule.source, rule.name_format) for name, rule in said.attributes.items()}
            if "attributes" in given
            else base.attributes
        ),
        groups_attribute=said.groups_attribute if "groups_attribute" in given else base.groups_attribute,
        authn_context=said.authn_context if "authn_context" in given else base.authn_context,
        slo_url=imported.slo_url if imported else base.slo_url,
        encryption_certificate=imported.encryption_certificate if imported else base.encryption_certificate,
    )


def _metadata(where: Where, said: SamlModel, findings: Findings) -> ProviderMetadata | None:
    if said.metadata is None:
        return None
    try:
        return read_metadata(said.metadata)
    except BadMetadata as error:
        findings.problems.append(where.at("metadata").problem(str(error)))
        return None


def _certificates(said: SamlModel) -> tuple[str, ...]:
    """Write certificates in one form, so that the same one is no change; what is none is found by the rules."""
    found: list[str] = []
    for text in said.signing_certificates:
        try:
            found.append(pem_of(text))
        except BadCertificate:
            found.append(text)
    return tuple(found)


def _secret(placed: Placed[ApplicationModel], new: NewApp, known: KnownApp | None, findings: Findings) -> Secret | None:
    """Tell what becomes of the client secret: absent keeps, absent at creation is made."""
    if placed.said.oidc is None or not isinstance(new.kind, OidcClient):
        return None
    given, where = placed.said.oidc.client_secret, placed.where.at("oidc", "client_secret")
    if new.kind.is_public:
        if given is not None:
            findings.problems.append(where.problem("stands beside token_endpoint_auth_method none"))
        return None
    if given is None:
        return None if known is not None and known.has_secret else Secret(None)
    if not LEAST <= len(given) <= MOST or not given.isascii() or not given.isprintable() or " " in given:
        findings.problems.append(where.problem(f"has from {LEAST} to {MOST} printable ASCII characters, no space"))
    return None if known is not None and known.secret_fits else Secret(given)


def _problem(where: Where, kind: AppKind, fault: Fault) -> Problem:
    """Say what is wrong; a value of the contract that has not come yet has its own sentence."""
    _, _, name = fault.path.partition(".")
    held = config_of(kind).get(name.replace(".", "_"))
    values = held if isinstance(held, list) else [held]
    later = next((sentence for value in values if (sentence := later_value(value)) is not None), None)
    return where.at(*parsed(fault.path)).problem(later or fault.sentence)


def _group_map(said: ApplicationModel) -> dict[str, str | list[str]]:
    return {name: values[0] if len(values) == 1 else list(values) for name, values in said.group_map.items()}


def _view(of: NewApp) -> dict[str, object]:
    view: dict[str, object] = {name: getattr(of, name) for name in ("name", *_PLAIN, "group_map")}
    kind = kind_name(of.kind)
    config = {f"{kind}.{name}": value for name, value in config_of(of.kind).items()}
    return {**view, "state": of.state.value, "kind": kind, **config}
