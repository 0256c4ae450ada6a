"""Number and write subscriptions, their contracts, services and rating states."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.copy import Columns, copy_target, encode_frame
from coax.base.db import copy_in, execute
from coax.base.numbers import next_ids

_OWNER: Final[Columns] = (("bucket", "int2"), ("account_id", "int8"))
SUBSCRIPTION_COLUMNS: Final[Columns] = (
    *_OWNER,
    ("id", "int8"),
    ("tenant_id", "int4"),
    ("code", "text"),
    ("type_id", "int8"),
    ("state", "text"),
    ("created_on", "date"),
)
SUBSCRIPTION_CODE_COLUMNS: Final[Columns] = (
    ("tenant_id", "int4"),
    ("code", "text"),
    ("account_id", "int8"),
    ("subscription_id", "int8"),
)
BILLING_TERM_COLUMNS: Final[Columns] = (
    *_OWNER,
    ("id", "int8"),
    ("tenant_id", "int4"),
    ("subscription_id", "int8"),
    ("scheme_version_id", "int8"),
    ("price_plan_id", "int8"),
    ("frequency", "text"),
    ("cycle_day", "int2"),
    ("agreement_date", "date"),
    ("binding_period", "text"),
    ("binding_start_date", "date"),
    ("effective_from", "date"),
    ("effective_to", "date"),
)
SERVICE_COLUMNS: Final[Columns] = (
    *_OWNER,
    ("id", "int8"),
    ("tenant_id", "int4"),
    ("subscription_id", "int8"),
    ("code", "text"),
    ("product_id", "int8"),
    ("quantity", "int8"),
    ("effective_from", "date"),
    ("effective_to", "date"),
    ("billable_from", "date"),
    ("billing_effective_date", "date"),
    ("agreed_price_micro", "int8"),
    ("extra_discount_ppm", "int4"),
)
SERVICE_RATING_COLUMNS: Final[Columns] = (
    *_OWNER,
    ("service_id", "int8"),
    ("tenant_id", "int4"),
    ("rated_up_to", "date"),
    ("generation", "int2"),
)


def number_rows(frame: pl.DataFrame, name: str, *, using: str) -> pl.DataFrame:
    """Add fresh keys as column `name`, rising with the rows."""
    keys = next_ids("base_object_seq", frame.height, using=using)
    return frame.with_columns(pl.Series(name, keys, pl.Int64))


def write_subscriptions(subscriptions: pl.DataFrame, *, using: str) -> None:
    """Write rows of `SUBSCRIPTION_COLUMNS`, their codes, and rows of `BILLING_TERM_COLUMNS` (with `term_id`)."""
    directory = subscriptions.rename({"id": "subscription_id"}).sort("code")
    ordered = subscriptions.sort("bucket", "account_id", "id")
    terms = ordered.rename({"id": "subscription_id", "term_id": "id"})
    _copy(directory, "subscription_subscription_code", SUBSCRIPTION_CODE_COLUMNS, using)
    _copy(ordered, "subscription_subscription", SUBSCRIPTION_COLUMNS, using)
    _copy(terms, "subscription_billing_term", BILLING_TERM_COLUMNS, using)


def write_services(services: pl.DataFrame, *, using: str) -> None:
    """Write rows of `SERVICE_COLUMNS` in the order of their keys, and their rating states."""
    ordered = services.sort("bucket", "account_id", "id")
    _copy(ordered, "subscription_service", SERVICE_COLUMNS, using)
    _copy(ordered.rename({"id": "service_id"}), "subscription_service_rating", SERVICE_RATING_COLUMNS, using)


def refresh_statistics() -> None:
    """Tell the planner what the tables hold now; needs their owner, outside the transaction that loaded them."""
    execute(
        """ANALYZE subscription_subscription, subscription_subscription_code, subscription_billing_term,
                   subscription_service, subscription_service_rating""",
        using="owner",
    )


def _copy(frame: pl.DataFrame, table: str, columns: Columns, using: str) -> None:
    copy_in(copy_target(table, columns), encode_frame(frame, columns), using=using)
