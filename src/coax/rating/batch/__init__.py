"""Writing rated items in bulk."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.copy import copy_target, encode_frame
from coax.base.db import copy_in

COLUMNS: Final = (
    ("account_id", "int8"),
    ("run_id", "int8"),
    ("subscription_id", "int8"),
    ("service_id", "int8"),
    ("product_version_id", "int8"),
    ("price_version_id", "int8"),
    ("quantity", "int8"),
    ("price_micro", "int8"),
    ("charge_micro", "int8"),
    ("amount_off_micro", "int8"),
    ("base_micro", "int8"),
    ("discount_micro", "int8"),
    ("net_micro", "int8"),
    ("tax_micro", "int8"),
    ("total_micro", "int8"),
    ("tenant_id", "int4"),
    ("discount_ppm", "int4"),
    ("tax_ppm", "int4"),
    ("period_from", "date"),
    ("period_to", "date"),
    ("bucket", "int2"),
    ("line", "int2"),
    ("invoice_line", "int2"),
    ("rate_no", "int2"),
    ("tier_no", "int2"),
    ("generation", "int2"),
    ("whole_periods", "int2"),
    ("days", "int2"),
    ("period_days", "int2"),
    ("price_months", "int2"),
    ("price_days", "int2"),
    ("cycle_day", "int2"),
    ("is_tax_inclusive", "bool"),
    ("kind", "text"),
)


def copy_items(items: pl.DataFrame, *, using: str) -> None:
    """COPY rated items, which have all of COLUMNS."""
    copy_in(copy_target("rating_rated_item", COLUMNS), encode_frame(items, COLUMNS), using=using)
