"""Check price plans against each other and against the schemes that use them."""

from __future__ import annotations

from collections.abc import Iterator

from coax.configuration.rules.outcome import Outcome, Version
from coax.configuration.types.billing_term_scheme import BillingModel, BillingTermScheme
from coax.configuration.types.bundle import ProductBundle
from coax.configuration.types.documents import Problem
from coax.configuration.types.fields import divides, frequency_months_days
from coax.configuration.types.price_plan import PricePlan, PricePlanType, Rate


def check_prices(outcome: Outcome) -> Iterator[Problem]:
    """Yield what is wrong with base plans, and prices whose period does not divide a frequency in use."""
    blamed: set[tuple[str, str, int]] = set()
    for version in outcome.versions("price_plan"):
        if not isinstance(version.spec, PricePlan):
            continue
        yield from _check_base_plan(version, version.spec, outcome)
        yield from _check_bundles(version, version.spec, outcome)
        for scheme in _schemes_of(version.spec, outcome):
            for problem in _check_periods(version, version.spec, scheme):
                key = (problem.file, problem.path, problem.line or 0)
                if key not in blamed:
                    blamed.add(key)
                    yield problem


def _check_base_plan(version: Version, plan: PricePlan, outcome: Outcome) -> Iterator[Problem]:
    if plan.base_plan is None:
        return
    for other in outcome.versions_of("price_plan", plan.base_plan):
        base = other.spec
        if not isinstance(base, PricePlan):
            continue
        if base.type is not PricePlanType.BASE:
            yield version.report(("base_plan",), "the base plan must be of type base", value=plan.base_plan)
            return
        if base.currency != plan.currency:
            message = f"the currency must be that of the base plan {plan.base_plan}"
            yield version.report(("currency",), message, value=plan.currency, allowed=base.currency)
            return


def _check_bundles(version: Version, plan: PricePlan, outcome: Outcome) -> Iterator[Problem]:
    for i, rate in enumerate(plan.rates):
        for other in outcome.versions_of("product_bundle", rate.bundle) if rate.bundle else ():
            if isinstance(other.spec, ProductBundle) and rate.product not in other.spec.products:
                message = f"the bundle {rate.bundle} has no such service"
                allowed = ", ".join(other.spec.products)
                yield version.report(("rates", i, "product"), message, value=rate.product, allowed=allowed)
                break


def _schemes_of(plan: PricePlan, outcome: Outcome) -> Iterator[BillingTermScheme]:
    """Yield the normal schemes whose contracts a plan can price, as itself or through its base plan."""
    for version in outcome.versions("billing_term_scheme"):
        scheme = version.spec
        if not isinstance(scheme, BillingTermScheme) or scheme.type is not BillingModel.NORMAL:
            continue
        if plan.code in scheme.price_plans or plan.base_plan in scheme.price_plans:
            yield scheme


def _check_periods(version: Version, plan: PricePlan, scheme: BillingTermScheme) -> Iterator[Problem]:
    frequencies = [f for f in scheme.frequencies if f in (plan.conditions.frequencies or scheme.frequencies)]
    products = {service.product for service in scheme.services if not service.free}
    for i, rate in enumerate(plan.rates):
        if rate.per is None or rate.product not in products:
            continue
        for frequency in _frequencies_priced(plan, rate, frequencies):
            if not divides(rate.per.months_days, frequency_months_days(frequency)):
                message = f"the price's period does not divide the frequency {frequency} of scheme {scheme.code}"
                span = f"{rate.per.count} {rate.per.unit}"
                allowed = f"give the product a rate of its own with frequency: {frequency}"
                yield version.report(("rates", i, "per"), message, value=span, allowed=allowed)
                break


def _frequencies_priced(plan: PricePlan, rate: Rate, frequencies: list[str]) -> list[str]:
    """Return the frequencies that a rate prices: its own, or those that no other rate of its product has."""
    if rate.frequency is not None:
        return [rate.frequency]
    others = {other.frequency for other in plan.rates if (other.product, other.bundle) == (rate.product, rate.bundle)}
    return [frequency for frequency in frequencies if frequency not in others]
