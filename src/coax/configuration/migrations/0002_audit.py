"""Changes are written to the audit trail."""

from __future__ import annotations

from django.db import migrations

from coax.base.audit import audit_sql

STATEMENTS = [*audit_sql("configuration_entity", "id"), *audit_sql("configuration_version", "id")]


class Migration(migrations.Migration):
    dependencies = [("configuration", "0001_initial"), ("base", "0004_audit")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
