"""Store the rated items of a task."""

from __future__ import annotations

import polars as pl

from coax.rating.batch import copy_items


def store_items(*, items: pl.DataFrame, tenant_id: int, run_id: int, using: str) -> None:
    """Append rated items in the open transaction; a day charged twice violates `rated_item_day_is_charged_once`."""
    if items.height:
        keyed = items.with_columns(
            pl.lit(tenant_id, pl.Int32).alias("tenant_id"),
            pl.lit(run_id, pl.Int64).alias("run_id"),
            pl.col("rate_no", "tier_no").fill_null(-1),
        )
        copy_items(keyed, using=using)
