# ruff: noqa: E501, ISC004 - lines of plans and files are written as they are
"""Applying a file: one transaction, what is absent stays, twice is as once, export says what stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from doorward.apps import OidcClient, SamlProvider, by_slug, verify_client_secret
from doorward.audit import tail
from doorward.directory import PersonState, create_person, find_admin, find_person, groups_of
from doorward.directory.people import NewPerson
from doorward.organization import current
from doorward.orgfile import Prune
from doorward.signin import Audience, accounts
from doorward.store import schema
from support.app_samples import certificate
from support.clocks import START
from support.org_files import Organisation

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ACME = f"""
organization:
  name: Acme
  domains: [Acme.Example]
  support: {{name: Acme IT}}
settings:
  lockout: {{user_attempts: 5, unlock_after_minutes: 0}}
  mfa: {{required: false, factors: [totp, recovery_code]}}
groups:
  - {{name: engineering}}
  - {{name: Staff}}
users:
  - username: Alice
    email: alice@acme.example
    name: Alice Liddell
    password: correct horse battery staple
    groups: [Engineering, staff]
    attributes: {{department: R&D, roles: [a, b], one: [x]}}
    totp: {{secret: {SEED}, period_seconds: 60}}
    starts_at: 2026-01-01T00:00:00+01:00
    mfa_required: true
  - username: bob
    state: suspended
    address: {{locality: Lisbon}}
admins:
  - {{email: root@acme.example, name: Root, role: owner, password: another long one here, totp: {{secret: {SEED}}}}}
  - {{email: help@acme.example, role: help_desk, state: suspended}}
applications:
  - slug: wiki
    name: Wiki
    description: What we know
    groups: [engineering]
    group_map: {{engineering: [a, b], staff: c}}
    saml:
      entity_id: urn:wiki
      acs_urls: [https://wiki.example/acs?x=1, https://wiki.example/acs]
      attributes: {{mail: user.email, plan: "constant:gold", dept: {{from: user.attributes.department, name_format: uri}}}}
      name_id: {{from: user.username}}
      idp_initiated: true
  - slug: board
    name: Board
    groups: [engineering, staff]
    oidc: {{client_id: board, redirect_uris: [https://board.example/cb], pkce: optional, claims: {{team: group_map}}}}
  - slug: phone
    name: Phone
    state: draft
    oidc: {{client_id: phone, redirect_uris: ["app.phone:/cb"], token_endpoint_auth_method: none}}
  - {{slug: handbook, name: Handbook, hidden: true, bookmark: {{url: https://handbook.example}}, groups: [staff]}}
"""  # fmt: skip
SMALL = "organization: {name: Acme}\n"


def test_a_whole_file_is_brought_about(organisation: Organisation) -> None:
    applied = organisation.apply(ACME)
    assert [secret.slug for secret in applied.secrets] == ["board"]
    assert applied.plan.lines()[:3] == ["+ organization Acme", "+ group engineering", "+ group Staff"]
    acme = organisation.read(current)
    assert (acme.domains, acme.settings.lockout.user_attempts, acme.settings.mfa.required) == (
        ("acme.example",),
        5,
        False,
    )
    alice = organisation.read(lambda c: find_person(c, "ALICE@acme.example"))
    assert alice is not None
    assert (alice.username, alice.email_verified, alice.attributes["one"]) == ("Alice", True, "x")
    assert organisation.read(lambda c: groups_of(c, alice.id)) == {"engineering", "Staff"}
    assert organisation.read(lambda c: accounts.has_totp(c, Audience.PERSON, alice.id))
    phc = organisation.read(lambda c: c.execute(select(schema.PERSON.passwords.c.phc)).scalars().all())
    assert phc == ["hash of correct horse battery staple"]
    bob = organisation.read(lambda c: find_person(c, "bob"))
    assert bob is not None
    assert (bob.state, bob.email_verified, bob.name) == (PersonState.SUSPENDED, False, "bob")
    helper = organisation.read(lambda c: find_admin(c, "help@acme.example"))
    assert helper is not None
    assert not helper.is_active
    board = organisation.read(lambda c: by_slug(c, "board"))
    assert board is not None
    secret = applied.secrets[0].secret
    assert organisation.read(lambda c: verify_client_secret(c, organisation.vault, board.id, secret))
    wiki = organisation.read(lambda c: by_slug(c, "wiki"))
    assert wiki is not None
    assert isinstance(wiki.kind, SamlProvider)
    assert (wiki.kind.name_id_from, wiki.kind.attributes["dept"].name_format) == ("user.username", "uri")


def test_applying_twice_changes_nothing_and_records_nothing(organisation: Organisation) -> None:
    organisation.apply(ACME)
    recorded = len(organisation.read(lambda c: tail(c, 1000)))
    assert organisation.lines(ACME) == []
    assert len(organisation.read(lambda c: tail(c, 1000))) == recorded


def test_applying_the_export_changes_nothing_and_holds_no_secret(organisation: Organisation) -> None:
    secrets = [made.secret for made in organisation.apply(ACME).secrets]
    text = organisation.export()
    assert organisation.lines(text, prune=frozenset(Prune)) == []
    assert organisation.export() == text
    assert not [secret for secret in (*secrets, SEED, "hash of", "battery") if secret in text]


def test_an_export_founds_the_same_organisation_elsewhere(sqlite_organisation: Organisation, tmp_path: Path) -> None:
    del tmp_path
    sqlite_organisation.apply(ACME)
    text = sqlite_organisation.export()
    sqlite_organisation.store.write(_emptied)
    sqlite_organisation.apply(text)
    assert sqlite_organisation.export() == text


def _emptied(c: object) -> None:
    from sqlalchemy import Connection, delete  # noqa: PLC0415 - for this helper alone

    assert isinstance(c, Connection)
    for table in reversed(schema.metadata.sorted_tables):
        if table.name != "ticks":
            c.execute(delete(table))


def test_a_rehearsal_tells_the_same_plan_and_changes_nothing(organisation: Organisation) -> None:
    before = organisation.export()
    rehearsed = organisation.apply(ACME, dry=True)
    assert rehearsed.is_rehearsal
    assert organisation.export() == before
    assert organisation.read(lambda c: tail(c, 10)) == []
    assert organisation.lines(ACME) == rehearsed.plan.lines()


def test_what_is_absent_stays_and_a_given_list_replaces(organisation: Organisation) -> None:
    organisation.apply(ACME)
    text = """
users:
  - {username: alice, phone: "123", groups: [staff], attributes: {floor: "3"}}
  - {username: bob, address: null}
applications:
  - {slug: wiki, groups: []}
  - {slug: board, oidc: {client_id: board, redirect_uris: [https://two.example/cb]}}
settings: {lockout: {user_attempts: 7}}
organization: {name: Acme, support: {email: it@acme.example}}
"""
    assert organisation.lines(text) == [
        "~ organization Acme",
        "    support: {'name': 'Acme IT', 'email': None, 'phone': None, 'url': No… -> "
        "{'name': 'Acme IT', 'email': 'it@acme.example', 'phone': No…",
        "    settings.lockout.user_attempts: 5 -> 7",
        "~ user Alice",
        "    username: Alice -> alice",
        "    phone: null -> 123",
        "    attributes: {'department': 'R&D', 'roles': ['a', 'b'], 'one': 'x'} -> {'floor': '3'}",
        "    groups: ['Staff', 'engineering'] -> ['Staff']",
        "~ user bob",
        "    address: {'locality': 'Lisbon'} -> null",
        "~ application wiki",
        "    groups: ['engineering'] -> []",
        "~ application board",
        "    oidc.redirect_uris: ['https://board.example/cb'] -> ['https://two.example/cb']",
    ]
    board = organisation.read(lambda c: by_slug(c, "board"))
    assert board is not None
    assert isinstance(board.kind, OidcClient)
    assert (board.kind.pkce, board.kind.claims) == ("optional", {"team": "group_map"})
    acme = organisation.read(current)
    assert (acme.support.name, acme.settings.lockout.unlock_after_minutes) == ("Acme IT", 0)
    assert organisation.lines(text) == []


def test_a_password_or_authenticator_is_taken_only_while_there_is_none(organisation: Organisation) -> None:
    organisation.apply(ACME)
    again = SMALL + f"users: [{{username: alice, password: quite another password, totp: {{secret: {SEED}}}}}]"
    assert [line for line in organisation.lines(again) if "authenticator" in line or "password" in line] == []
    later = SMALL + f"users: [{{username: bob, totp: {{secret: {SEED}}}}}]"
    assert organisation.lines(later) == ["~ user bob", "    with an authenticator"]
    assert organisation.lines(later) == []


def test_a_short_seed_is_accepted_with_a_warning(organisation: Organisation) -> None:
    applied = organisation.apply(SMALL + "users: [{username: a, totp: {secret: jbsw y3dp ehpk 3pxp}}]")
    assert applied.plan.warnings == (
        "org.yaml:2: users[0].totp.secret: has only 80 bits; set up a new authenticator when you can",
    )


def test_a_password_hash_of_argon2id_is_imported_as_it_is(organisation: Organisation) -> None:
    phc = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"
    organisation.apply(SMALL + f"users: [{{username: a, password_hash: '{phc}'}}]")
    kept = organisation.read(lambda c: c.execute(select(schema.PERSON.passwords.c.phc)).scalar_one())
    assert kept == phc


def test_suspending_and_activating_go_through_the_sign_in(organisation: Organisation) -> None:
    organisation.apply(ACME)
    organisation.apply(SMALL + "users: [{username: alice, state: suspended}, {username: bob, state: active}]")
    actions = {entry.event.action for entry in organisation.read(lambda c: tail(c, 10))}
    assert {"person.suspended", "person.activated"} <= actions


def test_a_person_is_renamed_by_id_and_an_id_is_never_given_to_another(organisation: Organisation) -> None:
    organisation.apply(ACME)
    alice = organisation.read(lambda c: find_person(c, "alice"))
    assert alice is not None
    renamed = SMALL + f"users: [{{id: {alice.id}, username: alicia}}]"
    assert organisation.lines(renamed) == ["~ user Alice", "    username: Alice -> alicia"]
    other = "0199a8c0-0000-7000-8000-000000000001"
    assert organisation.problems(SMALL + f"users: [{{id: {other}, username: alicia}}]") == [
        f"org.yaml:2: users[0].id: alicia has the id {alice.id}"
    ]
    organisation.apply(SMALL + "users: []", prune=frozenset({Prune.USERS}))
    assert organisation.problems(SMALL + f"users: [{{id: {alice.id}, username: new}}]") == [
        f"org.yaml:2: users[0]: the id {alice.id} belonged to somebody who was deleted; ids are never used again"
    ]


def test_pruning_deletes_what_is_absent_and_says_so(organisation: Organisation) -> None:
    organisation.apply(ACME)
    keep = SMALL + "users: [{username: bob}]\ngroups: [{name: staff}]\napplications: [{slug: wiki}]\nadmins: []"
    everything = frozenset(Prune)
    assert organisation.lines(keep) == []
    applied = organisation.apply(keep, prune=everything)
    assert applied.plan.lines() == [
        "- admin help@acme.example (delete)",
        "- application board (delete)",
        "- application handbook (delete)",
        "- application phone (delete)",
        "- user Alice (delete)",
        "- group engineering (delete)",
    ]
    assert applied.plan.warnings == ("admin root@acme.example is absent and stays: the last owner is never deleted",)
    assert organisation.lines(keep, prune=everything) == []


def test_pruning_needs_the_list_in_the_file(organisation: Organisation) -> None:
    organisation.apply(ACME)
    assert organisation.problems(SMALL, prune=frozenset({Prune.USERS})) == [
        "org.yaml:1: --prune users needs a list of users in the file"
    ]


def test_the_last_owner_stays_one_and_the_role_may_be_handed_over_in_one_file(organisation: Organisation) -> None:
    organisation.apply(ACME)
    assert organisation.problems(SMALL + "admins: [{email: root@acme.example, role: auditor}]") == [
        "org.yaml:2: admins[0]: root@acme.example is the last active owner; make another one first"
    ]
    handed = """
admins:
  - {email: root@acme.example, role: auditor}
  - {email: help@acme.example, role: owner, state: active}
"""
    assert organisation.lines(SMALL + handed)[0] == "~ admin help@acme.example"
    assert organisation.lines(SMALL + handed) == []


def test_client_secrets_are_kept_replaced_and_dropped_as_the_file_says(organisation: Organisation) -> None:
    organisation.apply(ACME)
    board = organisation.read(lambda c: by_slug(c, "board"))
    assert board is not None
    oidc = "{client_id: board, redirect_uris: [https://board.example/cb]%s}"
    given = SMALL + f"applications: [{{slug: board, oidc: {oidc % ', client_secret: given-secret-0000'}}}]"

    def right(secret: str) -> bool:
        return organisation.read(lambda c: verify_client_secret(c, organisation.vault, board.id, secret))

    assert organisation.lines(given) == ["~ application board", "    client_secret: the given one"]
    assert organisation.lines(given) == []
    assert right("given-secret-0000")
    public = (
        SMALL + f"applications: [{{slug: board, oidc: {oidc % ', token_endpoint_auth_method: none, pkce: required'}}}]"
    )
    organisation.apply(public)
    assert not right("given-secret-0000")
    back = (
        SMALL + f"applications: [{{slug: board, oidc: {oidc % ', token_endpoint_auth_method: client_secret_basic'}}}]"
    )
    (made,) = organisation.apply(back).secrets
    assert re.fullmatch(r"[A-Za-z0-9\-._~]{48}", made.secret)
    assert right(made.secret)


def test_metadata_gives_the_fields_and_the_file_outranks_it(organisation: Organisation) -> None:
    base64 = "".join(certificate().splitlines()[1:-1])
    xml = f"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:sp">
<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" AuthnRequestsSigned="true">
<KeyDescriptor><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{base64}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp.example/acs"/>
</SPSSODescriptor></EntityDescriptor>"""  # fmt: skip
    organisation.environ["SP"] = xml
    text = SMALL + "applications: [{slug: sp, name: SP, saml: {metadata: {env: SP}, sign: response}}]"
    organisation.apply(text)
    app = organisation.read(lambda c: by_slug(c, "sp"))
    assert app is not None
    assert isinstance(app.kind, SamlProvider)
    assert (app.kind.entity_id, app.kind.acs_urls, app.kind.sign) == ("urn:sp", ("https://sp.example/acs",), "response")
    assert app.kind.require_signed_requests
    assert app.kind.encryption_certificate is not None
    assert organisation.lines(text) == []
    assert organisation.lines(organisation.export()) == []
    other = SMALL + "applications: [{slug: sp, saml: {metadata: {env: SP}, entity_id: urn:other}}]"
    assert organisation.lines(other) == ["~ application sp", "    saml.entity_id: urn:sp -> urn:other"]


def test_a_collision_that_only_the_database_knows_is_told_with_its_place(organisation: Organisation) -> None:
    organisation.apply(ACME)
    before = organisation.export()
    text = SMALL + "groups: [{name: new}]\nusers:\n  - {username: carol, email: ALICE@acme.example}"
    assert organisation.problems(text) == [
        "org.yaml:4: users[0]: 'alice@acme.example' is the username or mail address of somebody else"
    ]
    taken = (
        SMALL + "applications: [{slug: other, name: O, oidc: {client_id: board, redirect_uris: [https://o.example]}}]"
    )
    assert organisation.problems(taken) == [
        "org.yaml:2: applications[0].oidc.client_id: this is the client id of board"
    ]
    assert organisation.export() == before


def test_a_name_that_is_pruned_may_be_taken_in_the_same_file(organisation: Organisation) -> None:
    organisation.apply(ACME)
    text = SMALL + "users: [{username: bob}, {username: new, email: alice@acme.example}]"
    assert organisation.lines(text, prune=frozenset({Prune.USERS})) == ["- user Alice (delete)", "+ user new"]


def test_several_files_are_one(organisation: Organisation) -> None:
    organisation.apply(SMALL + "groups: [{name: a}]", "users: [{username: u, groups: [a]}]", "groups: [{name: b}]")
    user = organisation.read(lambda c: find_person(c, "u"))
    assert user is not None
    assert organisation.read(lambda c: groups_of(c, user.id)) == {"a"}


TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=20).map("x{}".format)
SLUG = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(lambda s: s not in {"portal", "admin"})
USERS = st.lists(
    st.fixed_dictionaries(
        {"username": SLUG},
        optional={
            "name": TEXT,
            "given_name": TEXT | st.none(),
            "email": SLUG.map("{}@acme.example".format),
            "email_verified": st.booleans(),
            "phone": st.just("+351 1") | st.none(),
            "state": st.sampled_from(["staged", "active", "suspended"]),
            "starts_at": st.sampled_from(["2026-01-01T00:00:00Z", "2020-02-29T12:30:00+05:30"]) | st.none(),
            "groups": st.lists(st.sampled_from(["one", "Two"]), max_size=2, unique=True),
            "attributes": st.dictionaries(SLUG, TEXT | st.lists(TEXT, min_size=1, max_size=3), max_size=3),
            "mfa_required": st.booleans() | st.none(),
            "address": st.fixed_dictionaries({"locality": TEXT}) | st.none(),
        },
    ),
    max_size=4,
    unique_by=(lambda user: user["username"], lambda user: user.get("email", user["username"])),
)  # fmt: skip
KINDS = st.one_of(
    st.fixed_dictionaries({"bookmark": st.just({"url": "https://a.example"})}),
    st.fixed_dictionaries(
        {
            "saml": st.fixed_dictionaries(
                {"entity_id": TEXT, "acs_urls": st.just(["https://a.example/acs"])},
                optional={
                    "sign": st.sampled_from(["both", "response", "assertion"]),
                    "idp_initiated": st.booleans() | st.none(),
                    "attributes": st.dictionaries(SLUG, st.sampled_from(["user.email", "group_map"]), max_size=2),
                },
            )
        }
    ),
)
APPS = st.lists(
    st.fixed_dictionaries({"slug": SLUG, "name": TEXT}, optional={"description": TEXT, "hidden": st.booleans()}),
    max_size=3,
    unique_by=lambda app: app["slug"],
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(users=USERS, apps=APPS, kinds=st.data())
def test_whatever_is_applied_twice_or_exported_and_applied_changes_nothing_more(
    sqlite_organisation: Organisation,
    users: list[dict[str, object]],
    apps: list[dict[str, object]],
    kinds: st.DataObject,
) -> None:
    sqlite_organisation.store.write(_emptied)
    whole = {
        "organization": {"name": "Acme"},
        "groups": [{"name": "one"}, {"name": "Two"}],
        "users": users,
        "applications": [{**app, **kinds.draw(KINDS), "groups": ["two"], "group_map": {"one": "x"}} for app in apps],
    }
    entity_ids = [app["saml"]["entity_id"] for app in whole["applications"] if "saml" in app]  # type: ignore[index]
    if len(set(entity_ids)) != len(entity_ids):
        return
    text = yaml.safe_dump(whole, allow_unicode=True)
    sqlite_organisation.apply(text)
    assert sqlite_organisation.lines(text, prune=frozenset({Prune.USERS, Prune.APPLICATIONS, Prune.GROUPS})) == []
    exported = sqlite_organisation.export()
    assert sqlite_organisation.lines(exported, prune=frozenset(Prune)) == []
    assert sqlite_organisation.export() == exported


def test_an_instant_with_milliseconds_is_no_difference(organisation: Organisation) -> None:
    from doorward.audit import Actor, Caller  # noqa: PLC0415 - for this test alone

    organisation.apply(SMALL)
    new = NewPerson("alice", starts_at=START + 123)
    organisation.run(lambda c: create_person(c, new, Actor.system(), Caller.local(), START))
    assert organisation.lines(organisation.export()) == []


@pytest.mark.parametrize("text", ["organization: {name: Acme}\nusers:\n", "organization: {name: Acme}\ngroups: null"])
def test_an_empty_section_is_told_to_be_a_list(organisation: Organisation, text: str) -> None:
    assert organisation.problems(text)[0].endswith(": must be a list")
