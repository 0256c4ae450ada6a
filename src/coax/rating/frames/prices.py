"""The rate of each segment: plan and version in force, band by maturity or duration, tier by quantity.

Rates are looked up once per combination of keys and epoch, never by joining ranges over services.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from coax.rating.frames.calendar import Days, Ints
from coax.rating.frames.keys import find_combinations
from coax.rating.frames.rates import BAND_SHIFT, NO_END, Bands, Rates
from coax.rating.frames.refusals import Rows
from coax.rating.frames.services import column_int32
from coax.rating.frames.windows import Segments, WindowLengths, WindowPlan
from coax.rating.types import AppliedPer

NO_RATE = -1


@dataclass(frozen=True, slots=True)
class Prices:
    """Per segment: the tier's price per unit and its charge for all units of one whole rate period.

    `tier` is -1 where no tier holds the quantity. `peak_micro` x quantity bounds the charge, for the size
    check.
    """

    tier: Rows
    rate_id: Ints
    price_micro: Ints
    charge_micro: Ints
    peak_micro: Ints


def find_rates(rates: Rates, services: pl.DataFrame, rows: Rows, days: Days) -> Rows:
    """Return the rate in force on a day for the service in each row, `NO_RATE` where there is none.

    The service's plan comes first, its fallback plan where the first has no rate; inside a plan a rate for
    the very frequency wins over one for any. A free service without a rate takes the rate of zero.
    """
    names = ("plan_key", "fallback_plan_key", "product_key", "frequency_key")
    columns = [column_int32(services, name).take(rows) for name in names]
    found = find_combinations([*columns, rates.epochs.find(days)])
    keys = zip(*(column.tolist() for column in found.columns[:4]), strict=True)
    epoch_days = rates.epochs.days_in(found.columns[4]).tolist()
    lookup = [_find_rate(rates, key, day) for key, day in zip(keys, epoch_days, strict=True)]
    rate = np.array(lookup, dtype=np.intp).take(found.position)
    is_free = services["is_free"].to_numpy().take(rows)
    return np.where((rate == NO_RATE) & is_free, rates.free_rate, rate)


def _find_rate(rates: Rates, key: Sequence[int], day: int) -> int:
    plan, fallback, product, frequency = key
    for candidate in (plan, fallback):
        for asked in (frequency, -1):
            for start, end, rate in rates.by_key.get((candidate, product, asked), ()):
                if start <= day < end:
                    return rate
    return NO_RATE


def find_window_lengths(rates: Rates, rate: Rows, services: pl.DataFrame, rows: Rows) -> WindowLengths:
    """Return the length of a rate period; a rate that names none covers the billing frequency."""
    months, days = rates.months.take(rate), rates.days.take(rate)
    takes_frequency = (months == 0) & (days == 0)
    if takes_frequency.any():
        months = np.where(takes_frequency, column_int32(services, "frequency_months").take(rows), months)
        days = np.where(takes_frequency, column_int32(services, "frequency_days").take(rows), days)
    return WindowLengths(months, days)


def find_segment_rates(
    rates: Rates, services: pl.DataFrame, plan: WindowPlan, segments: Segments, period_rate: Rows
) -> Rows:
    """Return the rate of each segment: the version in force when it starts.

    A version whose rate periods are of another length takes over with the next due period, not within one.
    """
    rate = period_rate.take(segments.period)
    later = np.flatnonzero(segments.start != plan.periods.start.take(segments.period))
    if not len(later):
        return rate
    service_rows = plan.periods.row.take(segments.period[later])
    found = find_rates(rates, services, service_rows, segments.start[later])
    new, old = (find_window_lengths(rates, which, services, service_rows) for which in (found, rate[later]))
    is_same_length = (new.months == old.months) & (new.days == old.days)
    rate[later] = np.where(is_same_length | (found == NO_RATE), found, rate[later])
    return rate


def find_prices(rates: Rates, rate: Rows, band: Rows, quantity: Ints) -> Prices:
    """Return the price of each segment's tier and the charge of one whole rate period."""
    tiers = rates.bands.tiers
    tier = _find_tiers(rates.bands, band, quantity)
    is_per_item = rates.applied_per.take(rate) == AppliedPer.PERIOD_AND_ITEM.frame_code
    price = tiers.price_micro.take(tier)
    units = np.where(is_per_item, quantity - tiers.before.take(tier), 1)
    return Prices(
        tier=tier,
        rate_id=tiers.rate_id.take(tier),
        price_micro=price,
        charge_micro=tiers.lead_micro.take(tier) + price * units,
        peak_micro=tiers.peak_micro.take(tier),
    )


def _find_tiers(bands: Bands, band: Rows, quantity: Ints) -> Rows:
    tier = bands.only_tier.take(band)
    several = np.flatnonzero(tier < 0)
    if not len(several):
        return tier
    asked_band, asked = band[several].astype(np.int64), np.minimum(quantity[several], NO_END)
    found = np.searchsorted(bands.tiers.key, (asked_band << BAND_SHIFT) | asked, side="right") - 1
    is_inside = (bands.tiers.key[found] >> BAND_SHIFT == asked_band) & (asked < bands.tiers.end[found])
    tier[several] = np.where((found >= 0) & is_inside, found, -1)
    return tier
