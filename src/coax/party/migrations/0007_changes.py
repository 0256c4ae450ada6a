"""What is changed of customers is written to the audit trail."""

from __future__ import annotations

from django.db import migrations

from coax.base.audit import audit_columns_sql

STATEMENTS = [
    *audit_columns_sql(
        "party_contact", "id", ("name", "email", "phone", "street", "postal_code", "city", "country", "locale")
    ),
    *audit_columns_sql(
        "party_account",
        "account_id",
        ("state", "classification_id", "credit_limit_minor", "credit_rating", "credit_period_days"),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("party", "0006_staff_unit"), ("base", "0005_audit_columns")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
