"""How a bill shows its rated items: one by one, or put together (R104, `rating_formatting`).

Items are put together only when they are of one subscription, one kind (a credit never hides in a charge)
and one tax rate, so every line has a tax of its own and all lines add up to all items, exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from coax.billing.types.document import BilledItem, BillLine, BillSection, ItemKind, PeriodPart, TaxLine
from coax.configuration.types.run_definition import RatingFormatting

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


def make_sections(items: Iterable[BilledItem], formatting: RatingFormatting) -> tuple[BillSection, ...]:
    """Return the recurring charges and credits by subscription, subscriptions in their items' order."""
    recurring = [item for item in items if not item.kind.is_once]
    groups = _group(recurring, lambda item: item.subscription_code)
    return tuple(_make_section(code, group, formatting) for code, group in groups.items())


def make_one_time_lines(items: Iterable[BilledItem]) -> tuple[BillLine, ...]:
    """Return what was billed once, or taken back of that, a line for each."""
    return tuple(_make_line([item]) for item in items if item.kind.is_once)


def make_taxes(items: Iterable[BilledItem]) -> tuple[TaxLine, ...]:
    """Return net, tax and total by tax rate, the highest rate first."""
    groups = _group(items, lambda item: item.tax_ppm)
    return tuple(
        TaxLine(
            rate,
            sum(item.net_micro for item in groups[rate]),
            sum(item.tax_micro for item in groups[rate]),
            sum(item.total_micro for item in groups[rate]),
        )
        for rate in sorted(groups, reverse=True)
    )


def _make_section(code: str, items: Sequence[BilledItem], formatting: RatingFormatting) -> BillSection:
    groups = _group(items, lambda item: _line_key(item, formatting))
    return BillSection(
        code,
        tuple(_make_line(group) for group in groups.values()),
        sum(item.net_micro for item in items),
        sum(item.tax_micro for item in items),
        sum(item.total_micro for item in items),
    )


def _line_key(item: BilledItem, formatting: RatingFormatting) -> Hashable:
    always = (item.kind, item.tax_ppm, item.is_tax_inclusive)
    match formatting:
        case RatingFormatting.NONE:
            return item.line
        case RatingFormatting.GROUP_PER_SERVICE:
            return (*always, item.service_id, item.product_code)
        case RatingFormatting.GROUP_PER_SUBSCRIPTION:
            return always
        case RatingFormatting.GROUP_PER_RATE:
            return (*always, *_rate_key(item))


def _rate_key(item: BilledItem) -> tuple[Hashable, ...]:
    """Return what items at one rate share: product, price, period and discount; only quantities add up."""
    periods = (item.period_from, item.period_to, item.whole_periods, item.days, item.period_days)
    rate = (item.price_version_id, item.rate_no, item.tier_no, item.price_micro)
    own = () if is_priced_by_unit(item) else (item.line,)
    return (item.product_code, *rate, *periods, item.discount_ppm, *own)


def is_priced_by_unit(item: BilledItem) -> bool:
    """Tell whether quantity times unit price is what a price period costs."""
    return item.price_micro * item.quantity == item.charge_micro


def _make_line(items: Sequence[BilledItem]) -> BillLine:
    first = items[0]
    price_micro, is_price_for_all = _find_price(items)
    return BillLine(
        kind=first.kind,
        subscription_code=first.subscription_code,
        service_codes=tuple(dict.fromkeys(item.service_code for item in items)),
        product_names=tuple(dict.fromkeys(item.product_name for item in items)),
        period_from=min(item.period_from for item in items),
        period_to=max(item.period_to for item in items),
        quantity=_count_units(items),
        unit=_shared([item.unit for item in items]),
        parts=_make_parts(items),
        price_micro=price_micro,
        price_span=_shared([(item.price_months, item.price_days) for item in items]),
        is_price_for_all=is_price_for_all,
        base_micro=sum(item.base_micro for item in items),
        discount_ppm=_shared([item.discount_ppm for item in items]),
        discount_micro=sum(item.discount_micro for item in items),
        is_tax_inclusive=first.is_tax_inclusive,
        net_micro=sum(item.net_micro for item in items),
        tax_ppm=first.tax_ppm,
        tax_micro=sum(item.tax_micro for item in items),
        total_micro=sum(item.total_micro for item in items),
        items=tuple(item.line for item in items),
    )


def _find_price(items: Sequence[BilledItem]) -> tuple[int | None, bool]:
    """Return the price that a line shows, if one can be shown, and whether it is that of all units."""
    if all(map(is_priced_by_unit, items)):
        return _shared([item.price_micro for item in items]), False
    if len({item.service_id for item in items}) > 1:
        return None, False
    charge_micro = _shared([item.charge_micro for item in items])
    return charge_micro, charge_micro is not None


def _count_units(items: Sequence[BilledItem]) -> int | None:
    """Return the units of one product: services add up, the periods of one service do not."""
    if len({item.product_code for item in items}) > 1:
        return None
    total = 0
    for group in _by_service(items):
        quantity = _shared([item.quantity for item in group])
        if quantity is None:
            return None
        total += quantity
    return total


def _make_parts(items: Sequence[BilledItem]) -> tuple[PeriodPart, ...]:
    """Return the price periods in the order of time; none for credits and for services of unlike periods."""
    if items[0].kind is not ItemKind.CHARGE:
        return ()
    found = {
        tuple(PeriodPart(item.whole_periods, item.days, item.period_days) for item in group)
        for group in _by_service(items)
    }
    return found.pop() if len(found) == 1 else ()


def _by_service(items: Sequence[BilledItem]) -> Iterable[list[BilledItem]]:
    in_time = sorted(items, key=lambda item: item.period_from)
    return _group(in_time, lambda item: item.service_id).values()


def _shared(values: Sequence[T]) -> T | None:
    """Return the value that all have in common, or None."""
    return values[0] if len(set(values)) == 1 else None


def _group(items: Iterable[BilledItem], key: Callable[[BilledItem], K]) -> dict[K, list[BilledItem]]:
    """Return the items by key, both in the order given."""
    groups: dict[K, list[BilledItem]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
