"""What is stored of many subscriptions and their services, as frames.

Codes have no line breaks; they travel as one text, which is quicker than an array.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from coax.base.db import fetch_rows

# The open contract of each subscription.
STORED_SUBSCRIPTION_SCHEMA: Final[dict[str, Any]] = {
    "subscription_code": pl.String,
    "account_id": pl.Int64,
    "subscription_id": pl.Int64,
    "type_id": pl.Int64,
    "scheme_version_id": pl.Int64,
    "price_plan_id": pl.Int64,
    "frequency": pl.String,
    "cycle_day": pl.Int64,
    "agreement_date": pl.Date,
    "binding_period": pl.String,
    "binding_start_date": pl.Date,
    "contract_from": pl.Date,
}
STORED_SERVICE_SCHEMA: Final[dict[str, Any]] = {
    "subscription_id": pl.Int64,
    "service_code": pl.String,
    "product_id": pl.Int64,
    "quantity": pl.Int64,
    "effective_from": pl.Date,
    "effective_to": pl.Date,
    "agreed_price_micro": pl.Int64,
    "extra_discount_ppm": pl.Int64,
}


def find_stored_subscriptions(*, tenant_id: int, codes: pl.Series, using: str = "default") -> pl.DataFrame:
    """Return the subscriptions that have one of the codes (`STORED_SUBSCRIPTION_SCHEMA`), in the order of codes."""
    rows = fetch_rows(
        """SELECT d.code, d.account_id, d.subscription_id, u.type_id, t.scheme_version_id, t.price_plan_id,
                  t.frequency, t.cycle_day, t.agreement_date, t.binding_period, t.binding_start_date,
                  t.effective_from
             FROM subscription_subscription_code d
             JOIN subscription_subscription u ON u.bucket = (d.account_id & 1023)::smallint
              AND u.account_id = d.account_id AND u.id = d.subscription_id
             LEFT JOIN subscription_billing_term t ON t.bucket = u.bucket AND t.account_id = u.account_id
              AND t.subscription_id = u.id AND t.effective_to IS NULL
            WHERE d.tenant_id = %s AND d.code = ANY(string_to_array(%s, E'\\n')) ORDER BY d.code""",
        [tenant_id, "\n".join(codes)],
        using=using,
    )
    return pl.DataFrame(rows, schema=STORED_SUBSCRIPTION_SCHEMA, orient="row")


def find_stored_services(*, tenant_id: int, account_ids: pl.Series, using: str = "default") -> pl.DataFrame:
    """Return the services of the accounts (`STORED_SERVICE_SCHEMA`), in the order of subscriptions and codes."""
    rows = fetch_rows(
        """SELECT s.subscription_id, s.code, s.product_id, s.quantity, s.effective_from, s.effective_to,
                  s.agreed_price_micro, s.extra_discount_ppm
             FROM unnest(%s::bigint[]) AS key (account_id)
             JOIN subscription_service s
               ON s.bucket = (key.account_id & 1023)::smallint AND s.account_id = key.account_id
            WHERE s.tenant_id = %s ORDER BY s.subscription_id, s.code""",
        [account_ids.to_list(), tenant_id],
        using=using,
    )
    return pl.DataFrame(rows, schema=STORED_SERVICE_SCHEMA, orient="row")
