"""Tiers that time decides: whole windows are split where they reach another band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from coax.rating.frames.calendar import (
    OPEN_DAY,
    Days,
    Flags,
    Ints,
    Months,
    count_whole_months,
    cycle_dates,
    months_of,
)
from coax.rating.frames.rates import BAND_SHIFT, Rates
from coax.rating.frames.refusals import Rows
from coax.rating.frames.services import column_days
from coax.rating.frames.windows import Segments, WindowPlan
from coax.rating.types import MaturityStart, RateModel, TierBasis


@dataclass(frozen=True, slots=True)
class Staged:
    """Segments cut where their band changes, with rate and band of each."""

    segments: Segments
    rate: Rows
    band: Rows


def split_by_band(rates: Rates, services: pl.DataFrame, plan: WindowPlan, segments: Segments, rate: Rows) -> Staged:
    """Split whole windows where the band of their rate changes; all else stays as it is."""
    only_band = rates.only_band.take(rate)
    if (only_band >= 0).all():
        return Staged(segments, rate, only_band)
    ordinal, in_period = _number_windows(segments)
    model, basis = rates.model.take(rate), rates.basis.take(rate)
    is_duration = model == RateModel.DURATION.frame_code
    is_graduated = basis == TierBasis.GRADUATED.frame_code
    is_changing = (only_band < 0) & (~is_duration | is_graduated) & (segments.whole > 1)
    pieces, source = _split_windows(segments, plan, is_changing)
    piece_ordinal = ordinal[source] + _count_before(source)
    duration = np.where(is_graduated[source], piece_ordinal, in_period[source])
    starts = _read_maturity_starts(services, plan.periods.row)
    maturity = _count_maturity(pieces, rates.maturity_start.take(rate)[source], starts)
    stage = np.where(is_duration[source], duration, maturity).astype(np.int64)
    return _merge_pieces(pieces, source, rate[source], _find_bands(rates, rate[source], stage))


def _find_bands(rates: Rates, rate: Rows, stage: Ints) -> Rows:
    """Return the band of each rate at a stage: months of maturity or rate periods of duration."""
    band = rates.only_band.take(rate)
    several = np.flatnonzero(band < 0)
    if len(several):
        key = (rate[several].astype(np.int64) << BAND_SHIFT) | stage[several]
        band[several] = np.searchsorted(rates.bands.key, key, side="right") - 1
    return band


def _number_windows(segments: Segments) -> tuple[Ints, Ints]:
    """Return the number of each segment's first window, from 1, and of the windows in its period."""
    windows = segments.whole.astype(np.int64) + (segments.days > 0)
    running = np.cumsum(windows)
    is_first = np.diff(segments.period, prepend=-1) != 0
    first = np.flatnonzero(is_first)
    totals = np.add.reduceat(windows, first)
    position = np.cumsum(is_first) - 1
    before_period = (running - windows)[first]
    return running - windows - before_period[position] + 1, totals[position]


def _count_before(source: Rows) -> Ints:
    """Return for sorted positions how many equal ones stand before each."""
    order = np.arange(len(source))
    is_first = np.diff(source, prepend=-1) != 0
    return order - np.maximum.accumulate(np.where(is_first, order, 0))


def _split_windows(segments: Segments, plan: WindowPlan, is_split: Flags) -> tuple[Segments, Rows]:
    """Return the segments, the marked ones cut into single windows, and where each piece is from."""
    count = np.where(is_split, segments.whole, 1)
    source = np.repeat(np.arange(len(count)), count)
    pieces = segments.take(source)
    cut = np.flatnonzero(is_split[source])
    if len(cut):
        period = pieces.period[cut]
        first = segments.start[source[cut]]
        number = _count_before(source)[cut].astype(np.int32)
        pieces.start[cut] = _find_window_starts(plan, period, first, number)
        pieces.end[cut] = _find_window_starts(plan, period, first, number + np.int32(1))
        pieces.whole[cut] = 1
    return pieces, source


def _find_window_starts(plan: WindowPlan, period: Rows, first: Days, number: Days) -> Days:
    """Return the start of the window that many windows after the one that starts on `first`."""
    months, days = plan.lengths.months[period], plan.lengths.days[period]
    by_months = cycle_dates(months_of(first) + number * months, plan.turns.cycle_day[period])
    return np.where(months > 0, by_months, first + number * days)


def _count_maturity(pieces: Segments, maturity_start: Days, starts: dict[int, Days]) -> Months:
    since = np.select([maturity_start == code for code in starts], [days[pieces.period] for days in starts.values()])
    return count_whole_months(since.astype(np.int32), pieces.start)


def _merge_pieces(pieces: Segments, source: Rows, rate: Rows, band: Rows) -> Staged:
    is_new = (np.diff(source, prepend=-1) != 0) | (np.diff(band, prepend=-1) != 0)
    first = np.flatnonzero(is_new)
    last = np.append(first[1:], len(source)) - 1
    merged = pieces.take(first)
    merged.end[:] = pieces.end[last]
    merged.whole[:] = np.add.reduceat(pieces.whole, first)
    return Staged(merged, rate[first], band[first])


def _read_maturity_starts(services: pl.DataFrame, rows: Rows) -> dict[int, Days]:
    """Return the first day of maturity per `maturity_start`; the service start stands in for an empty one."""
    service_start = column_days(services, "service_start")
    names = {
        MaturityStart.SERVICE_EFFECTIVE_DATE: "service_start",
        MaturityStart.BINDING_START_DATE: "binding_start",
        MaturityStart.AGREEMENT_DATE: "agreement_date",
    }
    starts = {}
    for member, name in names.items():
        days = column_days(services, name)
        starts[member.frame_code] = np.where(days == OPEN_DAY, service_start, days).take(rows)
    return starts


def count_in_period(period: Rows) -> npt.NDArray[np.int32]:
    """Return the number of each segment within its period, from 0."""
    return _count_before(period).astype(np.int32)
