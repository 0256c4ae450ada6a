"""What an action changes, or why it is refused: one pure decision, for one subscription at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Final

from coax.configuration.types.billing_term_definition import BillingDirective, BillingTermRule, BillingTermRuleKind
from coax.configuration.types.catalogue import ProductClass
from coax.subscription.rules.amend import decide_amendment
from coax.subscription.rules.binding import decide_penalties
from coax.subscription.rules.contracts import decide_billing_date
from coax.subscription.rules.expense import decide_expense, decide_location, decide_withdrawal
from coax.subscription.rules.machine import LIVE_SERVICE, TRANSITIONS, Transition
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.rules.structure import check_structure
from coax.subscription.rules.swap import check_swap, go_back
from coax.subscription.rules.usage import decide_usage
from coax.subscription.types.actions import (
    ActionRequest,
    Behaviour,
    Effects,
    NewService,
    NewTerm,
    ServiceChange,
    ServiceFacts,
    ServiceState,
    SubscriptionFacts,
    TermFacts,
    Withdrawal,
)
from coax.subscription.types.contracts import SubscriptionState

_KIND_OF_REST = {
    Behaviour.REST: BillingTermRuleKind.RESTING,
    Behaviour.SHORT_TERM_DEACTIVATE: BillingTermRuleKind.SHORT_TERM_DEACTIVATION,
    Behaviour.SHORT_TERM_ACTIVATE: BillingTermRuleKind.SHORT_TERM_EFFECTIVE,
    Behaviour.EXTEND_GRACE: BillingTermRuleKind.GRACE,
}

_BEGINS = {Behaviour.ACTIVATE, Behaviour.SHORT_TERM_ACTIVATE}


def decide(
    request: ActionRequest,
    facts: SubscriptionFacts,
    policy: Policy,
    *,
    today: date,
    remaining_fees: Mapping[int, int] = MappingProxyType({}),
) -> Effects:
    """Return what the action changes; days are civil, in the operator's time zone.

    `remaining_fees` are the fees in micros of the full billing periods that are left of a binding, by service.

    Raises: ActionRefused.
    """
    if request.behaviour not in TRANSITIONS:
        raise ActionRefused("state", f"{request.behaviour}: subscription {facts.code} exists already.")
    transition = TRANSITIONS[request.behaviour]
    _check_state(request, facts, transition)
    _check_day(request, facts, today)
    _check_end(request, facts, policy, transition)
    if transition.activates or request.behaviour is Behaviour.SHORT_TERM_ACTIVATE:
        _check_activation(request, facts)
        _check_conditions(request, facts, policy, transition)
    if request.behaviour in _APART:
        return _APART[request.behaviour](request, facts, policy)
    effects = _decide_services(request, facts, policy, transition)
    if transition.adds_service:
        effects = replace(effects, new_services=(_decide_new(request, facts, policy, transition, effects),))
    if transition.to:
        ends_on = request.ends_on if transition.needs_end else None
        effects = replace(effects, state=transition.to, on=request.performed_on, state_ends_on=ends_on)
    if request.behaviour in {Behaviour.REGRET, Behaviour.REGRET_SERVICE}:
        effects = replace(effects, withdrawn=tuple(_find_regretted(request, facts, effects, policy)))
    check_structure(request, facts, effects, policy)
    if request.behaviour not in {Behaviour.CANCEL, Behaviour.CANCEL_SERVICE}:
        return effects
    penalties = decide_penalties(
        facts,
        policy,
        (change.service for change in effects.services),
        on=request.performed_on,
        is_whole=request.behaviour is Behaviour.CANCEL,
        remaining_fees=remaining_fees,
    )
    return replace(effects, charges=tuple(penalties))


def _amend(request: ActionRequest, facts: SubscriptionFacts, policy: Policy) -> Effects:
    """Change the contract; services that are billed go over into it on its day."""
    term = decide_amendment(request, facts, policy)
    if not term.is_rated_anew:
        return Effects(new_term=term)
    on = request.performed_on
    services = []
    for service in facts.services:
        directive = policy.directive(service.state, facts, service.product_id)
        if service.state in LIVE_SERVICE and directive is BillingDirective.TO_BE_BILLED:
            _check_order(request, service)
            services.append(replace(ServiceChange(service, service.state, on, directive, on, on), rate_from=on))
    return Effects(new_term=term, services=tuple(services))


def _check_state(request: ActionRequest, facts: SubscriptionFacts, transition: Transition) -> None:
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
    if facts.account_state == "terminated" or (facts.account_state != "active" and transition.activates):
        raise ActionRefused(
            "account_active",
            f"{request.behaviour}: the account of subscription {facts.code} is {facts.account_state}; allowed: active.",
            subscription=facts.code,
        )


def _check_day(request: ActionRequest, facts: SubscriptionFacts, today: date) -> None:
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


def _check_end(request: ActionRequest, facts: SubscriptionFacts, policy: Policy, transition: Transition) -> None:
    """Check the end of a state for a time, by its own sense and by the billing term definition."""
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


def _check_activation(request: ActionRequest, facts: SubscriptionFacts) -> None:
    if facts.term is None:
        raise ActionRefused("billing_term", f"Subscription {facts.code} has no billing term that is effective.")
    if facts.is_over_limit:
        raise ActionRefused(
            "credit_limit",
            f"{request.behaviour}: the account of subscription {facts.code} owes more than its credit limit (R115).",
            subscription=facts.code,
        )


def _check_conditions(request: ActionRequest, facts: SubscriptionFacts, policy: Policy, transition: Transition) -> None:
    """Check what must be installed before services come on: of the whole subscription, or of the one service."""
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


def _decide_services(
    request: ActionRequest, facts: SubscriptionFacts, policy: Policy, transition: Transition
) -> Effects:
    if transition.service_to is None or not transition.service_from:
        return Effects()
    chosen = _choose_services(request, facts, transition)
    changes = [_decide_change(request, facts, policy, service, transition.service_to) for service in chosen]
    returned = _take_back(request, facts, policy, chosen)
    return Effects(
        services=(*changes, *returned),
        new_term=_extend(request, facts, policy) or _begin_binding(request, facts, policy),
    )


def _choose_services(
    request: ActionRequest, facts: SubscriptionFacts, transition: Transition
) -> Iterable[ServiceFacts]:
    if not transition.is_of_service:
        if transition.activates and not any(service.state in LIVE_SERVICE for service in facts.services):
            raise ActionRefused("services", f"Subscription {facts.code} has no service to activate.")
        chosen = [service for service in facts.services if service.state in transition.service_from]
        return [service for service in chosen if not _is_left_behind(service, request, facts)]
    named = [s for s in facts.services if s.code == request.service_code and s.state in LIVE_SERVICE]
    if not named:
        live = ", ".join(s.code for s in facts.services if s.state in LIVE_SERVICE) or "none"
        raise ActionRefused("service", f"service: {request.service_code!r} is not one of {facts.code}: {live}.")
    if named[0].state not in transition.service_from:
        allowed = ", ".join(sorted(transition.service_from))
        raise ActionRefused("state", f"service: {named[0].code} is {named[0].state}; allowed is: {allowed}.")
    return named


def _is_left_behind(service: ServiceFacts, request: ActionRequest, facts: SubscriptionFacts) -> bool:
    """Tell whether activating a subscription leaves a service as it is.

    One that was stopped by itself stays off, and a draft added to a subscription that was on before waits for an
    action of its own.
    """
    if request.behaviour not in {Behaviour.ACTIVATE, Behaviour.SHORT_TERM_ACTIVATE}:
        return False
    return service.stays_off or (service.state is ServiceState.DRAFT and facts.state is not SubscriptionState.DRAFT)


def _decide_change(
    request: ActionRequest, facts: SubscriptionFacts, policy: Policy, service: ServiceFacts, to: ServiceState
) -> ServiceChange:
    on = request.performed_on
    _check_order(request, service)
    stays_off = request.behaviour is Behaviour.STOP_SERVICE
    change = ServiceChange(service, to, on, policy.directive(to, facts, service.product_id), stays_off=stays_off)
    if to is ServiceState.REGRETTED:
        _check_regret(request, facts, policy, service)
        return replace(change, credit_from=service.effective_from)
    if change.directive is not BillingDirective.TO_BE_BILLED:
        return change
    billable_from, effective_date = _billing_dates(request, facts, policy, on)
    return replace(
        change,
        billable_from=max(billable_from, on),
        billing_effective_date=effective_date,
        is_first=service.state is ServiceState.DRAFT,
    )


def _check_order(request: ActionRequest, service: ServiceFacts) -> None:
    if request.performed_on < service.changed_on:
        raise ActionRefused(
            "performed_on",
            f"performed_on: {request.performed_on} is before service {service.code} became {service.state}; "
            f"allowed is from {service.changed_on} on.",
        )


def _check_regret(request: ActionRequest, facts: SubscriptionFacts, policy: Policy, service: ServiceFacts) -> None:
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


def _find_regretted(
    request: ActionRequest, facts: SubscriptionFacts, effects: Effects, policy: Policy
) -> Iterator[Withdrawal]:
    """Yield what is taken back with a regret; what a rule keeps stays charged.

    With a subscription it is all that was charged once or used, with a service what was used by it.
    """
    is_whole = request.behaviour is Behaviour.REGRET
    gone = {change.service.service_id for change in effects.services if change.state is ServiceState.REGRETTED}
    kept = {code for rule in policy.find_rules(BillingTermRuleKind.REGRET, facts) for code in rule.keep_charges}
    for charge in facts.charges:
        if not is_whole and charge.service_id not in gone:
            continue
        product = policy.products.get(charge.product_id)
        if product is None or product.code not in kept:
            yield Withdrawal(charge, max(request.performed_on, charge.performed_on))


def _billing_dates(request: ActionRequest, facts: SubscriptionFacts, policy: Policy, on: date) -> tuple[date, date]:
    scheme = policy.scheme_of(facts)
    if scheme is None or facts.term is None:
        raise ActionRefused("billing_term", f"Subscription {facts.code} has no billing term that is effective.")
    first, considered = (
        decide_billing_date(
            rule,
            performed_on=on,
            agreed_on=facts.term.agreement_date,
            cycle_day=facts.term.cycle_day,
            executed_on=request.performed_on,
        )
        for rule in (scheme.billable_period_start, scheme.billing_effective)
    )
    return first, considered


def _extend(request: ActionRequest, facts: SubscriptionFacts, policy: Policy) -> NewTerm | None:
    """Return the contract with a binding as much longer as was rested, where a rule says so."""
    term = facts.term
    if request.behaviour is not Behaviour.END_RESTING or term is None or not term.binding_period:
        return None
    rules = policy.find_rules(BillingTermRuleKind.RESTING, facts)
    if not any(rule.extend_binding for rule in rules):
        return None
    rested = (request.performed_on - facts.changed_on).days
    return replace(_renew(term, request.performed_on), binding_extension_days=term.binding_extension_days + rested)


def _begin_binding(request: ActionRequest, facts: SubscriptionFacts, policy: Policy) -> NewTerm | None:
    """Return the contract of a draft with a binding that begins when it is activated, where a rule says so."""
    term = facts.term
    if facts.state is not SubscriptionState.DRAFT or term is None or not term.binding_period:
        return None
    if request.behaviour not in _BEGINS or not any(
        policy.find_rules(BillingTermRuleKind.BINDING_START_AUTOMATION, facts)
    ):
        return None
    return replace(_renew(term, request.performed_on), binding_start_date=request.performed_on)


def _renew(term: TermFacts, on: date) -> NewTerm:
    """Return the same contract again from a day on."""
    return NewTerm(
        on=max(on, term.effective_from),
        scheme_version_id=term.scheme_version_id,
        price_plan_id=term.price_plan_id,
        frequency=term.frequency,
        cycle_day=term.cycle_day,
        agreement_date=term.agreement_date,
        binding_period=term.binding_period,
        binding_start_date=term.binding_start_date,
        binding_extension_days=term.binding_extension_days,
    )


def _take_back(
    request: ActionRequest, facts: SubscriptionFacts, policy: Policy, chosen: Iterable[ServiceFacts]
) -> list[ServiceChange]:
    """Return the services that come back because the one that had replaced them is regretted."""
    if request.behaviour is not Behaviour.REGRET_SERVICE:
        return []
    taken = []
    for service in chosen:
        former = next((s for s in facts.services if s.service_id == service.swapped_from), None)
        if former is None or former.state is not ServiceState.SWAPPED:
            continue
        directive = policy.directive(ServiceState.EFFECTIVE, facts, former.product_id)
        on = service.effective_from
        taken.append(ServiceChange(former, ServiceState.EFFECTIVE, on, directive, on, on))
    return taken


def _decide_new(
    request: ActionRequest, facts: SubscriptionFacts, policy: Policy, transition: Transition, effects: Effects
) -> NewService:
    product = policy.products.get(policy.product_ids.get(request.product_code or "", -1))
    if product is None or product.class_ not in {ProductClass.TERMED, ProductClass.USAGE}:
        raise ActionRefused("product", f"product: {request.product_code!r} is not a service of this operator.")
    if request.quantity < 1:
        raise ActionRefused("quantity", f"quantity: {request.quantity} is not allowed; allowed is 1 or more.")
    code = request.new_service_code or product.code
    if any(service.code == code for service in facts.services):
        raise ActionRefused(
            "service", f"service: {facts.code} has had a service {code!r}; give the new one another code."
        )
    on = request.performed_on
    billable_from, effective_date = _billing_dates(request, facts, policy, on)
    is_swap = request.behaviour is Behaviour.SWAP_SERVICE
    if is_swap:
        check_swap(request, facts, policy, effects.services[0].service, product.code)
    state = ServiceState.EFFECTIVE if is_swap else transition.service_to or ServiceState.DRAFT
    return NewService(
        code=code,
        product_id=policy.product_ids[product.code],
        state=state,
        quantity=effects.services[0].service.quantity if is_swap else request.quantity,
        on=on,
        billable_from=on if is_swap else max(billable_from, on),
        billing_effective_date=effective_date,
        agreed_price_micro=request.agreed_price_micro,
        swapped_from=effects.services[0].service.service_id if is_swap else None,
    )


def spares_free_services(effects: Effects, facts: SubscriptionFacts, policy: Policy) -> Effects:
    """Leave free services out of a deactivation for debt; without any other one the subscription stays as it is."""
    charged = tuple(c for c in effects.services if not policy.is_free(facts, c.service.product_id))
    if not charged:
        raise ActionRefused("free_services", f"Subscription {facts.code} has only free services; debt cuts none.")
    if len(charged) == len(effects.services):
        return effects
    return replace(effects, services=charged, state=None, on=None)


# Actions that leave the states of subscription and services as they are.
_APART: Final[dict[Behaviour, Callable[[ActionRequest, SubscriptionFacts, Policy], Effects]]] = {
    Behaviour.EXTEND_GRACE: lambda request, _, __: Effects(grace_until=request.ends_on),
    Behaviour.AMEND_BILLING_TERM: _amend,
    Behaviour.ADD_EXPENSE: lambda request, _, policy: Effects(charges=(decide_expense(request, policy),)),
    Behaviour.CANCEL_EXPENSE: lambda request, facts, _: Effects(withdrawn=(decide_withdrawal(request, facts),)),
    Behaviour.ADD_SERVICE_USAGE: lambda *known: Effects(usages=(decide_usage(*known),)),
    Behaviour.CANCEL_SERVICE_USAGE: lambda request, facts, _: Effects(withdrawn=(decide_withdrawal(request, facts),)),
    Behaviour.CHANGE_LOCATION: lambda request, facts, _: Effects(location=decide_location(request, facts)),
}
