"""Row-level security, buckets, references and keys of histories and actions; actions and histories are never deleted."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

TABLES = ["subscription_subscription_history", "subscription_service_history", "subscription_action"]
_STATES = "'draft', 'effective', 'not_effective', 'in_resting', 'short_term_effective', 'short_term_not_effective', 'regretted', 'cancelled', 'replaced'"
_ENDS = "effective_to IS NULL OR effective_to >= effective_from"
STATEMENTS = [
    *(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_lies_in_its_bucket CHECK (bucket = (account_id & 1023))"
        for table in TABLES
    ),
    *(f"ALTER TABLE {table} ADD CONSTRAINT {table}_ends_after_it_begins CHECK ({_ENDS})" for table in TABLES[:2]),
    *(
        f"""ALTER TABLE {table} ADD CONSTRAINT {table}_has_its_subscription
            FOREIGN KEY (bucket, account_id, subscription_id)
            REFERENCES subscription_subscription (bucket, account_id, id)"""
        for table in ("subscription_subscription_history", "subscription_action")
    ),
    """ALTER TABLE subscription_service_history ADD CONSTRAINT service_history_has_its_service
       FOREIGN KEY (bucket, account_id, service_id) REFERENCES subscription_service (bucket, account_id, id)""",
    f"""ALTER TABLE subscription_subscription ADD CONSTRAINT subscription_state_is_known
        CHECK (state IN ({_STATES}))""",
    f"""ALTER TABLE subscription_service ADD CONSTRAINT service_state_is_known
        CHECK (state IN ({_STATES}, 'swapped', 'removed'))""",
    """ALTER TABLE subscription_service_history ADD CONSTRAINT service_history_directive_is_known
       CHECK (directive IN ('to_be_billed', 'to_be_credited', 'not_to_be_billed'))""",
    """CREATE UNIQUE INDEX subscription_is_in_one_state
       ON subscription_subscription_history (bucket, account_id, subscription_id) WHERE effective_to IS NULL""",
    """CREATE UNIQUE INDEX service_is_in_one_state
       ON subscription_service_history (bucket, account_id, service_id) WHERE effective_to IS NULL""",
    """CREATE INDEX service_history_of_a_service
       ON subscription_service_history (bucket, account_id, service_id, effective_from)""",
    """CREATE INDEX service_with_a_history
       ON subscription_service (tenant_id, bucket, account_id) WHERE has_history""",
    """CREATE INDEX service_that_is_off
       ON subscription_service (tenant_id, bucket, account_id) WHERE state = 'not_effective' AND NOT stays_off""",
    """CREATE INDEX action_by_its_key ON subscription_action (tenant_id, id)""",
    """CREATE INDEX action_of_a_subscription ON subscription_action (bucket, account_id, subscription_id, id)""",
    """CREATE INDEX action_to_execute
       ON subscription_action (tenant_id, bucket, account_id, id) WHERE state = 'scheduled'""",
    """CREATE INDEX subscription_in_a_state
       ON subscription_subscription (tenant_id, bucket, state) WHERE state <> 'effective'""",
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *(f"REVOKE DELETE ON {table} FROM coax_app, coax_run" for table in TABLES),
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0005_life_cycle")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
