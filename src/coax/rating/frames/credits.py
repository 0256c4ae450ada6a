"""Credits for time charged but no longer used: minus (what stands charged - the charge for the used part).

The used part of an item is charged by the item's own stored terms, so charge + credit is to the unit what
the used part costs; a credit may be followed by a further one. See docs/algorithms/proration.md.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from coax.rating.frames.amounts import AmountColumns, Parts, Terms, compute_amounts
from coax.rating.frames.calendar import Days, Flags, cycle_dates, last_cycle_months, months_of
from coax.rating.frames.schemas import CREDIT_INPUT_SCHEMA, CREDIT_SCHEMA, conform, to_schema
from coax.rating.frames.services import column_days, column_int32, column_int64

_AMOUNTS = ("base_micro", "discount_micro", "net_micro", "tax_micro", "total_micro")


def compute_credits(charges: pl.DataFrame) -> pl.DataFrame:
    """Return the credits (`CREDIT_SCHEMA`) of charged items (`CREDIT_INPUT_SCHEMA`) whose service ended.

    An item from its end on is credited entirely; one charged only up to `effective_to` or before gives no
    row.

    Raises:
        FrameSchemaMismatch: if the frame is not of its schema.
    """
    charges = conform(charges, CREDIT_INPUT_SCHEMA, name="charges")
    charges = charges.filter(
        pl.col("effective_to") < pl.col("charged_to"), pl.col("period_from") < pl.col("charged_to")
    )
    used_to = np.maximum(column_days(charges, "effective_to"), column_days(charges, "period_from"))
    used = _find_used_parts(charges, used_to)
    stands = _charge_up_to(charges, column_days(charges, "charged_to"))
    remains = _charge_up_to(charges, used_to)
    columns = {
        "item_key": charges["item_key"].to_numpy(),
        "period_from": used_to,
        "period_to": column_days(charges, "charged_to"),
        "used_whole_periods": used.whole,
        "used_days": used.days,
        "used_period_days": used.period_days,
    }
    amounts = {name: getattr(remains, name) - getattr(stands, name) for name in _AMOUNTS}
    return to_schema({**columns, **amounts}, CREDIT_SCHEMA)


def _charge_up_to(charges: pl.DataFrame, end: Days) -> AmountColumns:
    """Return the amounts of [period_from, end): the stored ones when the end is the item's own."""
    recomputed = compute_amounts(_read_terms(charges), _find_used_parts(charges, end))
    is_whole = end >= column_days(charges, "period_to")
    amounts = (np.where(is_whole, column_int64(charges, name), getattr(recomputed, name)) for name in _AMOUNTS)
    return AmountColumns(*amounts)


def _read_terms(charges: pl.DataFrame) -> Terms:
    return Terms(
        charge_micro=column_int64(charges, "charge_micro"),
        discount_ppm=column_int64(charges, "discount_ppm"),
        amount_off_micro=column_int64(charges, "amount_off_micro"),
        tax_ppm=column_int64(charges, "tax_ppm"),
        is_tax_inclusive=charges["is_tax_inclusive"].to_numpy(),
    )


def _find_used_parts(charges: pl.DataFrame, end: Days) -> Parts:
    """Return the rate periods in [period_from, end), counted forward from the item's first day.

    A piece of one rate period keeps that period's days; whole ones are counted on their cycle day.
    """
    start = column_days(charges, "period_from")
    is_piece = column_int32(charges, "whole_periods") == 0
    whole, days, period_days = _count_whole(charges, start, np.maximum(end, start))
    days = np.where(is_piece, np.maximum(end, start) - start, days)
    period_days = np.where(is_piece, column_int32(charges, "period_days"), period_days)
    return Parts(np.where(is_piece, np.int32(0), whole), days, np.where(days > 0, period_days, np.int32(1)))


def _count_whole(charges: pl.DataFrame, start: Days, end: Days) -> tuple[Days, Days, Days]:
    months, window_days = column_int32(charges, "price_months"), column_int32(charges, "price_days")
    by_months = _count_by_months(column_int32(charges, "cycle_day"), np.maximum(months, 1), start, end)
    counted_days = np.maximum(window_days, np.int32(1))
    by_days = (*np.divmod(end - start, counted_days), counted_days)
    is_months: Flags = months > 0
    whole, days, period_days = (
        np.where(is_months, left, right) for left, right in zip(by_months, by_days, strict=True)
    )
    return whole, days, period_days


def _count_by_months(cycle_day: Days, months: Days, start: Days, end: Days) -> tuple[Days, Days, Days]:
    first = months_of(start)
    whole = (last_cycle_months(end, cycle_day) - first) // months
    turn, next_turn = (cycle_dates(first + (whole + more) * months, cycle_day) for more in (0, 1))
    return whole, end - turn, next_turn - turn
