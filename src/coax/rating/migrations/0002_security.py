"""Rated items are appended, never changed."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

TABLES: list[str] = []
APPEND_ONLY: list[str] = ["rating_rated_item"]
STATEMENTS = [
    "ALTER TABLE rating_rated_item ADD CONSTRAINT rating_rated_item_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *(statement for table in APPEND_ONLY for statement in tenant_policy_sql(table, append_only=True)),
]


class Migration(migrations.Migration):
    dependencies = [("rating", "0001_initial"), ("subscription", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
