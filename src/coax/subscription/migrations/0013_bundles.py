"""In which product bundle a service is, now and in each stretch of its history."""

from __future__ import annotations

from django.db import migrations, models

TABLES = {"service": "subscription_service", "servicehistory": "subscription_service_history"}


class Migration(migrations.Migration):
    dependencies = [("subscription", "0012_usage"), ("configuration", "0001_initial")]
    operations = [
        *(migrations.AddField(model, "bundle_id", models.BigIntegerField(null=True)) for model in TABLES),
        *(
            migrations.RunSQL(
                f"""ALTER TABLE {table} ADD CONSTRAINT {table}_has_its_bundle
                    FOREIGN KEY (bundle_id) REFERENCES configuration_entity (id)""",
                migrations.RunSQL.noop,
            )
            for table in TABLES.values()
        ),
    ]
