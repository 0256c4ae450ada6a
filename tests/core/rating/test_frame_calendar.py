"""The calendar on columns gives what the calendar on single days gives; combinations lose no row."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.base import calendar as scalar
from coax.rating.frames import calendar as columns
from coax.rating.frames import keys
from coax.rating.types import (
    AdvanceMode,
    AppliedPer,
    CycleAdjustment,
    MaturityStart,
    RateModel,
    TierBasis,
)

EPOCH = date(1970, 1, 1)


def to_dates(days: np.ndarray) -> list[date]:
    return [EPOCH + timedelta(days=int(day)) for day in days]


@pytest.mark.parametrize("cycle_day", [1, 15, 28, 29, 30, 31])
@pytest.mark.parametrize("first", [date(1900, 1, 1), date(2023, 1, 1), date(2196, 1, 1)])
def test_columns_agree_with_single_days(cycle_day: int, first: date):
    dates = [first + timedelta(days=number) for number in range(1461)]
    days = np.array([columns.day_number(day) for day in dates], dtype=np.int32)
    cycle_days = np.full(len(days), cycle_day, dtype=np.int32)
    months = columns.months_of(days)
    assert columns.is_in_calendar(days).all()
    assert columns.days_of_month(days).tolist() == [day.day for day in dates]
    assert months.tolist() == [day.year * 12 + day.month - 1 for day in dates]
    after = columns.first_cycle_dates_on_or_after(days, cycle_days)
    assert to_dates(after) == [scalar.first_cycle_date_on_or_after(day, cycle_day) for day in dates]
    before = columns.cycle_dates(columns.last_cycle_months(days, cycle_days), cycle_days)
    assert to_dates(before) == [scalar.last_cycle_date_on_or_before(day, cycle_day) for day in dates]


@given(st.lists(st.tuples(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(0, 2000)), min_size=1))
def test_whole_months_are_counted_alike(cases: list[tuple[date, int]]):
    starts = np.array([columns.day_number(start) for start, _ in cases], dtype=np.int32)
    days = starts + np.array([later for _, later in cases], dtype=np.int32)
    expected = [scalar.count_whole_months(start, start + timedelta(days=later)) for start, later in cases]
    assert columns.count_whole_months(starts, days).tolist() == expected


VALUES = st.integers(-5, 5) | st.integers(-(2**40), 2**40)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=30))
def test_combinations_hold_every_row_once(rows: list[tuple[int, int, int]]):
    arrays = [np.array([row[place] for row in rows], dtype=np.int64) for place in range(3)]
    found = keys.find_combinations(arrays)
    combinations = list(zip(*(column.tolist() for column in found.columns), strict=True))
    assert [combinations[position] for position in found.position] == rows
    assert len(set(combinations)) == len(combinations) == found.count == len(set(rows))


@pytest.mark.parametrize(
    ("enumeration", "codes"),
    [
        (CycleAdjustment, {"none": 0, "previous": 1, "next": 2}),
        (AdvanceMode, {"billing_frequency_period": 0, "fixed_period": 1, "up_to_next_cycle_date": 2}),
        (RateModel, {"flat": 0, "quantity": 1, "maturity": 2, "duration": 3, "quantity_and_maturity": 4}),
        (TierBasis, {"volume": 0, "graduated": 1}),
        (AppliedPer, {"period": 0, "period_and_item": 1}),
        (MaturityStart, {"service_effective_date": 0, "binding_start_date": 1, "agreement_date": 2}),
    ],
)
def test_frame_codes_are_fixed(enumeration: type, codes: dict[str, int]):
    assert {member.value: member.frame_code for member in enumeration} == codes
