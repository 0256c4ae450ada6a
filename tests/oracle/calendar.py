"""The calendar the slow way: days are stepped through one by one, months are never computed with."""

from __future__ import annotations

from datetime import date, timedelta

ONE_DAY = timedelta(days=1)


def days_of_month(day: date) -> list[date]:
    first = day.replace(day=1)
    days = [first]
    while (days[-1] + ONE_DAY).month == first.month:
        days.append(days[-1] + ONE_DAY)
    return days


def cycle_date(day: date, cycle_day: int) -> date:
    """The cycle date of the month that holds the day."""
    return [each for each in days_of_month(day) if each.day <= cycle_day][-1]


def is_cycle_date(day: date, cycle_day: int) -> bool:
    return day == cycle_date(day, cycle_day)


def first_cycle_date_on_or_after(day: date, cycle_day: int) -> date:
    while not is_cycle_date(day, cycle_day):
        day += ONE_DAY
    return day


def last_cycle_date_on_or_before(day: date, cycle_day: int) -> date:
    while not is_cycle_date(day, cycle_day):
        day -= ONE_DAY
    return day


def next_month(day: date) -> date:
    """The first day of the next month."""
    return days_of_month(day)[-1] + ONE_DAY


def previous_month(day: date) -> date:
    """The last day of the previous month."""
    return day.replace(day=1) - ONE_DAY


def add_months(day: date, months: int, cycle_day: int) -> date:
    """The cycle date that many months after (or before) the month of the day."""
    for _ in range(abs(months)):
        day = next_month(day) if months > 0 else previous_month(day)
    return cycle_date(day, cycle_day)


def count_whole_months(start: date, day: date) -> int:
    """How many times a month can be added to start without passing the day."""
    months = 0
    while add_months(start, months + 1, start.day) <= day:
        months += 1
    return months
