"""The whole schema, readable in one place: for each table what a row is, who deletes it and when.

All times are `Instant`s (milliseconds, BIGINT). Identifiers are UUIDv7 as text. People and administrators
are apart: `PERSON` and `ADMIN` name the same set of tables once for each, made by the same functions,
so that one path of code serves both and no row of one can be taken for a row of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_ID: Final = 36
_HASH: Final = 64
_NAME: Final = 256


def _id(name: str = "id", *, primary: bool = True) -> Column[str]:
    return Column(name, String(_ID), primary_key=primary, nullable=False)


def _owner(target: Table, *, primary: bool = False) -> Column[str]:
    return Column(
        "owner_id", String(_ID), ForeignKey(target.c.id, ondelete="CASCADE"), primary_key=primary, nullable=False
    )


def _at(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


# ---------------------------------------------------------------------------------- the organisation

organization = Table(
    # One row. `version` rises with each change; every process re-reads the row when it sees another version.
    "organization",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("name", String(_NAME), nullable=False),
    Column("domains", JSON, nullable=False),
    Column("authenticator_label", String(_NAME), nullable=True),
    Column("support", JSON, nullable=False),
    Column("settings", JSON, nullable=False),
    _at("changed_at"),
)

# ------------------------------------------------------------------------------ people and their groups

people = Table(
    # A person. Deleted by an administrator or `apply --prune users`; the id then stands in `retired_ids` for ever.
    "people",
    metadata,
    _id(),
    Column("number", BigInteger, nullable=False, unique=True),  # random, 53 bits: for apps that want a number
    Column("username", String(_NAME), nullable=False),
    Column("email", String(320), nullable=True),
    Column("email_verified", Boolean, nullable=False),
    Column("name", String(_NAME), nullable=False),
    Column("given_name", String(_NAME), nullable=True),
    Column("family_name", String(_NAME), nullable=True),
    Column("phone", String(64), nullable=True),
    Column("address", JSON(none_as_null=True), nullable=True),
    Column("locale", String(35), nullable=True),
    Column("theme", String(8), nullable=False),  # system | light | dark
    Column("search_key", Boolean, nullable=False),  # whether `/` focuses the search (WCAG 2.1.4)
    Column("state", String(16), nullable=False),  # staged | active | suspended
    _at("starts_at", nullable=True),
    _at("ends_at", nullable=True),
    Column("attributes", JSON, nullable=False),
    Column("mfa_required", Boolean, nullable=True),  # null: as the organisation says
    _at("mfa_due_from", nullable=True),  # the first sign-in at which a second factor was required
    Column("nag_dismissed", Boolean, nullable=False),  # 'Add a second way to verify' was closed
    _at("last_sign_in_at", nullable=True),
    _at("created_at"),
    _at("changed_at"),
)

person_names = Table(
    # A username or mail address in the form in which it is compared (RFC 8265), unique across both kinds
    # (A34). Goes with its person.
    "person_names",
    metadata,
    Column("key", String(320), primary_key=True),
    _owner(people),
    Column("kind", String(8), nullable=False),  # username | email
    Index(None, "owner_id"),
)

retired_ids = Table(
    # The id of a deleted person, application or administrator: never given again. Never deleted.
    "retired_ids",
    metadata,
    _id(),
    _at("retired_at"),
)

groups = Table(
    # A group. Deleted by an administrator or `apply --prune groups`.
    "groups",
    metadata,
    _id(),
    Column("name", String(_NAME), nullable=False),
    Column("name_key", String(_NAME), nullable=False, unique=True),
    _at("created_at"),
)

memberships = Table(
    # A person in a group. Goes with either.
    "memberships",
    metadata,
    Column("person_id", String(_ID), ForeignKey(people.c.id, ondelete="CASCADE"), primary_key=True),
    Column("group_id", String(_ID), ForeignKey(groups.c.id, ondelete="CASCADE"), primary_key=True),
    Index(None, "group_id"),
)

admins = Table(
    # An administrator: a table of their own, with a mail address as the name. Deleted by an owner or `apply --prune`.
    "admins",
    metadata,
    _id(),
    Column("email", String(320), nullable=False),
    Column("email_key", String(320), nullable=False, unique=True),
    Column("name", String(_NAME), nullable=False),
    Column("role", String(16), nullable=False),  # owner | administrator | help_desk | auditor
    Column("state", String(16), nullable=False),  # active | suspended
    Column("theme", String(8), nullable=False),
    _at("last_sign_in_at", nullable=True),
    _at("created_at"),
    _at("changed_at"),
)

# ----------------------------------------- what people and administrators both have, in tables of their own


@dataclass(frozen=True, slots=True)
class AccountTables:
    """The tables of one audience. Code that serves both audiences receives this instead of naming tables."""

    accounts: Table
    passwords: Table
    old_passwords: Table
    totp: Table
    recovery_codes: Table
    recovery_sets: Table
    spent_codes: Table
    enrolments: Table
    counters: Table
    sessions: Table
    transactions: Table


def _account_tables(prefix: str, accounts: Table) -> AccountTables:
    return AccountTables(
        accounts=accounts,
        passwords=Table(
            # The password of an account as a PHC string. `failures` counts wrong guesses in a row without a
            # success of this password, over all time (63B §3.2.2); at 100 it is closed for unknown browsers.
            f"{prefix}_passwords",
            metadata,
            _owner(accounts, primary=True),
            Column("phc", Text, nullable=False),
            Column("must_change", Boolean, nullable=False),
            Column("failures", Integer, nullable=False),
            _at("changed_at"),
        ),
        old_passwords=Table(
            # An earlier password, kept while `password.history` asks for it; the oldest go at each change.
            f"{prefix}_old_passwords",
            metadata,
            _id(),
            _owner(accounts),
            Column("phc", Text, nullable=False),
            _at("changed_at"),
            Index(None, "owner_id"),
        ),
        totp=Table(
            # An authenticator app. `last_step` is the last time-step that was accepted: only a greater one is
            # accepted later (RFC 6238 §5.2). `expired_steps` remembers the expired codes that were counted already,
            # `candidate` a code that was right at another offset of the phone's clock. `failures` as in passwords;
            # at 100 the authenticator is closed until an administrator resets it.
            f"{prefix}_totp",
            metadata,
            _id(),
            _owner(accounts),
            Column("name", String(_NAME), nullable=False),
            Column("seed", LargeBinary, nullable=False),  # sealed
            Column("period_seconds", SmallInteger, nullable=True),  # null: imported, either until the first success
            Column("drift_steps", SmallInteger, nullable=False),
            Column("last_step", BigInteger, nullable=False),
            Column("expired_steps", JSON, nullable=False),  # [step, ...]
            Column(
                "candidate", JSON(none_as_null=True), nullable=True
            ),  # {step, period_seconds, drifts}: RFC 4226 §7.4
            Column("failures", Integer, nullable=False),
            _at("created_at"),
            _at("last_used_at", nullable=True),
            Index(None, "owner_id"),
        ),
        recovery_sets=Table(
            # One set of recovery codes of an account: when it was made, and its failures in a row (63B §3.2.2).
            f"{prefix}_recovery_sets",
            metadata,
            _owner(accounts, primary=True),
            Column("failures", Integer, nullable=False),
            _at("created_at"),
        ),
        recovery_codes=Table(
            # One unused recovery code, as HMAC; its use is its deletion, in one statement.
            f"{prefix}_recovery_codes",
            metadata,
            _owner(accounts, primary=True),
            Column("code_hash", String(_HASH), primary_key=True),
        ),
        spent_codes=Table(
            # A recovery code that was used, so that its second use is told as such. Goes with its set.
            f"{prefix}_spent_codes",
            metadata,
            _owner(accounts, primary=True),
            Column("code_hash", String(_HASH), primary_key=True),
        ),
        enrolments=Table(
            # A factor that is being set up and not yet confirmed. Swept when expired (store/sweep.py).
            f"{prefix}_enrolments",
            metadata,
            _id(),
            _owner(accounts),
            Column("bound_to", String(_HASH), nullable=False),  # the session or sign-in that may confirm it
            Column("kind", String(16), nullable=False),
            Column("replaces_id", String(_ID), nullable=True),
            Column("secret", LargeBinary, nullable=False),  # sealed
            _at("expires_at"),
            Index(None, "expires_at"),
        ),
        counters=Table(
            # Failures in a row against one name: `key` is `account:<id>`, `slot:<n>` (an unknown name, by keyed
            # hash into 2^20 slots, aged but never evicted) or `browser:<id>` (a known browser's own count).
            # `*_claimed` counts guesses taken, `*_failed` those judged wrong; a new `generation` voids old claims.
            # Administrators use `password_*` for both kinds together. Rows of accounts go with them; slots stay.
            f"{prefix}_counters",
            metadata,
            Column("key", String(64), primary_key=True),
            Column("generation", BigInteger, nullable=False),
            Column("password_claimed", Integer, nullable=False),
            Column("password_failed", Integer, nullable=False),
            Column("mfa_claimed", Integer, nullable=False),
            Column("mfa_failed", Integer, nullable=False),
            _at("password_open_at"),  # with counting off: no try before this instant
            _at("mfa_open_at"),
            _at("paused_until"),
            _at("claimed_at"),
            _at("failed_at"),
            Index(None, "paused_until"),
        ),
        sessions=Table(
            # A session: `id` is the stable sid, `handle_hash` the HMAC of the rotating cookie. Ended rows stay for
            # the list of recent sign-ins and logout until `expires_at`, then they are swept (store/sweep.py).
            f"{prefix}_sessions",
            metadata,
            _id(),
            _owner(accounts),
            Column("handle_hash", String(_HASH), nullable=False, unique=True),
            Column("browser_id", String(_ID), nullable=True),
            Column("proofs", JSON, nullable=False),  # [{method, at, ...}], newest last
            _at("authenticated_at"),  # auth_time / AuthnInstant: the last real authentication
            Column("address", String(64), nullable=False),
            Column("user_agent", String(512), nullable=False),
            _at("created_at"),
            _at("last_seen_at"),
            _at("expires_at"),
            _at("ended_at", nullable=True),
            Column("end_reason", String(32), nullable=True),
            Index(None, "owner_id"),
            Index(None, "expires_at"),
        ),
        transactions=Table(
            # A sign-in under way, bound to the browser's handle; at most 20 for a browser. `state` is the frozen
            # state of signin/flow.py, `version` rises with each step. Swept after `destination_ends_at`.
            f"{prefix}_transactions",
            metadata,
            _id(),
            Column("browser_hash", String(_HASH), nullable=False),
            Column("version", Integer, nullable=False),
            Column("state", JSON, nullable=False),
            Column("destination", JSON, nullable=False),
            _at("created_at"),
            _at("expires_at"),
            _at("destination_ends_at"),
            Index(None, "browser_hash"),
            Index(None, "destination_ends_at"),
        ),
    )


PERSON: Final = _account_tables("person", people)
ADMIN: Final = _account_tables("admin", admins)

known_browsers = Table(
    # A browser from which a person signed in fully: the HMAC of its random handle, per person. Ends after 90 days,
    # and by a change of password or factor and by suspension. Swept when expired. Administrators have none.
    "known_browsers",
    metadata,
    _id(),
    _owner(people),
    Column("handle_hash", String(_HASH), nullable=False),
    Column("user_agent", String(512), nullable=False),
    _at("created_at"),
    _at("last_used_at"),
    _at("expires_at"),
    UniqueConstraint("handle_hash", "owner_id"),
    Index(None, "owner_id"),
    Index(None, "expires_at"),
)

address_counters = Table(
    # Judged failures from one address (`a:`, IPv6 by /64) or network (`n:`, /24 and /48) in one window.
    # Swept when the window is over.
    "address_counters",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    _at("window_ends_at"),
    Index(None, "window_ends_at"),
)

# ------------------------------------------------------------------------------------------ applications

apps = Table(
    # An application. `config` holds the fields of its kind under the names of the organisation file, without secrets.
    # Deleted by an administrator or `apply --prune applications`; the id then stands in `retired_ids`.
    "apps",
    metadata,
    _id(),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(_NAME), nullable=False),
    Column("kind", String(16), nullable=False),  # saml | oidc | bookmark
    Column("state", String(16), nullable=False),  # draft | active | off
    Column("description", String(_NAME), nullable=True),
    Column("hidden", Boolean, nullable=False),
    Column("start_url", Text, nullable=True),
    Column("groups_filter", String(_NAME), nullable=True),
    Column("group_map", JSON, nullable=False),
    Column("config", JSON, nullable=False),
    _at("created_at"),
    _at("changed_at"),
)

app_groups = Table(
    # An application given to a group. Goes with either.
    "app_groups",
    metadata,
    Column("app_id", String(_ID), ForeignKey(apps.c.id, ondelete="CASCADE"), primary_key=True),
    Column("group_id", String(_ID), ForeignKey(groups.c.id, ondelete="CASCADE"), primary_key=True),
    Index(None, "group_id"),
)

oidc_clients = Table(
    # The client id of an OpenID Connect application. Goes with it.
    "oidc_clients",
    metadata,
    Column("client_id", String(255), primary_key=True),
    Column("app_id", String(_ID), ForeignKey(apps.c.id, ondelete="CASCADE"), nullable=False, unique=True),
)

oidc_secrets = Table(
    # A client secret as HMAC (it is of high entropy). Goes with its application.
    "oidc_secrets",
    metadata,
    _id(),
    Column("app_id", String(_ID), ForeignKey(apps.c.id, ondelete="CASCADE"), nullable=False),
    Column("secret_hash", String(_HASH), nullable=False),
    _at("created_at"),
    Index(None, "app_id"),
)

saml_endpoints = Table(
    # One assertion consumer service of a SAML application: known by entity ID and address together, so that
    # several applications may share an entity ID. Goes with its application.
    "saml_endpoints",
    metadata,
    Column("entity_hash", String(_HASH), primary_key=True),  # SHA-256 of entity ID, NUL, address
    Column("entity_id", String(1024), nullable=False),
    Column("acs_url", Text, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("app_id", String(_ID), ForeignKey(apps.c.id, ondelete="CASCADE"), nullable=False),
    Index(None, "entity_id"),
    Index(None, "app_id"),
)

favourites = Table(
    # A tile that a person starred. Goes with either.
    "favourites",
    metadata,
    Column("person_id", String(_ID), ForeignKey(people.c.id, ondelete="CASCADE"), primary_key=True),
    Column("app_id", String(_ID), ForeignKey(apps.c.id, ondelete="CASCADE"), primary_key=True),
)

launches = Table(
    # When a person last opened an application, and how: 'recently opened'. Goes with either.
    "launches",
    metadata,
    Column("person_id", String(_ID), ForeignKey(people.c.id, ondelete="CASCADE"), primary_key=True),
    Column("app_id", String(_ID), ForeignKey(apps.c.id, ondelete="CASCADE"), primary_key=True),
    _at("opened_at"),
    sqlite_with_rowid=False,  # kept by the key alone: each launch writes it, and one b-tree less
)

session_apps = Table(
    # An application that a session was told to: what single logout needs. Goes with the session.
    "session_apps",
    metadata,
    _id(),
    Column("session_id", String(_ID), ForeignKey(PERSON.sessions.c.id, ondelete="CASCADE"), nullable=False),
    Column("app_id", String(_ID), ForeignKey(apps.c.id, ondelete="CASCADE"), nullable=False),
    Column("details", JSON, nullable=False),  # SAML: {session_index, name_id, name_id_format}
    _at("at"),
    Index(None, "session_id"),
    sqlite_with_rowid=False,  # kept by the key alone: each launch writes it, and one b-tree less
)

# --------------------------------------------------------------------------------------------- protocols

oidc_requests = Table(
    # An authorization request that waits for a sign-in. Swept when expired.
    "oidc_requests",
    metadata,
    _id(),
    Column("browser_hash", String(_HASH), nullable=False),
    Column("parameters", JSON, nullable=False),
    _at("expires_at"),
    Index(None, "expires_at"),
)

oidc_grants = Table(
    # An authorization code as HMAC, and what was granted with it. `used_at` is set by its one redemption, in one
    # statement; `revoked_at` by a second one, which also voids what came of it. Swept after `swept_at`.
    "oidc_grants",
    metadata,
    _id(),
    Column("code_hash", String(_HASH), nullable=False, unique=True),
    Column("app_id", String(_ID), ForeignKey(apps.c.id, ondelete="CASCADE"), nullable=False),
    Column("session_id", String(_ID), ForeignKey(PERSON.sessions.c.id, ondelete="CASCADE"), nullable=False),
    Column("details", JSON, nullable=False),  # redirect_uri, scope, nonce, code_challenge, claims
    _at("expires_at"),
    _at("used_at", nullable=True),
    _at("revoked_at", nullable=True),
    _at("swept_at"),
    Index(None, "swept_at"),
    sqlite_with_rowid=False,  # kept by the key alone: each launch writes it, and one b-tree less
)

saml_requests = Table(
    # An accepted AuthnRequest (or a received POST that waits for its 303). Swept when expired.
    "saml_requests",
    metadata,
    _id(),
    Column("browser_hash", String(_HASH), nullable=False),
    Column("details", JSON, nullable=False),
    _at("expires_at"),
    Index(None, "expires_at"),
)

# -------------------------------------------------------------------------------------- keys and records

keys = Table(
    # A signing key: private part sealed. Retired keys stay published until `retired_at`, then they are swept.
    "keys",
    metadata,
    Column("kid", String(64), primary_key=True),
    Column("use", String(16), nullable=False),  # oidc | saml
    Column("algorithm", String(16), nullable=False),  # RS256
    Column("state", String(16), nullable=False),  # next | current | retired
    Column("private", LargeBinary, nullable=False),  # sealed, PKCS#8 DER
    Column("certificate", LargeBinary, nullable=False),  # DER, self-signed
    _at("created_at"),
    _at("retired_at", nullable=True),
)

audit_events = Table(
    # One outcome. Written in the transaction of what it tells. `sequence` and `hash` are filled later by the sealer.
    # Never deleted by the product.
    "audit_events",
    metadata,
    _id(),
    _at("at"),
    Column("action", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),  # success | refused | failed
    Column("reason", String(64), nullable=True),
    Column("reference", String(32), nullable=False),
    Column("actor_kind", String(16), nullable=False),  # person | admin | system | nobody
    Column("actor_id", String(_ID), nullable=True),
    Column("person_id", String(_ID), nullable=True),
    Column("admin_id", String(_ID), nullable=True),
    Column("app_id", String(_ID), nullable=True),
    Column("session_id", String(_ID), nullable=True),
    Column("address", String(64), nullable=False),
    Column("user_agent", String(512), nullable=False),
    Column("details", JSON, nullable=False),
    Column("sequence", BigInteger, nullable=True),
    Column("hash", String(_HASH), nullable=True),
    Index(None, "at"),
    Index(None, "reference"),
    Index(None, "person_id", "at"),
    # Most events are of no administrator and not sealed yet: partial indexes spare each of them a page. On PostgreSQL
    # they are partial by the migration alone, because its dialect must not be loaded where SQLite is used.
    Index(None, "admin_id", "at", sqlite_where=text("admin_id IS NOT NULL")),
    Index("uq_audit_events_sequence", "sequence", unique=True, sqlite_where=text("sequence IS NOT NULL")),
    sqlite_with_rowid=False,  # kept by the key alone: each launch writes it, and one b-tree less
)

ticks = Table(
    # One row that is touched to make earlier light commits durable (store/engine.py).
    "ticks",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    _at("at"),
)
