"""Bring the database to this version's schema, as its owner."""

from __future__ import annotations

from typing import Final

from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from coax.base.tenancy import OWNER_ALIAS

FRAMEWORK_TABLES: Final = (
    "django_session",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "django_migrations",
)


def is_current() -> bool:
    """Whether every migration of this version has been applied."""
    executor = MigrationExecutor(connections[OWNER_ALIAS])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def migrate() -> None:
    """Apply what is missing and let the application use the framework's own tables."""
    call_command("migrate", database=OWNER_ALIAS, verbosity=0, interactive=False)
    with connections[OWNER_ALIAS].cursor() as cursor:
        present = set(connections[OWNER_ALIAS].introspection.table_names(cursor))
        for table in present.intersection(FRAMEWORK_TABLES):
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO coax_app")
