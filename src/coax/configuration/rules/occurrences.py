"""The instants at which a schedule falls due, in UTC and in order; docs/processes.md has the rules and examples.

Nothing adds to the occurrence before: each is computed from the start, so the day of the month is never lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, takewhile
from typing import Final
from zoneinfo import ZoneInfo

from coax.base.calendar import DAYS_PER_WEEK, MONTHS_PER_YEAR, add_months_clamped, count_whole_months, cycle_date
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.schedule import (
    Month,
    Nth,
    Recurrence,
    RecurrenceUnit,
    Schedule,
    ScheduleRule,
    Weekday,
    WeekdayOfMonth,
)

END_OF_TIME: Final = date(2200, 1, 1)
ONE_DAY: Final = timedelta(days=1)
_WEEKDAYS: Final = tuple(Weekday)
_MONTHS: Final = tuple(Month)
_NTH: Final = {Nth.FIRST: 0, Nth.SECOND: 1, Nth.THIRD: 2, Nth.FOURTH: 3}


def find_occurrences(schedule: Schedule, *, time_zone: str, after: datetime, until: datetime) -> list[datetime]:
    """Return the occurrences after an instant, up to and with another one."""
    return list(takewhile(lambda at: at <= until, _iterate(schedule, ZoneInfo(time_zone), after)))


def find_next_occurrence(schedule: Schedule, *, time_zone: str, after: datetime) -> datetime | None:
    """Return the first occurrence after an instant; None where there is none any more."""
    return next(_iterate(schedule, ZoneInfo(time_zone), after), None)


def to_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return a local time as an instant in UTC; `coax.configuration.types.schedule` says when it does not exist."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def _iterate(schedule: Schedule, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    instants = _find_instants(schedule, zone, after)
    end = to_instant(schedule.end_date or END_OF_TIME, time(), zone)
    last = after
    for at in instants:
        if at >= end and schedule.rule is not ScheduleRule.ONCE:
            return
        if at > last:  # where a whole day was left out of the calendar, two days may give one instant
            last = at
            yield at


def _find_instants(schedule: Schedule, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield instants in order, a few of them perhaps not after the one asked for."""
    every = schedule.every
    if every is not None and every.unit is RecurrenceUnit.HOUR:
        return _count_hours(
            to_instant(schedule.start_date or BEGINNING, schedule.time_of_day, zone), every.count, after
        )
    return (
        to_instant(day, schedule.time_of_day, zone)
        for day in _find_days(schedule, after.astimezone(zone).date() - ONE_DAY)
    )


def _count_hours(start: datetime, hours: int, after: datetime) -> Iterator[datetime]:
    step = timedelta(hours=hours)
    first = max(0, (after - start) // step)
    return (start + place * step for place in count(first))


def _find_days(schedule: Schedule, since: date) -> Iterator[date]:
    """Yield the days of a schedule in order, from one on that is not after the first one wanted."""
    if schedule.date is not None:
        return iter((schedule.date,))
    start = schedule.start_date or BEGINNING
    if schedule.every is not None:
        return _repeat_days(start, schedule.every, since)
    first = max(start, since)
    days = (first + place * ONE_DAY for place in range((END_OF_TIME - first).days))
    return (day for day in days if _matches(schedule, day))


def _repeat_days(start: date, every: Recurrence, since: date) -> Iterator[date]:
    months = every.count * {RecurrenceUnit.MONTH: 1, RecurrenceUnit.YEAR: MONTHS_PER_YEAR}.get(every.unit, 0)
    if months:
        first = max(0, count_whole_months(start, since) // months)
        last = count_whole_months(start, END_OF_TIME) // months
        return (add_months_clamped(start, place * months) for place in range(first, last + 1))
    days = every.count * (DAYS_PER_WEEK if every.unit is RecurrenceUnit.WEEK else 1)
    first = max(0, (since - start).days // days)
    return (start + timedelta(days=place * days) for place in range(first, (END_OF_TIME - start).days // days + 1))


def _matches(schedule: Schedule, day: date) -> bool:
    """Tell whether a pattern names a day; without a pattern it names every day."""
    if schedule.months and _MONTHS[day.month - 1] not in schedule.months:
        return False
    if schedule.days_of_week:
        return _WEEKDAYS[day.weekday()] in schedule.days_of_week
    if schedule.days_of_month:
        return any(day == cycle_date(day.year, day.month, wanted) for wanted in schedule.days_of_month)
    if schedule.weekdays_of_month:
        return any(_is_nth(day, wanted) for wanted in schedule.weekdays_of_month)
    return True


def _is_nth(day: date, wanted: WeekdayOfMonth) -> bool:
    if _WEEKDAYS[day.weekday()] is not wanted.weekday:
        return False
    if wanted.nth is Nth.LAST:
        return (day + timedelta(days=DAYS_PER_WEEK)).month != day.month
    return (day.day - 1) // DAYS_PER_WEEK == _NTH[wanted.nth]
