"""Give new accounts their balance rows."""

from __future__ import annotations

import polars as pl

from coax.base.tenancy import RUN_ALIAS
from coax.ledger.batch import balances


def open_balances(*, rows: pl.DataFrame) -> None:
    """Open a balance of zero for each account of `rows` (bucket, account_id, tenant_id), in the open transaction."""
    balances.write_zero_balances(rows, using=RUN_ALIAS)


def refresh_balance_statistics() -> None:
    """Analyse the balance rows; call it after the transaction that loaded them."""
    balances.refresh_statistics()
