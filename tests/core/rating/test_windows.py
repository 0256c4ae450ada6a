"""Rate periods: whole ones are counted, the rest is prorated by the days of the rate period it lies in."""

from __future__ import annotations

from datetime import date

import pytest

from coax.rating.types import AdvanceMode, CycleAdjustment
from tests.core.rating.builders import Row, a_rate, a_service, rate_one

NONE = CycleAdjustment.NONE.frame_code
FIXED = AdvanceMode.FIXED_PERIOD.frame_code


JOINED = {"rated_up_to": date(2024, 7, 15)}
HALF_YEARLY = {"frequency_months": 6}


@pytest.mark.parametrize(
    ("service", "rate", "segments"),
    [
        pytest.param({}, {}, [("2024-08-01", "2024-09-01", 1, 0, 1)], id="a month"),
        pytest.param(HALF_YEARLY, {}, [("2024-08-01", "2025-02-01", 6, 0, 1)], id="six months in one row"),
        pytest.param(HALF_YEARLY, {"price_months": 6}, [("2024-08-01", "2025-02-01", 1, 0, 1)], id="one half-year"),
        pytest.param(
            HALF_YEARLY, {"price_months": 0}, [("2024-08-01", "2025-02-01", 1, 0, 1)], id="the frequency itself"
        ),
        pytest.param(
            JOINED,
            {},
            [("2024-07-15", "2024-08-01", 0, 17, 31), ("2024-08-01", "2024-09-01", 1, 0, 1)],
            id="stub and month",
        ),
        pytest.param(
            {**JOINED, **HALF_YEARLY},
            {"price_months": 6},
            [("2024-07-15", "2024-08-01", 0, 17, 182), ("2024-08-01", "2025-02-01", 1, 0, 1)],
            id="stub of the half-year from February (leap year: 182 days)",
        ),
        pytest.param(
            {**HALF_YEARLY, "effective_to": date(2024, 10, 10)},
            {},
            [("2024-08-01", "2024-10-01", 2, 0, 1), ("2024-10-01", "2024-10-10", 0, 9, 31)],
            id="ends in the third month",
        ),
        pytest.param(
            {**HALF_YEARLY, "effective_to": date(2024, 10, 10)},
            {"price_months": 6},
            [("2024-08-01", "2024-10-10", 0, 70, 184)],
            id="ends inside the half-year",
        ),
        pytest.param(
            {**JOINED, "effective_to": date(2024, 7, 20)},
            {},
            [("2024-07-15", "2024-07-20", 0, 5, 31)],
            id="inside one month on both sides",
        ),
        pytest.param({}, {"price_months": 0, "price_days": 1}, [("2024-08-01", "2024-09-01", 31, 0, 1)], id="days"),
        pytest.param(
            {},
            {"price_months": 0, "price_days": 30},
            [("2024-08-01", "2024-08-31", 1, 0, 1), ("2024-08-31", "2024-09-01", 0, 1, 30)],
            id="thirty days and one",
        ),
        pytest.param(
            {"frequency_months": 0, "frequency_days": 7, "rated_up_to": date(2024, 7, 29)},
            {},
            [("2024-07-29", "2024-08-01", 0, 3, 31), ("2024-08-01", "2024-08-05", 0, 4, 31)],
            id="a week across two months on a monthly price",
        ),
        pytest.param(
            {"rated_up_to": date(2024, 2, 15), "adjustment": NONE, "anchor_day": 1},
            {},
            [("2024-02-15", "2024-03-15", 1, 0, 1)],
            id="a month off the cycle stays a month",
        ),
        pytest.param(
            {"rated_up_to": date(2024, 8, 1), "adjustment": NONE, "advance_mode": FIXED, "advance_days": 10},
            {},
            [("2024-08-01", "2024-08-11", 0, 10, 31)],
            id="ten days in advance of a monthly price",
        ),
    ],
)
def test_worked_cases(service: Row, rate: Row, segments: list[tuple[str, str, int, int, int]]):
    as_of = {"as_of": service.get("rated_up_to", date(2024, 8, 1))}
    items = rate_one(a_service(**service), rates=[a_rate(**rate)], **as_of)
    names = ("whole_periods", "days", "period_days")
    found = [(str(item["period_from"]), str(item["period_to"]), *(item[name] for name in names)) for item in items]
    assert found == segments


def test_a_year_of_days_costs_exactly_twelve_months():
    items = rate_one(
        a_service(rated_up_to=date(2024, 1, 1), frequency_months=0, frequency_days=1),
        rates=[a_rate(price_micro=366_000_000)],
        as_of=date(2024, 12, 31),
    )
    assert len(items) == 366
    by_month = [0] * 13
    for item in items:
        by_month[item["period_from"].month] += item["base_micro"]
    assert all(abs(total - 366_000_000) <= 31 for total in by_month[1:])  # a unit per part at most
