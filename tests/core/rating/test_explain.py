"""Every rated item can be worked out again from what is stored, and read as a sum."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given

from coax.rating.rules import charge_rate_period, describe_item, recompute_item
from coax.rating.types import Amounts, AmountsDoNotAddUp, AppliedPer, RatedItemFacts, RateModel, Slab
from tests.core.rating.builders import EURO, Row, rate_rows
from tests.core.rating.test_rate_against_oracle import CASES, SLOW

AMOUNTS = ("base_micro", "discount_micro", "net_micro", "tax_micro", "total_micro")
GRADUATED_BY_UNIT = {RateModel.QUANTITY.frame_code, RateModel.QUANTITY_AND_MATURITY.frame_code}


def an_item(**changes: Any) -> RatedItemFacts:
    facts: dict[str, Any] = {
        "period_from": date(2024, 7, 15),
        "period_to": date(2024, 8, 1),
        "price_micro": 12 * EURO,
        "quantity": 2,
        "applied_per": AppliedPer.PERIOD_AND_ITEM,
        "whole_periods": 0,
        "days": 17,
        "period_days": 31,
        "tax_ppm": 190_000,
        **changes,
    }
    return RatedItemFacts(**facts)


def test_a_stub_reads_as_a_sum():
    assert describe_item(an_item(discount_ppm=100_000, amount_off_micro=EURO)) == [
        "from 2024-07-15 to 2024-07-31: 17 of 31 days",
        "price: 12.00 x 2 x 17/31 = 13.161290",
        "discount: 13.161290 x 10 % + 1.00 x 17/31 = 1.864516",
        "net: 13.161290 - 1.864516 = 11.296774",
        "tax: 11.296774 x 19 % = 2.146387",
        "total: 11.296774 + 2.146387 = 13.443161",
    ]


def test_whole_periods_and_an_inclusive_price_read_as_a_sum():
    item = an_item(
        period_from=date(2024, 8, 1), period_to=date(2024, 10, 10), whole_periods=2, days=9, quantity=1,
        is_tax_inclusive=True, discount_ppm=1_000_000,
    )  # fmt: skip
    assert describe_item(item) == [
        "from 2024-08-01 to 2024-10-09: 2 whole rate periods and 9 of 31 days",
        "price: 12.00 x (2 + 9/31) = 27.483871",
        "discount: 27.483871 x 100 %, at most the price = 27.483871",
        "net: 0.00 x 100 / (100 + 19) = 0.00",
        "tax: 0.00 - 0.00 = 0.00",
        "total: 0.00 + 0.00 = 0.00",
    ]


@pytest.mark.parametrize(
    ("applied_per", "line", "charge"),
    [
        (AppliedPer.PERIOD_AND_ITEM, "tiers: 3 x 10.00 + 2 x 8.00 = 46.00", 46),
        (AppliedPer.PERIOD, "tiers: 10.00 + 8.00 = 18.00", 18),
    ],
)
def test_graduated_tiers_read_slab_by_slab(applied_per: AppliedPer, line: str, charge: int):
    slabs = (
        Slab(unit_from=4, unit_to=None, price_micro=8 * EURO),
        Slab(unit_from=1, unit_to=4, price_micro=10 * EURO),
    )
    item = an_item(quantity=5, slabs=slabs, applied_per=applied_per, whole_periods=1, days=0, period_days=1)
    assert charge_rate_period(item) == charge * EURO
    assert describe_item(item)[:3] == [
        "from 2024-07-15 to 2024-07-31: 1 whole rate period",
        line,
        f"price: {charge}.00 = {charge}.00",
    ]


def test_amounts_that_do_not_add_up_cannot_exist():
    with pytest.raises(AmountsDoNotAddUp):
        Amounts(base_micro=10, discount_micro=0, net_micro=10, tax_micro=1, total_micro=12)


def facts_of(item: Row, configuration: dict[str, list[Row]]) -> RatedItemFacts:
    """What a stored item and its rate say; a graduated price brings its tiers unless one was agreed."""
    applied_per = list(AppliedPer)[item["applied_per"]]
    units = item["quantity"] if applied_per is AppliedPer.PERIOD_AND_ITEM else 1
    slabs: tuple[Slab, ...] = ()
    if item["charge_micro"] != item["price_micro"] * units:
        reached = next(row for row in configuration["rates"] if row["rate_id"] == item["rate_id"])
        assert reached["model"] in GRADUATED_BY_UNIT
        same = ("plan_key", "product_key", "frequency_key", "effective_from", "maturity_from", "maturity_to")
        slabs = tuple(
            Slab(unit_from=row["tier_from"], unit_to=row["tier_to"], price_micro=row["price_micro"])
            for row in configuration["rates"]
            if all(row[name] == reached[name] for name in same)
        )
    names = ("period_from", "period_to", "price_micro", "quantity", "whole_periods", "days", "period_days")
    more = ("discount_ppm", "amount_off_micro", "tax_ppm", "is_tax_inclusive")
    return RatedItemFacts(**{name: item[name] for name in names + more}, applied_per=applied_per, slabs=slabs)


@SLOW
@given(CASES)
def test_every_item_is_worked_out_again_to_the_unit(case: tuple[date, list[Row], dict[str, list[Row]]]):
    as_of, services, configuration = case
    for item in rate_rows(services, **configuration, as_of=as_of).items.head(60).to_dicts():
        facts = facts_of(item, configuration)
        assert charge_rate_period(facts) == item["charge_micro"]
        recomputed = recompute_item(facts)
        assert [getattr(recomputed, name) for name in AMOUNTS] == [item[name] for name in AMOUNTS]
        assert describe_item(facts)[-1].startswith("total: ")
