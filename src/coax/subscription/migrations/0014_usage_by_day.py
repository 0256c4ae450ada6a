"""Usage of an operator is listed by its day, and found by what its source called it."""

from __future__ import annotations

from django.db import migrations

STATEMENTS = [
    "CREATE INDEX usage_by_day ON subscription_usage (tenant_id, performed_on, id)",
    "CREATE INDEX usage_by_reference ON subscription_usage (tenant_id, reference) WHERE reference <> ''",
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0013_bundles")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
