"""Entities and their versions."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from coax.base.tenancy import tenant_policy_sql

TABLES = ["configuration_entity", "configuration_version"]
SEQUENCES = ["configuration_entity_id_seq", "configuration_version_id_seq"]
SECURITY = [
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *(f"GRANT USAGE ON SEQUENCE {sequence} TO coax_app, coax_run" for sequence in SEQUENCES),
]


class Migration(migrations.Migration):
    initial = True
    dependencies = [("base", "0002_security")]

    operations = [
        migrations.CreateModel(
            name="ConfigurationEntity",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant_id", models.IntegerField()),
                ("kind", models.TextField()),
                ("code", models.TextField()),
            ],
            options={
                "db_table": "configuration_entity",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant_id", "kind", "code"), name="configuration_entity_code_is_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConfigurationVersion",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tenant_id", models.IntegerField()),
                ("number", models.IntegerField()),
                ("name", models.TextField()),
                ("effective_date", models.DateField()),
                ("state", models.TextField()),
                ("body", models.JSONField()),
                ("used_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("created_by", models.TextField()),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="configuration.configurationentity",
                    ),
                ),
            ],
            options={
                "db_table": "configuration_version",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("entity", "effective_date"), name="configuration_version_date_is_unique"
                    ),
                    models.UniqueConstraint(fields=("entity", "number"), name="configuration_version_number_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("number__gt", 0)), name="configuration_version_number_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ("active", "inactive", "draft"))),
                        name="configuration_version_state_is_known",
                    ),
                ],
            },
        ),
        *[migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in SECURITY],
    ]
