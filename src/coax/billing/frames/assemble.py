"""Invoicing and assembling (reference 4.2): items -> invoices per subscription -> one bill per account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from coax.base.money import MICRO
from coax.billing.frames.groups import Array, count_groups, find_starts, number_rows, sum_groups
from coax.billing.types import AssemblyRules, BillClassification

ACCOUNT: Final = "account_id"
INVOICE_KEYS: Final = ["account_id", "subscription_id"]
AMOUNTS: Final = ("net_micro", "tax_micro", "total_micro")


@dataclass(frozen=True, slots=True)
class Assembled:
    """`bills`: a row per account billed; `invoices`: one per subscription of it; `pending`: those under the minimum."""

    bills: pl.DataFrame
    invoices: pl.DataFrame
    pending: pl.DataFrame


def invoice(items: pl.DataFrame) -> pl.DataFrame:
    """Group rated items per subscription: one row per invoice or credit note to be, in exact micros.

    `items`: bucket, account_id, subscription_id, period_from, period_to, net_micro, tax_micro, total_micro, sorted
    by account and subscription. Invoices of an account are numbered from 1 (`invoice_line`).
    """
    starts = find_starts(items, INVOICE_KEYS)
    head = items[starts].select("bucket", *INVOICE_KEYS) if items.height else items.select("bucket", *INVOICE_KEYS)
    return head.with_columns(
        *_sums(items, starts),
        pl.Series("nonzero_items", sum_groups((items["total_micro"] != 0).cast(pl.Int64), starts), dtype=pl.Int64),
        pl.Series("items", count_groups(starts, items.height), dtype=pl.Int64),
        *_period(items, starts),
    ).with_columns(_numbers(head).alias("invoice_line"))


def _sums(rows: pl.DataFrame, starts: Array) -> list[pl.Series]:
    return [pl.Series(name, sum_groups(rows[name], starts), dtype=pl.Int64) for name in AMOUNTS]


def _period(rows: pl.DataFrame, starts: Array) -> list[pl.Series]:
    """Return the first day and the end of what each group covers."""
    ends = {"period_from": np.minimum, "period_to": np.maximum}
    days = {name: rows[name].to_physical().to_numpy() for name in ends}
    empty = np.zeros(0, np.int32)
    return [
        pl.Series(name, ends[name].reduceat(days[name], starts) if len(starts) else empty, dtype=pl.Int32).cast(pl.Date)
        for name in ends
    ]


def _numbers(invoices: pl.DataFrame) -> pl.Series:
    starts = find_starts(invoices, [ACCOUNT])
    return pl.Series(number_rows(starts, invoices.height), dtype=pl.Int16)


def assemble(invoices: pl.DataFrame, rules: AssemblyRules) -> Assembled:
    """Group invoices into one bill per account, round it, and set aside what is under the minimum (C3).

    Bills carry the exact micros, the rounding (R103, C4: on the absolute total) and `total_minor`; invoices their
    amount in minor units, which sum per bill to the bill's total.
    """
    bills = _bills(invoices, rules)
    is_pending = (pl.col("total_minor") >= 0) & (
        (pl.col("total_minor") < rules.minimum_debit_minor) | (pl.col("nonzero_items") == 0)
    )
    pending = bills.filter(is_pending)
    billed = bills.filter(~is_pending)
    kept = invoices.join(billed.select(ACCOUNT, "total_minor"), on=ACCOUNT, how="inner", maintain_order="left")
    return Assembled(bills=billed, invoices=_split_totals(kept, rules), pending=pending)


def classify(bills: pl.DataFrame, rules: AssemblyRules) -> pl.DataFrame:
    """Add `classification`: whether a bill asks for a second look (reference 4.4, C2: reaching counts).

    `bills`: total_minor, brought_forward_minor, credit_limit_minor (nullable).
    """
    credit = -pl.col("total_minor")
    is_large = pl.lit(value=False)
    if rules.maximum_credit_minor is not None:
        is_large |= (credit > 0) & (credit >= rules.maximum_credit_minor)
    if rules.minimum_credit_minor is not None:
        is_large |= (credit > 0) & (credit < rules.minimum_credit_minor)
    is_over = pl.lit(value=False)
    if rules.classify_over_credit_limit:
        is_over = (pl.col("brought_forward_minor") + pl.col("total_minor") > pl.col("credit_limit_minor")).fill_null(
            value=False
        )
    return bills.with_columns(
        pl.when(is_large)
        .then(pl.lit(BillClassification.MAX_CREDIT_AMOUNT_REACHED.value))
        .when(is_over)
        .then(pl.lit(BillClassification.MAX_CREDIT_LIMIT_AMOUNT_REACHED.value))
        .otherwise(pl.lit(BillClassification.NORMAL.value))
        .alias("classification")
    )


def _bills(invoices: pl.DataFrame, rules: AssemblyRules) -> pl.DataFrame:
    starts = find_starts(invoices, [ACCOUNT])
    head = invoices[starts] if invoices.height else invoices
    return (
        head.select("bucket", ACCOUNT)
        .with_columns(
            *_sums(invoices, starts),
            *(
                pl.Series(name, sum_groups(invoices[name], starts), dtype=pl.Int64)
                for name in ("items", "nonzero_items")
            ),
            *_period(invoices, starts),
            pl.Series("invoices", count_groups(starts, invoices.height), dtype=pl.Int16),
        )
        .with_columns(_rounded_minor(pl.col("total_micro"), rules).alias("total_minor"))
        .with_columns(
            (pl.col("total_minor") * _unit(rules.currency_scale) - pl.col("total_micro")).alias("rounding_micro")
        )
    )


def _unit(scale: int) -> int:
    """Return how many micros one unit of `scale` decimals holds."""
    return MICRO // int(10**scale)


def _rounded_minor(amount_micro: pl.Expr, rules: AssemblyRules) -> pl.Expr:
    """Round micros at the definition's decimal scale; the result is in the currency's minor units."""
    scale = min(rules.decimal_scale, rules.currency_scale)
    unit = _unit(scale)
    magnitude = amount_micro.abs()
    rounded = {
        "round_up": (magnitude + (unit - 1)) // unit,
        "round_down": magnitude // unit,
        "round_half_up": (magnitude * 2 + unit) // (2 * unit),
    }[rules.rounding_method]
    signed: pl.Expr = rounded * amount_micro.sign() * int(10 ** (rules.currency_scale - scale))
    return signed


def _split_totals(invoices: pl.DataFrame, rules: AssemblyRules) -> pl.DataFrame:
    """Give each invoice its minor units, so that they sum to the bill's total; one alone takes the whole of it."""
    unit = _unit(rules.currency_scale)
    starts = find_starts(invoices, [ACCOUNT])
    is_alone = pl.Series(
        "is_alone", np.repeat(count_groups(starts, invoices.height) == 1, count_groups(starts, invoices.height))
    )
    alone = invoices.filter(is_alone).with_columns(pl.col("total_minor").alias("amount_minor"))
    frames = [alone] if is_alone.all() else [alone, _share_total(invoices.filter(~is_alone), unit)]
    return (
        pl.concat(frames)
        .with_columns(
            (pl.col("amount_minor") * unit - pl.col("total_micro")).alias("rounding_micro"),
            half_up_minor(pl.col("net_micro"), unit).alias("net_minor"),
            half_up_minor(pl.col("tax_micro"), unit).alias("tax_minor"),
        )
        .with_columns((pl.col("amount_minor") - pl.col("net_minor") - pl.col("tax_minor")).alias("rounding_minor"))
        .drop("total_minor")
        .sort("bucket", *INVOICE_KEYS)
    )


def _share_total(invoices: pl.DataFrame, unit: int) -> pl.DataFrame:
    """Split a bill's total over its invoices: floor, then one unit at a time by largest remainder.

    Worked on the magnitude of a debit and, mirrored, of a credit bill, so both round alike. A bill rounded down
    below the sum of its floors takes the units back in the opposite order.
    """
    sign = pl.when(pl.col("total_minor") < 0).then(-1).otherwise(1)
    left, count = pl.col("left"), pl.col("count")
    return (
        invoices.lazy()
        .with_columns(sign.alias("sign"))
        .with_columns((pl.col("total_micro") * pl.col("sign")).alias("magnitude"))
        .with_columns((pl.col("magnitude") // unit).alias("floor"), (pl.col("magnitude") % unit).alias("remainder"))
        .with_columns(
            (pl.col("total_minor") * pl.col("sign") - pl.col("floor").sum().over(ACCOUNT)).alias("left"),
            pl.len().over(ACCOUNT).cast(pl.Int64).alias("count"),
            pl.col("remainder").rank("ordinal", descending=True).over(ACCOUNT).cast(pl.Int64).alias("rank"),
        )
        .with_columns((left // count + (pl.col("rank") <= left % count).cast(pl.Int64)).alias("extra"))
        .with_columns(((pl.col("floor") + pl.col("extra")) * pl.col("sign")).alias("amount_minor"))
        .drop("sign", "magnitude", "floor", "remainder", "left", "count", "rank", "extra")
        .collect()
    )


def half_up_minor(amount_micro: pl.Expr, unit: int) -> pl.Expr:
    """Round micros to minor units, halves away from zero."""
    return (amount_micro.abs() * 2 + unit) // (2 * unit) * amount_micro.sign()
