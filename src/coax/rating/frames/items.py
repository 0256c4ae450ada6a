"""Segments, prices and amounts as the frames that others read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from coax.rating.frames.amounts import AmountColumns, Terms
from coax.rating.frames.calendar import Ints
from coax.rating.frames.periods import Periods
from coax.rating.frames.prices import Prices
from coax.rating.frames.rates import Rates
from coax.rating.frames.refusals import Refusals
from coax.rating.frames.schemas import ADVANCE_SCHEMA, ITEM_SCHEMA, to_schema
from coax.rating.frames.stages import Staged, count_in_period
from coax.rating.frames.windows import WindowPlan


@dataclass(frozen=True, slots=True)
class Priced:
    """Per segment: price, what the amounts follow from, and the amounts."""

    prices: Prices
    quantity: Ints
    terms: Terms
    amounts: AmountColumns


def list_items(rates: Rates, plan: WindowPlan, staged: Staged, priced: Priced, refusals: Refusals) -> pl.DataFrame:
    """Return the items of services not refused, as a frame of `ITEM_SCHEMA`."""
    segments, period = staged.segments, staged.segments.period
    row = plan.periods.row.take(period)
    services = refusals.services
    columns = {
        "service_key": services["service_key"].to_numpy().take(row),
        "period_no": plan.periods.number.take(period),
        "segment_no": count_in_period(period),
        "period_from": segments.start,
        "period_to": segments.end,
        "whole_periods": segments.whole,
        "days": segments.days,
        "period_days": segments.period_days,
        "price_months": plan.lengths.months.take(period),
        "price_days": plan.lengths.days.take(period),
        "cycle_day": plan.turns.cycle_day.take(period),
        "rate_id": priced.prices.rate_id,
        "plan_key": rates.plan_key.take(staged.rate),
        "product_key": services["product_key"].to_numpy().take(row),
        "quantity": priced.quantity,
        "applied_per": rates.applied_per.take(staged.rate),
        "price_micro": priced.prices.price_micro,
        "charge_micro": priced.terms.charge_micro,
        "discount_ppm": priced.terms.discount_ppm,
        "amount_off_micro": priced.terms.amount_off_micro,
        "tax_class_key": services["tax_class_key"].to_numpy().take(row),
        "tax_ppm": priced.terms.tax_ppm,
        "is_tax_inclusive": priced.terms.is_tax_inclusive,
        "base_micro": priced.amounts.base_micro,
        "discount_micro": priced.amounts.discount_micro,
        "net_micro": priced.amounts.net_micro,
        "tax_micro": priced.amounts.tax_micro,
        "total_micro": priced.amounts.total_micro,
    }
    items = to_schema(columns, ITEM_SCHEMA)
    is_late = refusals.is_refused[row]
    return items.filter(~is_late) if is_late.any() else items


def list_advances(periods: Periods, refusals: Refusals) -> pl.DataFrame:
    """Return from where to where each service not refused is rated, as a frame of `ADVANCE_SCHEMA`."""
    if refusals.is_refused.any():
        periods = periods.take(np.flatnonzero(~refusals.is_refused[periods.row]))
    first = np.flatnonzero(np.diff(periods.row, prepend=-1))
    last = np.flatnonzero(np.diff(periods.row, append=-1))
    columns = {
        "service_key": refusals.services["service_key"].to_numpy().take(periods.row[first]),
        "rated_from": periods.start[first],
        "rated_to": periods.end[last],
    }
    return to_schema(columns, ADVANCE_SCHEMA)
