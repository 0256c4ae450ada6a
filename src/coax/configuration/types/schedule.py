"""When a process is executed: once, repeatedly, or by a pattern of days; all in the operator's time zone (reference 7).

A local time that does not exist because the clocks are put forward is as much later as they are put forward: 02:30
becomes 03:30. One that exists twice because they are put back is the first of the two. Hours are counted as they pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from coax.configuration.types.fields import COUNT_MAX, Choice, CivilDate, DayOfMonth, Issue, Many, Spec, refuse

TIME_PATTERN: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
MIDNIGHT: Final = "00:00"

TimeOfDay = Annotated[str, StringConstraints(pattern=TIME_PATTERN)]


class RecurrenceUnit(Choice):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Recurrence(Spec):
    count: Annotated[int, Field(ge=1, le=COUNT_MAX)] = Field(default=1, description="How many units between two runs.")
    unit: RecurrenceUnit = Field(default=RecurrenceUnit.MONTH, description="Unit of the recurrence.")

    @property
    def needs_start(self) -> bool:
        """Tell whether it has to be counted from a day; every day and every hour do not."""
        return self.count > 1 or self.unit not in (RecurrenceUnit.HOUR, RecurrenceUnit.DAY)


class ScheduleRule(Choice):
    ONCE = "once"
    REPEATEDLY = "repeatedly"
    ADVANCED = "advanced"


class Weekday(Choice):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Month(Choice):
    JANUARY = "january"
    FEBRUARY = "february"
    MARCH = "march"
    APRIL = "april"
    MAY = "may"
    JUNE = "june"
    JULY = "july"
    AUGUST = "august"
    SEPTEMBER = "september"
    OCTOBER = "october"
    NOVEMBER = "november"
    DECEMBER = "december"


class Nth(Choice):
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    FOURTH = "fourth"
    LAST = "last"


class WeekdayOfMonth(Spec):
    """Such as the second Tuesday, or the last Friday."""

    nth: Nth = Field(description="Which one of the month.")
    weekday: Weekday = Field(description="Day of the week.")


class Schedule(Spec):
    """When a process is executed, in the operator's time zone."""

    rule: ScheduleRule = Field(description="On one date, repeatedly from a start on, or by a pattern of days.")
    at: TimeOfDay = Field(
        default=MIDNIGHT, description="Time of day, HH:MM; of a recurrence by hours, the time that they count from."
    )
    date: CivilDate | None = Field(default=None, description="The date of a process that is executed once.")
    start_date: CivilDate | None = Field(default=None, description="First day; a recurrence is counted from it.")
    end_date: CivilDate | None = Field(default=None, description="First day without an execution; empty for no end.")
    every: Recurrence | None = Field(default=None, description="How often it is repeated.")
    months: Many[Month] = Field(default=(), description="Only in these months; empty for all.")
    days_of_week: Many[Weekday] = Field(default=(), description="On these days of the week.")
    days_of_month: Many[DayOfMonth] = Field(
        default=(), description="On these days of the month; a day that a month does not have is its last."
    )
    weekdays_of_month: Many[WeekdayOfMonth] = Field(default=(), description="Such as the second Tuesday of the month.")

    @model_validator(mode="after")
    def _rule_has_its_values(self) -> Self:
        refuse("schedule", list(_check(self)))
        return self

    @property
    def time_of_day(self) -> time:
        """Return the time of day."""
        return time.fromisoformat(self.at)


_PATTERNS: Final = ("days_of_week", "days_of_month", "weekdays_of_month")
_PERIOD: Final = ("start_date", "end_date")
_ALLOWED: Final[dict[ScheduleRule, tuple[str, ...]]] = {
    ScheduleRule.ONCE: ("date",),
    ScheduleRule.REPEATEDLY: (*_PERIOD, "every"),
    ScheduleRule.ADVANCED: (*_PERIOD, "months", *_PATTERNS),
}
_NEEDED: Final[dict[ScheduleRule, str]] = {ScheduleRule.ONCE: "date", ScheduleRule.REPEATEDLY: "every"}


def _check(schedule: Schedule) -> Iterator[Issue]:
    rule = schedule.rule
    for key in ("date", *_PERIOD, "every", "months", *_PATTERNS):
        value = getattr(schedule, key)
        if value and key not in _ALLOWED[rule]:
            yield Issue((key,), f"has no meaning with rule: {rule}", value)
    needed = _NEEDED.get(rule)
    if needed and not getattr(schedule, needed):
        yield Issue((needed,), f"required by rule: {rule}")
    if rule is ScheduleRule.REPEATEDLY and schedule.every and schedule.every.needs_start and not schedule.start_date:
        yield Issue(("start_date",), "required, because the recurrence is counted from it")
    if schedule.start_date and schedule.end_date and schedule.end_date <= schedule.start_date:
        yield Issue(("end_date",), "must be after the start date", schedule.end_date)
    yield from _check_patterns(schedule)


def _check_patterns(schedule: Schedule) -> Iterator[Issue]:
    given = [key for key in _PATTERNS if getattr(schedule, key)]
    for key in given[1:]:
        yield Issue((key,), f"only one pattern of days is allowed, and {given[0]} is given")
    for key in ("months", *_PATTERNS):
        values = getattr(schedule, key)
        if len(set(values)) != len(values):
            yield Issue((key,), "one is listed twice")
