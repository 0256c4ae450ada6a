"""What an operator's configuration lets a subscriber choose: schemes with plan, frequency, type and priced services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from coax.base.errors import DomainError
from coax.configuration.types.billing_term_scheme import BillingType, DiscountOptions
from coax.configuration.types.catalogue import ProductClass
from coax.configuration.types.documents import ConfigurationRow
from coax.configuration.types.price_plan import PricePlan, PricePlanType
from coax.configuration.types.subscription_type import SubscriptionType
from coax.process.import_subscribers.catalogue import Scheme, build_catalogue
from coax.subscription.types import CycleDayRules

MONTHLY_WEIGHT: Final = 12


class NothingToSell(DomainError):
    """The configuration has no active normal scheme with an active plan that prices one of its services."""

    code: ClassVar[str] = "nothing_to_sell"


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to subscribe; the first `mandatory` of the products are those that a subscription begins with."""

    scheme: str
    price_plan: str
    frequency: str
    subscription_type: str | None
    products: tuple[str, ...]
    post_billed: frozenset[str]
    mandatory: int
    binding_periods: tuple[str, ...]
    cycle_days: CycleDayRules
    takes_discount: bool
    takes_price: bool
    weight: int


def list_offers(versions: Sequence[ConfigurationRow], *, currency: str, as_of: date) -> list[Offer]:
    """Return every combination of scheme, plan, frequency and type with the services that it can bill.

    Raises: NothingToSell.
    """
    catalogue = build_catalogue(versions, currency=currency, as_of=as_of)
    current = [row for row in versions if row.is_in_force(as_of) and row.spec.is_active]
    offers = [
        offer
        for scheme in sorted(catalogue.schemes.values(), key=lambda scheme: scheme.version_id)
        for offer in _offers_of(scheme, current, currency)
    ]
    if not offers:
        raise NothingToSell("The configuration has no active scheme whose services an active base plan prices.")
    return offers


def list_classifications(versions: Sequence[ConfigurationRow], *, as_of: date) -> list[str]:
    """Return the active account classifications, the one created first being the most common."""
    current = [row for row in versions if row.is_in_force(as_of) and row.spec.is_active]
    found = [row for row in current if row.kind == "account_classification"]
    return [row.code for row in sorted(found, key=lambda row: row.entity_id)]


def _offers_of(scheme: Scheme, current: Sequence[ConfigurationRow], currency: str) -> Iterator[Offer]:
    plans = {row.code: row.spec for row in current if row.kind == "price_plan"}
    types = [row for row in current if row.kind == "subscription_type" and scheme.code in row.spec.schemes]
    products = {row.code: row.spec for row in current if row.kind == "product"}
    termed = [
        service.product
        for service in scheme.spec.services
        if service.product in products and products[service.product].class_ is ProductClass.TERMED
    ]
    free = {service.product for service in scheme.spec.services if service.free}
    for code in scheme.spec.price_plans:
        plan = plans.get(code)
        if plan is None or plan.type is not PricePlanType.BASE or plan.currency != currency:
            continue
        for frequency in scheme.spec.frequencies:
            priced = [product for product in termed if product in free or _is_priced(plan, product, frequency)]
            for spec in [row.spec for row in types] or [None]:
                product_types = {product: products[product].type for product in priced}
                offer = _make_offer(scheme, code, frequency, spec, product_types)
                if offer.products:
                    yield offer


def _is_priced(plan: PricePlan, product: str, frequency: str) -> bool:
    return any(
        rate.product == product and rate.bundle is None and rate.frequency in {None, frequency} for rate in plan.rates
    )


def _make_offer(
    scheme: Scheme,
    price_plan: str,
    frequency: str,
    spec: SubscriptionType | None,
    product_types: dict[str, str | None],
) -> Offer:
    mandatory, optional = _split(spec, product_types)
    options = scheme.spec.discount_options
    return Offer(
        scheme=scheme.code,
        price_plan=price_plan,
        frequency=frequency,
        subscription_type=spec.code if spec else None,
        products=(*mandatory, *optional),
        post_billed=frozenset(
            service.product for service in scheme.spec.services if service.billing_type is BillingType.POST_BILL
        ),
        mandatory=len(mandatory),
        binding_periods=scheme.spec.binding_periods,
        cycle_days=scheme.cycle_days,
        takes_discount=options is not DiscountOptions.NONE,
        takes_price=options is DiscountOptions.FLEXIBLE_PRICING,
        weight=MONTHLY_WEIGHT if frequency == "monthly" else 1,
    )


def _split(spec: SubscriptionType | None, product_types: dict[str, str | None]) -> tuple[list[str], list[str]]:
    """Return the products that the type makes mandatory and those it allows; no services listed means all."""
    if spec is None or not spec.services:
        return [], list(product_types)
    mandatory = [product for product in product_types if _is_allowed(spec, product, product_types, True)]
    allowed = [product for product in product_types if _is_allowed(spec, product, product_types, False)]
    return mandatory, [product for product in allowed if product not in mandatory]


def _is_allowed(
    spec: SubscriptionType, product: str, product_types: dict[str, str | None], only_mandatory: bool
) -> bool:
    kind = product_types[product]
    return any(
        service.product == product or (kind is not None and service.product_type == kind)
        for service in spec.services
        if service.mandatory or not only_mandatory
    )
