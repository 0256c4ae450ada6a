"""How rated items become the lines of a bill."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.billing.rules.formatting import make_one_time_lines, make_sections, make_taxes
from coax.billing.types.document import BilledItem, BillLine, ItemKind, PeriodPart
from coax.configuration.types.run_definition import RatingFormatting
from tests.builders.bills import an_item

JULY_STUB = (date(2026, 7, 15), date(2026, 8, 1))
AUGUST = (date(2026, 8, 1), date(2026, 9, 1))

STUB = an_item(line=1, service_id=1, parts=(0, 17, 31), period=JULY_STUB)
MONTH = an_item(line=2, service_id=1)
MOVIES = an_item("Movies", line=3, service_id=2, price=7_990_000, quantity=2, discount_ppm=100_000)
SECOND_ROOM = an_item(line=4, service_id=3, service_code="eurosports-bedroom")
CREDIT = an_item(line=5, service_id=1, kind=ItemKind.CREDIT, parts=(0, 9, 31), period=JULY_STUB)
INSTALLATION = an_item(
    "Installation", line=6, service_id=9, kind=ItemKind.ONCE, price=49_000_000, period=(AUGUST[0], AUGUST[0])
)
ITEMS = (STUB, MONTH, MOVIES, SECOND_ROOM, CREDIT, INSTALLATION)


def lines_of(items: tuple[BilledItem, ...], formatting: RatingFormatting) -> list[BillLine]:
    return [line for section in make_sections(items, formatting) for line in section.lines]


@pytest.mark.parametrize(
    ("formatting", "expected"),
    [
        (RatingFormatting.NONE, [(1,), (2,), (3,), (4,), (5,)]),
        (RatingFormatting.GROUP_PER_SERVICE, [(1, 2), (3,), (4,), (5,)]),
        (RatingFormatting.GROUP_PER_SUBSCRIPTION, [(1, 2, 3, 4), (5,)]),
        (RatingFormatting.GROUP_PER_RATE, [(1,), (2, 4), (3,), (5,)]),
    ],
)
def test_items_are_put_together_as_the_definition_says(
    formatting: RatingFormatting, expected: list[tuple[int, ...]]
) -> None:
    assert [line.items for line in lines_of(ITEMS, formatting)] == expected


def test_periods_of_a_service_are_one_line_from_the_first_day_to_the_last() -> None:
    line = lines_of((MONTH, STUB), RatingFormatting.GROUP_PER_SERVICE)[0]
    assert (line.period_from, line.period_to) == (date(2026, 7, 15), date(2026, 9, 1))
    assert line.parts == (PeriodPart(0, 17, 31), PeriodPart(1, 0, 1))
    assert " + ".join(map(str, line.parts)) == "17/31 + 1"
    assert (line.quantity, line.price_micro, line.price_span) == (1, 12_000_000, (1, 0))
    assert line.base_micro == 6_580_645 + 12_000_000


def test_services_at_one_rate_are_one_line_with_their_units_added() -> None:
    line = lines_of((MONTH, SECOND_ROOM), RatingFormatting.GROUP_PER_RATE)[0]
    assert (line.quantity, line.price_micro, line.base_micro) == (2, 12_000_000, 24_000_000)
    assert line.service_codes == ("eurosports-1", "eurosports-bedroom")


def test_a_line_of_several_products_has_neither_quantity_nor_price() -> None:
    line = lines_of((MONTH, MOVIES), RatingFormatting.GROUP_PER_SUBSCRIPTION)[0]
    assert line.product_names == ("Eurosports 1", "Movies")
    assert (line.quantity, line.price_micro, line.discount_ppm) == (None, None, None)
    assert line.discount_micro == 1_598_000


@pytest.mark.parametrize(
    ("charge_micro", "expected"),
    [
        (15_000_000, (5_000_000, False)),  # three units at five
        (5_000_000, (5_000_000, True)),  # one price whatever the quantity
        (12_500_000, (12_500_000, True)),  # tiers, slab by slab
    ],
)
def test_the_price_shown_is_what_the_amount_is_made_of(charge_micro: int, expected: tuple[int, bool]) -> None:
    item = an_item(price=5_000_000, quantity=3, charge_micro=charge_micro)
    line = lines_of((item,), RatingFormatting.NONE)[0]
    assert (line.price_micro, line.is_price_for_all) == expected


def test_a_credit_is_a_line_of_its_own_without_the_periods_that_stay_charged() -> None:
    line = lines_of((MONTH, CREDIT), RatingFormatting.GROUP_PER_SERVICE)[1]
    assert (line.kind, line.parts) == (ItemKind.CREDIT, ())
    assert line.total_micro < 0


def test_items_of_two_tax_rates_are_never_on_one_line() -> None:
    reduced = an_item(line=2, service_id=1, tax_ppm=70_000)
    lines = lines_of((an_item(line=1, service_id=1), reduced), RatingFormatting.GROUP_PER_SUBSCRIPTION)
    assert [line.tax_ppm for line in lines] == [190_000, 70_000]


def test_what_is_billed_once_is_apart_from_subscriptions() -> None:
    lines = make_one_time_lines(ITEMS)
    assert [line.items for line in lines] == [(6,)]
    assert lines[0].parts == ()


def test_subscriptions_are_sections_with_their_sums() -> None:
    other = an_item(line=2, subscription_code="S-1002", price=24_900_000)
    sections = make_sections((MONTH, other), RatingFormatting.GROUP_PER_SERVICE)
    assert [section.subscription_code for section in sections] == ["S-1001", "S-1002"]
    assert [section.total_micro for section in sections] == [14_280_000, 29_631_000]


def test_taxes_are_summed_by_rate_the_highest_first() -> None:
    items = (an_item(line=1, tax_ppm=70_000), an_item(line=2), an_item(line=3), an_item(line=4, tax_ppm=0))
    assert [(tax.tax_ppm, tax.net_micro, tax.tax_micro) for tax in make_taxes(items)] == [
        (190_000, 24_000_000, 4_560_000),
        (70_000, 12_000_000, 840_000),
        (0, 12_000_000, 0),
    ]


A_PERIOD = st.tuples(st.integers(1, 24), st.integers(1, 6)).map(
    lambda at: (date(2026 + at[0] // 13, (at[0] - 1) % 12 + 1, 1), date(2029, at[1], 1))
)
AN_ITEM = st.builds(
    an_item,
    st.sampled_from(["Basic", "Movies", "Sports"]),
    price=st.integers(0, 99_999_999),
    quantity=st.integers(0, 5),
    parts=st.tuples(st.integers(0, 12), st.integers(0, 30), st.just(31)),
    period=A_PERIOD,
    kind=st.sampled_from(ItemKind),
    tax_ppm=st.sampled_from([0, 70_000, 190_000]),
    discount_ppm=st.sampled_from([0, 100_000, 333_333]),
    service_id=st.integers(1, 4),
    subscription_code=st.sampled_from(["S-1", "S-2"]),
    is_tax_inclusive=st.booleans(),
)


@given(st.lists(AN_ITEM, max_size=12), st.sampled_from(RatingFormatting))
def test_all_lines_add_up_to_all_items(drawn: list[BilledItem], formatting: RatingFormatting) -> None:
    items = [replace(item, line=line) for line, item in enumerate(drawn, start=1)]
    lines = [*lines_of(tuple(items), formatting), *make_one_time_lines(items)]
    assert sorted(number for line in lines for number in line.items) == [item.line for item in items]
    for name in ("base_micro", "discount_micro", "net_micro", "tax_micro", "total_micro"):
        assert sum(getattr(line, name) for line in lines) == sum(getattr(item, name) for item in items)
        assert sum(getattr(tax, name, 0) for tax in make_taxes(items)) == (
            0 if name in {"base_micro", "discount_micro"} else sum(getattr(item, name) for item in items)
        )


@given(st.lists(AN_ITEM, max_size=8), st.sampled_from(RatingFormatting))
def test_a_price_that_is_shown_gives_the_amount(drawn: list[BilledItem], formatting: RatingFormatting) -> None:
    items = tuple(replace(item, line=line) for line, item in enumerate(drawn, start=1))
    for line in lines_of(items, formatting):
        if line.price_micro is None or line.quantity is None or not line.parts:
            continue
        units = 1 if line.is_price_for_all else line.quantity
        exact = sum(
            Fraction(line.price_micro * units * (part.whole_periods * part.period_days + part.days), part.period_days)
            for part in line.parts
        )
        assert abs(line.base_micro - exact) <= len(line.items)
