"""Store the bills and the outcomes of a task."""

from __future__ import annotations

import polars as pl

from coax.billing.batch.documents import copy_bills, copy_outcomes


def store_bills(*, bills: pl.DataFrame, tenant_id: int, run_id: int, using: str) -> None:
    """Append bills in the open transaction; an account's second bill of a run violates the primary key."""
    if bills.height:
        keyed = bills.with_columns(
            pl.lit(tenant_id, pl.Int32).alias("tenant_id"), pl.lit(run_id, pl.Int64).alias("run_id")
        )
        copy_bills(keyed, using=using)


def store_outcomes(*, outcomes: pl.DataFrame, tenant_id: int, run_id: int, using: str) -> None:
    """Append what the run did not bill: bucket, account_id, service_id, outcome, reason, detail, amount_micro."""
    if outcomes.height:
        keyed = outcomes.sort("bucket", "account_id", "service_id").with_columns(
            pl.int_range(1, pl.len() + 1).over("account_id").cast(pl.Int16).alias("line"),
            pl.lit(tenant_id, pl.Int32).alias("tenant_id"),
            pl.lit(run_id, pl.Int64).alias("run_id"),
        )
        copy_outcomes(keyed, using=using)
