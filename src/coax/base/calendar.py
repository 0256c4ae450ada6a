"""Months on a civil calendar that never drift: a cycle day is kept, a short month only clamps it.

Cycle day 31 gives 31 January, 28 or 29 February, 31 March: the day is never lost. The last day of each
month is therefore exactly cycle day 31.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar

from coax.base.errors import DomainError

MONTHS_PER_YEAR = 12
DAYS_PER_WEEK = 7
CYCLE_DAY_MAX = 31
FREQUENCY_COUNT_MAX = 3660


class InvalidCycleDay(DomainError):
    """A cycle day outside 1..31."""

    code: ClassVar[str] = "invalid_cycle_day"


class NotACycleDate(DomainError):
    """Months were to be added on the cycle to a date that is not on it."""

    code: ClassVar[str] = "not_a_cycle_date"


class UnknownFrequency(DomainError):
    """A billing frequency that is neither a named one nor of the form `10_days`."""

    code: ClassVar[str] = "unknown_frequency"


class FrequencyUnit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often a service is billed: `count` times the unit. Counted in months or in days, never in both.

    Raises:
        UnknownFrequency: if the count is not between 1 and `FREQUENCY_COUNT_MAX`.
    """

    count: int
    unit: FrequencyUnit

    def __post_init__(self) -> None:
        if not 1 <= self.count <= FREQUENCY_COUNT_MAX:
            raise UnknownFrequency(f"a frequency of {self.count} {self.unit}s is out of range", count=self.count)

    @property
    def months(self) -> int:
        """Return the length in months, 0 when it is counted in days."""
        return self.count * {FrequencyUnit.MONTH: 1, FrequencyUnit.YEAR: MONTHS_PER_YEAR}.get(self.unit, 0)

    @property
    def days(self) -> int:
        """Return the length in days, 0 when it is counted in months."""
        return self.count * {FrequencyUnit.DAY: 1, FrequencyUnit.WEEK: DAYS_PER_WEEK}.get(self.unit, 0)

    @property
    def code(self) -> str:
        """Return the name (`biannual`), or count and unit (`10_days`) when it has none."""
        return _NAMES.get(self, f"{self.count}_{self.unit}" + ("s" if self.count > 1 else ""))

    @classmethod
    def from_code(cls, code: str) -> Frequency:
        """Return the frequency of a name or of `<count>_<unit>`: `monthly`, `10_days`, `3_weeks`.

        Raises:
            UnknownFrequency: if the code is neither.
        """
        if code in NAMED_FREQUENCIES:
            return NAMED_FREQUENCIES[code]
        count, _, unit = code.partition("_")
        if not (count.isascii() and count.isdigit()) or unit.removesuffix("s") not in set(FrequencyUnit):
            raise UnknownFrequency(f"{code!r} is not a billing frequency", frequency_code=code)
        return cls(int(count), FrequencyUnit(unit.removesuffix("s")))


# `biannual` is twice a year (decision C7); every second year is `two_years`.
NAMED_FREQUENCIES: dict[str, Frequency] = {
    "daily": Frequency(1, FrequencyUnit.DAY),
    "weekly": Frequency(1, FrequencyUnit.WEEK),
    "monthly": Frequency(1, FrequencyUnit.MONTH),
    "quarterly": Frequency(3, FrequencyUnit.MONTH),
    "biannual": Frequency(6, FrequencyUnit.MONTH),
    "annual": Frequency(1, FrequencyUnit.YEAR),
    "two_years": Frequency(2, FrequencyUnit.YEAR),
}
_NAMES = {frequency: name for name, frequency in NAMED_FREQUENCIES.items()}


def cycle_date(year: int, month: int, cycle_day: int) -> date:
    """Return the cycle date of a month: the cycle day, or the month's last day when the month is shorter.

    Raises:
        InvalidCycleDay: if the cycle day is not between 1 and 31.
    """
    if not 1 <= cycle_day <= CYCLE_DAY_MAX:
        raise InvalidCycleDay(f"cycle day {cycle_day} is not between 1 and 31", cycle_day=cycle_day)
    return date(year, month, min(cycle_day, calendar.monthrange(year, month)[1]))


def is_cycle_date(day: date, cycle_day: int) -> bool:
    """Tell whether a day is the cycle date of its month."""
    return day == cycle_date(day.year, day.month, cycle_day)


def first_cycle_date_on_or_after(day: date, cycle_day: int) -> date:
    """Return the first cycle date that is not before the day."""
    here = cycle_date(day.year, day.month, cycle_day)
    return here if here >= day else _cycle_date_of_month(_month_index(day) + 1, cycle_day)


def first_cycle_date_after(day: date, cycle_day: int) -> date:
    """Return the first cycle date after the day."""
    return first_cycle_date_on_or_after(day + timedelta(days=1), cycle_day)


def last_cycle_date_on_or_before(day: date, cycle_day: int) -> date:
    """Return the last cycle date that is not after the day."""
    here = cycle_date(day.year, day.month, cycle_day)
    return here if here <= day else _cycle_date_of_month(_month_index(day) - 1, cycle_day)


def add_months_on_cycle(day: date, months: int, cycle_day: int) -> date:
    """Return the cycle date months after (or before) a cycle date: 28 Feb + 1 on day 31 is 31 March.

    Raises:
        NotACycleDate: if the day is not a cycle date.
    """
    if not is_cycle_date(day, cycle_day):
        raise NotACycleDate(f"{day} is not a cycle date of day {cycle_day}", day=day, cycle_day=cycle_day)
    return _cycle_date_of_month(_month_index(day) + months, cycle_day)


def add_months_clamped(day: date, months: int) -> date:
    """Return the day that many months later, clamped to the month: 31 Jan + 1 is 28 Feb."""
    return _cycle_date_of_month(_month_index(day) + months, day.day)


def count_whole_months(start: date, day: date) -> int:
    """Return how many months have passed from start to day; a month is over on the start's day, clamped."""
    months = _month_index(day) - _month_index(start)
    return months - (day < add_months_clamped(start, months))


def _month_index(day: date) -> int:
    return day.year * MONTHS_PER_YEAR + day.month - 1


def _cycle_date_of_month(month_index: int, cycle_day: int) -> date:
    year, month = divmod(month_index, MONTHS_PER_YEAR)
    return cycle_date(year, month + 1, cycle_day)
