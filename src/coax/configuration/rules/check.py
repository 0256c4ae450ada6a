"""Check what entities say of each other: references, one active definition, classes, prices that fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from coax.base.money import InvalidAmount, currency_scale, parse_minor
from coax.configuration.rules.check_prices import check_prices
from coax.configuration.rules.outcome import Outcome, Version
from coax.configuration.rules.parse import suggest
from coax.configuration.types.billing_term_definition import BillingTermDefinition
from coax.configuration.types.billing_term_scheme import BillingTermScheme
from coax.configuration.types.bundle import ProductBundle
from coax.configuration.types.catalogue import (
    FinancialTransactionType,
    Product,
    ProductClass,
    ProductType,
    TransactionClassification,
)
from coax.configuration.types.documents import Loc, Problem
from coax.configuration.types.fields import Spec
from coax.configuration.types.process_definition import DeactivationRunDefinition, SubscriptionMaintenanceDefinition
from coax.configuration.types.references import find_references
from coax.configuration.types.registry import KINDS
from coax.configuration.types.run_definition import NormalBillingRunDefinition
from coax.configuration.types.subscription_type import SubscriptionType
from coax.configuration.types.usage import UsageServiceCatalog

ONE_ACTIVE: Final = (
    "normal_billing_run_definition",
    "subscription_definition",
    "billing_term_definition",
    "receivable_definition",
    "subscription_maintenance_definition",
)
NOT_SERVICES: Final = (ProductClass.PHYSICAL_GOOD, ProductClass.ROUNDING)


def check_outcome(
    outcome: Outcome, *, declared: frozenset[tuple[str, str]] = frozenset(), currency: str | None = None
) -> list[Problem]:
    """Return everything that is wrong between the entities of a configuration.

    `declared` are keys that the files hold but could not be read: references to them are not blamed again.
    `currency` is the operator's.
    """
    problems: list[Problem] = []
    for kind in KINDS:
        for version in outcome.versions(kind):
            problems.extend(_check_references(version, outcome, declared))
    for check in _CHECKS:
        problems.extend(check(outcome))
    if currency is not None:
        problems.extend(_check_decimal_scale(outcome, currency))
        problems.extend(_check_thresholds(outcome, currency))
    return problems


def _check_references(version: Version, outcome: Outcome, declared: frozenset[tuple[str, str]]) -> Iterator[Problem]:
    for reference in find_references(version.spec):
        codes = outcome.codes[reference.kind]
        if reference.code in codes or (reference.kind, reference.code) in declared:
            continue
        message = f"no {KINDS[reference.kind].label.lower()} has this code"
        allowed = suggest(reference.code, codes) if codes else f"declare it in {KINDS[reference.kind].section}"
        yield version.report(reference.loc, message, value=reference.code, allowed=allowed, code="unknown_reference")


def _check_one_active(outcome: Outcome) -> Iterator[Problem]:
    for kind in ONE_ACTIVE:
        blamed: set[str] = set()
        for day in outcome.dates(kind):
            first_of: dict[str, str] = {}
            for version in outcome.in_force(kind, day):
                if not version.spec.is_active or version.spec.code in blamed:
                    continue
                first = first_of.setdefault(_group_of(version.spec), version.spec.code)
                if first != version.spec.code:
                    blamed.add(version.spec.code)
                    yield version.report(
                        ("state",),
                        f"only one {KINDS[kind].label.lower()} may be active, and {first} is on {day}",
                        value=version.spec.state.value,
                        allowed="set one of them to inactive",
                    )


def _group_of(spec: Spec) -> str:
    """Return the group of which one may be active: billing term definitions have one per classification."""
    return spec.classification if isinstance(spec, BillingTermDefinition) else ""


def _products(outcome: Outcome, code: str) -> list[Product]:
    return [version.spec for version in outcome.versions_of("product", code) if isinstance(version.spec, Product)]


def _report_class(
    version: Version,
    outcome: Outcome,
    loc: Loc,
    code: str,
    *,
    is_allowed: Callable[[ProductClass], bool],
    wanted: str,
) -> Iterator[Problem]:
    """Report a product of a class that has no business at this place."""
    wrong = [product.class_ for product in _products(outcome, code) if not is_allowed(product.class_)]
    if wrong:
        message = f"the product is of class {wrong[0]}; here {wanted} is wanted"
        yield version.report(loc, message, value=code)


def _is_service(found: ProductClass) -> bool:
    return found not in NOT_SERVICES


def _is_physical_good(found: ProductClass) -> bool:
    return found is ProductClass.PHYSICAL_GOOD


def _is_rounding(found: ProductClass) -> bool:
    return found is ProductClass.ROUNDING


def _is_termed(found: ProductClass) -> bool:
    return found is ProductClass.TERMED


def _is_usage(found: ProductClass) -> bool:
    return found is ProductClass.USAGE


def _is_expense(found: ProductClass) -> bool:
    return found is ProductClass.EXPENSE


def _check_product_types(outcome: Outcome) -> Iterator[Problem]:
    for version in outcome.versions("product"):
        product = version.spec
        if not isinstance(product, Product) or product.type is None:
            continue
        for other in outcome.versions_of("product_type", product.type):
            if isinstance(other.spec, ProductType) and other.spec.class_ is not product.class_:
                message = f"the product is of class {product.class_}, its type of class {other.spec.class_}"
                yield version.report(("type",), message, value=product.type)
                break


def _check_schemes(outcome: Outcome) -> Iterator[Problem]:
    for version in outcome.versions("billing_term_scheme"):
        if isinstance(version.spec, BillingTermScheme):
            for i, service in enumerate(version.spec.services):
                loc: Loc = ("services", i, "product")
                yield from _report_class(
                    version, outcome, loc, service.product, is_allowed=_is_service, wanted="a service"
                )


def _check_subscription_types(outcome: Outcome) -> Iterator[Problem]:
    for version in outcome.versions("subscription_type"):
        spec = version.spec
        if not isinstance(spec, SubscriptionType):
            continue
        for i, service in enumerate(spec.services):
            if service.product is not None:
                loc: Loc = ("services", i, "product")
                yield from _report_class(
                    version, outcome, loc, service.product, is_allowed=_is_service, wanted="a service"
                )
        for i, code in enumerate(spec.physical_goods):
            loc = ("physical_goods", i)
            yield from _report_class(
                version, outcome, loc, code, is_allowed=_is_physical_good, wanted="a physical good"
            )
        yield from _check_package(version, spec, outcome)


def _check_package(version: Version, spec: SubscriptionType, outcome: Outcome) -> Iterator[Problem]:
    if spec.package is None or spec.package.price_plan is None:
        return
    for scheme in outcome.versions_of("billing_term_scheme", spec.package.scheme):
        if isinstance(scheme.spec, BillingTermScheme) and spec.package.price_plan not in scheme.spec.price_plans:
            allowed = suggest(spec.package.price_plan, scheme.spec.price_plans)
            message = f"the scheme {scheme.spec.code} does not allow this price plan"
            yield version.report(("package", "price_plan"), message, value=spec.package.price_plan, allowed=allowed)


def _check_bundles(outcome: Outcome) -> Iterator[Problem]:
    for version in outcome.versions("product_bundle"):
        if isinstance(version.spec, ProductBundle):
            for i, component in enumerate(version.spec.components):
                loc: Loc = ("components", i, "product")
                yield from _report_class(
                    version, outcome, loc, component.product, is_allowed=_is_termed, wanted="a termed service"
                )


def _check_usage_catalogs(outcome: Outcome) -> Iterator[Problem]:
    for version in outcome.versions("usage_service_catalog"):
        if isinstance(version.spec, UsageServiceCatalog):
            for i, entry in enumerate(version.spec.entries):
                loc: Loc = ("entries", i, "product")
                yield from _report_class(
                    version, outcome, loc, entry.product, is_allowed=_is_usage, wanted="a usage service"
                )


def _check_run_definitions(outcome: Outcome) -> Iterator[Problem]:
    for version in outcome.versions("normal_billing_run_definition"):
        if not isinstance(version.spec, NormalBillingRunDefinition):
            continue
        assembling = version.spec.assembling
        loc = ("assembling", "rounding_product")
        product = assembling.rounding_product
        yield from _report_class(
            version, outcome, loc, product, is_allowed=_is_rounding, wanted="a product of class rounding"
        )
        types = {
            "debit_adjustment_type": TransactionClassification.INVOICE,
            "credit_adjustment_type": TransactionClassification.CREDIT_NOTE,
        }
        for key, wanted in types.items():
            yield from _check_transaction_type(version, outcome, key, getattr(assembling, key), wanted)


def _check_transaction_type(
    version: Version, outcome: Outcome, key: str, code: str, wanted: TransactionClassification
) -> Iterator[Problem]:
    for other in outcome.versions_of("financial_transaction_type", code):
        if isinstance(other.spec, FinancialTransactionType) and other.spec.classification is not wanted:
            message = f"its classification is {other.spec.classification}; here {wanted} is wanted"
            yield version.report(("assembling", key), message, value=code)
            return


def _check_penalties(outcome: Outcome) -> Iterator[Problem]:
    for version in outcome.versions("billing_term_definition"):
        if not isinstance(version.spec, BillingTermDefinition):
            continue
        for i, rule in enumerate(version.spec.rules):
            if rule.penalty is not None:
                loc: Loc = ("rules", i, "penalty", "product")
                yield from _report_class(
                    version, outcome, loc, rule.penalty.product, is_allowed=_is_expense, wanted="an expense"
                )


def _check_decimal_scale(outcome: Outcome, currency: str) -> Iterator[Problem]:
    scale_max = currency_scale(currency)
    for version in outcome.versions("normal_billing_run_definition"):
        if not isinstance(version.spec, NormalBillingRunDefinition):
            continue
        scale = version.spec.assembling.decimal_scale
        if scale is not None and scale > scale_max:
            message = f"{currency} has {scale_max} decimals"
            yield version.report(
                ("assembling", "decimal_scale"),
                message,
                value=scale,
                allowed=f"0 to {scale_max}, or leave it out",
            )


def _check_thresholds(outcome: Outcome, currency: str) -> Iterator[Problem]:
    for version in (
        *outcome.versions("deactivation_run_definition"),
        *outcome.versions("subscription_maintenance_definition"),
    ):
        for loc, threshold in _find_thresholds(version.spec):
            try:
                parse_minor(threshold, currency)
            except InvalidAmount:
                message = f"{currency} has {currency_scale(currency)} decimals"
                yield version.report(loc, message, value=threshold)


def _find_thresholds(spec: Spec) -> Iterator[tuple[Loc, Decimal]]:
    if isinstance(spec, DeactivationRunDefinition):
        yield ("threshold",), spec.threshold
    if isinstance(spec, SubscriptionMaintenanceDefinition):
        yield ("activate_settled", "threshold"), spec.activate_settled.threshold


_CHECKS: Final[tuple[Callable[[Outcome], Iterator[Problem]], ...]] = (
    _check_one_active,
    _check_product_types,
    check_prices,
    _check_schemes,
    _check_subscription_types,
    _check_bundles,
    _check_usage_catalogs,
    _check_run_definitions,
    _check_penalties,
)
