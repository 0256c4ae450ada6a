"""The journal is appended, never changed; the balance row is hot."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

TABLES: list[str] = ["ledger_ledger_account", "ledger_account_balance"]
APPEND_ONLY: list[str] = ["ledger_transaction", "ledger_entry", "ledger_allocation"]
STATEMENTS = [
    "ALTER TABLE ledger_transaction ADD CONSTRAINT ledger_transaction_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE ledger_allocation ADD CONSTRAINT ledger_allocation_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE ledger_account_balance ADD CONSTRAINT ledger_account_balance_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE ledger_account_balance SET (fillfactor = 45)",
    "GRANT USAGE ON SEQUENCE ledger_ledger_account_id_seq TO coax_app, coax_run",
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *(statement for table in APPEND_ONLY for statement in tenant_policy_sql(table, append_only=True)),
]


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("billing", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
