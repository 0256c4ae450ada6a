"""A credit gives back what is no longer used: charge + credit is the charge for the used part."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coax.rating.frames import CREDIT_INPUT_SCHEMA, compute_credits
from tests.core.rating.builders import EURO, Row, a_discount, a_rate, a_service, rate_one, rate_rows
from tests.core.rating.test_rate_against_oracle import CASES, SLOW
from tests.oracle import rating as oracle

AMOUNTS = ("base_micro", "discount_micro", "net_micro", "tax_micro", "total_micro")


def to_charges(items: list[Row], effective_to: date, charged_to: date | None = None) -> pl.DataFrame:
    rows = [
        {
            **{name: item[name] for name in CREDIT_INPUT_SCHEMA if name in item},
            "item_key": key,
            "effective_to": effective_to,
            "charged_to": charged_to or item["period_to"],
        }
        for key, item in enumerate(items)
    ]
    return pl.DataFrame(rows, schema=CREDIT_INPUT_SCHEMA, orient="row")


def credit_of(items: list[Row], effective_to: date, charged_to: date | None = None) -> list[Row]:
    return compute_credits(to_charges(items, effective_to, charged_to)).to_dicts()


def test_half_a_month_is_given_back():
    """12.00 for August, ended on the 11th: 10 of 31 days stay, 3.870968 net and 0.735484 tax."""
    items = rate_one(a_service())
    (credit,) = credit_of(items, date(2024, 8, 11))
    assert credit == {
        "item_key": 0,
        "period_from": date(2024, 8, 11),
        "period_to": date(2024, 9, 1),
        "used_whole_periods": 0,
        "used_days": 10,
        "used_period_days": 31,
        "base_micro": 3_870_968 - 12_000_000,
        "discount_micro": 0,
        "net_micro": 3_870_968 - 12_000_000,
        "tax_micro": 735_484 - 2_280_000,
        "total_micro": 4_606_452 - 14_280_000,
    }


def test_six_months_are_given_back_from_the_third_on():
    items = rate_one(a_service(frequency_months=6), discounts=[a_discount()])
    (credit,) = credit_of(items, date(2024, 10, 10))
    assert [credit[name] for name in ("used_whole_periods", "used_days", "used_period_days")] == [2, 9, 31]
    assert credit["base_micro"] == 27_483_871 - 72 * EURO
    assert credit["discount_micro"] == 2_748_387 - 7_200_000


def test_what_lies_behind_the_end_is_given_back_entirely_and_what_lies_before_not_at_all():
    items = rate_one(a_service(rated_up_to=date(2024, 7, 15)))
    (credit,) = credit_of(items, date(2024, 8, 1))
    assert credit["item_key"] == 1
    assert [credit[name] for name in AMOUNTS] == [-items[1][name] for name in AMOUNTS]
    stub, month = credit_of(items, date(2024, 7, 10))
    assert (stub["total_micro"], month["total_micro"]) == (-items[0]["total_micro"], -items[1]["total_micro"])
    assert credit_of(items, date(2024, 9, 1)) == []


def test_a_stub_keeps_the_days_of_its_month():
    items = rate_one(a_service(rated_up_to=date(2024, 7, 15)))
    credit = credit_of(items, date(2024, 7, 20))[0]
    assert (credit["used_days"], credit["used_period_days"]) == (5, 31)
    assert credit["base_micro"] == 1_935_484 - items[0]["base_micro"]


def test_a_second_credit_goes_on_from_the_first():
    items = rate_one(a_service(frequency_months=6))
    (first,) = credit_of(items, date(2024, 12, 11))
    (second,) = credit_of(items, date(2024, 10, 5), charged_to=date(2024, 12, 11))
    (at_once,) = credit_of(items, date(2024, 10, 5))
    assert second["period_to"] == date(2024, 12, 11)
    for name in AMOUNTS:
        assert first[name] + second[name] == at_once[name]


@SLOW
@given(CASES, st.integers(0, 200), st.integers(0, 60))
def test_frames_credit_like_the_oracle_and_the_sum_is_the_used_part(
    case: tuple[date, list[Row], dict[str, list[Row]]], days: int, more: int
):
    as_of, services, configuration = case
    items = rate_rows(services, **configuration, as_of=as_of).items.head(40).to_dicts()
    for item in items[:1]:
        effective_to = item["period_from"] + timedelta(days=days)
        check_credits(items, effective_to)
        first = max(effective_to, item["period_from"] + timedelta(days=more))
        if first < item["period_to"]:
            check_credits([item], effective_to, first)


def check_credits(items: list[Row], effective_to: date, charged_to: date | None = None) -> None:
    given_back = {row["item_key"]: row for row in credit_of(items, effective_to, charged_to)}
    for key, item in enumerate(items):
        expected = oracle.credit(item, effective_to, charged_to or item["period_to"])
        given_row = given_back.get(key)
        assert (given_row and {name: given_row[name] for name in expected or {}}) == expected
        if expected is None:
            continue
        assert expected["net_micro"] + expected["tax_micro"] == expected["total_micro"]
        stands = oracle.charged_until(item, charged_to or item["period_to"])
        used = oracle.charged_until(item, max(effective_to, item["period_from"]))
        assert all(stands[name] + expected[name] == used[name] for name in AMOUNTS)


@settings(deadline=None)
@given(st.integers(1, 183), st.integers(0, 10**10), st.booleans(), st.integers(0, 1_000_000))
def test_charge_and_credit_differ_from_a_fresh_charge_by_a_unit_per_part(
    day: int, price_micro: int, inclusive: bool, tax_ppm: int
):
    """The used days rated afresh are several items, each rounded: a unit per part and amount at most."""
    end = date(2024, 8, 1) + timedelta(days=day)
    rates = [a_rate(price_micro=price_micro, is_tax_inclusive=inclusive)]
    taxes: list[dict[str, Any]] = [
        {"tax_class_key": 1, "rate_ppm": tax_ppm, "effective_from": date(2000, 1, 1), "effective_to": None}
    ]
    whole = rate_one(a_service(frequency_months=6), rates=rates, taxes=taxes)
    fresh = rate_one(a_service(frequency_months=6, effective_to=end), rates=rates, taxes=taxes)
    given_back = credit_of(whole, end)
    for name in AMOUNTS:
        kept = sum(item[name] for item in (*whole, *given_back))
        assert abs(kept - sum(item[name] for item in fresh)) <= len(fresh)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_a_period_billed_in_parts_costs_the_whole_to_a_unit_per_part(parts: int):
    (whole,) = rate_one(a_service(), rates=[a_rate(price_micro=9_999_999)])
    bounds = [date(2024, 8, 1) + timedelta(days=31 * part // parts) for part in range(parts + 1)]
    total = 0
    for start, end in pairwise(bounds):
        service = a_service(rated_up_to=start, effective_to=end if end < date(2024, 9, 1) else None)
        items = rate_one(service, rates=[a_rate(price_micro=9_999_999)], as_of=start)
        total += items[0]["base_micro"]
    assert abs(total - whole["base_micro"]) <= parts
