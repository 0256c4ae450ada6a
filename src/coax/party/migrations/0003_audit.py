"""Changes are written to the audit trail."""

from __future__ import annotations

from django.db import migrations

from coax.base.audit import audit_sql

STATEMENTS = [*audit_sql("party_staff_member", "id")]


class Migration(migrations.Migration):
    dependencies = [("party", "0002_security"), ("base", "0004_audit")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
