"""Move the balances of billed accounts."""

from __future__ import annotations

import polars as pl

from coax.ledger.batch import balance_moves


def move_balances(*, bills: pl.DataFrame, tenant_id: int, run_id: int, using: str) -> bool:
    """Add bills to balances by compare-and-set; False when an account no longer stands as it was read.

    `bills`: bucket, account_id, total_minor, and as read: balance_minor, unallocated_minor,
    debited_between_minor, credited_between_minor, previous_run_id, revision. On False the caller rolls back.
    """
    if not bills.height:
        return True
    return balance_moves.move_balances(bills, tenant_id=tenant_id, run_id=run_id, using=using) == bills.height
