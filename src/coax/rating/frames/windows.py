"""Rate periods ("windows") of due periods: whole ones are counted, what is not whole is prorated by its days.

Windows are counted back from the period's uncut end when that is a cycle date, else forward from its start:
the worked numbers are in docs/algorithms/proration.md.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from coax.rating.frames.calendar import (
    Days,
    Flags,
    Months,
    cycle_dates,
    days_of_month,
    last_cycle_months,
    months_of,
)
from coax.rating.frames.periods import Periods
from coax.rating.frames.refusals import Rows
from coax.rating.frames.services import PeriodTerms


@dataclass(frozen=True, slots=True)
class Turns:
    """Per period: the day of the month on which its windows turn, and a month in which one does."""

    cycle_day: Days
    month: Months


@dataclass(frozen=True, slots=True)
class WindowLengths:
    """Per period: the length of one window, in months or in days (the other is 0)."""

    months: Months
    days: Days


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Due periods, and where and how long the windows inside each are."""

    periods: Periods
    turns: Turns
    lengths: WindowLengths


@dataclass(frozen=True, slots=True)
class Segments:
    """Pieces of periods in order: `whole` windows, or `days` of one of `period_days` (1 when whole)."""

    period: Rows
    start: Days
    end: Days
    whole: Days
    days: Days
    period_days: Days

    def take(self, positions: Rows) -> Segments:
        """Return some of the segments."""
        return Segments(*(getattr(self, column.name)[positions] for column in fields(self)))


@dataclass(frozen=True, slots=True)
class _Cut:
    """Per period: a piece before its whole windows, these, a piece after them; 0 where there is none."""

    head_days: Days
    head_end: Days
    head_period_days: Days
    whole: Days
    whole_end: Days
    tail_days: Days
    tail_period_days: Days


def find_turns(periods: Periods, terms: PeriodTerms) -> Turns:
    """Return where the windows of each period turn.

    On the cycle when its uncut end or its start is a cycle date. A period of whole months with neither (its
    start moved off the cycle and no adjustment brings it back) turns on the start's own day, so a month
    stays a month.
    """
    cycle_day = terms.cycle_day[periods.row]
    month = months_of(periods.full_end)
    odd = np.flatnonzero(cycle_dates(month, cycle_day) != periods.full_end)
    if len(odd):
        start = periods.start[odd]
        is_off = cycle_dates(months_of(start), cycle_day[odd]) != start
        is_own = is_off & (terms.step_months[periods.row[odd]] > 0)
        cycle_day[odd] = np.where(is_own, days_of_month(start), cycle_day[odd])
        month[odd] = last_cycle_months(start, cycle_day[odd])
    return Turns(cycle_day, month)


def cut_windows(plan: WindowPlan) -> Segments:
    """Cut each period into segments, in order."""
    periods, lengths = plan.periods, plan.lengths
    cut = _cut_by_months(periods, plan.turns, np.maximum(lengths.months, np.int32(1)))
    by_days = np.flatnonzero(lengths.months == 0)
    if len(by_days):
        _cut_by_days(cut, periods.take(by_days), lengths.days[by_days], by_days)
    return _list_segments(periods, cut)


def _cut_by_months(periods: Periods, turns: Turns, months: Months) -> _Cut:
    first = _find_window(periods.start, turns, months)
    last = _find_window(periods.end, turns, months)
    lower, upper = cycle_dates(first, turns.cycle_day), cycle_dates(last, turns.cycle_day)
    has_head = periods.start > lower
    first_whole = first + months * has_head
    is_inside = last < first_whole  # the whole period lies inside one window
    head_end = np.where(is_inside, periods.end, cycle_dates(first_whole, turns.cycle_day))
    return _Cut(
        head_days=(head_end - periods.start) * has_head,
        head_end=head_end,
        head_period_days=_window_days(first, lower, turns, months, has_head),
        whole=np.maximum((last - first_whole) // months, np.int32(0)),
        whole_end=np.where(is_inside, periods.end, upper),
        tail_days=np.where(is_inside, np.int32(0), periods.end - upper),
        tail_period_days=_window_days(last, upper, turns, months, periods.end > upper),
    )


def _find_window(days: Days, turns: Turns, months: Months) -> Months:
    """Return the month in which the window holding each day starts."""
    latest = last_cycle_months(days, turns.cycle_day)
    return latest - (latest - turns.month) % months


def _window_days(start: Months, start_day: Days, turns: Turns, months: Months, is_asked: Flags) -> Days:
    """Return the days of the window that starts in a month; 1 where nobody asks."""
    days = np.ones(len(start), dtype=np.int32)
    asked = np.flatnonzero(is_asked)
    if len(asked):
        end = cycle_dates(start[asked] + months[asked], turns.cycle_day[asked])
        days[asked] = end - start_day[asked]
    return days


def _cut_by_days(cut: _Cut, periods: Periods, window_days: Days, positions: Rows) -> None:
    whole, tail = np.divmod(periods.end - periods.start, window_days)
    cut.head_days[positions] = 0
    cut.head_end[positions] = periods.start
    cut.whole[positions] = whole
    cut.whole_end[positions] = periods.end - tail
    cut.tail_days[positions] = tail
    cut.tail_period_days[positions] = window_days


def _list_segments(periods: Periods, cut: _Cut) -> Segments:
    has_head, has_whole, has_tail = cut.head_days > 0, cut.whole > 0, cut.tail_days > 0
    counts = has_head.astype(np.intp) + has_whole + has_tail
    place = np.cumsum(counts) - counts
    segments = _empty_segments(np.repeat(np.arange(len(counts)), counts))
    whole_start = np.where(has_head, cut.head_end, periods.start)
    heads, wholes, tails = np.flatnonzero(has_head), np.flatnonzero(has_whole), np.flatnonzero(has_tail)
    at = place[heads]
    segments.start[at], segments.end[at] = periods.start[heads], cut.head_end[heads]
    segments.days[at], segments.period_days[at] = cut.head_days[heads], cut.head_period_days[heads]
    at = (place + has_head)[wholes]
    segments.start[at], segments.end[at] = whole_start[wholes], cut.whole_end[wholes]
    segments.whole[at] = cut.whole[wholes]
    at = (place + has_head + has_whole)[tails]
    segments.start[at], segments.end[at] = cut.whole_end[tails], periods.end[tails]
    segments.days[at], segments.period_days[at] = cut.tail_days[tails], cut.tail_period_days[tails]
    return segments


def _empty_segments(period: Rows) -> Segments:
    total = len(period)
    return Segments(
        period=period,
        start=np.empty(total, dtype=np.int32),
        end=np.empty(total, dtype=np.int32),
        whole=np.zeros(total, dtype=np.int32),
        days=np.zeros(total, dtype=np.int32),
        period_days=np.ones(total, dtype=np.int32),
    )
