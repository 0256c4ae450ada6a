"""Row-level security, buckets and references of jobs; what a contract or a charge is of: a subscription or a job."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

OWNED = ["subscription_job", "subscription_job_line", "subscription_job_event"]
STATEMENTS = [
    *(
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_lies_in_its_bucket CHECK (bucket = (account_id & 1023))"
        for table in OWNED
    ),
    """ALTER TABLE subscription_job
       ADD CONSTRAINT job_dates_are_days CHECK (isfinite(start_date) AND isfinite(expected_on)
           AND isfinite(completed_on) AND isfinite(created_on)),
       ADD CONSTRAINT job_has_its_account FOREIGN KEY (bucket, account_id)
           REFERENCES party_account (bucket, account_id),
       ADD CONSTRAINT job_has_its_subscription FOREIGN KEY (bucket, account_id, subscription_id)
           REFERENCES subscription_subscription (bucket, account_id, id),
       ADD CONSTRAINT job_has_its_type FOREIGN KEY (type_version_id) REFERENCES configuration_version (id),
       ADD CONSTRAINT job_has_its_unit FOREIGN KEY (organisational_unit_id) REFERENCES configuration_entity (id)""",
    """CREATE INDEX job_to_do ON subscription_job (tenant_id, state, expected_on)
       WHERE state IN ('draft', 'pending', 'in_progress')""",
    """CREATE INDEX job_of_an_account ON subscription_job (bucket, account_id, subscription_id)""",
    """ALTER TABLE subscription_job_line
       ADD CONSTRAINT job_line_has_its_job FOREIGN KEY (bucket, account_id, job_id)
           REFERENCES subscription_job (bucket, account_id, id),
       ADD CONSTRAINT job_line_has_its_product FOREIGN KEY (product_id) REFERENCES configuration_entity (id)""",
    """ALTER TABLE subscription_job_event
       ADD CONSTRAINT job_event_has_its_job FOREIGN KEY (bucket, account_id, job_id)
           REFERENCES subscription_job (bucket, account_id, id)""",
    *(
        f"""ALTER TABLE {table}
            ADD CONSTRAINT {table}_is_of_one CHECK (num_nonnulls(subscription_id, job_id) = 1),
            ADD CONSTRAINT {table}_has_its_job FOREIGN KEY (bucket, account_id, job_id)
                REFERENCES subscription_job (bucket, account_id, id)"""
        for table in ("subscription_billing_term", "subscription_charge")
    ),
    """CREATE UNIQUE INDEX job_has_one_open_billing_term
       ON subscription_billing_term (bucket, account_id, job_id) WHERE effective_to IS NULL AND job_id IS NOT NULL""",
    """CREATE UNIQUE INDEX charge_code_of_a_job_is_unique
       ON subscription_charge (bucket, account_id, job_id, code) WHERE job_id IS NOT NULL""",
    """CREATE VIEW subscription_billable WITH (security_invoker = true) AS
       SELECT bucket, account_id, id, tenant_id, 'subscription' AS kind, code, type_id FROM subscription_subscription
       UNION ALL
       SELECT bucket, account_id, id, tenant_id, 'job', code, NULL::bigint FROM subscription_job""",
    "GRANT SELECT ON subscription_billable TO coax_app, coax_run",
    *(
        s
        for table in ("subscription_job", "subscription_job_line", "subscription_job_code")
        for s in tenant_policy_sql(table)
    ),
    *tenant_policy_sql("subscription_job_event", append_only=True),
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0009_jobs"), ("configuration", "0001_initial"), ("party", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
