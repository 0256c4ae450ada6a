"""Discounts, taxes and the size of amounts; what cannot be computed is refused."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.rating.frames import find_due_periods, rate
from coax.rating.frames.amounts import Parts, Terms, compute_amounts
from coax.rating.frames.discounts import InvalidDiscounts
from coax.rating.frames.rates import AMOUNT_LIMIT
from coax.rating.frames.schemas import FrameSchemaMismatch
from coax.rating.frames.taxes import InvalidTaxes
from coax.rating.rules import recompute_item
from coax.rating.types import AppliedPer, RatedItemFacts
from tests.core.rating.builders import (
    EURO,
    Row,
    a_discount,
    a_rate,
    a_service,
    a_tax,
    rate_one,
    rate_rows,
    refusal_of,
    services_frame,
)
from tests.oracle import rating as oracle

AMOUNTS = ("base_micro", "discount_micro", "net_micro", "tax_micro", "total_micro")


def amounts(service: Row, **keywords: Any) -> tuple[int, ...]:
    (item,) = rate_one(service, **keywords)
    return tuple(item[name] for name in AMOUNTS)


def test_tax_is_put_on_an_exclusive_price():
    assert amounts(a_service()) == (12_000_000, 0, 12_000_000, 2_280_000, 14_280_000)


def test_tax_is_taken_out_of_an_inclusive_price():
    rates = [a_rate(is_tax_inclusive=True)]
    assert amounts(a_service(), rates=rates) == (12_000_000, 0, 10_084_034, 1_915_966, 12_000_000)


def test_percentages_add_up_and_stop_at_everything():
    discounts = [a_discount(), a_discount(percent_ppm=50_000)]
    assert amounts(a_service(), discounts=discounts)[:2] == (12 * EURO, 1_800_000)
    extra = a_service(extra_discount_ppm=950_000)
    assert amounts(extra, discounts=discounts) == (12 * EURO, 12 * EURO, 0, 0, 0)


def test_an_amount_off_is_prorated_and_stops_at_the_price():
    off = a_discount(percent_ppm=0, amount_off_micro=3_100_000)
    items = rate_one(a_service(rated_up_to=date(2024, 7, 15)), discounts=[off])
    assert [item["discount_micro"] for item in items] == [1_700_000, 3_100_000]
    assert amounts(a_service(), discounts=[{**off, "amount_off_micro": 99 * EURO}])[:3] == (12 * EURO, 12 * EURO, 0)


@pytest.mark.parametrize(
    ("condition", "service", "applies"),
    [
        ({"product_key": 1}, {}, True),
        ({"product_key": 2}, {}, False),
        ({"plan_key": 2}, {}, False),
        ({"min_quantity": 3}, {"quantity": 3}, True),
        ({"min_quantity": 3}, {"quantity": 2}, False),
        ({"frequency_key": 1}, {}, True),
        ({"frequency_key": 2}, {}, False),
        ({"min_binding_months": 12}, {"binding_months": 24}, True),
        ({"min_binding_months": 12}, {"binding_months": 0}, False),
        ({"classification_key": 1}, {}, True),
        ({"classification_key": 4}, {}, False),
        ({"effective_from": date(2024, 8, 1)}, {}, True),
        ({"effective_from": date(2024, 8, 2)}, {}, False),
        ({"effective_to": date(2024, 8, 1)}, {}, False),
        ({"effective_to": date(2024, 8, 2)}, {}, True),
    ],
)
def test_a_discount_asks_for_its_conditions(condition: Row, service: Row, applies: bool):
    (item,) = rate_one(a_service(**service), discounts=[a_discount(**condition)])
    assert item["discount_ppm"] == (100_000 if applies else 0)


def test_discounts_are_those_of_the_plan_whose_rate_is_used():
    service = a_service(plan_key=2, fallback_plan_key=1)
    discounts = [a_discount(percent_ppm=10_000), a_discount(plan_key=2, percent_ppm=20_000)]
    assert rate_one(service, discounts=discounts)[0]["discount_ppm"] == 10_000


def test_the_tax_rate_in_force_at_the_start_of_the_segment_counts():
    taxes = [
        a_tax(effective_to=date(2024, 8, 1)),
        a_tax(rate_ppm=160_000, effective_from=date(2024, 8, 1)),
    ]
    items = rate_one(a_service(rated_up_to=date(2024, 7, 15)), taxes=taxes)
    assert [item["tax_ppm"] for item in items] == [190_000, 160_000]


@pytest.mark.parametrize("taxes", [[], [a_tax(tax_class_key=2)], [a_tax(effective_to=date(2024, 8, 1))]])
def test_a_service_without_a_tax_rate_is_refused(taxes: list[Row]):
    reason, detail = refusal_of(a_service(), taxes=taxes)
    assert (reason, detail) == ("no_tax_rate", "tax class 1 of product 1 has no rate in force")


def test_the_largest_amount_is_exact_and_the_next_is_refused():
    taxes = [a_tax(rate_ppm=1_000_000)]
    at_limit = a_service(agreed_price_micro=AMOUNT_LIMIT)
    assert amounts(at_limit, taxes=taxes)[-1] == 2 * AMOUNT_LIMIT
    above = a_service(agreed_price_micro=AMOUNT_LIMIT + 1)
    assert refusal_of(above, taxes=taxes) == ("amount_too_large", "price of product 1 x quantity 1 is too large")
    many = a_service(quantity=1 << 40)
    assert refusal_of(many)[0] == "amount_too_large"


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"frequency_months": 0}, "frequency_months is out of range: 0"),
        ({"frequency_days": 3}, "frequency_months is out of range: 1"),
        ({"frequency_months": 601}, "frequency_months is out of range: 601"),
        ({"advance_mode": 1}, "advance_months is out of range: 0"),
        ({"cycle_day": 0}, "cycle_day is out of range: 0"),
        ({"cycle_day": 32}, "cycle_day is out of range: 32"),
        ({"quantity": 0}, "quantity is out of range: 0"),
        ({"agreed_price_micro": -1}, "agreed_price_micro is out of range: -1"),
        ({"extra_discount_ppm": 1_000_001}, "extra_discount_ppm is out of range: 1000001"),
        ({"rated_up_to": date(1899, 12, 31)}, "rated_up_to is out of range: 1899-12-31"),
        ({"service_start": date(1, 1, 1)}, "service_start is out of range: 0001-01-01"),
        ({"binding_start": date(9999, 1, 1)}, "binding_start is out of range: 9999-01-01"),
    ],
)
def test_values_out_of_range_are_refused(changes: Row, detail: str):
    assert refusal_of(a_service(**changes)) == ("invalid_input", detail)


def test_values_of_services_that_are_not_due_do_not_matter():
    rated = rate_rows([a_service(rated_up_to=date(2024, 8, 2), quantity=0)])
    assert rated.items.is_empty()
    assert rated.refused.is_empty()


@pytest.mark.parametrize(
    ("keywords", "error"),
    [
        ({"discounts": [a_discount(percent_ppm=1_000_001)]}, InvalidDiscounts),
        ({"discounts": [a_discount(amount_off_micro=-1)]}, InvalidDiscounts),
        ({"taxes": [a_tax(rate_ppm=1_000_001)]}, InvalidTaxes),
        ({"taxes": [a_tax(rate_ppm=-1)]}, InvalidTaxes),
    ],
)
def test_configuration_out_of_range_is_refused(keywords: Row, error: type[Exception]):
    with pytest.raises(error):
        rate_rows([a_service()], **keywords)


@pytest.mark.parametrize(
    "break_frame",
    [
        pytest.param(lambda frame: frame.drop("quantity"), id="missing column"),
        pytest.param(lambda frame: frame.with_columns(pl.col("quantity").cast(pl.Float64)), id="float"),
        pytest.param(lambda frame: frame.with_columns(quantity=None), id="null"),
        pytest.param(lambda frame: frame.with_columns(is_free=pl.lit(0)), id="number for flag"),
    ],
)
def test_a_frame_of_another_schema_is_refused(break_frame: Any):
    empty = rate_rows([])
    assert empty.items.is_empty()
    rates, discounts, taxes = pl.DataFrame(), pl.DataFrame(), pl.DataFrame()
    with pytest.raises(FrameSchemaMismatch):
        rate(break_frame(services_frame([a_service()])), rates, discounts, taxes, as_of=date(2024, 8, 1))


def test_narrower_integers_and_other_columns_are_taken():
    narrow = services_frame([a_service()]).with_columns(pl.col("quantity").cast(pl.Int8), note=pl.lit("x"))
    periods, _ = find_due_periods(narrow, as_of=date(2024, 8, 1))
    assert periods.height == 1


ITEMS = st.tuples(
    st.integers(0, AMOUNT_LIMIT >> 8),  # charge
    st.integers(0, 3),  # whole periods
    st.integers(0, 30),  # days of 31
    st.integers(0, 1_000_000),  # discount
    st.just(0) | st.integers(0, 1 << 52),  # amount off
    st.integers(0, 1_000_000),  # tax
    st.booleans(),  # inclusive
)


@given(st.lists(ITEMS, min_size=1, max_size=10))
def test_large_amounts_are_exact_in_frames_and_rules(items: list[tuple[int, ...]]):
    """Near the limit against fractions: nothing overflows, nothing is off by one."""
    charge, whole, days, discount, off, tax, inclusive = (np.array(column) for column in zip(*items, strict=True))
    parts = Parts(whole.astype(np.int32), days.astype(np.int32), np.full(len(items), 31, dtype=np.int32))
    computed = compute_amounts(Terms(charge, discount, off, tax, inclusive), parts)
    for number, item in enumerate(items):
        expected = oracle.amounts(item[0], item[1] + Fraction(item[2], 31), *item[3:6], inclusive=bool(item[6]))
        assert {name: int(getattr(computed, name)[number]) for name in AMOUNTS} == expected
        recomputed = recompute_item(facts_of(item))
        assert {name: getattr(recomputed, name) for name in AMOUNTS} == expected


def facts_of(item: tuple[int, ...]) -> RatedItemFacts:
    return RatedItemFacts(
        period_from=date(2024, 8, 1),
        period_to=date(2024, 9, 1),
        price_micro=item[0],
        quantity=1,
        applied_per=AppliedPer.PERIOD,
        whole_periods=item[1],
        days=item[2],
        period_days=31,
        discount_ppm=item[3],
        amount_off_micro=item[4],
        tax_ppm=item[5],
        is_tax_inclusive=bool(item[6]),
    )
