"""Swaps: upgrade, downgrade or switch, by the tiers of the two services, and how often each is allowed."""

from __future__ import annotations

from datetime import date, timedelta

from coax.base.calendar import add_months_clamped
from coax.configuration.types.billing_term_definition import BillingTermRule, BillingTermRuleKind, SwapKind
from coax.configuration.types.fields import Span
from coax.subscription.rules.binding import find_binding_end, has_left
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, ServiceFacts, SubscriptionFacts


def find_swap_kind(old_code: str, new_code: str, policy: Policy) -> SwapKind:
    """Return what a swap is: between two tiers up or down, everything else a switch (reference 2.5)."""
    tiers = policy.definition.service_tiers if policy.definition else ()
    levels = {tier.product: tier.level for tier in tiers}
    if old_code not in levels or new_code not in levels or levels[old_code] == levels[new_code]:
        return SwapKind.SWITCH
    return SwapKind.UPGRADE if levels[new_code] < levels[old_code] else SwapKind.DOWNGRADE


def check_swap(
    request: ActionRequest, facts: SubscriptionFacts, policy: Policy, old: ServiceFacts, new_code: str
) -> SwapKind:
    """Refuse a swap that a rule does not allow any more, and return its kind.

    A rule counts the swaps of the subscription within its time; with `min_remaining` it holds only while so much of
    the binding is left. Raises: ActionRefused.
    """
    kind = find_swap_kind(policy.products[old.product_id].code, new_code, policy)
    for rule in policy.find_rules(BillingTermRuleKind.SWAP, facts, old.product_id):
        if rule.swaps and kind not in rule.swaps:
            continue
        end = find_binding_end(facts.term)
        if rule.min_remaining and (end is None or not has_left(rule.min_remaining, request.performed_on, end)):
            continue
        _check_times(rule, kind, request, facts, policy)
    return kind


def _check_times(
    rule: BillingTermRule, kind: SwapKind, request: ActionRequest, facts: SubscriptionFacts, policy: Policy
) -> None:
    since = go_back(request.performed_on, rule.within)
    by_id = {service.service_id: policy.products[service.product_id].code for service in facts.services}
    done = [
        service
        for service in facts.services
        if service.swapped_from in by_id
        and service.effective_from > since
        and (
            not rule.swaps
            or find_swap_kind(by_id[service.swapped_from], by_id[service.service_id], policy) in rule.swaps
        )
    ]
    if rule.max_times is not None and len(done) >= rule.max_times:
        name = rule.name or rule.rule
        raise ActionRefused(
            name, f"{request.behaviour}: a {kind} is allowed {rule.max_times} times, {len(done)} were; rule {name!r}."
        )


def go_back(day: date, span: Span | None) -> date:
    """Return the day that lies a span before; the first day of all without one."""
    if span is None:
        return date.min
    months, days = span.months_days
    return add_months_clamped(day, -months) if months else day - timedelta(days=days)
