"""Due periods: which days of each service are to be billed as of a day, caught up period by period.

The rules and worked cases are in docs/algorithms/proration.md (reference 4.5, R95, R100, decisions C7 and
C8).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from typing import ClassVar

import numpy as np
import polars as pl

from coax.base.errors import DomainError
from coax.rating.frames.calendar import (
    LAST_YEAR,
    Days,
    cycle_dates,
    day_number,
    days_of_month,
    first_cycle_dates_on_or_after,
    last_cycle_months,
    months_of,
)
from coax.rating.frames.refusals import Refusals, Rows
from coax.rating.frames.schemas import PERIOD_SCHEMA, SERVICE_NULLABLE, SERVICE_SCHEMA, conform, to_schema
from coax.rating.frames.services import PeriodTerms, column_days, read_period_terms, refuse_invalid
from coax.rating.types import CycleAdjustment, RefusalReason

MAX_PERIODS_PER_RUN = 400


class AsOfOutOfRange(DomainError):
    """Billing as of a day so late that its periods would leave the calendar."""

    code: ClassVar[str] = "as_of_out_of_range"


@dataclass(frozen=True, slots=True)
class Periods:
    """Due periods: `row` in the services frame, number within the service, start, end, uncut end."""

    row: Rows
    number: Days
    start: Days
    end: Days
    full_end: Days

    def take(self, positions: Rows) -> Periods:
        """Return some of the periods."""
        return Periods(*(getattr(self, column.name)[positions] for column in fields(self)))


def find_due_periods(services: pl.DataFrame, *, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the due periods (`PERIOD_SCHEMA`) and the refused services (`REFUSED_SCHEMA`).

    Raises:
        FrameSchemaMismatch: if the frame is not of `SERVICE_SCHEMA`.
        AsOfOutOfRange: if `as_of` is after `LAST_YEAR`.
    """
    services = conform(services, SERVICE_SCHEMA, name="services", nullable=SERVICE_NULLABLE)
    refusals = Refusals.of(services)
    periods = list_due_periods(services, read_period_terms(services), refusals, as_of=as_of)
    return periods_to_frame(services, periods), refusals.to_frame()


def list_due_periods(services: pl.DataFrame, terms: PeriodTerms, refusals: Refusals, *, as_of: date) -> Periods:
    """Return the due periods by service and number; services out of range or too far behind are refused.

    Raises:
        AsOfOutOfRange: if `as_of` is after `LAST_YEAR`.
    """
    if as_of.year > LAST_YEAR:
        raise AsOfOutOfRange(f"cannot bill as of {as_of}: after {LAST_YEAR}", as_of=as_of)
    today = np.int32(day_number(as_of))
    is_open = column_days(services, "billing_effective_date") <= today
    is_behind = (terms.rated_up_to <= today) & (terms.rated_up_to < terms.effective_to)
    rows = refuse_invalid(refusals, terms, np.flatnonzero(is_open & is_behind))
    passes = _bill_in_passes(terms, rows, today, refusals)
    periods = passes[0] if len(passes) == 1 else _merge(passes)
    late = refusals.is_refused[periods.row]
    return periods.take(np.flatnonzero(~late)) if late.any() else periods


def periods_to_frame(services: pl.DataFrame, periods: Periods) -> pl.DataFrame:
    """Return periods as a frame of `PERIOD_SCHEMA`."""
    columns = {
        "service_key": services["service_key"].to_numpy().take(periods.row),
        "period_no": periods.number,
        "period_from": periods.start,
        "period_to": periods.end,
        "full_to": periods.full_end,
    }
    return to_schema(columns, PERIOD_SCHEMA)


def _bill_in_passes(terms: PeriodTerms, rows: Rows, today: np.int32, refusals: Refusals) -> list[Periods]:
    """One pass gives each service that is still due its next period; most services need a single pass."""
    starts, passes = terms.rated_up_to[rows], []
    for number in range(MAX_PERIODS_PER_RUN + 1):
        due = _bill_once(terms.take(rows), rows, starts, np.int32(number), today)
        if number == MAX_PERIODS_PER_RUN:
            detail = pl.format(f"more than {MAX_PERIODS_PER_RUN} periods are due since {{}}", "rated_up_to")
            refusals.refuse(due.row, RefusalReason.TOO_MANY_PERIODS, detail)
            break
        passes.append(due)
        is_behind = (due.end <= today) & (due.end < terms.effective_to[due.row])
        rows, starts = due.row[is_behind], due.end[is_behind]
        if not len(rows):
            break
    return passes


def _bill_once(terms: PeriodTerms, rows: Rows, starts: Days, number: np.int32, today: np.int32) -> Periods:
    full_ends = _find_period_ends(terms, starts)
    ends = np.minimum(full_ends, terms.effective_to)
    periods = Periods(rows, np.full(len(rows), number), starts, ends, full_ends)
    is_due = ~terms.is_post_billed | (ends <= today)
    return periods if is_due.all() else periods.take(np.flatnonzero(is_due))


def _find_period_ends(terms: PeriodTerms, starts: Days) -> Days:
    """Return the uncut end of the period that starts on each day.

    A start on the cycle plus months is a cycle date again, whatever the adjustment: that is the common case.
    """
    months = months_of(starts)
    ends = cycle_dates(months + terms.step_months, terms.cycle_day)
    is_odd = (cycle_dates(months, terms.cycle_day) != starts) | (terms.step_months == 0)
    odd = np.flatnonzero(is_odd)
    if len(odd):
        ends[odd] = _find_odd_ends(terms.take(odd), starts[odd])
    return ends


def _find_odd_ends(terms: PeriodTerms, starts: Days) -> Days:
    """Return the ends of periods that start off the cycle or are counted in days."""
    own_day = days_of_month(starts)
    later = cycle_dates(months_of(starts) + terms.step_months, own_day)
    on_cycle = cycle_dates(months_of(starts), terms.cycle_day) == starts
    raw = np.where(terms.step_months > 0, later, starts + terms.step_days)
    next_cycle = first_cycle_dates_on_or_after(starts + np.int32(1), terms.cycle_day)
    runs_to_cycle = terms.goes_to_cycle & (terms.step_months > 0) & ~on_cycle
    up = first_cycle_dates_on_or_after(raw, terms.cycle_day)
    down = cycle_dates(last_cycle_months(raw, terms.cycle_day), terms.cycle_day)
    previous = np.where(down > starts, down, next_cycle)
    adjusted = np.select(
        [
            runs_to_cycle,
            terms.adjustment == CycleAdjustment.NEXT.frame_code,
            terms.adjustment == CycleAdjustment.PREVIOUS.frame_code,
        ],
        [next_cycle, up, previous],
        raw,
    )
    return adjusted.astype(np.int32, copy=False)


def _merge(passes: list[Periods]) -> Periods:
    joined = Periods(
        row=np.concatenate([part.row for part in passes]),
        number=np.concatenate([part.number for part in passes]),
        start=np.concatenate([part.start for part in passes]),
        end=np.concatenate([part.end for part in passes]),
        full_end=np.concatenate([part.full_end for part in passes]),
    )
    return joined.take(np.argsort(joined.row, kind="stable"))  # passes are in order of number
