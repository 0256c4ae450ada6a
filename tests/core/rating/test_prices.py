"""Which price a segment takes: plan, version, tier by quantity, maturity or duration, agreed price, free."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from coax.rating.frames.rates import InvalidRates
from coax.rating.types import AppliedPer, MaturityStart, RateModel, TierBasis
from tests.core.rating.builders import EURO, Row, a_rate, a_service, rate_one, rate_rows, refusal_of

PER_PERIOD = AppliedPer.PERIOD.frame_code
GRADUATED = TierBasis.GRADUATED.frame_code
QUANTITY, MATURITY, DURATION, BOTH = (
    RateModel.QUANTITY.frame_code,
    RateModel.MATURITY.frame_code,
    RateModel.DURATION.frame_code,
    RateModel.QUANTITY_AND_MATURITY.frame_code,
)


def tiers(model: int, *rows: tuple[int, int | None, int], **changes: Any) -> list[Row]:
    """Rates of (from, to, price in euro)."""
    return [
        a_rate(rate_id=number, model=model, tier_from=low, tier_to=high, price_micro=price * EURO, **changes)
        for number, (low, high, price) in enumerate(rows)
    ]


BY_QUANTITY = ((1, 4, 10), (4, 11, 8), (11, None, 5))


@pytest.mark.parametrize(
    ("quantity", "volume", "graduated"),
    [
        (1, 10, 10),
        (3, 30, 30),
        (4, 4 * 8, 3 * 10 + 1 * 8),
        (10, 10 * 8, 3 * 10 + 7 * 8),
        (11, 11 * 5, 3 * 10 + 7 * 8 + 1 * 5),
        (20, 20 * 5, 3 * 10 + 7 * 8 + 10 * 5),
    ],
)
def test_tiers_by_quantity(quantity: int, volume: int, graduated: int):
    service = a_service(quantity=quantity)
    (item,) = rate_one(service, rates=tiers(QUANTITY, *BY_QUANTITY))
    assert item["base_micro"] == volume * EURO
    (item,) = rate_one(service, rates=tiers(QUANTITY, *BY_QUANTITY, tier_basis=GRADUATED))
    assert item["base_micro"] == item["charge_micro"] == graduated * EURO


@pytest.mark.parametrize(("quantity", "volume", "graduated"), [(3, 10, 10), (4, 8, 18), (11, 5, 23)])
def test_a_price_per_period_is_charged_once(quantity: int, volume: int, graduated: int):
    service = a_service(quantity=quantity)
    (item,) = rate_one(service, rates=tiers(QUANTITY, *BY_QUANTITY, applied_per=PER_PERIOD))
    assert item["base_micro"] == volume * EURO
    rates = tiers(QUANTITY, *BY_QUANTITY, applied_per=PER_PERIOD, tier_basis=GRADUATED)
    (item,) = rate_one(service, rates=rates)
    assert item["base_micro"] == graduated * EURO


def test_whole_months_are_split_where_maturity_reaches_a_tier():
    rates = tiers(MATURITY, (0, 3, 10), (3, None, 7))
    service = a_service(frequency_months=6, service_start=date(2024, 7, 1))
    items = rate_one(service, rates=rates)
    assert [(str(item["period_from"]), item["whole_periods"], item["base_micro"]) for item in items] == [
        ("2024-08-01", 2, 20 * EURO),
        ("2024-10-01", 4, 28 * EURO),
    ]


@pytest.mark.parametrize(
    ("start", "changes", "price"),
    [
        (MaturityStart.SERVICE_EFFECTIVE_DATE, {}, 7),
        (MaturityStart.BINDING_START_DATE, {"binding_start": date(2024, 6, 2)}, 10),
        (MaturityStart.BINDING_START_DATE, {}, 7),  # no binding: the service start
        (MaturityStart.AGREEMENT_DATE, {"agreement_date": date(2024, 5, 1)}, 7),
        (MaturityStart.AGREEMENT_DATE, {"agreement_date": date(2024, 5, 2)}, 10),
        (MaturityStart.AGREEMENT_DATE, {"agreement_date": date(2025, 5, 2)}, 10),
    ],
)
def test_months_of_maturity_count_from_the_day_that_the_rate_names(start: MaturityStart, changes: Row, price: int):
    rates = tiers(MATURITY, (0, 3, 10), (3, None, 7), maturity_start=start.frame_code)
    (item,) = rate_one(a_service(**changes), rates=rates)
    assert item["price_micro"] == price * EURO


def test_a_longer_duration_takes_another_price():
    rates = tiers(DURATION, (1, 6, 10), (6, None, 9))
    assert rate_one(a_service(), rates=rates)[0]["base_micro"] == 10 * EURO
    (item,) = rate_one(a_service(frequency_months=6), rates=rates)
    assert item["base_micro"] == 54 * EURO


def test_a_graduated_duration_counts_the_periods():
    rates = tiers(DURATION, (1, 3, 10), (3, None, 9), tier_basis=GRADUATED)
    items = rate_one(a_service(frequency_months=6), rates=rates)
    assert [(item["whole_periods"], item["base_micro"]) for item in items] == [
        (2, 20 * EURO),
        (4, 36 * EURO),
    ]


def test_quantity_and_maturity_together():
    names = ("tier_from", "tier_to", "maturity_from", "maturity_to", "price_micro")
    rows = [
        (1, 5, 0, 12, 10 * EURO),
        (5, None, 0, 12, 9 * EURO),
        (1, 5, 12, None, 8 * EURO),
        (5, None, 12, None, 7 * EURO),
    ]
    rates = [a_rate(rate_id=n, model=BOTH, **dict(zip(names, row, strict=True))) for n, row in enumerate(rows)]
    for quantity, start, price in ((1, 2024, 10), (5, 2024, 9), (4, 2023, 8), (6, 2023, 7)):
        service = a_service(quantity=quantity, service_start=date(start, 1, 1))
        assert rate_one(service, rates=rates)[0]["price_micro"] == price * EURO


def test_the_conditional_plan_comes_first_and_the_base_plan_where_it_has_no_rate():
    rates = [a_rate(price_micro=20 * EURO), a_rate(rate_id=2, plan_key=2, price_micro=15 * EURO)]
    on_both = a_service(plan_key=2, fallback_plan_key=1)
    (item,) = rate_one(on_both, rates=rates)
    assert (item["plan_key"], item["price_micro"]) == (2, 15 * EURO)
    (item,) = rate_one(on_both, rates=rates[:1])
    assert (item["plan_key"], item["price_micro"]) == (1, 20 * EURO)


def test_a_rate_for_the_frequency_wins_over_one_for_any():
    rates = [a_rate(), a_rate(rate_id=2, frequency_key=1, price_micro=9 * EURO)]
    assert rate_one(a_service(), rates=rates)[0]["price_micro"] == 9 * EURO
    assert rate_one(a_service(frequency_key=2), rates=rates)[0]["price_micro"] == 12 * EURO


def test_a_segment_takes_the_version_in_force_when_it_starts():
    rates = [
        a_rate(rate_id=1, effective_to=date(2024, 8, 1)),
        a_rate(rate_id=2, effective_from=date(2024, 8, 1), price_micro=15 * EURO),
    ]
    items = rate_one(a_service(rated_up_to=date(2024, 7, 15)), rates=rates)
    assert [(item["rate_id"], item["base_micro"]) for item in items] == [(1, 6_580_645), (2, 15 * EURO)]


def test_a_version_with_other_rate_periods_waits_for_the_next_due_period():
    rates = [
        a_rate(rate_id=1, effective_to=date(2024, 8, 1)),
        a_rate(rate_id=2, effective_from=date(2024, 8, 1), price_months=0, price_days=1, price_micro=EURO),
    ]
    items = rate_one(a_service(rated_up_to=date(2024, 7, 15)), rates=rates, as_of=date(2024, 9, 1))
    assert [(item["rate_id"], item["base_micro"]) for item in items] == [
        (1, 6_580_645),
        (1, 12 * EURO),
        (2, 30 * EURO),
    ]


def test_an_agreed_price_takes_the_place_of_the_tier():
    service = a_service(quantity=4, agreed_price_micro=3 * EURO)
    (item,) = rate_one(service, rates=tiers(QUANTITY, *BY_QUANTITY, tier_basis=GRADUATED))
    assert (item["price_micro"], item["charge_micro"]) == (3 * EURO, 12 * EURO)


def test_a_free_service_costs_nothing_with_or_without_a_price():
    (item,) = rate_one(a_service(is_free=True))
    assert (item["rate_id"], item["total_micro"]) == (1, 0)
    (item,) = rate_one(a_service(is_free=True, product_key=9))
    assert (item["rate_id"], item["plan_key"], item["whole_periods"], item["total_micro"]) == (-1, -1, 1, 0)


@pytest.mark.parametrize(
    ("service", "rates"),
    [
        pytest.param({"product_key": 9}, [a_rate()], id="product"),
        pytest.param({}, [a_rate(frequency_key=7)], id="frequency"),
        pytest.param({}, [a_rate(effective_to=date(2024, 8, 1))], id="expired"),
        pytest.param({}, [], id="no rates"),
        pytest.param({"quantity": 3}, tiers(QUANTITY, (1, 3, 10)), id="above the last tier"),
        pytest.param({"quantity": 1}, tiers(QUANTITY, (2, None, 10)), id="below the first tier"),
        pytest.param({"quantity": 6}, tiers(QUANTITY, (1, 3, 9), (5, None, 8), tier_basis=GRADUATED), id="gap"),
        pytest.param({"service_start": date(2020, 1, 1)}, tiers(MATURITY, (0, 12, 10)), id="too mature"),
    ],
)
def test_a_service_without_a_price_is_refused(service: Row, rates: list[Row]):
    reason, detail = refusal_of(a_service(**service), rates=rates)
    assert reason == "no_price"
    assert detail.startswith(f"product {service.get('product_key', 1)} has no price in plan 1")


def test_a_service_is_refused_whole_when_its_last_segment_has_no_price():
    rates = [a_rate(effective_to=date(2024, 8, 1))]
    assert refusal_of(a_service(rated_up_to=date(2024, 7, 15)), rates=rates)[0] == "no_price"


def test_a_refusal_does_not_touch_the_others():
    rated = rate_rows([a_service(), a_service(service_key=1, product_key=9), a_service(service_key=2)])
    assert rated.items["service_key"].to_list() == rated.advances["service_key"].to_list() == [0, 2]
    assert rated.refused["service_key"].to_list() == [1]


@pytest.mark.parametrize(
    "rates",
    [
        pytest.param(tiers(QUANTITY, (1, 5, 10), (4, None, 8)), id="tiers overlap"),
        pytest.param([a_rate(), a_rate(rate_id=2)], id="two flat prices"),
        pytest.param(tiers(QUANTITY, (5, 5, 10)), id="empty tier"),
        pytest.param([*tiers(QUANTITY, (1, 5, 10)), a_rate(rate_id=7, model=MATURITY)], id="two models"),
        pytest.param([a_rate(price_days=3)], id="months and days"),
        pytest.param([a_rate(price_micro=-1)], id="negative"),
    ],
)
def test_rates_that_contradict_each_other_are_refused(rates: list[Row]):
    with pytest.raises(InvalidRates):
        rate_rows([a_service()], rates=rates)


def test_sparse_keys_are_priced_like_dense_ones():
    keys = [1, 10**9, 2 * 10**9]
    services = [a_service(service_key=n, plan_key=key, product_key=key) for n, key in enumerate(keys)]
    rates = [a_rate(rate_id=n, plan_key=key, product_key=key, price_micro=n) for n, key in enumerate(keys)]
    rated = rate_rows(services, rates=rates)
    assert rated.items.select("plan_key", "price_micro").rows() == [(key, n) for n, key in enumerate(keys)]
    assert rated.items["plan_key"].dtype == pl.Int32
