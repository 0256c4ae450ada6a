"""Buckets, references and row-level security of payments and refunds."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

OWNED = ["payment_payment", "payment_refund"]
DIRECTORIES = ["payment_payment_key", "payment_refund_key"]
STATEMENTS = [
    *(
        f"""ALTER TABLE {table}
            ADD CONSTRAINT {table}_lies_in_its_bucket CHECK (bucket = (account_id & 1023)),
            ADD CONSTRAINT {table}_has_its_account FOREIGN KEY (bucket, account_id)
                REFERENCES party_account (bucket, account_id)"""
        for table in OWNED
    ),
    """ALTER TABLE payment_payment ADD CONSTRAINT payment_dates_are_days
       CHECK (isfinite(received_on) AND isfinite(decided_on))""",
    "ALTER TABLE payment_refund ADD CONSTRAINT refund_date_is_a_day CHECK (isfinite(refunded_on))",
    "CREATE INDEX payment_by_age ON payment_payment (tenant_id, id DESC)",
    "CREATE INDEX payment_to_approve ON payment_payment (tenant_id, id) WHERE state = 'pending'",
    "CREATE INDEX refund_by_age ON payment_refund (tenant_id, id DESC)",
    "CREATE INDEX refund_of_a_payment ON payment_refund (bucket, account_id, payment_id) WHERE payment_id IS NOT NULL",
    *(statement for table in (*OWNED, *DIRECTORIES) for statement in tenant_policy_sql(table)),
]


class Migration(migrations.Migration):
    dependencies = [("payment", "0001_initial"), ("ledger", "0003_money_accounts"), ("party", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
