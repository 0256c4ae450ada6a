"""Month arithmetic on columns: a cycle date is a gather from a lookup array and a minimum.

Days are int32 counted from 1970-01-01, months `year * 12 + month - 1`. Days that come in must be from the
years `FIRST_YEAR` to `LAST_YEAR`; the tables reach `MARGIN_YEARS` further on both sides for what is
computed from them.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.int32]
Months = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

FIRST_YEAR = 1900
LAST_YEAR = 2199
MARGIN_YEARS = 200
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_TABLE_FIRST_DAY = date(FIRST_YEAR - MARGIN_YEARS, 1, 1).toordinal() - EPOCH_ORDINAL
_TABLE_FIRST_MONTH = (FIRST_YEAR - MARGIN_YEARS) * 12
_DAY_MIN = date(FIRST_YEAR, 1, 1).toordinal() - EPOCH_ORDINAL
_DAY_MAX = date(LAST_YEAR, 12, 31).toordinal() - EPOCH_ORDINAL
# A day later than any other, standing for "open"; halfway to overflow so that adding a period to it is safe.
OPEN_DAY = np.int32(2**30)

_month_starts = np.arange(
    f"{FIRST_YEAR - MARGIN_YEARS}-01", f"{LAST_YEAR + MARGIN_YEARS + 1}-02", dtype="datetime64[M]"
)
_FIRST_DAY_OF_MONTH: Days = _month_starts.astype("datetime64[D]").astype(np.int32)
_DAYS_IN_MONTH: Days = np.diff(_FIRST_DAY_OF_MONTH).astype(np.int32)
_MONTH_OF_DAY: Months = np.repeat(
    np.arange(_TABLE_FIRST_MONTH, _TABLE_FIRST_MONTH + len(_DAYS_IN_MONTH), dtype=np.int32), _DAYS_IN_MONTH
)


def day_number(day: date) -> int:
    """Return a civil date as days since 1970-01-01."""
    return day.toordinal() - EPOCH_ORDINAL


def is_in_calendar(days: Days) -> Flags:
    """Tell which days are near enough for arithmetic."""
    return (days >= _DAY_MIN) & (days <= _DAY_MAX)


def months_of(days: Days) -> Months:
    """Return the month of each day."""
    return _MONTH_OF_DAY.take(days - _TABLE_FIRST_DAY)


def days_of_month(days: Days) -> Days:
    """Return the day of the month, 1..31."""
    return days - _FIRST_DAY_OF_MONTH.take(months_of(days) - _TABLE_FIRST_MONTH) + np.int32(1)


def cycle_dates(months: Months, cycle_days: Days) -> Days:
    """Return the cycle date of each month: the cycle day, or the last day of a shorter month."""
    position = months - _TABLE_FIRST_MONTH
    return _FIRST_DAY_OF_MONTH.take(position) + np.minimum(cycle_days, _DAYS_IN_MONTH.take(position)) - np.int32(1)


def first_cycle_dates_on_or_after(days: Days, cycle_days: Days) -> Days:
    """Return the first cycle date that is not before each day."""
    months = months_of(days)
    return cycle_dates(months + (cycle_dates(months, cycle_days) < days), cycle_days)


def last_cycle_months(days: Days, cycle_days: Days) -> Months:
    """Return the month of the last cycle date that is not after each day."""
    months = months_of(days)
    return months - (cycle_dates(months, cycle_days) > days)


def count_whole_months(starts: Days, days: Days) -> Months:
    """Return the months passed from start to day, at least 0; a month is over on the start's day, clamped."""
    passed: Months = last_cycle_months(days, days_of_month(starts)) - months_of(starts)
    return passed.clip(min=0)
