"""The service columns as arrays, and which services carry values that no rule can work with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from coax.rating.frames.calendar import OPEN_DAY, Days, Flags, Ints, Months, is_in_calendar
from coax.rating.frames.refusals import Refusals, Rows
from coax.rating.types import PPM, AdvanceMode, CycleAdjustment, RefusalReason

STEP_MONTHS_MAX = 600
STEP_DAYS_MAX = 18_300
CYCLE_DAY_MAX = 31


@dataclass(frozen=True, slots=True)
class PeriodTerms:
    """What decides the due periods of each service; `rated_up_to` and the like in days since 1970-01-01.

    `cycle_day` is the effective one (the anchor day of a pre-billed service without adjustment).
    `step_months` or `step_days` is what one period adds; `goes_to_cycle` marks those that run to the next
    cycle date when they start off the cycle; `adjustment` is none wherever an end is not adjusted.
    """

    rated_up_to: Days
    effective_to: Days
    cycle_day: Days
    step_months: Months
    step_days: Days
    is_post_billed: Flags
    goes_to_cycle: Flags
    adjustment: Days

    def take(self, rows: Rows) -> PeriodTerms:
        """Return the terms of some rows."""
        return PeriodTerms(*(getattr(self, column.name)[rows] for column in fields(self)))


def column_days(frame: pl.DataFrame, name: str) -> Days:
    """Return a date column as days since 1970-01-01; empty is `OPEN_DAY`."""
    series = frame[name].to_physical()
    if series.null_count():
        series = series.fill_null(int(OPEN_DAY))
    return series.to_numpy()


def column_int32(frame: pl.DataFrame, name: str) -> Days:
    """Return an integer column of at most 32 bits."""
    return frame[name].to_numpy().astype(np.int32, copy=False)


def column_int64(frame: pl.DataFrame, name: str) -> Ints:
    """Return an integer column; empty is -1."""
    return frame[name].fill_null(-1).to_numpy().astype(np.int64, copy=False)


def read_period_terms(services: pl.DataFrame) -> PeriodTerms:
    """Work out what one period of each service adds, from frequency, advance, adjustment and billing type."""
    frequency_months = column_int32(services, "frequency_months")
    frequency_days = column_int32(services, "frequency_days")
    advance_mode = column_int32(services, "advance_mode")
    adjustment = column_int32(services, "adjustment")
    is_post = services["is_post_billed"].to_numpy()
    goes_to_cycle = is_post | (advance_mode == AdvanceMode.UP_TO_NEXT_CYCLE_DATE.frame_code)
    is_fixed = ~is_post & (advance_mode == AdvanceMode.FIXED_PERIOD.frame_code)
    has_no_cycle = goes_to_cycle | (frequency_months == 0)
    none = np.int32(CycleAdjustment.NONE.frame_code)
    is_anchored = ~goes_to_cycle & (adjustment == none)
    advance_months = column_int32(services, "advance_months")
    advance_days = np.where(advance_months > 0, np.int32(0), column_int32(services, "advance_days"))
    cycle_day, anchor_day = column_int32(services, "cycle_day"), column_int32(services, "anchor_day")
    return PeriodTerms(
        rated_up_to=column_days(services, "rated_up_to"),
        effective_to=column_days(services, "effective_to"),
        cycle_day=np.where(is_anchored, anchor_day, cycle_day),
        step_months=np.where(is_fixed, advance_months, frequency_months),
        step_days=np.where(is_fixed, advance_days, frequency_days),
        is_post_billed=is_post,
        goes_to_cycle=goes_to_cycle,
        adjustment=np.where(has_no_cycle, none, adjustment),
    )


def refuse_invalid(refusals: Refusals, terms: PeriodTerms, rows: Rows) -> Rows:
    """Refuse those rows whose values are out of range, and return the others."""
    for name, is_bad in _find_bad_values(refusals.services[rows], terms.take(rows)):
        if is_bad.any():
            detail = pl.format(f"{name} is out of range: {{}}", pl.col(name).cast(pl.String).fill_null("empty"))
            refusals.refuse(rows[is_bad], RefusalReason.INVALID_INPUT, detail)
    return rows[~refusals.is_refused[rows]]


def _find_bad_values(services: pl.DataFrame, terms: PeriodTerms) -> Iterator[tuple[str, Flags]]:
    yield "rated_up_to", ~is_in_calendar(terms.rated_up_to)
    yield "cycle_day", (terms.cycle_day < 1) | (terms.cycle_day > CYCLE_DAY_MAX)
    frequency = column_int32(services, "frequency_months"), column_int32(services, "frequency_days")
    yield "frequency_months", _is_bad_step(*frequency)
    yield "advance_months", _is_bad_step(terms.step_months, terms.step_days)
    yield "quantity", column_int64(services, "quantity") < 1
    yield "agreed_price_micro", services["agreed_price_micro"].fill_null(0).to_numpy() < 0
    discount = column_int32(services, "extra_discount_ppm")
    yield "extra_discount_ppm", (discount < 0) | (discount > PPM)
    for name in ("service_start", "binding_start", "agreement_date"):
        days = column_days(services, name)
        yield name, ~is_in_calendar(days) & ((days != OPEN_DAY) | (name == "service_start"))


def _is_bad_step(months: Months, days: Days) -> Flags:
    is_one_unit = (months > 0) ^ (days > 0)
    is_bounded = (months >= 0) & (months <= STEP_MONTHS_MAX) & (days >= 0) & (days <= STEP_DAYS_MAX)
    return ~(is_one_unit & is_bounded)
