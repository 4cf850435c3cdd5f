"""One chain of migrations for both databases, numbered and named for what changes (store/migrate.py runs them)."""
