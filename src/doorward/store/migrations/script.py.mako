"""${message}.

House rules, to be answered here before this is committed:
- The previous version of the code works under the new schema (add first, remove one version later): …
- Locks: which table, for how long at 100,000 people: …
- A back-fill that could take longer than a second is a resumable job, not a migration: …
- It runs on SQLite (batch mode for changes of a table, foreign keys off and checked afterwards) and PostgreSQL alike.
- Then raise HEAD in store/migrate.py; tests/store/test_migrate.py compares the result with schema.py on both.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    ${upgrades if upgrades else "raise NotImplementedError"}


def downgrade() -> None:
    ${downgrades if downgrades else "raise NotImplementedError"}
