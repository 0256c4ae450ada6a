"""Row-level security of processes; what an execution refused is appended, never changed."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

STATEMENTS = [
    *(statement for table in ("process_plan", "process_run") for statement in tenant_policy_sql(table)),
    *tenant_policy_sql("process_refusal", append_only=True),
]


class Migration(migrations.Migration):
    dependencies = [("process", "0001_initial")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
