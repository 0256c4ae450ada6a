"""A small operator's accounts are found among all others' without reading those."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("party", "0003_audit")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX account_of_operator ON party_account (tenant_id, bucket, account_id)", migrations.RunSQL.noop
        )
    ]
