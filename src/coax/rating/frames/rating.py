"""Services and configuration in, rated items and refusals out: the one composition of the frame functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from coax.rating.frames.amounts import Parts, Terms, compute_amounts, is_too_large
from coax.rating.frames.discounts import Conditions, Discounted, Discounts, compile_discounts, find_discounts
from coax.rating.frames.items import Priced, list_advances, list_items
from coax.rating.frames.periods import Periods, list_due_periods
from coax.rating.frames.prices import (
    NO_RATE,
    Prices,
    find_prices,
    find_rates,
    find_segment_rates,
    find_window_lengths,
)
from coax.rating.frames.rates import Rates, compile_rates
from coax.rating.frames.refusals import Refusals, Rows
from coax.rating.frames.schemas import (
    ADVANCE_SCHEMA,
    DISCOUNT_NULLABLE,
    DISCOUNT_SCHEMA,
    ITEM_SCHEMA,
    RATE_NULLABLE,
    RATE_SCHEMA,
    REFUSED_SCHEMA,
    SERVICE_NULLABLE,
    SERVICE_SCHEMA,
    TAX_NULLABLE,
    TAX_SCHEMA,
    conform,
)
from coax.rating.frames.services import column_int32, column_int64, read_period_terms
from coax.rating.frames.stages import Staged, split_by_band
from coax.rating.frames.taxes import NO_TAX_RATE, Taxes, compile_taxes, find_tax_rates
from coax.rating.frames.windows import WindowPlan, cut_windows, find_turns
from coax.rating.types import AppliedPer, RefusalReason

# Services rated at a time: the columns of one chunk stay in the processor's cache and memory stays bounded.
CHUNK_SERVICES = 65_536


@dataclass(frozen=True, slots=True)
class Rated:
    """What rating gives: items, the services moved forward, the services refused.

    `items` is of `ITEM_SCHEMA`, `advances` of `ADVANCE_SCHEMA`, `refused` of `REFUSED_SCHEMA`. A service
    has either items and one advance, or one refusal, or nothing because nothing is due.
    """

    items: pl.DataFrame
    advances: pl.DataFrame
    refused: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Tariff:
    """Rates, discounts and taxes checked and ordered for look-up; made once, used for any number of services."""

    rates: Rates
    discounts: Discounts
    taxes: Taxes


def rate(
    services: pl.DataFrame, rates: pl.DataFrame, discounts: pl.DataFrame, taxes: pl.DataFrame, *, as_of: date
) -> Rated:
    """Rate every service that is due as of a day; frames are of the `*_SCHEMA`s, money in micros.

    Raises:
        FrameSchemaMismatch: if a frame is not of its schema.
        InvalidRates: if rate rows contradict each other; InvalidDiscounts, InvalidTaxes: if one is out of
        range. AsOfOutOfRange: if `as_of` is beyond the calendar.
    """
    return rate_by_tariff(services, compile_tariff(rates, discounts, taxes), as_of=as_of)


def compile_tariff(rates: pl.DataFrame, discounts: pl.DataFrame, taxes: pl.DataFrame) -> Tariff:
    """Check and order rates, discounts and taxes, which are of their `*_SCHEMA`s.

    Raises: FrameSchemaMismatch, InvalidRates, InvalidDiscounts, InvalidTaxes.
    """
    return Tariff(
        compile_rates(conform(rates, RATE_SCHEMA, name="rates", nullable=RATE_NULLABLE)),
        compile_discounts(conform(discounts, DISCOUNT_SCHEMA, name="discounts", nullable=DISCOUNT_NULLABLE)),
        compile_taxes(conform(taxes, TAX_SCHEMA, name="taxes", nullable=TAX_NULLABLE)),
    )


def rate_by_tariff(services: pl.DataFrame, tariff: Tariff, *, as_of: date) -> Rated:
    """Rate every service that is due as of a day, as `rate` does. Raises: FrameSchemaMismatch, AsOfOutOfRange."""
    services = conform(services, SERVICE_SCHEMA, name="services", nullable=SERVICE_NULLABLE)
    chunks = [_rate_chunk(chunk, tariff, as_of) for chunk in services.iter_slices(CHUNK_SERVICES)]
    return Rated(
        items=pl.concat([pl.DataFrame(schema=ITEM_SCHEMA), *(chunk.items for chunk in chunks)]),
        advances=pl.concat([pl.DataFrame(schema=ADVANCE_SCHEMA), *(chunk.advances for chunk in chunks)]),
        refused=pl.concat([pl.DataFrame(schema=REFUSED_SCHEMA), *(chunk.refused for chunk in chunks)]),
    )


def _rate_chunk(services: pl.DataFrame, tariff: Tariff, as_of: date) -> Rated:
    refusals = Refusals.of(services)
    plan, period_rate = _plan_periods(tariff.rates, refusals, as_of)
    staged = _cut_periods(tariff.rates, plan, period_rate, refusals)
    priced = _price_segments(tariff, plan.periods, staged, refusals)
    items = list_items(tariff.rates, plan, staged, priced, refusals)
    return Rated(items, list_advances(plan.periods, refusals), refusals.to_frame())


def _plan_periods(rates: Rates, refusals: Refusals, as_of: date) -> tuple[WindowPlan, Rows]:
    """Return the due periods with their windows, and the rate in force when each starts."""
    services = refusals.services
    terms = read_period_terms(services)
    periods = list_due_periods(services, terms, refusals, as_of=as_of)
    rate = find_rates(rates, services, periods.row, periods.start)
    _refuse_without_price(refusals, periods.row[rate == NO_RATE])
    if (rate == NO_RATE).any():
        kept = np.flatnonzero(~refusals.is_refused[periods.row])
        periods, rate = periods.take(kept), rate[kept]
    lengths = find_window_lengths(rates, rate, services, periods.row)
    return WindowPlan(periods, find_turns(periods, terms), lengths), rate


def _cut_periods(rates: Rates, plan: WindowPlan, period_rate: Rows, refusals: Refusals) -> Staged:
    """Return the segments with the rate and band of each; one without a rate is refused and left out."""
    segments = cut_windows(plan)
    rate = find_segment_rates(rates, refusals.services, plan, segments, period_rate)
    missing = rate == NO_RATE
    if missing.any():
        _refuse_without_price(refusals, plan.periods.row[segments.period[missing]])
        kept = np.flatnonzero(~missing)
        segments, rate = segments.take(kept), rate[kept]
    return split_by_band(rates, refusals.services, plan, segments, rate)


def _price_segments(tariff: Tariff, periods: Periods, staged: Staged, refusals: Refusals) -> Priced:
    services, segments = refusals.services, staged.segments
    row = periods.row.take(segments.period)
    quantity = column_int64(services, "quantity").take(row)
    prices = find_prices(tariff.rates, staged.rate, staged.band, quantity)
    _refuse_without_price(refusals, row[prices.tier < 0])
    prices = _override(tariff.rates, services, row, staged.rate, prices)
    parts = Parts(segments.whole, segments.days, segments.period_days)
    too_large = is_too_large(prices.peak_micro, quantity, parts)
    _refuse_too_large(refusals, row[too_large])
    tax_class = column_int32(services, "tax_class_key").take(row)
    tax_ppm = find_tax_rates(tariff.taxes, tax_class, segments.start)
    _refuse_without_tax_rate(refusals, row[tax_ppm == NO_TAX_RATE])
    discounted = _find_discounts(tariff, services, row, staged)
    terms = Terms(
        charge_micro=np.where(too_large, 0, prices.charge_micro),
        discount_ppm=discounted.discount_ppm,
        amount_off_micro=discounted.amount_off_micro,
        tax_ppm=np.maximum(tax_ppm, 0),
        is_tax_inclusive=tariff.rates.is_tax_inclusive.take(staged.rate).astype(np.bool_),
    )
    return Priced(prices, quantity, terms, compute_amounts(terms, parts))


def _override(rates: Rates, services: pl.DataFrame, row: Rows, rate: Rows, prices: Prices) -> Prices:
    """Put the agreed price of flexible pricing, or zero for a free service, in place of the plan's price."""
    agreed = column_int64(services, "agreed_price_micro").take(row)
    agreed = np.where(services["is_free"].to_numpy().take(row), 0, agreed)
    some = np.flatnonzero(agreed >= 0)
    if len(some):
        is_per_item = rates.applied_per.take(rate[some]) == AppliedPer.PERIOD_AND_ITEM.frame_code
        quantity = column_int64(services, "quantity").take(row[some])
        prices.price_micro[some] = prices.peak_micro[some] = agreed[some]
        prices.charge_micro[some] = agreed[some] * np.where(is_per_item, quantity, 1)
    return prices


def _find_discounts(tariff: Tariff, services: pl.DataFrame, row: Rows, staged: Staged) -> Discounted:
    conditions = Conditions(
        plan_key=tariff.rates.plan_key.take(staged.rate),
        product_key=column_int32(services, "product_key").take(row),
        frequency_key=column_int32(services, "frequency_key").take(row),
        classification_key=column_int32(services, "classification_key").take(row),
        quantity=column_int64(services, "quantity").take(row),
        binding_months=column_int32(services, "binding_months").take(row),
        start=staged.segments.start,
    )
    return find_discounts(tariff.discounts, conditions, column_int32(services, "extra_discount_ppm").take(row))


def _refuse_without_price(refusals: Refusals, rows: Rows) -> None:
    detail = pl.format(
        "product {} has no price in plan {} (fallback {}) for frequency {} and quantity {}",
        "product_key",
        "plan_key",
        "fallback_plan_key",
        "frequency_key",
        "quantity",
    )
    refusals.refuse(rows, RefusalReason.NO_PRICE, detail)


def _refuse_without_tax_rate(refusals: Refusals, rows: Rows) -> None:
    detail = pl.format("tax class {} of product {} has no rate in force", "tax_class_key", "product_key")
    refusals.refuse(rows, RefusalReason.NO_TAX_RATE, detail)


def _refuse_too_large(refusals: Refusals, rows: Rows) -> None:
    detail = pl.format("price of product {} x quantity {} is too large", "product_key", "quantity")
    refusals.refuse(rows, RefusalReason.AMOUNT_TOO_LARGE, detail)
