"""Keys under which operations were asked from outside, with a hash of the input and the answer."""

from __future__ import annotations

from django.db import migrations, models

from coax.base.tenancy import tenant_policy_sql

STATEMENTS = tenant_policy_sql("base_idempotency_key")


class Migration(migrations.Migration):
    dependencies = [("base", "0002_security")]
    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "operation", "key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.IntegerField()),
                ("operation", models.TextField()),
                ("key", models.TextField()),
                ("input_hash", models.CharField(max_length=64)),
                ("answer", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"db_table": "base_idempotency_key"},
        ),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS),
    ]
