"""What an action is refused for whatever it changes: state, day, end, credit limit, conditions, limits of rules."""

from __future__ import annotations

from datetime import date

from coax.configuration.types.billing_term_definition import BillingTermRule, BillingTermRuleKind
from coax.subscription.rules.machine import Transition
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.rules.swap import go_back
from coax.subscription.types.actions import ActionRequest, Behaviour, ServiceFacts, ServiceState, SubscriptionFacts

# Beside what activates: these are for accounts that are active too (reference 3.1).
_OF_ACTIVE_ACCOUNTS = frozenset({Behaviour.SHORT_TERM_ACTIVATE, Behaviour.SHORT_TERM_DEACTIVATE})
_KIND_OF_REST = {
    Behaviour.REST: BillingTermRuleKind.RESTING,
    Behaviour.SHORT_TERM_DEACTIVATE: BillingTermRuleKind.SHORT_TERM_DEACTIVATION,
    Behaviour.SHORT_TERM_ACTIVATE: BillingTermRuleKind.SHORT_TERM_EFFECTIVE,
    Behaviour.EXTEND_GRACE: BillingTermRuleKind.GRACE,
}


def check_state(request: ActionRequest, facts: SubscriptionFacts, transition: Transition) -> None:
    """Refuse an action that subscription or account are in no state for. Raises: ActionRefused."""
    if facts.state not in transition.begins_from:
        allowed = ", ".join(sorted(transition.begins_from))
        raise ActionRefused(
            "state",
            f"{request.behaviour}: subscription {facts.code} is {facts.state}; allowed is: {allowed}.",
            subscription=facts.code,
            state=facts.state,
        )
    is_early = facts.state_ends_on is not None and request.performed_on < facts.state_ends_on
    if request.behaviour is Behaviour.DEACTIVATE and is_early:
        raise ActionRefused(
            "state",
            f"{request.behaviour}: subscription {facts.code} is {facts.state} until {facts.state_ends_on}; "
            "end that first.",
        )
    if facts.account_state == "terminated" or transition.activates or request.behaviour in _OF_ACTIVE_ACCOUNTS:
        check_account(request, facts)


def check_account(request: ActionRequest, facts: SubscriptionFacts) -> None:
    """Refuse what an account that is suspended or terminated may not do. Raises: ActionRefused."""
    if facts.account_state != "active":
        raise ActionRefused(
            "account_active",
            f"{request.behaviour}: the account of subscription {facts.code} is {facts.account_state}; allowed: active.",
            subscription=facts.code,
        )


def check_day(request: ActionRequest, facts: SubscriptionFacts, today: date) -> None:
    """Refuse a day to come, or one before the present state. Raises: ActionRefused."""
    if request.performed_on > today:
        raise ActionRefused(
            "performed_on", f"performed_on: {request.performed_on} is still to come; allowed is up to {today}."
        )
    is_told_late = request.behaviour is Behaviour.ADD_SERVICE_USAGE  # its rule asks the history of that day
    if request.performed_on < facts.changed_on and not is_told_late:
        raise ActionRefused(
            "performed_on",
            f"performed_on: {request.performed_on} is before subscription {facts.code} became {facts.state}; "
            f"allowed is from {facts.changed_on} on.",
        )


def check_end(request: ActionRequest, facts: SubscriptionFacts, policy: Policy, transition: Transition) -> None:
    """Check the end of a state for a time, by its own sense and by the definition. Raises: ActionRefused."""
    if not transition.needs_end:
        if request.ends_on is not None:
            raise ActionRefused("ends_on", f"ends_on: {request.behaviour} has no end; leave it empty.")
        return
    start, end = request.performed_on, request.ends_on
    if end is None or end <= start:
        raise ActionRefused("ends_on", f"ends_on: {end or 'empty'} is not allowed; it must be after {start}.")
    for rule in policy.find_rules(_KIND_OF_REST[request.behaviour], facts):
        _check_length(rule, (end - start).days)
        if request.behaviour is Behaviour.REST:
            _check_totals(rule, facts, start, end)


def _check_length(rule: BillingTermRule, days: int) -> None:
    name = rule.name or rule.rule
    if rule.min_days is not None and days < rule.min_days:
        raise ActionRefused(name, f"ends_on: {days} days are too few; rule {name!r} allows {rule.min_days} or more.")
    if rule.max_days is not None and days > rule.max_days:
        raise ActionRefused(name, f"ends_on: {days} days are too many; rule {name!r} allows {rule.max_days} at most.")


def _check_totals(rule: BillingTermRule, facts: SubscriptionFacts, start: date, end: date) -> None:
    name, since = rule.name or rule.rule, go_back(start, rule.within)
    recent = [(max(begun, since), over) for begun, over in facts.rested if over > since]
    if rule.max_times is not None and len(recent) >= rule.max_times:
        raise ActionRefused(name, f"rest: rested {len(recent)} times since {since}; rule {name!r}: {rule.max_times}.")
    total = sum((over - begun).days for begun, over in recent) + (end - start).days
    if rule.max_total_days is not None and total > rule.max_total_days:
        raise ActionRefused(
            name, f"ends_on: {total} days of rest since {since} are too many; rule {name!r}: {rule.max_total_days}."
        )


def check_activation(request: ActionRequest, facts: SubscriptionFacts) -> None:
    """Refuse to bring services on without a contract, or over the credit limit. Raises: ActionRefused."""
    if facts.term is None:
        raise ActionRefused("billing_term", f"Subscription {facts.code} has no billing term that is effective.")
    if facts.is_over_limit:
        raise ActionRefused(
            "credit_limit",
            f"{request.behaviour}: the account of subscription {facts.code} owes more than its credit limit (R115).",
            subscription=facts.code,
        )


def check_conditions(request: ActionRequest, facts: SubscriptionFacts, policy: Policy, transition: Transition) -> None:
    """Check what must be installed before services come on, of the whole or of the one. Raises: ActionRefused."""
    concerned: list[int | None] = [None]
    if transition.is_of_service:
        concerned += [s.product_id for s in facts.services if s.code == request.service_code]
    elif transition.adds_service:
        concerned += [policy.product_ids.get(request.product_code or "", -1)]
    else:
        concerned += [s.product_id for s in facts.services if s.state in transition.service_from]
    goods = [policy.products[key].code for key in facts.installed if key in policy.products]
    _check_least_items(request, facts, policy, goods)
    installed = set(goods)
    for product_id in concerned:
        for rule in policy.find_rules(BillingTermRuleKind.ACTIVATION_CONDITION, facts, product_id):
            if not installed & set(rule.require_installed):
                needed = ", ".join(rule.require_installed)
                raise ActionRefused(
                    "activation_condition",
                    f"{request.behaviour}: subscription {facts.code} needs one of these installed first: {needed} "
                    f"(rule {rule.name or rule.rule!r}).",
                )


def _check_least_items(request: ActionRequest, facts: SubscriptionFacts, policy: Policy, goods: list[str]) -> None:
    """Check the smallest numbers of installed items (R73)."""
    kind = policy.type_of(facts)
    for rule in policy.definition.installed_item_rules if policy.definition else ():
        if rule.subscription_types and (kind is None or kind.code not in rule.subscription_types):
            continue
        counted = sum(not rule.physical_goods or good in rule.physical_goods for good in goods)
        if counted < rule.minimum:
            named = ", ".join(rule.physical_goods) or "items"
            raise ActionRefused(
                "installed_item_rules",
                f"{request.behaviour}: subscription {facts.code} has {counted} of {named} installed; "
                f"the subscription definition wants {rule.minimum} or more.",
            )


def check_order(request: ActionRequest, service: ServiceFacts) -> None:
    """Refuse a day before a service's present state. Raises: ActionRefused."""
    if request.performed_on < service.changed_on:
        raise ActionRefused(
            "performed_on",
            f"performed_on: {request.performed_on} is before service {service.code} became {service.state}; "
            f"allowed is from {service.changed_on} on.",
        )


def check_regret(request: ActionRequest, facts: SubscriptionFacts, policy: Policy, service: ServiceFacts) -> None:
    """Refuse a regret after the days that a rule allows. Raises: ActionRefused."""
    if service.state is ServiceState.DRAFT:
        return
    days = (request.performed_on - service.effective_from).days
    for rule in policy.find_rules(BillingTermRuleKind.REGRET, facts, service.product_id):
        limit = rule.max_days_since_activation
        if limit is not None and days > limit:
            name = rule.name or rule.rule
            raise ActionRefused(
                name,
                f"{request.behaviour}: service {service.code} was activated {days} days ago; "
                f"rule {name!r} allows {limit}.",
            )
