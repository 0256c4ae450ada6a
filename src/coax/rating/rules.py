"""One rated item worked out again by hand: its amounts from its stored derivation, and the sum in words."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from coax.base.money import micro_to_decimal
from coax.base.rounding import RoundingMethod, round_div
from coax.rating.types import PPM, Amounts, AppliedPer, RatedItemFacts

MICRO_PER_CENT = 10_000


def recompute_item(item: RatedItemFacts) -> Amounts:
    """Return the amounts that follow from an item's stored derivation, each rounded half up once."""
    charge = charge_rate_period(item)
    base = _prorate(charge, item)
    discount = min(base, _percent(base, item.discount_ppm) + _prorate(item.amount_off_micro, item))
    after_discount = base - discount
    net = _take_out_tax(after_discount, item.tax_ppm) if item.is_tax_inclusive else after_discount
    tax = after_discount - net if item.is_tax_inclusive else _percent(net, item.tax_ppm)
    return Amounts(base_micro=base, discount_micro=discount, net_micro=net, tax_micro=tax, total_micro=net + tax)


def charge_rate_period(item: RatedItemFacts) -> int:
    """Return the charge of one whole rate period for all units, in micros."""
    if not item.slabs:
        return item.price_micro * (item.quantity if _is_per_item(item) else 1)
    return sum(price * (units if _is_per_item(item) else 1) for units, price in _list_slabs(item))


def describe_item(item: RatedItemFacts) -> list[str]:
    """Return the arithmetic of an item line by line: `price: 12.00 x 2 x 17/31 = 13.161290`."""
    amounts = recompute_item(item)
    net, tax, total = map(_number, (amounts.net_micro, amounts.tax_micro, amounts.total_micro))
    return [
        _describe_span(item),
        *_describe_charge(item, amounts),
        *_describe_discount(item, amounts),
        *_describe_tax(item, amounts),
        f"total: {net} + {tax} = {total}",
    ]


def _is_per_item(item: RatedItemFacts) -> bool:
    return item.applied_per is AppliedPer.PERIOD_AND_ITEM


def _list_slabs(item: RatedItemFacts) -> list[tuple[int, int]]:
    """Return (units, price) of each slab that the quantity reaches, in order."""
    slabs = []
    for slab in sorted(item.slabs, key=lambda slab: slab.unit_from):
        end = item.quantity + 1 if slab.unit_to is None else min(slab.unit_to, item.quantity + 1)
        units = end - max(slab.unit_from, 1)
        if units > 0:
            slabs.append((units, slab.price_micro))
    return slabs


def _prorate(charge: int, item: RatedItemFacts) -> int:
    weight = item.whole_periods * item.period_days + item.days
    return round_div(charge * weight, item.period_days, RoundingMethod.ROUND_HALF_UP)


def _percent(amount: int, ppm: int) -> int:
    return round_div(amount * ppm, PPM, RoundingMethod.ROUND_HALF_UP)


def _take_out_tax(gross: int, tax_ppm: int) -> int:
    return round_div(gross * PPM, PPM + tax_ppm, RoundingMethod.ROUND_HALF_UP)


def _describe_span(item: RatedItemFacts) -> str:
    last_day = item.period_to - timedelta(days=1)
    parts = []
    if item.whole_periods:
        parts.append(f"{item.whole_periods} whole rate period" + ("s" if item.whole_periods > 1 else ""))
    if item.days:
        parts.append(f"{item.days} of {item.period_days} days")
    return f"from {item.period_from} to {last_day}: {' and '.join(parts) or 'nothing'}"


def _describe_charge(item: RatedItemFacts, amounts: Amounts) -> list[str]:
    lines: list[str] = []
    factors = [_number(item.price_micro)]
    if item.slabs:
        lines.append(f"tiers: {_describe_slabs(item)} = {_number(charge_rate_period(item))}")
        factors = [_number(charge_rate_period(item))]
    elif _is_per_item(item) and item.quantity != 1:
        factors.append(str(item.quantity))
    span = _describe_fraction(item)
    return [*lines, f"price: {' x '.join([*factors, *span])} = {_number(amounts.base_micro)}"]


def _describe_slabs(item: RatedItemFacts) -> str:
    slabs = _list_slabs(item)
    if not _is_per_item(item):
        return " + ".join(_number(price) for _, price in slabs)
    return " + ".join(f"{units} x {_number(price)}" for units, price in slabs)


def _describe_fraction(item: RatedItemFacts) -> list[str]:
    if not item.days:
        return [] if item.whole_periods == 1 else [str(item.whole_periods)]
    fraction = f"{item.days}/{item.period_days}"
    return [f"({item.whole_periods} + {fraction})"] if item.whole_periods else [fraction]


def _describe_discount(item: RatedItemFacts, amounts: Amounts) -> list[str]:
    if not amounts.discount_micro:
        return []
    parts = []
    if item.discount_ppm:
        parts.append(f"{_number(amounts.base_micro)} x {_percentage(item.discount_ppm)} %")
    if item.amount_off_micro:
        parts.append(" x ".join([_number(item.amount_off_micro), *_describe_fraction(item)]))
    capped = ", at most the price" if amounts.discount_micro == amounts.base_micro else ""
    return [f"discount: {' + '.join(parts)}{capped} = {_number(amounts.discount_micro)}"]


def _describe_tax(item: RatedItemFacts, amounts: Amounts) -> list[str]:
    percentage = _percentage(item.tax_ppm)
    if item.is_tax_inclusive:
        gross = _number(amounts.total_micro)
        return [
            f"net: {gross} x 100 / (100 + {percentage}) = {_number(amounts.net_micro)}",
            f"tax: {gross} - {_number(amounts.net_micro)} = {_number(amounts.tax_micro)}",
        ]
    net = _number(amounts.net_micro)
    lines = [f"net: {_number(amounts.base_micro)} - {_number(amounts.discount_micro)} = {net}"]
    return [*lines, f"tax: {net} x {percentage} % = {_number(amounts.tax_micro)}"]


def _number(amount_micro: int) -> str:
    """Return micros in major units, with two decimals where that is exact, else six: 12.00, 13.161290."""
    amount = micro_to_decimal(amount_micro)
    return f"{amount:.2f}" if amount_micro % MICRO_PER_CENT == 0 else f"{amount:f}"


def _percentage(ppm: int) -> str:
    percentage = Decimal(ppm).scaleb(-4)
    return f"{percentage.normalize():f}"
