"""What was used of usage services, and the catalog that prices it."""

from __future__ import annotations

from django.db import migrations, models

from coax.base.tenancy import tenant_policy_sql

STATEMENTS = [
    """ALTER TABLE subscription_usage
       ADD CONSTRAINT subscription_usage_lies_in_its_bucket CHECK (bucket = (account_id & 1023)),
       ADD CONSTRAINT usage_is_of_some_amount CHECK (quantity >= 1),
       ADD CONSTRAINT usage_is_of_a_day CHECK (isfinite(performed_on) AND isfinite(withdrawn_on)),
       ADD CONSTRAINT usage_ends_after_it_begins CHECK (used_to >= used_from),
       ADD CONSTRAINT usage_reference_is_of_a_system CHECK (reference = '' OR source_system <> ''),
       ADD CONSTRAINT usage_has_its_subscription FOREIGN KEY (bucket, account_id, subscription_id)
           REFERENCES subscription_subscription (bucket, account_id, id),
       ADD CONSTRAINT usage_has_its_service FOREIGN KEY (bucket, account_id, service_id)
           REFERENCES subscription_service (bucket, account_id, id),
       ADD CONSTRAINT usage_has_its_charge FOREIGN KEY (bucket, account_id, charge_id)
           REFERENCES subscription_charge (bucket, account_id, id),
       ADD CONSTRAINT usage_has_its_product FOREIGN KEY (product_id) REFERENCES configuration_entity (id),
       ADD CONSTRAINT usage_has_its_catalog FOREIGN KEY (catalog_id) REFERENCES configuration_entity (id),
       ADD CONSTRAINT usage_has_its_type FOREIGN KEY (usage_type_id) REFERENCES configuration_entity (id)""",
    """ALTER TABLE subscription_charge
       ADD CONSTRAINT charge_has_its_catalog FOREIGN KEY (catalog_id) REFERENCES configuration_entity (id)""",
    """CREATE UNIQUE INDEX usage_is_recorded_once
       ON subscription_usage (bucket, account_id, source_system, reference) WHERE reference <> ''""",
    """CREATE UNIQUE INDEX usage_of_a_charge ON subscription_usage (bucket, account_id, charge_id)
       WHERE charge_id IS NOT NULL""",
    """CREATE INDEX usage_of_a_subscription ON subscription_usage (bucket, account_id, subscription_id, performed_on)""",
    *tenant_policy_sql("subscription_usage"),
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0011_charges_taken_back"), ("configuration", "0001_initial")]
    operations = [
        migrations.AddField("charge", "catalog_id", models.BigIntegerField(null=True)),
        migrations.CreateModel(
            name="Usage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "bucket", "account_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("bucket", models.SmallIntegerField()),
                ("account_id", models.BigIntegerField()),
                ("id", models.BigIntegerField()),
                ("tenant_id", models.IntegerField()),
                ("subscription_id", models.BigIntegerField()),
                ("service_id", models.BigIntegerField()),
                ("code", models.TextField()),
                ("product_id", models.BigIntegerField()),
                ("catalog_id", models.BigIntegerField()),
                ("usage_type_id", models.BigIntegerField(null=True)),
                ("quantity", models.BigIntegerField()),
                ("performed_on", models.DateField()),
                ("used_from", models.DateTimeField(null=True)),
                ("used_to", models.DateTimeField(null=True)),
                ("source_system", models.TextField(default="")),
                ("reference", models.TextField(default="")),
                ("source", models.TextField(default="")),
                ("destination", models.TextField(default="")),
                ("device", models.TextField(default="")),
                ("method", models.TextField(default="")),
                ("category", models.TextField(default="")),
                ("charge_id", models.BigIntegerField(null=True)),
                ("withdrawn_on", models.DateField(null=True)),
                ("action_id", models.BigIntegerField()),
            ],
            options={"db_table": "subscription_usage"},
        ),
        *(migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS),
    ]
