"""The configuration as small frames that rating joins with: rates, discounts, taxes, products, schemes, frequencies.

Keys are the entities' own; frequencies are numbered. Built from frozen versions, so a resumed run builds
the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product as product_of
from typing import Any, Protocol, cast

import polars as pl

from coax.base.calendar import NAMED_FREQUENCIES
from coax.base.money import parse_micro
from coax.configuration.types.billing_term_scheme import BillingTermScheme, BillingType
from coax.configuration.types.catalogue import Product, ProductClass, TaxClass
from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import frequency_months_days
from coax.configuration.types.price_plan import PricePlan, PricePlanType, Rate
from coax.configuration.types.usage import UsageServiceCatalog
from coax.rating.frames.bundle_plans import BundlePlans, find_plan_keys, number_bundle_plans
from coax.rating.frames.rating import Tariff, compile_tariff
from coax.rating.frames.schemas import DISCOUNT_SCHEMA, RATE_SCHEMA, TAX_SCHEMA
from coax.rating.types import AppliedPer, MaturityStart, RateModel, TierBasis

ANY = -1
CHARGED_ONCE = (ProductClass.ONE_TIME, ProductClass.EXPENSE, ProductClass.PHYSICAL_GOOD, ProductClass.USAGE)
PPM_OF_PERCENT = Decimal(10_000)


class VersionRow(Protocol):
    """A version of a configuration entity, as read."""

    @property
    def entity_id(self) -> int: ...
    @property
    def version_id(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def effective_date(self) -> date: ...
    @property
    def expiration_date(self) -> date | None: ...
    @property
    def spec(self) -> Entity: ...


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The frames of one frozen configuration.

    `tariff`: rates, discounts and taxes. `rate_sources`: rate_id -> price_version_id, rate_no, tier_no.
    `products`: product_id -> product_version_id, tax_class_key. `schemes`: scheme_version_id, product_id ->
    is_post_billed, is_free. `frequencies`: frequency -> frequency_key, frequency_months, frequency_days.
    `plan_currencies`: price_plan_id -> currency; a usage service catalog is the plan of what is used.
    `conditional_plans`: the plans whose conditions may
    replace a base.
    """

    tariff: Tariff
    rate_sources: pl.DataFrame
    products: pl.DataFrame
    schemes: pl.DataFrame
    frequencies: pl.DataFrame
    plan_currencies: pl.DataFrame
    conditional_plans: tuple[ConditionalPlan, ...]
    codes: dict[int, str]  # of entities, by key
    bundle_plans: BundlePlans  # the plan, by its key and that of a bundle, that has the bundle's prices in place
    usage_products: tuple[int, ...]  # billed by consumption, never by time (R57, R107)


@dataclass(frozen=True, slots=True)
class ConditionalPlan:
    """A plan that replaces its base plan where its conditions hold; empty sets always hold."""

    plan_key: int
    base_plan_key: int
    priority: int
    frequencies: frozenset[str]
    binding_periods: frozenset[str]
    classification_keys: frozenset[int]

    def holds(self, frequency: str, binding_period: str, classification_key: int) -> bool:
        """Whether the plan is used for a contract with these values (R106)."""
        return (
            (not self.frequencies or frequency in self.frequencies)
            and (not self.binding_periods or binding_period in self.binding_periods)
            and (not self.classification_keys or classification_key in self.classification_keys)
        )


def compile_catalogue(versions: Sequence[VersionRow], *, as_of: date) -> Catalogue:
    """Build the frames from all versions of products, tax classes, schemes, plans and classifications.

    Products are taken as they stand on `as_of`; prices and taxes keep their dates, rating picks by period.
    """
    keys = {(row.kind, row.code): row.entity_id for row in versions}
    frequencies = _number_frequencies(versions)
    plans = [row for row in versions if row.kind == "price_plan"]
    priced = [*plans, *(row for row in versions if row.kind == "usage_service_catalog")]
    bundle_plans = number_bundle_plans([(row.entity_id, _plan(row)) for row in plans], keys)
    rates, sources = _compile_rates(versions, priced, keys, frequencies, bundle_plans)
    discounts = list(_discounts(plans, keys, frequencies, bundle_plans))
    return Catalogue(
        tariff=compile_tariff(
            pl.DataFrame(rates, schema=RATE_SCHEMA, orient="row"),
            pl.DataFrame(discounts, schema=DISCOUNT_SCHEMA, orient="row"),
            pl.DataFrame(list(_taxes(versions)), schema=TAX_SCHEMA, orient="row"),
        ),
        rate_sources=pl.DataFrame(
            sources,
            schema={
                "rate_id": pl.Int32,
                "price_version_id": pl.Int64,
                "rate_no": pl.Int16,
                "tier_no": pl.Int16,
            },
            orient="row",
        ),
        products=pl.DataFrame(
            list(_products(versions, keys, as_of)),
            schema={"product_id": pl.Int64, "product_version_id": pl.Int64, "tax_class_key": pl.Int32},
            orient="row",
        ),
        schemes=pl.DataFrame(
            list(_schemes(versions, keys)),
            schema={
                "scheme_version_id": pl.Int64,
                "product_id": pl.Int64,
                "is_post_billed": pl.Boolean,
                "is_free": pl.Boolean,
            },
            orient="row",
        ),
        frequencies=_frequency_frame(frequencies),
        plan_currencies=pl.DataFrame(
            sorted({row.entity_id: _priced(row).currency for row in priced}.items()),
            schema={"price_plan_id": pl.Int64, "plan_currency": pl.String},
            orient="row",
        ),
        conditional_plans=tuple(_conditional_plans(plans, keys, as_of)),
        codes=_name_keys(versions, bundle_plans),
        bundle_plans=bundle_plans,
        usage_products=tuple(
            row.entity_id
            for row in _standing(versions, "product", as_of)
            if cast("Product", row.spec).class_ is ProductClass.USAGE
        ),
    )


def choose_plan(
    plans: Iterable[ConditionalPlan],
    base_plan_key: int,
    frequency: str,
    binding_period: str,
    classification_key: int,
) -> tuple[int, int]:
    """Return (plan, fallback plan): the conditional plan of highest priority that holds, else the base plan."""
    holding = [
        plan
        for plan in plans
        if plan.base_plan_key == base_plan_key and plan.holds(frequency, binding_period, classification_key)
    ]
    if not holding:
        return base_plan_key, ANY
    return max(holding, key=lambda plan: (plan.priority, plan.plan_key)).plan_key, base_plan_key


def _plan(row: VersionRow) -> PricePlan:
    return cast("PricePlan", row.spec)


def _priced(row: VersionRow) -> PricePlan | UsageServiceCatalog:
    return cast("PricePlan | UsageServiceCatalog", row.spec)


def _number_frequencies(versions: Sequence[VersionRow]) -> dict[str, int]:
    custom = {
        frequency
        for row in versions
        if isinstance(row.spec, BillingTermScheme)
        for frequency in (*row.spec.frequencies, *row.spec.binding_periods)
    }
    custom |= {
        rate.frequency
        for row in versions
        if isinstance(row.spec, PricePlan)
        for rate in row.spec.rates
        if rate.frequency
    }
    return {name: number for number, name in enumerate(sorted(custom | set(NAMED_FREQUENCIES)))}


def _frequency_frame(frequencies: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(name, number, *frequency_months_days(name)) for name, number in frequencies.items()],
        schema={
            "frequency": pl.String,
            "frequency_key": pl.Int32,
            "frequency_months": pl.Int32,
            "frequency_days": pl.Int32,
        },
        orient="row",
    )


def _compile_rates(
    versions: Sequence[VersionRow],
    priced: Sequence[VersionRow],
    keys: dict[tuple[str, str], int],
    frequencies: dict[str, int],
    bundle_plans: BundlePlans,
) -> tuple[list[tuple[Any, ...]], list[tuple[int, int, int, int]]]:
    rows: list[tuple[Any, ...]] = []
    sources: list[tuple[int, int, int, int]] = []
    once = {row.code for row in versions if isinstance(row.spec, Product) and row.spec.class_ in CHARGED_ONCE}
    for row in priced:
        plan = _priced(row)
        for rate_no, rate in enumerate(plan.rates):
            frequency = frequencies[rate.frequency] if rate.frequency else ANY
            tail = _tail(rate, plan, row, is_once=rate.product in once)
            for plan_key in find_plan_keys(row.entity_id, plan.rates, rate, keys, bundle_plans):
                for tier_no, tier in enumerate(_tiers(rate)):
                    rate_id = len(rows)
                    sources.append((rate_id, row.version_id, rate_no, tier_no))
                    rows.append((rate_id, plan_key, keys["product", rate.product], frequency, *tier, *tail))
    return rows, sources


def _name_keys(versions: Sequence[VersionRow], bundle_plans: BundlePlans) -> dict[int, str]:
    codes = {row.entity_id: row.code for row in versions}
    plans = {key: f"{codes[plan_id]} with {codes[bundle_id]}" for (plan_id, bundle_id), key in bundle_plans.items()}
    return {**codes, **plans}


def _tiers(rate: Rate) -> Iterator[tuple[Any, ...]]:
    """Yield model, tier bounds, maturity bounds, basis and price of each tier of a rate."""
    model = list(type(rate.model)).index(rate.model)
    assert model < len(RateModel)  # noqa: S101 - the two enumerations are declared in one order
    basis = TierBasis(rate.tier_basis.value).frame_code
    if not rate.tiers:
        yield model, 0, None, 0, None, basis, parse_micro(rate.price or Decimal(0))
    is_by_maturity = rate.model == "maturity_tiered"
    for tier in rate.tiers:
        start, end = tier.from_, tier.to
        if is_by_maturity and tier.maturity_from is not None:
            start, end = tier.maturity_from, tier.maturity_to
        yield model, start, end, tier.maturity_from or 0, tier.maturity_to, basis, parse_micro(tier.price)


def _tail(rate: Rate, plan: PricePlan | UsageServiceCatalog, row: VersionRow, *, is_once: bool) -> tuple[Any, ...]:
    months, days = rate.per.months_days if rate.per else (0, 0)
    if is_once:  # billed whole: at its price, or at its price for each unit of its duration
        months, days = 0, 1 if rate.model.value == "duration_tiered" else 0
    return (
        months,
        days,
        AppliedPer(rate.applied_per.value).frame_code,
        MaturityStart(rate.maturity_start.value).frame_code,
        plan.tax_inclusive,
        row.effective_date,
        row.expiration_date,
    )


def _discounts(
    plans: Sequence[VersionRow],
    keys: dict[tuple[str, str], int],
    frequencies: dict[str, int],
    bundle_plans: BundlePlans,
) -> Iterator[tuple[Any, ...]]:
    for row in plans:
        also = [key for (plan_id, _), key in bundle_plans.items() if plan_id == row.entity_id]
        for discount in _plan(row).discounts:
            conditions = discount.conditions
            product = keys["product", discount.product] if discount.product else ANY
            binding = _months(conditions.min_binding_period)
            off = (
                int((discount.percent or Decimal(0)) * PPM_OF_PERCENT),
                parse_micro(discount.amount_off or Decimal(0)),
            )
            for frequency in conditions.frequencies or (None,):
                for classification, plan_key in product_of(
                    conditions.classifications or (None,), (row.entity_id, *also)
                ):
                    yield (
                        plan_key,
                        product,
                        conditions.min_quantity,
                        frequencies[frequency] if frequency else ANY,
                        binding,
                        keys["account_classification", classification] if classification else ANY,
                        *off,
                        row.effective_date,
                        row.expiration_date,
                    )


def _months(span: str | None) -> int:
    return frequency_months_days(span)[0] if span else 0


def _taxes(versions: Sequence[VersionRow]) -> Iterator[tuple[Any, ...]]:
    for row in versions:
        if not isinstance(row.spec, TaxClass):
            continue
        ends = [rate.from_ for rate in row.spec.rates[1:]] + [None]
        for rate, end in zip(row.spec.rates, ends, strict=True):
            start = max(rate.from_, row.effective_date)
            stop = min((day for day in (end, row.expiration_date) if day), default=None)
            if stop is None or start < stop:
                yield row.entity_id, int(rate.percent * PPM_OF_PERCENT), start, stop


def _products(
    versions: Sequence[VersionRow], keys: dict[tuple[str, str], int], as_of: date
) -> Iterator[tuple[int, int, int]]:
    for row in _standing(versions, "product", as_of):
        spec = cast("Product", row.spec)
        yield row.entity_id, row.version_id, keys["tax_class", spec.tax_class] if spec.tax_class else ANY


def _standing(versions: Sequence[VersionRow], kind: str, as_of: date) -> Iterator[VersionRow]:
    """Yield of each entity the version in force on a day, or its first one where none is yet."""
    by_entity: dict[int, list[VersionRow]] = defaultdict(list)
    for row in versions:
        if row.kind == kind:
            by_entity[row.entity_id].append(row)
    for rows in by_entity.values():
        in_force = [row for row in rows if row.effective_date <= as_of]
        yield (
            max(in_force, key=lambda row: row.effective_date)
            if in_force
            else min(rows, key=lambda row: row.effective_date)
        )


def _schemes(versions: Sequence[VersionRow], keys: dict[tuple[str, str], int]) -> Iterator[tuple[int, int, bool, bool]]:
    for row in versions:
        if isinstance(row.spec, BillingTermScheme):
            for service in row.spec.services:
                is_post = service.billing_type in {BillingType.POST_BILL, BillingType.POST_RATE}
                yield row.version_id, keys["product", service.product], is_post, service.free


def _conditional_plans(
    plans: Sequence[VersionRow], keys: dict[tuple[str, str], int], as_of: date
) -> Iterator[ConditionalPlan]:
    for row in _standing(plans, "price_plan", as_of):
        plan = _plan(row)
        if plan.type is PricePlanType.CONDITIONAL and plan.is_active:
            yield ConditionalPlan(
                plan_key=row.entity_id,
                base_plan_key=keys["price_plan", plan.base_plan or ""],
                priority=plan.priority,
                frequencies=frozenset(plan.conditions.frequencies),
                binding_periods=frozenset(plan.conditions.binding_periods),
                classification_keys=frozenset(
                    keys["account_classification", code] for code in plan.conditions.classifications
                ),
            )
