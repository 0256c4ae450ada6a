"""Periods are half-open and hold at least a day."""

from datetime import date

import pytest

from coax.base.period import InvalidPeriod, Period

AUGUST = Period(date(2024, 8, 1), date(2024, 9, 1))


@pytest.mark.parametrize("end", [date(2024, 8, 1), date(2024, 7, 31)])
def test_a_period_without_a_day_is_refused(end):
    with pytest.raises(InvalidPeriod):
        Period(date(2024, 8, 1), end)


def test_a_period_counts_its_days_and_shows_its_last():
    assert AUGUST.days == 31
    assert AUGUST.last_day == date(2024, 8, 31)
    assert str(AUGUST) == "[2024-08-01, 2024-09-01)"


@pytest.mark.parametrize(
    ("day", "is_inside"),
    [
        (date(2024, 7, 31), False),
        (date(2024, 8, 1), True),
        (date(2024, 8, 31), True),
        (date(2024, 9, 1), False),
    ],
)
def test_the_start_is_in_and_the_end_is_not(day, is_inside):
    assert AUGUST.contains(day) is is_inside


@pytest.mark.parametrize(
    ("start", "end", "shared"),
    [
        ((2024, 7, 1), (2024, 8, 1), None),
        ((2024, 9, 1), (2024, 10, 1), None),
        ((2024, 7, 15), (2024, 8, 2), Period(date(2024, 8, 1), date(2024, 8, 2))),
        ((2024, 8, 10), (2024, 8, 20), Period(date(2024, 8, 10), date(2024, 8, 20))),
        ((2024, 1, 1), (2025, 1, 1), AUGUST),
    ],
)
def test_periods_overlap_when_they_share_a_day(start, end, shared):
    other = Period(date(*start), date(*end))
    assert AUGUST.overlaps(other) is other.overlaps(AUGUST) is (shared is not None)
    assert AUGUST.intersect(other) == other.intersect(AUGUST) == shared
