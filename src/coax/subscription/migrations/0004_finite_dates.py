"""A date is a day of the calendar: PostgreSQL's `infinity` is none that can be billed."""

from __future__ import annotations

from django.db import migrations

DATES = {
    "subscription_service": ["effective_from", "effective_to", "billable_from", "billing_effective_date"],
    "subscription_service_rating": ["rated_up_to"],
    "subscription_billing_term": ["agreement_date", "binding_start_date", "effective_from", "effective_to"],
    "subscription_charge": ["performed_on"],
}
STATEMENTS = [
    f"ALTER TABLE {table} ADD CONSTRAINT {table}_dates_are_days CHECK ("
    + " AND ".join(f"isfinite({column})" for column in columns)
    + ")"
    for table, columns in DATES.items()
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0003_charges_to_bill")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
