"""Row-level security of runs; bills and outcomes are appended, never changed."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

TABLES: list[str] = ["billing_run", "billing_run_part", "billing_run_stage"]
APPEND_ONLY: list[str] = ["billing_bill", "billing_run_outcome"]
STATEMENTS = [
    "ALTER TABLE billing_bill ADD CONSTRAINT billing_bill_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE billing_run_outcome ADD CONSTRAINT billing_run_outcome_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE billing_run_stage ALTER COLUMN payload SET STORAGE EXTERNAL",
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *(statement for table in APPEND_ONLY for statement in tenant_policy_sql(table, append_only=True)),
]


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("rating", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
