"""The legs of invoices and credit notes."""

from __future__ import annotations

import polars as pl


def invoice_entries(invoices: pl.DataFrame, ledger_accounts: dict[str, int]) -> pl.DataFrame:
    """Return the legs: receivable against revenue, tax and rounding, zero legs left out.

    `invoices`: account_id, invoice_line, amount_minor, net_minor, tax_minor, rounding_minor, signed (a credit note
    is negative). `ledger_accounts`: kind -> key. Legs carry seq 1..4 by their place, debits positive.
    """
    legs = [("receivable", "amount_minor", 1), ("revenue", "net_minor", -1), ("tax", "tax_minor", -1)]
    legs.append(("rounding", "rounding_minor", -1))
    frames = [
        invoices.select(
            "account_id",
            "invoice_line",
            pl.lit(seq, pl.Int16).alias("seq"),
            pl.lit(ledger_accounts[kind], pl.Int32).alias("ledger_account_id"),
            (pl.col(amount) * sign).alias("amount_minor"),
        ).filter(pl.col("amount_minor") != 0)
        for seq, (kind, amount, sign) in enumerate(legs, start=1)
    ]
    return pl.concat(frames).sort("account_id", "invoice_line", "seq")
