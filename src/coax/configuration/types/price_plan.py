"""Price plans: rates by product and frequency, tiers, discounts and the conditions of a plan's use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import (
    Choice,
    Code,
    Currency,
    Frequency,
    Issue,
    Many,
    Percent,
    Price,
    Ref,
    Span,
    Spec,
    Text,
    divides,
    frequency_months_days,
    refuse,
)

TIER_BOUND_MAX: Final = 10**12


class PricePlanType(Choice):
    BASE = "base"
    CONDITIONAL = "conditional"


class RateModel(Choice):
    FLAT = "flat"
    QUANTITY_TIERED = "quantity_tiered"
    MATURITY_TIERED = "maturity_tiered"
    DURATION_TIERED = "duration_tiered"
    QUANTITY_AND_MATURITY_TIERED = "quantity_and_maturity_tiered"


class TierBasis(Choice):
    VOLUME = "volume"
    GRADUATED = "graduated"


class AppliedPer(Choice):
    PERIOD = "period"
    PERIOD_AND_ITEM = "period_and_item"


class MaturityStart(Choice):
    SERVICE_EFFECTIVE_DATE = "service_effective_date"
    BINDING_START_DATE = "binding_start_date"
    AGREEMENT_DATE = "agreement_date"


ClassificationRef = Annotated[Code, Ref("account_classification")]
ProductRef = Annotated[Code, Ref("product")]
Bound = Annotated[int, Field(ge=0, le=TIER_BOUND_MAX)]


class Tier(Spec):
    """A price for a range of quantity, maturity (months) or duration (periods): `from` is in it, `to` is not.

    Units and periods are counted from 1, months of maturity from 0.
    """

    from_: Bound = Field(validation_alias="from", serialization_alias="from", description="First unit in the tier.")
    to: Bound | None = Field(default=None, description="First unit after the tier; empty for the last tier.")
    price: Price = Field(description="Price in the tier, in major units.")
    maturity_from: Bound | None = Field(default=None, description="First month of maturity in the tier.")
    maturity_to: Bound | None = Field(default=None, description="First month of maturity after the tier.")


class Rate(Spec):
    """What one product costs in a plan."""

    product: ProductRef = Field(description="Product that the rate prices.")
    frequency: Frequency | None = Field(default=None, description="Only for this billing frequency; empty for all.")
    bundle: Annotated[Code, Ref("product_bundle")] | None = Field(
        default=None, description="Only while it is held as part of this bundle; empty for always."
    )
    model: RateModel = Field(default=RateModel.FLAT, description="One price, or prices by tier.")
    price: Price | None = Field(default=None, description="The price of a flat rate, in major units.")
    tiers: Many[Tier] = Field(default=(), description="The prices of a tiered rate.")
    tier_basis: TierBasis = Field(
        default=TierBasis.VOLUME,
        description="volume: all units at the tier reached; graduated: slab by slab.",
    )
    applied_per: AppliedPer = Field(
        default=AppliedPer.PERIOD_AND_ITEM, description="Once a period, or once a period for each item."
    )
    per: Span | None = Field(default=None, description="Time that the price covers; empty for the billing period.")
    maturity_start: MaturityStart = Field(
        default=MaturityStart.SERVICE_EFFECTIVE_DATE, description="Date from which maturity is counted."
    )

    @model_validator(mode="after")
    def _model_has_its_prices(self) -> Self:
        refuse("rate", [*_check_model(self), *_check_tiers(self)])
        return self


def _check_model(rate: Rate) -> Iterator[Issue]:
    is_flat = rate.model is RateModel.FLAT
    if is_flat and rate.price is None:
        yield Issue(("price",), "a flat rate needs a price")
    if is_flat and rate.tiers:
        yield Issue(("tiers",), f"a flat rate has no tiers; for tiers choose model: {RateModel.QUANTITY_TIERED}")
    if not is_flat and rate.price is not None:
        yield Issue(("price",), "a tiered rate has its prices in its tiers", rate.price)
    if not is_flat and not rate.tiers:
        yield Issue(("tiers",), f"a rate of model {rate.model} needs tiers")
    if rate.per and rate.frequency:
        yield from _check_period(rate.per, rate.frequency)


def _check_period(per: Span, frequency: str) -> Iterator[Issue]:
    if not divides(per.months_days, frequency_months_days(frequency)):
        yield Issue(("per",), f"must divide the frequency {frequency}", f"{per.count} {per.unit}")


def _check_tiers(rate: Rate) -> Iterator[Issue]:
    if rate.model is RateModel.FLAT or not rate.tiers:
        return
    first = 0 if rate.model is RateModel.MATURITY_TIERED else 1
    indexed = list(enumerate(rate.tiers))
    if rate.model is RateModel.QUANTITY_AND_MATURITY_TIERED:
        yield from _check_grid(indexed, first)
        return
    for i, tier in indexed:
        if tier.maturity_from is not None or tier.maturity_to is not None:
            allowed = f"goes only with model: {RateModel.QUANTITY_AND_MATURITY_TIERED}"
            yield Issue(("tiers", i, "maturity_from"), allowed, tier.maturity_from)
    yield from _check_contiguous([(i, tier.from_, tier.to) for i, tier in indexed], first, "from", "to")


def _check_grid(indexed: Sequence[tuple[int, Tier]], first: int) -> Iterator[Issue]:
    """Check that bands of maturity follow each other and that each holds every quantity."""
    bands: dict[tuple[int, int | None], list[tuple[int, int, int | None]]] = defaultdict(list)
    for i, tier in indexed:
        if tier.maturity_from is None:
            yield Issue(("tiers", i, "maturity_from"), "required in this model")
            continue
        bands[tier.maturity_from, tier.maturity_to].append((i, tier.from_, tier.to))
    rows = [(tiers[0][0], start, end) for (start, end), tiers in bands.items()]
    yield from _check_contiguous(rows, 0, "maturity_from", "maturity_to")
    for tiers in bands.values():
        yield from _check_contiguous(tiers, first, "from", "to")


def _check_contiguous(
    rows: Sequence[tuple[int, int, int | None]], first: int, from_key: str, to_key: str
) -> Iterator[Issue]:
    """Check ranges [from, to) in order: from the first unit on, no gap or overlap, the last one open."""
    expected: int | None = first
    for position, (i, start, end) in enumerate(rows):
        if expected is None:
            yield Issue(("tiers", i, from_key), "the tier before has no upper bound: this one is never reached", start)
            return
        if start != expected:
            yield Issue(("tiers", i, from_key), _describe_break(start, expected, position, to_key), start)
        if end is not None and end <= start:
            yield Issue(("tiers", i, to_key), f"must be greater than {from_key} ({start})", end)
            return
        expected = end
    if rows and expected is not None:
        yield Issue(("tiers", rows[-1][0], to_key), "the last tier must be open: leave the bound out", expected)


def _describe_break(start: int, expected: int, position: int, to_key: str) -> str:
    if position == 0:
        return f"the first tier must begin at {expected}"
    fault = "gap" if start > expected else "overlap"
    return f"{fault}: the tier before ends at {expected} ({to_key} is not in it), so begin at {expected}"


class DiscountConditions(Spec):
    """When a discount is given; a condition left out always holds (R106)."""

    min_quantity: int = Field(default=0, ge=0, description="Smallest quantity.")
    frequencies: Many[Frequency] = Field(default=(), description="Billing frequencies; empty for all.")
    min_binding_period: Frequency | None = Field(default=None, description="Shortest binding period.")
    classifications: Many[ClassificationRef] = Field(default=(), description="Account classifications; empty for all.")


class Discount(Spec):
    """A percentage or a fixed amount off a product's price."""

    name: Text | None = Field(default=None, description="Text on the bill.")
    product: ProductRef | None = Field(default=None, description="Product; empty for every product of the plan.")
    percent: Percent | None = Field(default=None, description="Percentage off.")
    amount_off: Price | None = Field(default=None, description="Amount off per price period, in major units.")
    conditions: DiscountConditions = Field(default=DiscountConditions(), description="When it is given.")

    @model_validator(mode="after")
    def _has_one_amount(self) -> Self:
        if (self.percent is None) == (self.amount_off is None):
            refuse("discount", [Issue((), "give either percent or amount_off")])
        return self


class PlanConditions(Spec):
    """When a conditional plan is used instead of its base plan; a condition left out always holds."""

    frequencies: Many[Frequency] = Field(default=(), description="Billing frequencies; empty for all.")
    binding_periods: Many[Frequency] = Field(default=(), description="Binding periods; empty for all.")
    classifications: Many[ClassificationRef] = Field(default=(), description="Account classifications; empty for all.")

    @property
    def is_empty(self) -> bool:
        return not (self.frequencies or self.binding_periods or self.classifications)


class PricePlan(Entity):
    """The cost of each product and the discounts on it (R105, R106)."""

    type: PricePlanType = Field(default=PricePlanType.BASE, description="base, or used under conditions.")
    base_plan: Annotated[Code, Ref("price_plan")] | None = Field(
        default=None, description="Plan that a conditional plan replaces; it prices what this one does not."
    )
    priority: int = Field(default=0, ge=0, description="Of several plans whose conditions hold the highest is used.")
    conditions: PlanConditions = Field(default=PlanConditions(), description="When a conditional plan is used.")
    currency: Currency = Field(description="ISO 4217 code of all amounts of the plan.")
    tax_inclusive: bool = Field(default=False, description="Prices contain the tax.")
    rates: Many[Rate] = Field(default=(), description="One rate per product, frequency and bundle.")
    discounts: Many[Discount] = Field(default=(), description="Discounts; the percentages that apply are added.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        refuse("price_plan", [*_check_type(self), *_check_rates_unique(self)])
        return self


def _check_type(plan: PricePlan) -> Iterator[Issue]:
    is_conditional = plan.type is PricePlanType.CONDITIONAL
    if is_conditional and plan.base_plan is None:
        yield Issue(("base_plan",), "a conditional plan needs a base plan")
    if is_conditional and plan.conditions.is_empty:
        yield Issue(("conditions",), "a conditional plan needs at least one condition")
    if not is_conditional and plan.base_plan is not None:
        yield Issue(("base_plan",), "only a conditional plan has a base plan", plan.base_plan)
    if not is_conditional and not plan.conditions.is_empty:
        yield Issue(("conditions",), "only a conditional plan has conditions")
    if plan.base_plan == plan.code:
        yield Issue(("base_plan",), "a plan is not its own base plan", plan.base_plan)


def _check_rates_unique(plan: PricePlan) -> Iterator[Issue]:
    seen: dict[tuple[str, str | None, str | None], int] = {}
    for i, rate in enumerate(plan.rates):
        key = (rate.product, rate.frequency, rate.bundle)
        if key in seen:
            text = f"rates[{seen[key]}] already prices this product for the same frequency"
            yield Issue(("rates", i, "product"), text, rate.product)
        seen.setdefault(key, i)
