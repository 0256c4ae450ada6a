"""What was charged once may be taken back: not billed, or credited by a run where it was."""

from __future__ import annotations

from django.db import migrations, models

STATEMENTS = [
    """ALTER TABLE subscription_charge
       ADD CONSTRAINT charge_is_credited_after_it_was_billed_and_taken_back
           CHECK (credited_by IS NULL OR (billed_by IS NOT NULL AND withdrawn_on IS NOT NULL)),
       ADD CONSTRAINT charge_is_taken_back_on_a_day CHECK (isfinite(withdrawn_on) AND withdrawn_on >= performed_on)""",
    """CREATE INDEX charge_to_credit ON subscription_charge (tenant_id, bucket, account_id)
       WHERE withdrawn_on IS NOT NULL AND credited_by IS NULL AND billed_by IS NOT NULL""",
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0010_job_security")]
    operations = [
        migrations.AddField("charge", "withdrawn_on", models.DateField(null=True)),
        migrations.AddField("charge", "credited_by", models.BigIntegerField(null=True)),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS),
    ]
