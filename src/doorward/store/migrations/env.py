"""Alembic's entry: runs the migrations on the connection, and in the transaction, of store/migrate.py."""

from typing import cast

from alembic import context
from sqlalchemy import Connection

connection = cast("Connection", context.config.attributes["connection"])
context.configure(connection=connection, render_as_batch=connection.dialect.name == "sqlite")
context.run_migrations()
