"""When schedules fall due: tables of cases, and random schedules against an oracle that asks every half hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from coax.configuration.rules.occurrences import find_next_occurrence, find_occurrences
from coax.configuration.types.run_definition import NormalBillingRunDefinition
from coax.configuration.types.schedule import Month, Nth, RecurrenceUnit, Schedule, Weekday
from tests.oracle.schedule import list_occurrences

BERLIN = "Europe/Berlin"
MIDDAY = "2026-01-01T12:00"


def due(after: str, until: str, /, zone: str = BERLIN, **values: Any) -> list[str]:
    """Local times at which a schedule is due, after one and up to another local time."""
    schedule = Schedule.model_validate(values)
    bounds = [datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for text in (after, until)]
    found = find_occurrences(schedule, time_zone=zone, after=bounds[0], until=bounds[1])
    return [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for at in found]


def test_once_is_once() -> None:
    once = {"rule": "once", "date": date(2026, 1, 2), "at": "02:00"}
    assert due(MIDDAY, "2027-01-01", **once) == ["2026-01-02 02:00"]
    assert due("2026-01-02T02:00", "2027-01-01", **once) == []
    assert due(MIDDAY, "2026-01-02T02:00", **once) == ["2026-01-02 02:00"]
    assert due(MIDDAY, "2026-01-02T01:59", **once) == []


def test_the_day_of_the_month_is_not_lost() -> None:
    monthly = {"rule": "repeatedly", "at": "20:00", "start_date": date(2026, 1, 31), "every": {"unit": "month"}}
    assert due(MIDDAY, "2026-06-01", **monthly) == [
        "2026-01-31 20:00",
        "2026-02-28 20:00",
        "2026-03-31 20:00",
        "2026-04-30 20:00",
        "2026-05-31 20:00",
    ]
    leap = {"rule": "repeatedly", "start_date": date(2024, 2, 29), "every": {"unit": "year"}}
    assert due(MIDDAY, "2029-01-01", **leap) == ["2026-02-28 00:00", "2027-02-28 00:00", "2028-02-29 00:00"]


def test_weeks_are_counted_from_the_start_and_end_before_the_end() -> None:
    every = {"count": 2, "unit": "week"}
    start, end = date(2026, 1, 5), date(2026, 2, 16)
    found = due(MIDDAY, "2027-01-01", rule="repeatedly", start_date=start, end_date=end, every=every)
    assert found == ["2026-01-05 00:00", "2026-01-19 00:00", "2026-02-02 00:00"]


@pytest.mark.parametrize(
    ("pattern", "days"),
    [
        ({"days_of_week": ["monday"]}, ["02-02", "02-09", "02-16", "02-23"]),
        ({"days_of_month": [15, 30, 31]}, ["02-15", "02-28"]),
        ({"weekdays_of_month": [{"nth": "second", "weekday": "tuesday"}, {"nth": "last", "weekday": "friday"}]},
         ["02-10", "02-27"]),
        ({"months": ["march"], "days_of_month": [1]}, []),
        ({"months": ["february"], "weekdays_of_month": [{"nth": "fourth", "weekday": "saturday"}]}, ["02-28"]),
    ],
)  # fmt: skip
def test_patterns_of_days(pattern: dict[str, Any], days: list[str]) -> None:
    found = due("2026-01-31T12:00", "2026-02-28T12:00", rule="advanced", at="09:00", **pattern)
    assert found == [f"2026-{day} 09:00" for day in days]


def test_a_time_that_does_not_exist_is_later_by_what_the_clocks_are_put_forward() -> None:
    """In Berlin 02:00 to 03:00 of 29 March 2026 is left out."""
    nightly = {"rule": "repeatedly", "at": "02:30", "every": {"unit": "day"}}
    assert due("2026-03-28T12:00", "2026-03-30T12:00", **nightly) == ["2026-03-29 03:30", "2026-03-30 02:30"]


def test_a_time_that_exists_twice_is_due_once_the_first_time() -> None:
    """In Berlin 02:00 to 03:00 of 25 October 2026 comes twice; the first time is summer time, 00:30 UTC."""
    nightly = Schedule.model_validate({"rule": "repeatedly", "at": "02:30", "every": {"unit": "day"}})
    bounds = datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 26, 12, tzinfo=UTC)
    found = find_occurrences(nightly, time_zone=BERLIN, after=bounds[0], until=bounds[1])
    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


def test_hours_are_counted_as_they_pass() -> None:
    hourly = {"rule": "repeatedly", "every": {"count": 2, "unit": "hour"}, "start_date": date(2026, 3, 28)}
    found = due("2026-03-28T21:00", "2026-03-29T08:00", **hourly)
    assert found == ["2026-03-28 22:00", "2026-03-29 00:00", "2026-03-29 03:00", "2026-03-29 05:00", "2026-03-29 07:00"]


def test_a_day_that_the_calendar_leaves_out_is_not_due_twice() -> None:
    """Samoa left out 30 December 2011: that day's occurrence would be the same instant as the next day's."""
    nightly = {"rule": "repeatedly", "at": "02:00", "every": {"unit": "day"}}
    found = due("2011-12-28T12:00", "2012-01-01T12:00", zone="Pacific/Apia", **nightly)
    assert found == ["2011-12-29 02:00", "2011-12-31 02:00", "2012-01-01 02:00"]


def test_there_is_no_next_one_after_the_end() -> None:
    ended = Schedule.model_validate(
        {"rule": "repeatedly", "every": {"unit": "day"}, "start_date": date(2026, 1, 1), "end_date": date(2026, 1, 3)}
    )
    last = datetime(2026, 1, 1, 23, tzinfo=UTC)  # midnight of the 2nd in Berlin
    assert find_next_occurrence(ended, time_zone=BERLIN, after=last - timedelta(seconds=1)) == last
    assert find_next_occurrence(ended, time_zone=BERLIN, after=last) is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rule": "once"}, "required by rule: once"),
        ({"rule": "repeatedly"}, "required by rule: repeatedly"),
        ({"rule": "repeatedly", "every": {"count": 2, "unit": "day"}}, "the recurrence is counted from it"),
        ({"rule": "repeatedly", "every": {"unit": "month"}}, "the recurrence is counted from it"),
        ({"rule": "once", "date": date(2026, 1, 1), "every": {"unit": "day"}}, "has no meaning with rule: once"),
        ({"rule": "advanced", "at": "24:00"}, "should match pattern"),
        ({"rule": "advanced", "at": "9:00"}, "should match pattern"),
        ({"rule": "advanced", "days_of_week": ["monday"], "days_of_month": [1]}, "only one pattern of days"),
        ({"rule": "advanced", "days_of_month": [1, 1]}, "one is listed twice"),
        ({"rule": "advanced", "start_date": date(2026, 1, 2), "end_date": date(2026, 1, 2)}, "after the start date"),
    ],
)
def test_a_wrong_schedule_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Schedule.model_validate(values)


def test_a_billing_run_is_executed_by_its_recurrence() -> None:
    assembling = {"rounding_product": "r", "debit_adjustment_type": "d", "credit_adjustment_type": "c"}
    base = {"code": "main", "name": "Main", "assembling": assembling, "start_date": date(2026, 1, 31)}
    assert NormalBillingRunDefinition.model_validate(base).execution is None
    monthly = NormalBillingRunDefinition.model_validate({**base, "execute_at": "04:00"}).execution
    assert monthly is not None
    bounds = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    found = find_occurrences(monthly, time_zone="UTC", after=bounds[0], until=bounds[1])
    assert found == [datetime(2026, 2, 28, 4, tzinfo=UTC), datetime(2026, 3, 31, 4, tzinfo=UTC)]
    with pytest.raises(ValidationError, match="the recurrence says when"):
        NormalBillingRunDefinition.model_validate({**base, "execute_at": "04:00", "schedule": {"rule": "advanced"}})
    with pytest.raises(ValidationError, match="required by execute_at"):
        NormalBillingRunDefinition.model_validate({**base, "execute_at": "04:00", "start_date": None})


ZONES = st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata"])
TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 30]))
DAYS = st.dates(date(2017, 9, 1), date(2018, 12, 31))  # Sao Paulo still put its clocks forward, at midnight
UNIQUE = {"max_size": 3, "unique": True}


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    values: dict[str, Any] = {"at": draw(TIMES)}
    rule = draw(st.sampled_from(["once", "repeatedly", "advanced"]))
    if rule == "once":
        return Schedule.model_validate({**values, "rule": rule, "date": draw(DAYS)})
    values["start_date"] = draw(DAYS)
    if draw(st.booleans()):
        values["end_date"] = values["start_date"] + timedelta(days=draw(st.integers(1, 90)))
    if rule == "repeatedly":
        values["every"] = {"count": draw(st.integers(1, 9)), "unit": draw(st.sampled_from(RecurrenceUnit))}
    else:
        values["months"] = draw(st.lists(st.sampled_from(Month), **UNIQUE))
        nth = st.fixed_dictionaries({"nth": st.sampled_from(Nth), "weekday": st.sampled_from(Weekday)})
        pattern, items = draw(
            st.sampled_from(
                [
                    ("days_of_week", st.sampled_from(Weekday)),
                    ("days_of_month", st.integers(1, 31)),
                    ("weekdays_of_month", nth),
                ]
            )
        )
        values[pattern] = draw(
            st.lists(
                items, max_size=3, unique_by=lambda one: str(sorted(one.items()) if isinstance(one, dict) else one)
            )
        )
    return Schedule.model_validate({**values, "rule": rule})


@settings(max_examples=150, deadline=None)
@given(schedules(), ZONES, DAYS, st.integers(0, 47), st.integers(1, 70))
def test_occurrences_are_those_of_the_oracle(
    schedule: Schedule, zone: str, day: date, half_hour: int, days: int
) -> None:
    after = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=30 * half_hour)
    until = after + timedelta(days=days)
    found = find_occurrences(schedule, time_zone=zone, after=after, until=until)
    assert found == list_occurrences(schedule, ZoneInfo(zone), after, until)


@settings(max_examples=100, deadline=None)
@given(schedules(), ZONES, DAYS, st.integers(1, 400), st.integers(0, 400))
def test_a_period_looked_at_in_two_parts_gives_the_same(
    schedule: Schedule, zone: str, day: date, days: int, part: int
) -> None:
    after = datetime(day.year, day.month, day.day, tzinfo=UTC)
    until = after + timedelta(days=days)
    between = min(until, after + timedelta(days=part, minutes=part))
    whole = find_occurrences(schedule, time_zone=zone, after=after, until=until)
    parts = [(after, between), (between, until)]
    assert whole == [at for a, b in parts for at in find_occurrences(schedule, time_zone=zone, after=a, until=b)]
    assert find_next_occurrence(schedule, time_zone=zone, after=after) == next(
        iter(find_occurrences(schedule, time_zone=zone, after=after, until=until + timedelta(days=4000))), None
    )
