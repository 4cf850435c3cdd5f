"""A bad file changes nothing, and says what is wrong with file, line and path, all at once."""

# ruff: noqa: E501 - a table of cases reads better with one in each line
from __future__ import annotations

import pytest

from support.org_files import Organisation

BASE = "organization: {name: Acme}\n"


def app(fields: str) -> str:
    return BASE + "applications:\n  - slug: a\n    name: A\n    " + fields


def user(fields: str) -> str:
    return BASE + "users:\n  - username: alice\n    " + fields


BAD = [
    ("groups: []", ["org.yaml:1: organization: is missing: its name is needed at first"]),
    ("organization: {domains: [acme.example]}", ["org.yaml:1: organization.name: is missing"]),
    ("organization:\n  nmae: Acme", ["org.yaml:1: organization.name: is missing", "org.yaml:2: organization.nmae: is no field; did you mean name?"]),
    ("organization: Acme", ["org.yaml:1: organization: must be a mapping"]),
    ("organization: {name: 5}", ["org.yaml:1: organization.name: must be text; put it in quotes"]),
    ("organization: {name: '\u202ex'}", ["org.yaml:1: organization.name: this holds a character that cannot be shown"]),
    ("organization: {name: A, domains: ['-x']}", ["org.yaml:1: organization.domains[0]: the domain '-x' has no valid domain"]),
    ("organization: {name: A, support: {url: 'javascript:x'}}", ["org.yaml:1: organization.support.url: this is no web address: it begins with https:// and a host"]),
    (BASE + "colour: red", ["org.yaml:2: colour: is no field here"]),
    (BASE + "users: 5", ["org.yaml:2: users: must be a list"]),
    (BASE + "users: [5]", ["org.yaml:2: users[0]: must be a mapping"]),
    (BASE + "settings:\n  lockout: {user_attempts: 0}", ["org.yaml:3: settings.lockout.user_attempts: must be from 1 to 100 attempts"]),
    (BASE + "settings:\n  lockout: {user_atempts: 5}", ["org.yaml:3: settings.lockout.user_atempts: is no field; did you mean user_attempts?"]),
    (BASE + "settings:\n  lockout: 5", ["org.yaml:3: settings.lockout: must be a mapping"]),
    (BASE + "settings: 5", ["org.yaml:2: settings: must be a mapping"]),
    (BASE + "settings:\n  lokout: {}", ["org.yaml:3: settings.lokout: is no field; did you mean lockout?"]),
    (BASE + "settings: {mfa: {required: yes}}", ["org.yaml:2: settings.mfa.required: must be true or false"]),
    (BASE + "settings: {mfa: {factors: [recovery_code]}}", ["org.yaml:2: settings.mfa.factors: must name at least one factor besides recovery_code"]),
    (BASE + "settings: {totp: {period_seconds: 30}}", ["org.yaml:2: settings.totp.period_seconds: can only be 60 seconds"]),
    (BASE + "groups: [{name: a}, {name: A}]", ["org.yaml:2: groups[1]: stands in org.yaml:2 already"]),
    (user("groups: [nobody]"), ["org.yaml:4: users[0].groups[0]: there is no group 'nobody': add it to groups"]),
    (user("email: nobody"), ["org.yaml:4: users[0].email: the mail address 'nobody' needs one @ between a name and a domain"]),
    (user("state: off"), ["org.yaml:4: users[0].state: must be 'staged', 'active' or 'suspended'"]),
    (user("starts_at: 2026-12-01"), ["org.yaml:4: users[0].starts_at: must be an instant with its zone, such as 2026-12-01T09:00:00Z"]),
    (user("starts_at: 2026-12-01T00:00:00Z\n    ends_at: 2026-11-01T00:00:00Z"), ["org.yaml:5: users[0].ends_at: is not after starts_at"]),
    (user("attributes: {floor: 3}"), ["org.yaml:4: users[0].attributes.floor: must be text or a list of texts; put numbers in quotes"]),
    (user("attributes: {'a b': x}"), ["org.yaml:4: users[0].attributes: the attribute name 'a b' needs letters, digits and _ . : - alone"]),
    (user("locale: english please"), ["org.yaml:4: users[0].locale: the locale is a language tag such as en or pt-BR"]),
    (user("address: {street: x}"), ["org.yaml:4: users[0].address: an address has no part 'street'; it has country, formatted, locality, postal_code, region, street_address"]),
    (user("password: short"), ["org.yaml:4: users[0].password: has fewer than 12 characters"]),
    (user("password: passwordpassword"), ["org.yaml:4: users[0].password: is easy to guess"]),
    (user("password: long enough here yes\n    password_hash: x"), [
        "org.yaml:5: users[0].password_hash: stands beside a password: give one of them",
        "org.yaml:5: users[0].password_hash: must be a PHC string of argon2id ($argon2id$…): hashes of other kinds have not come to Doorward yet",
    ]),
    (user("password_hash: $2b$12$abcdefghijklmnopqrstuv"), ["org.yaml:4: users[0].password_hash: must be a PHC string of argon2id ($argon2id$…): hashes of other kinds have not come to Doorward yet"]),
    (user("password_hash: $argon2id$nonsense"), ["org.yaml:4: users[0].password_hash: is no valid PHC string of argon2id"]),
    (user("password_hash: $argon2id$v=19$m=9999999,t=2,p=1$c29tZXNhbHQ$aGFzaA"), ["org.yaml:4: users[0].password_hash: asks for more memory or time than a sign-in may take"]),
    (user("totp: {secret: 'not base32!'}"), ["org.yaml:4: users[0].totp.secret: must be base32: letters and the digits 2 to 7"]),
    (user("totp: {secret: JBSWY3DP}"), ["org.yaml:4: users[0].totp.secret: has from 80 to 1024 bits"]),
    (user("totp: {secret: JBSWY3DPEHPK3PXP, period_seconds: 45}"), ["org.yaml:4: users[0].totp.period_seconds: must be 30 or 60"]),
    (user("id: 7"), ["org.yaml:4: users[0].id: must be text; put it in quotes"]),
    (user("id: '7'"), ["org.yaml:4: users[0].id: must be a UUID"]),
    (BASE + "users: [{username: a@acme.example}]", ["org.yaml:2: users[0].username: looks like a mail address, and is not this person's own"]),
    (BASE + "users:\n  - {username: a}\n  - {username: A}", ["org.yaml:4: users[1]: stands in org.yaml:3 already"]),
    (BASE + "users:\n  - {username: a, email: x@y.example}\n  - {username: b, email: X@y.example}", ["org.yaml:4: users[1]: stands in org.yaml:3 already"]),
    (BASE + "admins: [{email: a@b.example}]", ["org.yaml:2: admins[0].role: is missing"]),
    (BASE + "admins: [{email: a@b.example, role: king}]", ["org.yaml:2: admins[0].role: must be 'owner', 'administrator', 'help_desk' or 'auditor'"]),
    (app("groups: []"), ["org.yaml:3: applications[0]: needs one of saml, oidc and bookmark"]),
    (app("bookmark: {url: https://a.example}\n    saml: {entity_id: x}"), ["org.yaml:5: applications[0].bookmark: stands beside saml: an application has one"]),
    (app("bookmark: {url: 'javascript:x'}"), ["org.yaml:5: applications[0].bookmark.url: this is no web address: it begins with https:// and a host"]),
    (app("saml: {entity_id: x}"), ["org.yaml:5: applications[0].saml.acs_urls: is missing: give metadata, or entity_id and acs_urls"]),
    (app("saml: {metadata: <a/>}"), ["org.yaml:5: applications[0].saml.metadata: line 1: SAML metadata begins with EntityDescriptor"]),
    (app("saml:\n      entity_id: x\n      acs_urls:\n      - https://a.example/acs\n      - http://a.example/acs"), ["org.yaml:9: applications[0].saml.acs_urls[1]: http is accepted for loopback addresses only: use https"]),
    (app("oidc: {client_id: a}"), ["org.yaml:5: applications[0].oidc.redirect_uris: is missing"]),
    (app("oidc:\n      client_id: a\n      redirect_uris: [https://a.example, 'https://*.example']"), ["org.yaml:7: applications[0].oidc.redirect_uris[1]: a redirect address has no wildcard: list each address"]),
    (app("oidc: {client_id: a, redirect_uris: [https://a.example], client_secret: short}"), ["org.yaml:5: applications[0].oidc.client_secret: has from 16 to 512 printable ASCII characters, no space"]),
    (app("oidc: {client_id: a, redirect_uris: [https://a.example], token_endpoint_auth_method: none, client_secret: 1234567890123456x}"), ["org.yaml:5: applications[0].oidc.client_secret: stands beside token_endpoint_auth_method none"]),
    (app("oidc: {client_id: a, redirect_uris: [https://a.example], claims: {sub: user.email}}"), ["org.yaml:5: applications[0].oidc.claims.sub: this claim is written by Doorward alone"]),
    (BASE + "applications: [{slug: portal, name: P, bookmark: {url: https://a.example}}]", ["org.yaml:2: applications[0].slug: 'portal' is the name of the portal itself"]),
    (BASE + "applications: [{slug: a, bookmark: {url: https://a.example}}]", ["org.yaml:2: applications[0].name: is missing"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), BAD, ids=range(len(BAD)))
def test_a_bad_file_is_refused_whole_with_file_line_and_path(
    sqlite_organisation: Organisation, text: str, found: list[str]
) -> None:
    assert sqlite_organisation.problems(text) == found
    assert sqlite_organisation.export().startswith("organization:\n  name: Doorward\n")


def test_every_problem_of_every_file_is_told_at_once(sqlite_organisation: Organisation) -> None:
    one = "organization: {name: Acme, color: red}\nsettings: {lockout: {user_attempts: 500}}\n"
    two = "users:\n- {username: a b}\n- {user: c}\n"
    assert sqlite_organisation.problems(one, two) == [
        "org.yaml:1: organization.color: is no field here",
        "org.yaml:2: settings.lockout.user_attempts: must be from 1 to 100 attempts",
        "org2.yaml:2: users[0].username: the username 'a b' holds a character that a name may not hold",
        "org2.yaml:3: users[1].username: is missing",
        "org2.yaml:3: users[1].user: is no field; did you mean username?",
    ]


@pytest.mark.parametrize(
    ("one", "two", "found"),
    [
        (BASE, BASE, "org2.yaml:1: organization: stands in org.yaml:1 already"),
        (
            BASE + "settings: {mfa: {required: true}}",
            "settings: {mfa: {required: true}}",
            "org2.yaml:1: settings.mfa.required: is set in org.yaml:2 already",
        ),
        (BASE + "groups: [{name: a}]", "groups: [{name: a}]", "org2.yaml:1: groups[0]: stands in org.yaml:2 already"),
        (
            BASE + "admins: [{email: a@b.example, role: owner}]",
            "admins: [{email: A@b.example, role: owner}]",
            "org2.yaml:1: admins[0]: stands in org.yaml:2 already",
        ),
    ],
)
def test_an_object_in_two_files_is_an_error(sqlite_organisation: Organisation, one: str, two: str, found: str) -> None:
    assert sqlite_organisation.problems(one, two) == [found]


LATER = [
    ("networks: [{name: office, cidr: [192.0.2.0/24]}]", "networks", "named networks"),
    ("policies: []", "policies", "policies"),
    ("settings: {push: {number_digits: 2}}", "settings.push", "push (Doorward Protect)"),
    ("settings: {mfa: {remember_browser_days: 0}}", "settings.mfa.remember_browser_days", "remembered browsers"),
    ("settings: {mfa: {factors: [totp, push]}}", "settings.mfa.factors[1]", "push (Doorward Protect)"),
    ("settings: {mfa: {factors: [passkey, totp]}}", "settings.mfa.factors[0]", "passkeys"),
]
LATER_IN_APPS = [
    ("template: grafana", "template", "the catalogue of applications"),
    ("inputs: {host: x}", "inputs", "the catalogue of applications"),
]
LATER_IN_SAML = [
    ("slo_url: https://a.example/slo", "slo_url", "SAML single logout"),
    ("encryption_certificate: null", "encryption_certificate", "encryption of SAML assertions"),
    ("encrypt: auto", "encrypt", "encryption of SAML assertions"),
    ("own_idp_entity_id: true", "own_idp_entity_id", "an issuer for each SAML application"),
    ("signature_algorithm: ecdsa-sha256", "signature_algorithm", "signatures with ECDSA"),
    ("name_id: {format: persistent}", "name_id.format", "the NameID format persistent"),
    ("name_id: {format: transient}", "name_id.format", "the NameID format transient"),
    ("name_id: {format: unspecified}", "name_id.format", "the NameID format unspecified"),
]
LATER_IN_OIDC = [
    ("token_endpoint_auth_method: client_secret_post", "token_endpoint_auth_method", "client authentication by client_secret_post"),
    ("token_endpoint_auth_method: [private_key_jwt]", "token_endpoint_auth_method", "client authentication by private_key_jwt"),
    ("post_logout_redirect_uris: [https://a.example]", "post_logout_redirect_uris", "OpenID Connect logout"),
    ("backchannel_logout_uri: null", "backchannel_logout_uri", "OpenID Connect logout"),
    ("frontchannel_logout_uri: null", "frontchannel_logout_uri", "OpenID Connect logout"),
    ("grant_types: [authorization_code, refresh_token]", "grant_types", "refresh tokens"),
    ("scopes: [openid, offline_access]", "scopes", "refresh tokens"),
    ("id_token_signed_response_alg: ES256", "id_token_signed_response_alg", "signatures with ECDSA"),
    ("access_token: {format: jwt, minutes: 10}", "access_token", "a choice of access tokens"),
    ("subject_type: pairwise", "subject_type", "pairwise subjects"),
    ("consent: ask", "consent", "questions for consent"),
    ("jwks: null", "jwks", "client authentication by private_key_jwt"),
    ("jwks_uri: https://a.example", "jwks_uri", "client authentication by private_key_jwt"),
    ("require_pushed_authorization_requests: true", "require_pushed_authorization_requests", "pushed authorization requests"),
    ("dpop_bound_access_tokens: true", "dpop_bound_access_tokens", "DPoP"),
    ("profile: fapi2", "profile", "the FAPI 2.0 profile"),
]  # fmt: skip

ALL_LATER = [
    *((BASE + text, 2, path, feature) for text, path, feature in LATER),
    *((app("bookmark: {url: https://a.example}\n    " + text), 6, f"applications[0].{path}", feature) for text, path, feature in LATER_IN_APPS),
    *((app("saml:\n      entity_id: a\n      acs_urls: [https://a.example]\n      " + text), 8, f"applications[0].saml.{path}", feature) for text, path, feature in LATER_IN_SAML),
    *((app("oidc:\n      client_id: a\n      redirect_uris: [https://a.example]\n      " + text), 8, f"applications[0].oidc.{path}", feature) for text, path, feature in LATER_IN_OIDC),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "path", "feature"), ALL_LATER, ids=[case[2] for case in ALL_LATER])
def test_a_field_of_a_feature_to_come_is_refused_by_name_and_never_ignored(
    sqlite_organisation: Organisation, text: str, line: int, path: str, feature: str
) -> None:
    expected = f"org.yaml:{line}: {path}: needs {feature}, which Doorward does not have yet: leave it out"
    assert expected in sqlite_organisation.problems(text)
