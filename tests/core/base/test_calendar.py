"""Months keep their cycle day; every function agrees with stepping through the days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.base import calendar
from coax.base.calendar import Frequency, FrequencyUnit, InvalidCycleDay, NotACycleDate, UnknownFrequency
from tests.oracle import calendar as oracle

DAYS = st.dates(date(1950, 1, 1), date(2150, 12, 31))
CYCLE_DAYS = st.integers(1, 31)


@pytest.mark.parametrize(
    ("code", "months", "days"),
    [
        ("daily", 0, 1),
        ("weekly", 0, 7),
        ("monthly", 1, 0),
        ("quarterly", 3, 0),
        ("biannual", 6, 0),  # decision C7
        ("annual", 12, 0),
        ("two_years", 24, 0),
        ("10_days", 0, 10),
        ("3_weeks", 0, 21),
        ("1_day", 0, 1),
        ("2_months", 2, 0),
        ("5_years", 60, 0),
    ],
)
def test_a_frequency_is_months_or_days(code, months, days):
    frequency = Frequency.from_code(code)
    assert (frequency.months, frequency.days) == (months, days)
    assert Frequency.from_code(frequency.code) == frequency


@pytest.mark.parametrize(
    "code", ["", "hourly", "0_days", "-1_days", "x_days", "3", "3_", "3_moons", "99999_days", "²_days"]
)
def test_an_unknown_frequency_is_refused(code):
    with pytest.raises(UnknownFrequency):
        Frequency.from_code(code)


def test_a_plain_frequency_takes_its_name():
    assert Frequency(6, FrequencyUnit.MONTH).code == "biannual"
    assert Frequency(10, FrequencyUnit.DAY).code == "10_days"
    assert Frequency(1, FrequencyUnit.YEAR).code == "annual"


@pytest.mark.parametrize(
    ("year", "month", "cycle_day", "day"),
    [
        (2023, 2, 31, 28),
        (2024, 2, 31, 29),
        (2024, 2, 29, 29),
        (2023, 4, 31, 30),
        (2024, 1, 31, 31),
        (2024, 8, 1, 1),
    ],
)
def test_a_cycle_date_is_clamped_to_its_month(year, month, cycle_day, day):
    assert calendar.cycle_date(year, month, cycle_day) == date(year, month, day)


@pytest.mark.parametrize("cycle_day", [0, 32, -1])
def test_a_cycle_day_out_of_range_is_refused(cycle_day):
    with pytest.raises(InvalidCycleDay):
        calendar.cycle_date(2024, 1, cycle_day)


def test_the_31st_is_never_lost():
    day, seen = date(2023, 1, 31), []
    for _ in range(14):
        seen.append(day)
        day = calendar.add_months_on_cycle(day, 1, 31)
    assert [each.day for each in seen] == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29]


def test_months_are_added_on_the_cycle_only_to_a_cycle_date():
    with pytest.raises(NotACycleDate):
        calendar.add_months_on_cycle(date(2024, 7, 15), 1, 1)


@given(DAYS, CYCLE_DAYS, st.integers(-30, 60))
def test_the_calendar_agrees_with_stepping_through_days(day, cycle_day, months):
    assert calendar.cycle_date(day.year, day.month, cycle_day) == oracle.cycle_date(day, cycle_day)
    assert calendar.is_cycle_date(day, cycle_day) == oracle.is_cycle_date(day, cycle_day)
    after = oracle.first_cycle_date_on_or_after(day, cycle_day)
    assert calendar.first_cycle_date_on_or_after(day, cycle_day) == after
    assert calendar.first_cycle_date_after(day - timedelta(days=1), cycle_day) == after
    before = oracle.last_cycle_date_on_or_before(day, cycle_day)
    assert calendar.last_cycle_date_on_or_before(day, cycle_day) == before
    moved = calendar.add_months_on_cycle(before, months, cycle_day)
    assert moved == oracle.add_months(before, months, cycle_day)
    assert calendar.add_months_on_cycle(moved, -months, cycle_day) == before
    assert calendar.add_months_clamped(day, months) == oracle.add_months(day, months, day.day)


@given(DAYS, st.integers(0, 1500))
def test_whole_months_are_counted_by_the_day_of_the_start(start, days):
    day = start + timedelta(days=days)
    assert calendar.count_whole_months(start, day) == oracle.count_whole_months(start, day)


@given(DAYS, CYCLE_DAYS)
def test_consecutive_cycle_dates_are_a_month_apart(day, cycle_day):
    first = calendar.first_cycle_date_on_or_after(day, cycle_day)
    following = calendar.first_cycle_date_after(first, cycle_day)
    assert 28 <= (following - first).days <= 31
    assert calendar.last_cycle_date_on_or_before(following - timedelta(days=1), cycle_day) == first
