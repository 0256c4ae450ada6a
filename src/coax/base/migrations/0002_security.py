"""Row-level security, sequences, and the two functions that know operators without a tenant."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

TABLES: list[str] = ["base_operator", "base_number_series", "base_number_gap", "base_outbox_fact"]
APPEND_ONLY: list[str] = []
STATEMENTS = [
    "CREATE SEQUENCE base_account_seq AS bigint",
    "CREATE SEQUENCE base_object_seq AS bigint CACHE 1",
    "CREATE SEQUENCE base_document_seq AS bigint",
    "GRANT USAGE, SELECT ON base_account_seq, base_object_seq, base_document_seq TO coax_app, coax_run",
    "GRANT USAGE ON SEQUENCE base_operator_tenant_id_seq, base_outbox_fact_id_seq TO coax_app, coax_run",
    # Before a tenant is chosen only these two functions see the operators; they show no more than is needed to choose.
    """CREATE FUNCTION coax_tenants()
       RETURNS TABLE (tenant_id int, code text, name text, currency text, time_zone text, locale text)
       LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public
       AS 'SELECT tenant_id, code::text, name::text, currency::text, time_zone::text, locale::text
           FROM base_operator'""",
    """CREATE FUNCTION coax_create_tenant(code text, name text, currency text, time_zone text, locale text)
       RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = public
       AS 'INSERT INTO base_operator
               (code, name, currency, time_zone, locale, clock_mode, profile, changed_at)
           VALUES ($1, $2, $3, $4, $5, ''real'', ''{}'', now()) RETURNING tenant_id'""",
    "CREATE POLICY owner_lists_operators ON base_operator TO coax_owner USING (true) WITH CHECK (true)",
    "GRANT EXECUTE ON FUNCTION coax_tenants(), coax_create_tenant(text, text, text, text, text) TO coax_app, coax_run",
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *(statement for table in APPEND_ONLY for statement in tenant_policy_sql(table, append_only=True)),
]


class Migration(migrations.Migration):
    dependencies = [("base", "0001_initial")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
