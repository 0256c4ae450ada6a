"""Post the invoices and credit notes of a task."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from coax.ledger.batch.journal import copy_entries, copy_transactions
from coax.ledger.frames import invoice_entries
from coax.ledger.types import TransactionKind


def post_invoices(
    *,
    invoices: pl.DataFrame,
    tenant_id: int,
    run_id: int,
    currency: str,
    transaction_date: date,
    posted_at: datetime,
    ledger_accounts: dict[str, int],
    using: str,
) -> None:
    """Append one financial transaction per invoice, and its legs, which sum to zero.

    `invoices`: bucket, account_id, subscription_id, invoice_line, due_date, signed amount_minor, net_minor,
    tax_minor, rounding_minor, rounding_micro. A negative one becomes a credit note of the amount.
    """
    if not invoices.height:
        return
    is_credit = pl.col("amount_minor") < 0
    sign = pl.when(is_credit).then(-1).otherwise(1)
    signed = ["amount_minor", "net_minor", "tax_minor", "rounding_minor", "rounding_micro"]
    common = [
        pl.lit(tenant_id, pl.Int32).alias("tenant_id"),
        pl.lit(run_id, pl.Int64).alias("origin_id"),
        pl.lit(currency).alias("currency"),
    ]
    transactions = invoices.with_columns(
        *common,
        *(pl.col(name) * sign for name in signed),
        pl.col("invoice_line").alias("line"),
        pl.lit(transaction_date).alias("transaction_date"),
        pl.lit(posted_at).dt.cast_time_unit("us").alias("posted_at"),
        pl.lit("").alias("reference"),
        pl.when(is_credit)
        .then(pl.lit(TransactionKind.CREDIT_NOTE.value))
        .otherwise(pl.lit(TransactionKind.INVOICE.value))
        .alias("kind"),
    )
    copy_transactions(transactions, using=using)
    buckets = invoices.select("account_id", "bucket").unique("account_id")
    entries = invoice_entries(invoices, ledger_accounts).join(
        buckets, on="account_id", how="left", maintain_order="left"
    )
    copy_entries(
        entries.with_columns(
            *common, pl.col("invoice_line").alias("line"), pl.lit(transaction_date).alias("booked_on")
        ),
        using=using,
    )
