"""Row-level security, buckets and references of items: the database itself keeps an item in one place."""

from __future__ import annotations

from django.db import migrations

from coax.base.tenancy import tenant_policy_sql

TABLES = [
    "subscription_stock_location",
    "subscription_item_serial",
    "subscription_stock_item",
    "subscription_installed_item",
]
STATEMENTS = [
    """ALTER TABLE subscription_stock_location
       ADD CONSTRAINT stock_location_code_is_unique UNIQUE (tenant_id, code)""",
    """ALTER TABLE subscription_stock_item
       ADD CONSTRAINT stock_item_is_held_once UNIQUE (tenant_id, id, account_id, subscription_id),
       ADD CONSTRAINT stock_item_serial_is_unique UNIQUE (tenant_id, product_id, serial),
       ADD CONSTRAINT stock_item_state_is_known CHECK (state IN
           ('in_stock', 'reserved', 'installed', 'returned', 'defective', 'lost', 'written_off')),
       ADD CONSTRAINT stock_item_condition_is_known CHECK (condition IN ('new', 'used', 'defective')),
       ADD CONSTRAINT stock_item_is_in_one_place CHECK (
           (location_id IS NOT NULL) = (state IN ('in_stock', 'reserved', 'returned', 'defective'))
           AND (subscription_id IS NOT NULL) = (state = 'installed')
           AND (account_id IS NULL) = (subscription_id IS NULL)
           AND (reserved_for IS NOT NULL) = (state = 'reserved')),
       ADD CONSTRAINT stock_item_date_is_a_day CHECK (isfinite(since_date)),
       ADD CONSTRAINT stock_item_has_its_location FOREIGN KEY (tenant_id, location_id)
           REFERENCES subscription_stock_location (tenant_id, id),
       ADD CONSTRAINT stock_item_has_its_serial FOREIGN KEY (tenant_id, product_id, serial)
           REFERENCES subscription_item_serial (tenant_id, product_id, serial),
       ADD CONSTRAINT stock_item_has_its_good FOREIGN KEY (product_id) REFERENCES configuration_entity (id)""",
    "CREATE INDEX stock_item_by_serial ON subscription_stock_item (tenant_id, serial)",
    """CREATE INDEX stock_item_by_location ON subscription_stock_item (tenant_id, location_id, product_id)
       WHERE location_id IS NOT NULL""",
    """ALTER TABLE subscription_item_movement
       ADD CONSTRAINT item_movement_date_is_a_day CHECK (isfinite(performed_on)),
       ADD CONSTRAINT item_movement_has_its_item FOREIGN KEY (tenant_id, item_id)
           REFERENCES subscription_stock_item (tenant_id, id)""",
    """ALTER TABLE subscription_installed_item
       ADD CONSTRAINT subscription_installed_item_lies_in_its_bucket CHECK (bucket = (account_id & 1023)),
       ADD CONSTRAINT installed_item_dates_are_days CHECK (isfinite(installed_from) AND isfinite(installed_to)),
       ADD CONSTRAINT installed_item_ends_after_it_begins CHECK (installed_to >= installed_from),
       ADD CONSTRAINT installed_item_is_not_paired_with_itself CHECK (paired_id <> id),
       ADD CONSTRAINT installed_item_has_its_subscription FOREIGN KEY (bucket, account_id, subscription_id)
           REFERENCES subscription_subscription (bucket, account_id, id),
       ADD CONSTRAINT installed_item_has_its_service FOREIGN KEY (bucket, account_id, service_id)
           REFERENCES subscription_service (bucket, account_id, id),
       ADD CONSTRAINT installed_item_has_its_pair FOREIGN KEY (bucket, account_id, paired_id)
           REFERENCES subscription_installed_item (bucket, account_id, id),
       ADD CONSTRAINT installed_item_is_where_its_item_is FOREIGN KEY (tenant_id, item_id, account_id, holder_id)
           REFERENCES subscription_stock_item (tenant_id, id, account_id, subscription_id)""",
    """CREATE UNIQUE INDEX installed_item_is_open_once
       ON subscription_installed_item (bucket, tenant_id, item_id) WHERE installed_to IS NULL""",
    """CREATE UNIQUE INDEX installed_item_is_paired_once
       ON subscription_installed_item (bucket, account_id, paired_id) WHERE installed_to IS NULL""",
    *(statement for table in TABLES for statement in tenant_policy_sql(table)),
    *tenant_policy_sql("subscription_item_movement", append_only=True),
]


class Migration(migrations.Migration):
    dependencies = [("subscription", "0007_installed_items"), ("configuration", "0001_initial")]
    operations = [migrations.RunSQL(statement, migrations.RunSQL.noop) for statement in STATEMENTS]
