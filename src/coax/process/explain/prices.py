"""Where the price of an item comes from: its frozen price plan, an agreement, or free of charge. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from coax.base.money import micro_to_decimal, parse_micro
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.fields import BEGINNING
from coax.configuration.types.price_plan import PricePlan, Rate, RateModel, TierBasis
from coax.configuration.types.registry import KINDS
from coax.configuration.types.usage import UsageServiceCatalog
from coax.process.explain.types import StoredItem
from coax.rating.rules import charge_rate_period
from coax.rating.types import AppliedPer, RatedItemFacts, Slab

BY_QUANTITY = {RateModel.QUANTITY_TIERED, RateModel.QUANTITY_AND_MATURITY_TIERED}


@dataclass(frozen=True, slots=True)
class PricedItem:
    """An item's derivation, where its price comes from, and what of that is not as it should be."""

    facts: RatedItemFacts
    source: str
    differences: tuple[str, ...] = ()


def price_item(item: StoredItem, versions: Mapping[int, ConfigurationRow]) -> PricedItem:
    """Return an item's derivation with the price plan's own tiers, if it is the plan's price that was charged."""
    if item.price_version_id is None:
        return PricedItem(_facts(item, AppliedPer.PERIOD), "free of charge")
    version = versions[item.price_version_id]
    rate = cast("PricePlan | UsageServiceCatalog", version.spec).rates[item.rate_no]
    applied_per = AppliedPer(rate.applied_per.value)
    plain, tiered = _facts(item, applied_per), _facts(item, applied_per, _list_slabs(rate, item.tier_no))
    plan_price_micro = parse_micro(_plan_price(rate, item.tier_no))
    source = _describe_source(version, rate, item)
    if item.price_micro == plan_price_micro and charge_rate_period(tiered) == item.charge_micro:
        return PricedItem(tiered, source)
    instead = f"instead of {micro_to_decimal(plan_price_micro)} of {source}"
    if item.price_micro == 0:
        return PricedItem(plain, f"free of charge, {instead}")
    if item.agreed_price_micro is not None and _comes_rated(version, item):
        return PricedItem(plain, f"amount that came with the usage; {source}")
    if item.agreed_price_micro is None:
        return PricedItem(tiered, source, (_describe_foreign_price(item, plan_price_micro),))
    return PricedItem(plain, f"agreed price, {instead}")


def _comes_rated(version: ConfigurationRow, item: StoredItem) -> bool:
    return isinstance(version.spec, UsageServiceCatalog) and version.spec.entries[item.rate_no].pre_rated


def _plan_price(rate: Rate, tier_no: int) -> Decimal:
    return rate.tiers[tier_no].price if rate.tiers else rate.price or Decimal(0)


def _list_slabs(rate: Rate, tier_no: int) -> tuple[Slab, ...]:
    """Return the slabs of a rate that is charged slab by slab, those of the item's maturity."""
    if rate.tier_basis is not TierBasis.GRADUATED or rate.model not in BY_QUANTITY:
        return ()
    own = rate.tiers[tier_no]
    return tuple(
        Slab(unit_from=tier.from_, unit_to=tier.to, price_micro=parse_micro(tier.price))
        for tier in rate.tiers
        if (tier.maturity_from, tier.maturity_to) == (own.maturity_from, own.maturity_to)
    )


def _facts(item: StoredItem, applied_per: AppliedPer, slabs: tuple[Slab, ...] = ()) -> RatedItemFacts:
    return RatedItemFacts(
        period_from=item.period_from,
        period_to=item.period_to,
        price_micro=item.price_micro,
        quantity=item.quantity,
        applied_per=applied_per,
        whole_periods=item.whole_periods,
        days=item.days,
        period_days=item.period_days,
        discount_ppm=item.discount_ppm,
        amount_off_micro=item.amount_off_micro,
        tax_ppm=item.tax_ppm,
        is_tax_inclusive=item.is_tax_inclusive,
        slabs=slabs,
    )


def _describe_source(version: ConfigurationRow, rate: Rate, item: StoredItem) -> str:
    since = "" if version.effective_date == BEGINNING else f" of {version.effective_date}"
    tier = f", tier {item.tier_no + 1}" if rate.tiers else ""
    kind = KINDS[version.kind].label.lower()
    return f"{kind} {version.code} version {version.number}{since}, rate {item.rate_no + 1}{tier}"


def _describe_foreign_price(item: StoredItem, plan_price_micro: int) -> str:
    stored, plan = micro_to_decimal(item.price_micro), micro_to_decimal(plan_price_micro)
    if item.price_micro == plan_price_micro:
        return f"charge {micro_to_decimal(item.charge_micro)} per period does not follow from the price plan"
    return f"price {stored} is neither the price plan's {plan} nor agreed"
