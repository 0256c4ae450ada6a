"""When a schedule falls due, the slow and obvious way: ask every half hour of the period whether it is one."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from coax.configuration.types.schedule import Schedule

HALF_HOUR = timedelta(minutes=30)
BEFORE = timedelta(hours=3)
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = [datetime(2026, month, 1).strftime("%B").lower() for month in range(1, 13)]  # noqa: DTZ001


def list_occurrences(schedule: Schedule, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """Every half hour after `after`, up to and with `until`, at which the schedule is due; `at` is a half hour."""
    return [at for at in _half_hours(after, until) if _is_due(schedule, zone, at)]


def _half_hours(after: datetime, until: datetime) -> Iterator[datetime]:
    at = datetime(after.year, after.month, after.day, tzinfo=UTC) - timedelta(days=1)
    while at <= until:
        if at > after:
            yield at
        at += HALF_HOUR


def _is_due(schedule: Schedule, zone: ZoneInfo, at: datetime) -> bool:
    if schedule.every is not None and schedule.every.unit == "hour":
        return _is_due_by_hours(schedule, zone, at)
    wall = _read_wall(at, zone)
    if wall.time() == time.fromisoformat(schedule.at) and not _has_been(wall, at, zone):
        return _is_day(schedule, wall.date())
    # In the hours after the clocks were put forward: what they would show had they not been.
    unmoved = (at + _offset(at - BEFORE, zone)).replace(tzinfo=None)
    is_left_out = unmoved < wall and not any(_read_wall(at + k * HALF_HOUR, zone) == unmoved for k in range(-12, 13))
    return is_left_out and unmoved.time() == time.fromisoformat(schedule.at) and _is_day(schedule, unmoved.date())


def _is_due_by_hours(schedule: Schedule, zone: ZoneInfo, at: datetime) -> bool:
    start = datetime.combine(schedule.start_date or date(1970, 1, 1), time.fromisoformat(schedule.at))
    passed = at - (start - _offset(start.replace(tzinfo=UTC) - BEFORE, zone)).replace(tzinfo=UTC)
    is_over = schedule.end_date is not None and _read_wall(at, zone).date() >= schedule.end_date
    return passed >= timedelta() and not passed % timedelta(hours=schedule.every.count) and not is_over


def _read_wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _has_been(wall: datetime, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks have shown the same a little before."""
    return any(_read_wall(at - k * HALF_HOUR, zone) == wall for k in range(1, 7))


def _is_day(schedule: Schedule, day: date) -> bool:
    if schedule.date is not None:
        return day == schedule.date
    start = schedule.start_date or date(1970, 1, 1)
    if day < start or (schedule.end_date is not None and day >= schedule.end_date):
        return False
    if schedule.every is not None:
        return _is_repeated(start, schedule.every.count, str(schedule.every.unit), day)
    return _is_in_pattern(schedule, day)


def _is_repeated(start: date, count: int, unit: str, day: date) -> bool:
    if unit in ("day", "week"):
        return (day - start).days % (count * (7 if unit == "week" else 1)) == 0
    months = (day.year - start.year) * 12 + day.month - start.month
    every = count * (12 if unit == "year" else 1)
    return months % every == 0 and day.day == min(start.day, monthrange(day.year, day.month)[1])


def _is_in_pattern(schedule: Schedule, day: date) -> bool:
    if schedule.months and MONTHS[day.month - 1] not in schedule.months:
        return False
    length = monthrange(day.year, day.month)[1]
    if schedule.days_of_week:
        return WEEKDAYS[day.weekday()] in schedule.days_of_week
    if schedule.days_of_month:
        return day.day in {min(wanted, length) for wanted in schedule.days_of_month}
    if schedule.weekdays_of_month:
        return any(day == _find_nth(day, str(one.nth), str(one.weekday)) for one in schedule.weekdays_of_month)
    return True


def _find_nth(day: date, nth: str, weekday: str) -> date:
    length = monthrange(day.year, day.month)[1]
    days = [day.replace(day=k) for k in range(1, length + 1)]
    alike = [one for one in days if WEEKDAYS[one.weekday()] == weekday]
    return alike[-1] if nth == "last" else alike[["first", "second", "third", "fourth"].index(nth)]
