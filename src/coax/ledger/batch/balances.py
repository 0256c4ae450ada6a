"""Write balance rows in bulk."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.copy import Columns, copy_target, encode_frame
from coax.base.db import copy_in, execute

COUNTERS: Final = (
    "balance_minor",
    "unallocated_minor",
    "last_bill_run_id",
    "debited_since_bill_minor",
    "credited_since_bill_minor",
)
BALANCE_COLUMNS: Final[Columns] = (
    ("bucket", "int2"),
    ("account_id", "int8"),
    ("tenant_id", "int4"),
    *((name, "int8") for name in COUNTERS),
)


def write_zero_balances(rows: pl.DataFrame, *, using: str) -> None:
    """Write a balance row of zero for each of `rows` (bucket, account_id, tenant_id)."""
    zeros = [pl.lit(0, pl.Int64).alias(name) for name in COUNTERS]
    frame = rows.sort("bucket", "account_id").with_columns(zeros)
    copy_in(
        copy_target("ledger_account_balance", BALANCE_COLUMNS),
        encode_frame(frame, BALANCE_COLUMNS),
        using=using,
    )


def refresh_statistics() -> None:
    """Tell the planner what the table holds now; needs its owner, outside the transaction that loaded it."""
    execute("ANALYZE ledger_account_balance", using="owner")
