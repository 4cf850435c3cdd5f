"""The first schema: everything that a sign-in and a launch need, and the one row of `ticks`.

Locks nothing: the database is new.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "address_counters",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("window_ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_address_counters")),
    )
    op.create_index(op.f("ix_address_counters_window_ends_at"), "address_counters", ["window_ends_at"], unique=False)
    op.create_table(
        "admin_counters",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("password_claimed", sa.Integer(), nullable=False),
        sa.Column("password_failed", sa.Integer(), nullable=False),
        sa.Column("mfa_claimed", sa.Integer(), nullable=False),
        sa.Column("mfa_failed", sa.Integer(), nullable=False),
        sa.Column("password_open_at", sa.BigInteger(), nullable=False),
        sa.Column("mfa_open_at", sa.BigInteger(), nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_admin_counters")),
    )
    op.create_index(op.f("ix_admin_counters_paused_until"), "admin_counters", ["paused_until"], unique=False)
    op.create_table(
        "admin_transactions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("destination", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("destination_ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_transactions")),
    )
    op.create_index(op.f("ix_admin_transactions_browser_hash"), "admin_transactions", ["browser_hash"], unique=False)
    op.create_index(
        op.f("ix_admin_transactions_destination_ends_at"), "admin_transactions", ["destination_ends_at"], unique=False
    )
    op.create_table(
        "admins",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("last_sign_in_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admins")),
        sa.UniqueConstraint("email_key", name=op.f("uq_admins_email_key")),
    )
    op.create_table(
        "apps",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("description", sa.String(length=256), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("start_url", sa.Text(), nullable=True),
        sa.Column("groups_filter", sa.String(length=256), nullable=True),
        sa.Column("group_map", sa.JSON(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_apps")),
        sa.UniqueConstraint("slug", name=op.f("uq_apps_slug")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True),
        sa.Column("reference", sa.String(length=32), nullable=False),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=36), nullable=True),
        sa.Column("person_id", sa.String(length=36), nullable=True),
        sa.Column("admin_id", sa.String(length=36), nullable=True),
        sa.Column("app_id", sa.String(length=36), nullable=True),
        sa.Column("session_id", sa.String(length=36), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=512), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_audit_events_admin_id_at"),
        "audit_events",
        ["admin_id", "at"],
        unique=False,
        sqlite_where=sa.text("admin_id IS NOT NULL"),
        postgresql_where=sa.text("admin_id IS NOT NULL"),
    )
    op.create_index(
        op.f("uq_audit_events_sequence"),
        "audit_events",
        ["sequence"],
        unique=True,
        sqlite_where=sa.text("sequence IS NOT NULL"),
        postgresql_where=sa.text("sequence IS NOT NULL"),
    )
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"], unique=False)
    op.create_index(op.f("ix_audit_events_person_id_at"), "audit_events", ["person_id", "at"], unique=False)
    op.create_index(op.f("ix_audit_events_reference"), "audit_events", ["reference"], unique=False)
    op.create_table(
        "groups",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("name_key", sa.String(length=256), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("name_key", name=op.f("uq_groups_name_key")),
    )
    op.create_table(
        "keys",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_keys")),
    )
    op.create_table(
        "oidc_requests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_requests")),
    )
    op.create_index(op.f("ix_oidc_requests_expires_at"), "oidc_requests", ["expires_at"], unique=False)
    op.create_table(
        "organization",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("domains", sa.JSON(), nullable=False),
        sa.Column("authenticator_label", sa.String(length=256), nullable=True),
        sa.Column("support", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.String(length=256), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("given_name", sa.String(length=256), nullable=True),
        sa.Column("family_name", sa.String(length=256), nullable=True),
        sa.Column("phone", sa.String(length=64), nullable=True),
        sa.Column("address", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("locale", sa.String(length=35), nullable=True),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("search_key", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("mfa_required", sa.Boolean(), nullable=True),
        sa.Column("mfa_due_from", sa.BigInteger(), nullable=True),
        sa.Column("nag_dismissed", sa.Boolean(), nullable=False),
        sa.Column("last_sign_in_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("number", name=op.f("uq_people_number")),
    )
    op.create_table(
        "person_counters",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("password_claimed", sa.Integer(), nullable=False),
        sa.Column("password_failed", sa.Integer(), nullable=False),
        sa.Column("mfa_claimed", sa.Integer(), nullable=False),
        sa.Column("mfa_failed", sa.Integer(), nullable=False),
        sa.Column("password_open_at", sa.BigInteger(), nullable=False),
        sa.Column("mfa_open_at", sa.BigInteger(), nullable=False),
        sa.Column("paused_until", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_person_counters")),
    )
    op.create_index(op.f("ix_person_counters_paused_until"), "person_counters", ["paused_until"], unique=False)
    op.create_table(
        "person_transactions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("destination", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("destination_ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_transactions")),
    )
    op.create_index(op.f("ix_person_transactions_browser_hash"), "person_transactions", ["browser_hash"], unique=False)
    op.create_index(
        op.f("ix_person_transactions_destination_ends_at"), "person_transactions", ["destination_ends_at"], unique=False
    )
    op.create_table(
        "retired_ids",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retired_ids")),
    )
    op.create_table(
        "saml_requests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saml_requests")),
    )
    op.create_index(op.f("ix_saml_requests_expires_at"), "saml_requests", ["expires_at"], unique=False)
    op.create_table(
        "ticks",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticks")),
    )
    op.create_table(
        "admin_enrolments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("bound_to", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("replaces_id", sa.String(length=36), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["admins.id"], name=op.f("fk_admin_enrolments_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_enrolments")),
    )
    op.create_index(op.f("ix_admin_enrolments_expires_at"), "admin_enrolments", ["expires_at"], unique=False)
    op.create_table(
        "admin_old_passwords",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("phc", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["admins.id"], name=op.f("fk_admin_old_passwords_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_old_passwords")),
    )
    op.create_index(op.f("ix_admin_old_passwords_owner_id"), "admin_old_passwords", ["owner_id"], unique=False)
    op.create_table(
        "admin_passwords",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("phc", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["admins.id"], name=op.f("fk_admin_passwords_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_admin_passwords")),
    )
    op.create_table(
        "admin_recovery_codes",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["admins.id"], name=op.f("fk_admin_recovery_codes_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "code_hash", name=op.f("pk_admin_recovery_codes")),
    )
    op.create_table(
        "admin_recovery_sets",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["admins.id"], name=op.f("fk_admin_recovery_sets_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_admin_recovery_sets")),
    )
    op.create_table(
        "admin_sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("handle_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_id", sa.String(length=36), nullable=True),
        sa.Column("proofs", sa.JSON(), nullable=False),
        sa.Column("authenticated_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=512), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["admins.id"], name=op.f("fk_admin_sessions_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_sessions")),
        sa.UniqueConstraint("handle_hash", name=op.f("uq_admin_sessions_handle_hash")),
    )
    op.create_index(op.f("ix_admin_sessions_expires_at"), "admin_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_admin_sessions_owner_id"), "admin_sessions", ["owner_id"], unique=False)
    op.create_table(
        "admin_spent_codes",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["admins.id"], name=op.f("fk_admin_spent_codes_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "code_hash", name=op.f("pk_admin_spent_codes")),
    )
    op.create_table(
        "admin_totp",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("period_seconds", sa.SmallInteger(), nullable=True),
        sa.Column("drift_steps", sa.SmallInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("expired_steps", sa.JSON(), nullable=False),
        sa.Column("candidate", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["admins.id"], name=op.f("fk_admin_totp_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_totp")),
    )
    op.create_index(op.f("ix_admin_totp_owner_id"), "admin_totp", ["owner_id"], unique=False)
    op.create_table(
        "app_groups",
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("group_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_app_groups_app_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_app_groups_group_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "group_id", name=op.f("pk_app_groups")),
    )
    op.create_index(op.f("ix_app_groups_group_id"), "app_groups", ["group_id"], unique=False)
    op.create_table(
        "favourites",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_favourites_app_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_favourites_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "app_id", name=op.f("pk_favourites")),
    )
    op.create_table(
        "known_browsers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("handle_hash", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=512), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_known_browsers_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_browsers")),
        sa.UniqueConstraint("handle_hash", "owner_id", name=op.f("uq_known_browsers_handle_hash_owner_id")),
    )
    op.create_index(op.f("ix_known_browsers_expires_at"), "known_browsers", ["expires_at"], unique=False)
    op.create_index(op.f("ix_known_browsers_owner_id"), "known_browsers", ["owner_id"], unique=False)
    op.create_table(
        "launches",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_launches_app_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_launches_person_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "app_id", name=op.f("pk_launches")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "memberships",
        sa.Column("person_id", sa.String(length=36), nullable=False),
        sa.Column("group_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_memberships_group_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_memberships_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "group_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_group_id"), "memberships", ["group_id"], unique=False)
    op.create_table(
        "oidc_clients",
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_oidc_clients_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_oidc_clients")),
        sa.UniqueConstraint("app_id", name=op.f("uq_oidc_clients_app_id")),
    )
    op.create_table(
        "oidc_secrets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_oidc_secrets_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_secrets")),
    )
    op.create_index(op.f("ix_oidc_secrets_app_id"), "oidc_secrets", ["app_id"], unique=False)
    op.create_table(
        "person_enrolments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("bound_to", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("replaces_id", sa.String(length=36), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_person_enrolments_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_enrolments")),
    )
    op.create_index(op.f("ix_person_enrolments_expires_at"), "person_enrolments", ["expires_at"], unique=False)
    op.create_table(
        "person_names",
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_person_names_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_person_names")),
    )
    op.create_index(op.f("ix_person_names_owner_id"), "person_names", ["owner_id"], unique=False)
    op.create_table(
        "person_old_passwords",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("phc", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_person_old_passwords_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_old_passwords")),
    )
    op.create_index(op.f("ix_person_old_passwords_owner_id"), "person_old_passwords", ["owner_id"], unique=False)
    op.create_table(
        "person_passwords",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("phc", sa.Text(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_person_passwords_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_person_passwords")),
    )
    op.create_table(
        "person_recovery_codes",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_person_recovery_codes_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "code_hash", name=op.f("pk_person_recovery_codes")),
    )
    op.create_table(
        "person_recovery_sets",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_person_recovery_sets_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_person_recovery_sets")),
    )
    op.create_table(
        "person_sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("handle_hash", sa.String(length=64), nullable=False),
        sa.Column("browser_id", sa.String(length=36), nullable=True),
        sa.Column("proofs", sa.JSON(), nullable=False),
        sa.Column("authenticated_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("user_agent", sa.String(length=512), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_person_sessions_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_sessions")),
        sa.UniqueConstraint("handle_hash", name=op.f("uq_person_sessions_handle_hash")),
    )
    op.create_index(op.f("ix_person_sessions_expires_at"), "person_sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_person_sessions_owner_id"), "person_sessions", ["owner_id"], unique=False)
    op.create_table(
        "person_spent_codes",
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_person_spent_codes_owner_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("owner_id", "code_hash", name=op.f("pk_person_spent_codes")),
    )
    op.create_table(
        "person_totp",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("period_seconds", sa.SmallInteger(), nullable=True),
        sa.Column("drift_steps", sa.SmallInteger(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("expired_steps", sa.JSON(), nullable=False),
        sa.Column("candidate", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_person_totp_owner_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_totp")),
    )
    op.create_index(op.f("ix_person_totp_owner_id"), "person_totp", ["owner_id"], unique=False)
    op.create_table(
        "saml_endpoints",
        sa.Column("entity_hash", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.String(length=1024), nullable=False),
        sa.Column("acs_url", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_saml_endpoints_app_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entity_hash", name=op.f("pk_saml_endpoints")),
    )
    op.create_index(op.f("ix_saml_endpoints_app_id"), "saml_endpoints", ["app_id"], unique=False)
    op.create_index(op.f("ix_saml_endpoints_entity_id"), "saml_endpoints", ["entity_id"], unique=False)
    op.create_table(
        "oidc_grants",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("swept_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_oidc_grants_app_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["person_sessions.id"], name=op.f("fk_oidc_grants_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_grants")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_oidc_grants_code_hash")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_oidc_grants_swept_at"), "oidc_grants", ["swept_at"], unique=False)
    op.create_table(
        "session_apps",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("app_id", sa.String(length=36), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_session_apps_app_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["session_id"], ["person_sessions.id"], name=op.f("fk_session_apps_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_apps")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_session_apps_session_id"), "session_apps", ["session_id"], unique=False)

    op.execute("INSERT INTO ticks (id, at) VALUES (1, 0)")


def downgrade() -> None:
    op.drop_table("session_apps")
    op.drop_table("oidc_grants")
    op.drop_table("saml_endpoints")
    op.drop_table("person_totp")
    op.drop_table("person_spent_codes")
    op.drop_table("person_sessions")
    op.drop_table("person_recovery_sets")
    op.drop_table("person_recovery_codes")
    op.drop_table("person_passwords")
    op.drop_table("person_old_passwords")
    op.drop_table("person_names")
    op.drop_table("person_enrolments")
    op.drop_table("oidc_secrets")
    op.drop_table("oidc_clients")
    op.drop_table("memberships")
    op.drop_table("launches")
    op.drop_table("known_browsers")
    op.drop_table("favourites")
    op.drop_table("app_groups")
    op.drop_table("admin_totp")
    op.drop_table("admin_spent_codes")
    op.drop_table("admin_sessions")
    op.drop_table("admin_recovery_sets")
    op.drop_table("admin_recovery_codes")
    op.drop_table("admin_passwords")
    op.drop_table("admin_old_passwords")
    op.drop_table("admin_enrolments")
    op.drop_table("ticks")
    op.drop_table("saml_requests")
    op.drop_table("retired_ids")
    op.drop_table("person_transactions")
    op.drop_table("person_counters")
    op.drop_table("people")
    op.drop_table("organization")
    op.drop_table("oidc_requests")
    op.drop_table("keys")
    op.drop_table("groups")
    op.drop_table("audit_events")
    op.drop_table("apps")
    op.drop_table("admins")
    op.drop_table("admin_transactions")
    op.drop_table("admin_counters")
    op.drop_table("address_counters")
