"""Which occurrences wait for the worker and which were missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.process.recurring.judge import MISSED_AFTER, judge_occurrences

NIGHT = datetime(2026, 8, 11, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def judged(due: list[datetime], now: datetime, **changes: bool) -> list[str]:
    given = {"is_simulated": False, "is_in_order": False, "is_behind": False, **changes}
    return [state.value for _, state in judge_occurrences(due, now=now, **given)]


@pytest.mark.parametrize(
    ("late", "is_simulated", "state"),
    [
        (SECOND, False, "waiting"),
        (HOUR - SECOND, False, "waiting"),
        (HOUR, False, "missed"),
        (HOUR, True, "waiting"),
        (30 * DAY, True, "waiting"),
    ],
)
def test_by_a_real_clock_an_hour_is_too_late(late: timedelta, is_simulated: bool, state: str) -> None:
    assert judged([NIGHT], NIGHT + late, is_simulated=is_simulated) == [state]


def test_only_the_latest_is_executed_by_itself() -> None:
    nights = [NIGHT, NIGHT + DAY, NIGHT + 2 * DAY]
    assert judged(nights, nights[-1]) == ["missed", "missed", "waiting"]
    assert judged(nights, nights[-1], is_simulated=True) == ["missed", "missed", "waiting"]


def test_periods_are_not_done_out_of_order() -> None:
    assert judged([NIGHT], NIGHT, is_in_order=True) == ["waiting"]
    assert judged([NIGHT, NIGHT + DAY], NIGHT + DAY, is_in_order=True) == ["missed", "missed"]
    assert judged([NIGHT], NIGHT, is_in_order=True, is_behind=True) == ["missed"]
    assert judged([NIGHT], NIGHT, is_behind=True) == ["waiting"]


@given(st.lists(st.integers(0, 10_000), unique=True).map(sorted), st.integers(0, 500), st.booleans(), st.booleans())
def test_every_occurrence_is_recorded_once_and_at_most_one_waits(
    minutes: list[int], late: int, is_simulated: bool, is_in_order: bool
) -> None:
    due = [NIGHT + timedelta(minutes=minute) for minute in minutes]
    now = (due[-1] if due else NIGHT) + timedelta(minutes=late)
    found = judge_occurrences(due, now=now, is_simulated=is_simulated, is_in_order=is_in_order, is_behind=False)
    assert [at for at, _ in found] == due
    waiting = [at for at, state in found if state == "waiting"]
    assert waiting in ([], due[-1:])
    assert all(is_simulated or now - at < MISSED_AFTER for at in waiting)
