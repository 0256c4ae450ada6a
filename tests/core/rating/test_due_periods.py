"""Which days are due: the worked cases of the reference, and tilings of four years without a gap."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coax.rating.frames import MAX_PERIODS_PER_RUN, find_due_periods
from coax.rating.frames.periods import AsOfOutOfRange
from coax.rating.types import AdvanceMode, CycleAdjustment
from tests.core.rating.builders import Row, a_service, services_frame
from tests.core.rating.strategies import AS_OF, period_terms
from tests.oracle import rating as oracle

NONE, PREVIOUS, NEXT = (member.frame_code for member in CycleAdjustment)
FREQUENCY, FIXED, TO_CYCLE = (member.frame_code for member in AdvanceMode)


def due(as_of: date = date(2024, 8, 1), **changes: Any) -> list[tuple[str, str]]:
    periods, refused = find_due_periods(services_frame([a_service(**changes)]), as_of=as_of)
    assert refused.is_empty()
    return [(str(row["period_from"]), str(row["period_to"])) for row in periods.to_dicts()]


@pytest.mark.parametrize(
    ("changes", "periods"),
    [
        # Company ZX, reference 4.5: executed 20 July, bill as of 1 August.
        pytest.param({}, [("2024-08-01", "2024-09-01")], id="A monthly"),
        pytest.param({"frequency_months": 6}, [("2024-08-01", "2025-02-01")], id="B half-yearly"),
        pytest.param({"frequency_months": 6, "rated_up_to": date(2024, 11, 1)}, [], id="C billed already"),
        pytest.param({"rated_up_to": date(2024, 7, 15)}, [("2024-07-15", "2024-09-01")], id="D joined"),
        # the other adjustments of case D
        pytest.param(
            {"rated_up_to": date(2024, 7, 15), "adjustment": PREVIOUS},
            [("2024-07-15", "2024-08-01"), ("2024-08-01", "2024-09-01")],
            id="previous cycle date",
        ),
        pytest.param(
            {"rated_up_to": date(2024, 7, 15), "adjustment": NONE, "anchor_day": 15},
            [("2024-07-15", "2024-08-15")],
            id="no adjustment",
        ),
        pytest.param(
            {"rated_up_to": date(2024, 7, 20), "adjustment": PREVIOUS, "advance_mode": FIXED, "advance_days": 5},
            [("2024-07-20", "2024-08-01"), ("2024-08-01", "2024-09-01")],
            id="previous finds none and takes the next",
        ),
        # advance
        pytest.param({"advance_mode": FIXED, "advance_months": 3}, [("2024-08-01", "2024-11-01")], id="three months"),
        pytest.param(
            {"rated_up_to": date(2024, 7, 15), "frequency_months": 6, "advance_mode": TO_CYCLE},
            [("2024-07-15", "2024-08-01"), ("2024-08-01", "2025-02-01")],
            id="up to the next cycle date",
        ),
        pytest.param(
            {"rated_up_to": date(2024, 7, 15), "advance_mode": TO_CYCLE, "adjustment": NONE, "anchor_day": 15},
            [("2024-07-15", "2024-08-01"), ("2024-08-01", "2024-09-01")],
            id="the cycle of the next cycle date is the cycle day's",
        ),
        # counted in days: no cycle
        pytest.param(
            {"frequency_months": 0, "frequency_days": 10, "rated_up_to": date(2024, 7, 15)},
            [("2024-07-15", "2024-07-25"), ("2024-07-25", "2024-08-04")],
            id="ten days",
        ),
        pytest.param(
            {"frequency_months": 0, "frequency_days": 1, "advance_mode": FIXED, "advance_days": 7},
            [("2024-08-01", "2024-08-08")],
            id="daily, a week in advance",
        ),
        # the gates
        pytest.param({"billing_effective_date": date(2024, 8, 2)}, [], id="not yet to be billed"),
        pytest.param({"effective_to": date(2024, 8, 1)}, [], id="ended"),
        pytest.param({"effective_to": date(2024, 8, 10)}, [("2024-08-01", "2024-08-10")], id="ends inside"),
        # behind by three months
        pytest.param(
            {"rated_up_to": date(2024, 6, 1)},
            [("2024-06-01", "2024-07-01"), ("2024-07-01", "2024-08-01"), ("2024-08-01", "2024-09-01")],
            id="caught up",
        ),
        # post-billed: only what is over
        pytest.param({"is_post_billed": True}, [], id="post-billed, not over"),
        pytest.param(
            {"is_post_billed": True, "rated_up_to": date(2024, 6, 15)},
            [("2024-06-15", "2024-07-01"), ("2024-07-01", "2024-08-01")],
            id="post-billed, stub first",
        ),
        pytest.param(
            {"is_post_billed": True, "rated_up_to": date(2024, 7, 1), "effective_to": date(2024, 7, 20)},
            [("2024-07-01", "2024-07-20")],
            id="post-billed, ended",
        ),
        pytest.param(
            {"is_post_billed": True, "rated_up_to": date(2024, 7, 1), "effective_to": date(2024, 8, 2)},
            [("2024-07-01", "2024-08-01")],
            id="post-billed, end is still to come",
        ),
        pytest.param(
            {
                "is_post_billed": True,
                "rated_up_to": date(2024, 7, 22),
                "frequency_months": 0,
                "frequency_days": 7,
            },
            [("2024-07-22", "2024-07-29")],
            id="post-billed weekly",
        ),
    ],
)
def test_worked_cases(changes: Row, periods: list[tuple[str, str]]):
    assert due(**changes) == periods


def test_the_last_day_of_the_month_is_kept():
    periods = due(date(2024, 4, 30), rated_up_to=date(2024, 1, 31), cycle_day=31)
    assert [end for _, end in periods] == ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]


def test_the_limit_of_periods_is_refused_not_cut():
    behind = a_service(frequency_months=0, frequency_days=1, rated_up_to=date(2024, 8, 1))
    within = date(2024, 8, 1) + timedelta(days=MAX_PERIODS_PER_RUN - 1)
    periods, refused = find_due_periods(services_frame([behind]), as_of=within)
    assert (periods.height, refused.height) == (MAX_PERIODS_PER_RUN, 0)
    periods, refused = find_due_periods(services_frame([behind]), as_of=within + timedelta(days=1))
    assert periods.is_empty()
    assert refused.to_dicts() == [
        {
            "service_key": 0,
            "reason": "too_many_periods",
            "detail": "more than 400 periods are due since 2024-08-01",
        }
    ]


def test_a_day_beyond_the_calendar_is_refused():
    with pytest.raises(AsOfOutOfRange):
        find_due_periods(services_frame([]), as_of=date(2200, 1, 1))


@settings(max_examples=150, deadline=None)
@given(AS_OF.flatmap(lambda day: st.tuples(st.just(day), st.lists(period_terms(day), min_size=1, max_size=12))))
def test_frames_agree_with_the_oracle(case: tuple[date, list[Row]]):
    as_of, terms = case
    services = [a_service(service_key=key, **row) for key, row in enumerate(terms)]
    expected, refused = [], []
    for service in services:
        try:
            periods = oracle.due_periods(service, as_of)
        except oracle.Refused:
            refused.append(service["service_key"])
        else:
            expected += [
                (service["service_key"], number, each.start, each.end, each.full_end)
                for number, each in enumerate(periods)
            ]
    found, not_rated = find_due_periods(services_frame(services), as_of=as_of)
    assert found.rows() == expected
    assert not_rated["service_key"].to_list() == refused


START_DAYS = [date(2023, 1, 1) + timedelta(days=number) for number in range(731)]  # 2024 is a leap year


@pytest.mark.parametrize("adjustment", [NONE, PREVIOUS, NEXT])
@pytest.mark.parametrize("is_post_billed", [False, True])
@pytest.mark.parametrize("cycle_day", [0, 1, 28, 29, 30, 31])
def test_four_years_are_tiled(adjustment: int, is_post_billed: bool, cycle_day: int):
    """Every start day and frequency; cycle day 0 stands for the day of sign-up (anniversary)."""
    frequencies = [(1, 0), (3, 0), (6, 0), (12, 0), (24, 0), (0, 7), (0, 10)]
    services = [
        a_service(
            service_key=number * len(frequencies) + place,
            rated_up_to=day,
            frequency_months=months,
            frequency_days=days,
            cycle_day=cycle_day or day.day,
            anchor_day=day.day,
            adjustment=adjustment,
            is_post_billed=is_post_billed,
        )
        for number, day in enumerate(START_DAYS)
        for place, (months, days) in enumerate(frequencies)
    ]
    frame = services_frame(services)
    as_of = date(2027, 12, 31)
    periods, refused = find_due_periods(frame, as_of=as_of)
    assert refused.is_empty()
    joined = periods.join(frame, on="service_key")
    follows = pl.col("period_from") == pl.col("period_to").shift(1).over("service_key")
    first = pl.col("period_from") == pl.col("rated_up_to")
    assert joined.filter(~pl.when(pl.col("period_no") == 0).then(first).otherwise(follows)).is_empty()
    assert joined.filter(pl.col("period_to") <= pl.col("period_from")).is_empty()
    last = joined.group_by("service_key").agg(pl.col("period_from", "period_to").max())
    if is_post_billed:
        assert last["period_to"].max() <= as_of
    else:
        assert last.height == frame.height
        assert last["period_from"].max() <= as_of < last["period_to"].min()
    anchor = pl.col("anchor_day" if adjustment == NONE and not is_post_billed else "cycle_day")
    length = pl.col("period_to").dt.month_end().dt.day()
    is_cycle_date = pl.col("period_to").dt.day() == pl.min_horizontal(anchor, length)
    assert joined.filter((pl.col("frequency_months") > 0) & ~is_cycle_date).is_empty()
