"""Arbitrary services and configurations, small enough that everything meets everything."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import strategies as st

from tests.core.rating.builders import LONG_AGO, Row, a_discount, a_rate, a_service, a_tax

AS_OF = st.dates(date(2023, 1, 1), date(2025, 3, 1))
FREQUENCIES = [(1, 0), (3, 0), (6, 0), (12, 0), (0, 1), (0, 7), (0, 10), (2, 0)]
OPTIONAL_DAY = st.none() | st.dates(date(2020, 1, 1), date(2025, 6, 1))
PPM = st.integers(0, 1_000_000)


@st.composite
def period_terms(draw: st.DrawFn, as_of: date) -> Row:
    """The columns of a service that decide its due periods."""
    rated_up_to = as_of - timedelta(days=draw(st.integers(-40, 400)))
    months, days = draw(st.sampled_from(FREQUENCIES))
    ends = st.none() | st.integers(-20, 500).map(lambda after: rated_up_to + timedelta(days=after))
    fixed_months = draw(st.integers(0, 7))
    return {
        "rated_up_to": rated_up_to,
        "effective_to": draw(ends),
        "billing_effective_date": draw(st.sampled_from([LONG_AGO, as_of, as_of + timedelta(days=1)])),
        "frequency_months": months,
        "frequency_days": days,
        "cycle_day": draw(st.sampled_from([1, 2, 15, 28, 29, 30, 31, rated_up_to.day])),
        "is_post_billed": draw(st.booleans()),
        "adjustment": draw(st.integers(0, 2)),
        "advance_mode": draw(st.integers(0, 2)),
        "advance_months": fixed_months,
        "advance_days": draw(st.integers(1, 45)),
        "anchor_day": draw(st.just(rated_up_to.day) | st.integers(1, 31)),
    }


@st.composite
def services(draw: st.DrawFn, as_of: date, service_key: int) -> Row:
    """A whole service row on one of two plans and products."""
    return a_service(
        service_key=service_key,
        **draw(period_terms(as_of)),
        plan_key=draw(st.integers(1, 2)),
        fallback_plan_key=draw(st.sampled_from([-1, 1])),
        product_key=draw(st.integers(1, 2)),
        frequency_key=draw(st.integers(1, 2)),
        quantity=draw(st.integers(1, 12)),
        tax_class_key=draw(st.integers(1, 2)),
        classification_key=draw(st.integers(1, 2)),
        binding_months=draw(st.sampled_from([0, 12, 24])),
        service_start=draw(st.dates(date(2021, 1, 1), date(2025, 1, 1))),
        binding_start=draw(OPTIONAL_DAY),
        agreement_date=draw(OPTIONAL_DAY),
        agreed_price_micro=draw(st.none() | st.none() | st.integers(0, 10**9)),
        extra_discount_ppm=draw(st.just(0) | PPM),
        is_free=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def ladders(draw: st.DrawFn, first: int) -> list[tuple[int, int | None]]:
    """Tiers from a first bound on, now and then with a gap or an end."""
    bounds = sorted(draw(st.sets(st.integers(first + 1, first + 14), max_size=3)))
    starts = [first, *bounds]
    tiers = list(zip(starts, [*bounds, draw(st.sampled_from([None, None, 40]))], strict=True))
    if len(tiers) > 1 and draw(st.integers(0, 5)) == 0:
        tiers.pop(draw(st.integers(0, len(tiers) - 1)))
    return tiers


@st.composite
def rate_versions(draw: st.DrawFn, plan: int, product: int, frequency: int) -> list[Row]:
    """One rate, or two that follow each other, as rows without `rate_id`."""
    change = draw(st.none() | st.none() | st.dates(date(2022, 6, 1), date(2025, 6, 1)))
    spans = [(LONG_AGO, None)] if change is None else [(LONG_AGO, change), (change, None)]
    length = draw(st.sampled_from([(1, 0), (1, 0), (0, 0), (3, 0), (0, 1), (0, 30)]))
    key = {"plan_key": plan, "product_key": product, "frequency_key": frequency}
    return [
        {**row, **key, "effective_from": start, "effective_to": end}
        for start, end in spans
        for row in draw(rate_rows_of(length))
    ]


@st.composite
def rate_rows_of(draw: st.DrawFn, length: tuple[int, int]) -> list[Row]:
    """The tiers of one version, mostly of the given length."""
    model = draw(st.integers(0, 4))
    if draw(st.integers(0, 4)) == 0:
        length = draw(st.sampled_from([(1, 0), (6, 0), (0, 7)]))
    head: Row = {
        "model": model,
        "tier_basis": draw(st.integers(0, 1)),
        "price_months": length[0],
        "price_days": length[1],
        "applied_per": draw(st.integers(0, 1)),
        "maturity_start": draw(st.integers(0, 2)),
        "is_tax_inclusive": draw(st.booleans()),
    }
    return [a_rate(**head, **tier, price_micro=draw(st.integers(0, 10**10))) for tier in _tiers(draw, model)]


def _tiers(draw: st.DrawFn, model: int) -> list[Row]:
    if model == 0:
        return [{}]
    rows: list[Row] = []
    maturities: list[tuple[int, int | None]] = draw(ladders(0)) if model == 4 else [(0, None)]
    for low, high in maturities:
        for start, end in draw(ladders(0 if model == 2 else 1)):
            rows.append({"tier_from": start, "tier_to": end, "maturity_from": low, "maturity_to": high})
    return rows


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Rates, discounts and taxes."""
    rates = []
    for plan, product, frequency in ((1, 1, -1), (1, 2, -1), (1, 1, 1), (2, 1, -1), (2, 2, 2)):
        if draw(st.integers(0, 6)):
            rates += draw(rate_versions(plan, product, frequency))
    change = draw(st.dates(date(2023, 1, 1), date(2025, 1, 1)))
    return {
        "rates": [{**row, "rate_id": number} for number, row in enumerate(rates)],
        "discounts": draw(st.lists(discounts(change), max_size=4)),
        "taxes": [
            a_tax(rate_ppm=draw(PPM), effective_to=change),
            a_tax(rate_ppm=draw(PPM), effective_from=change),
            a_tax(tax_class_key=2, effective_from=draw(st.sampled_from([LONG_AGO, change]))),
        ],
    }


@st.composite
def discounts(draw: st.DrawFn, change: date) -> Row:
    start, end = draw(st.sampled_from([(LONG_AGO, None), (LONG_AGO, change), (change, None)]))
    return a_discount(
        plan_key=draw(st.integers(1, 2)),
        product_key=draw(st.sampled_from([-1, 1, 2])),
        min_quantity=draw(st.integers(0, 6)),
        frequency_key=draw(st.sampled_from([-1, 1])),
        min_binding_months=draw(st.sampled_from([0, 12, 13])),
        classification_key=draw(st.sampled_from([-1, 1])),
        percent_ppm=draw(PPM),
        amount_off_micro=draw(st.just(0) | st.integers(0, 10**9)),
        effective_from=start,
        effective_to=end,
    )


def batches(as_of: date, size: int = 8) -> st.SearchStrategy[list[Row]]:
    """Several services, numbered."""
    return st.lists(st.integers(), min_size=1, max_size=size).flatmap(
        lambda numbers: st.tuples(*(services(as_of, key) for key in range(len(numbers)))).map(list)
    )
