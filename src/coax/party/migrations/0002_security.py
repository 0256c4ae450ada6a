"""Row-level security, buckets and search indexes of people and accounts."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

TABLES: list[str] = ["party_contact", "party_contact_code", "party_account", "party_account_code", "party_staff_member"]
APPEND_ONLY: list[str] = []
STATEMENTS = [
    "ALTER TABLE party_contact ADD CONSTRAINT party_contact_lies_in_its_bucket CHECK (bucket = (id & 1023))",
    "ALTER TABLE party_account ADD CONSTRAINT party_account_lies_in_its_bucket CHECK (bucket = (account_id & 1023))",
    "CREATE INDEX contact_by_name ON party_contact (tenant_id, lower(name) text_pattern_ops)",
    "CREATE INDEX contact_by_email ON party_contact (tenant_id, lower(email) text_pattern_ops)",
    "CREATE INDEX account_by_contact ON party_account (bucket, contact_id)",
    """ALTER TABLE party_account ADD CONSTRAINT account_has_its_contact
       FOREIGN KEY (bucket, contact_id) REFERENCES party_contact (bucket, id)""",
    "GRANT USAGE ON SEQUENCE party_staff_member_id_seq TO coax_app",
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *(statement for table in APPEND_ONLY for statement in tenant_policy_sql(table, append_only=True)),
]


class Migration(migrations.Migration):
    dependencies = [("party", "0001_initial"), ("base", "0002_security")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
