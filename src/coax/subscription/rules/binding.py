"""Binding periods: until when a contract binds, and what leaving it early costs (R77, reference 2.2, 2.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from coax.base.calendar import add_months_clamped
from coax.base.money import parse_micro
from coax.configuration.types.billing_term_definition import (
    BillingTermRule,
    BillingTermRuleKind,
    PenaltyBasis,
)
from coax.configuration.types.fields import Span, frequency_months_days
from coax.configuration.types.subscription_definition import ServiceKind
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import NewCharge, ServiceFacts, SubscriptionFacts, TermFacts

PERCENT_SCALE = 1_000_000


def find_binding_end(term: TermFacts | None) -> date | None:
    """Return the first day on which the contract no longer binds, or None where it does not bind at all."""
    if term is None or not term.binding_period or term.binding_start_date is None:
        return None
    months, days = frequency_months_days(term.binding_period)
    start = term.binding_start_date
    end = add_months_clamped(start, months) if months else start + timedelta(days=days)
    return end + timedelta(days=term.binding_extension_days)


def decide_penalties(
    facts: SubscriptionFacts,
    policy: Policy,
    services: Iterable[ServiceFacts],
    *,
    on: date,
    is_whole: bool,
    remaining_fees: Mapping[int, int],
) -> Iterator[NewCharge]:
    """Yield what it costs to leave on a day: of each penalty rule that holds, its amount.

    A rule for all services whose penalty is a fixed amount costs that once, and only when the whole subscription is
    left; one for particular services costs it for each. `remaining_fees` are the fees in micros of the full billing
    periods left of each service's binding. Raises: ActionRefused.
    """
    end = find_binding_end(facts.term)
    if end is None or on >= end:
        return
    left = list(services)
    for rule in policy.rules:
        if rule.rule is not BillingTermRuleKind.CANCELLATION_PENALTY or not has_left(rule.min_remaining, on, end):
            continue
        concerned = [s for s in left if rule in policy.find_rules(rule.rule, facts, s.product_id)]
        if not concerned:
            continue
        yield from _charge(rule, concerned, policy, on=on, is_whole=is_whole, fees=remaining_fees)


def _charge(
    rule: BillingTermRule,
    concerned: list[ServiceFacts],
    policy: Policy,
    *,
    on: date,
    is_whole: bool,
    fees: Mapping[int, int],
) -> Iterator[NewCharge]:
    penalty = rule.penalty
    if penalty is None:
        return
    product = policy.product_ids.get(penalty.product)
    if product is None:
        raise ActionRefused(rule.name or rule.rule, f"Rule {rule.name or rule.rule!r}: no product {penalty.product!r}.")
    if penalty.basis is PenaltyBasis.FIXED_AMOUNT:
        is_general = not rule.products and rule.services is ServiceKind.ANY
        times = (1 if is_whole else 0) if is_general else len(concerned)
        amount = parse_micro(penalty.amount) if penalty.amount is not None else 0
        yield from (NewCharge(product, amount, on) for _ in range(times))
        return
    fee = sum(fees.get(service.service_id, 0) for service in concerned)
    ppm = parse_micro(penalty.percent) if penalty.percent is not None else 0
    amount = (fee * ppm + 50 * PERCENT_SCALE) // (100 * PERCENT_SCALE)
    if amount:
        yield NewCharge(product, amount, on)


def has_left(least: Span | None, on: date, end: date) -> bool:
    """Tell whether at least so much of the binding is left."""
    if least is None:
        return True
    months, days = least.months_days
    return (add_months_clamped(on, months) if months else on + timedelta(days=days)) <= end
