"""Row-level security, buckets and references of subscriptions."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

TABLES: list[str] = [
    "subscription_subscription",
    "subscription_billing_term",
    "subscription_service",
    "subscription_service_rating",
    "subscription_charge",
    "subscription_subscription_code",
]
APPEND_ONLY: list[str] = []
STATEMENTS = [
    "ALTER TABLE subscription_subscription ADD CONSTRAINT subscription_subscription_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE subscription_billing_term ADD CONSTRAINT subscription_billing_term_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE subscription_service ADD CONSTRAINT subscription_service_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE subscription_service_rating ADD CONSTRAINT subscription_service_rating_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE subscription_charge ADD CONSTRAINT subscription_charge_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "ALTER TABLE subscription_service_rating SET (fillfactor = 45)",
    """ALTER TABLE subscription_subscription ADD CONSTRAINT subscription_has_its_account
       FOREIGN KEY (bucket, account_id) REFERENCES party_account (bucket, account_id)""",
    *(
        f"""ALTER TABLE {table} ADD CONSTRAINT {table}_has_its_subscription
            FOREIGN KEY (bucket, account_id, subscription_id)
            REFERENCES subscription_subscription (bucket, account_id, id)"""
        for table in ("subscription_billing_term", "subscription_service", "subscription_charge")
    ),
    """ALTER TABLE subscription_service_rating ADD CONSTRAINT service_rating_has_its_service
       FOREIGN KEY (bucket, account_id, service_id) REFERENCES subscription_service (bucket, account_id, id)""",
    """CREATE UNIQUE INDEX subscription_has_one_open_billing_term
       ON subscription_billing_term (bucket, account_id, subscription_id) WHERE effective_to IS NULL""",
    """CREATE UNIQUE INDEX service_code_is_unique
       ON subscription_service (bucket, account_id, subscription_id, code)""",
    """CREATE UNIQUE INDEX charge_code_is_unique
       ON subscription_charge (bucket, account_id, subscription_id, code)""",
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *(statement for table in APPEND_ONLY for statement in tenant_policy_sql(table, append_only=True)),
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0001_initial"), ("party", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
