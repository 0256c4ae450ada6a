"""Charges to bill are found by an index that holds only them; what is billed once is billed for ever."""

from __future__ import annotations

from django.db import migrations

STATEMENTS = [
    """CREATE INDEX charge_to_bill ON subscription_charge (tenant_id, bucket, account_id) WHERE billed_by IS NULL""",
    """ALTER TABLE subscription_charge
       ADD CONSTRAINT charge_quantity_and_duration_are_sensible CHECK (quantity >= 1 AND duration BETWEEN 0 AND 36500)""",
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
