"""What an action changes, or why it is refused: one pure decision, for one subscription at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import chain, count
from types import MappingProxyType
from typing import Final

from coax.configuration.types.billing_term_definition import BillingDirective, BillingTermRuleKind
from coax.configuration.types.catalogue import ProductClass
from coax.subscription.rules.amend import decide_amendment
from coax.subscription.rules.binding import decide_penalties
from coax.subscription.rules.bundle import plan_bundle
from coax.subscription.rules.contracts import decide_billing_date
from coax.subscription.rules.expense import decide_expense, decide_location, decide_withdrawal
from coax.subscription.rules.machine import LIVE_SERVICE, TRANSITIONS, Transition
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.preconditions import (
    check_account,
    check_activation,
    check_conditions,
    check_day,
    check_end,
    check_order,
    check_regret,
    check_state,
)
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.rules.structure import check_structure
from coax.subscription.rules.swap import check_swap
from coax.subscription.rules.usage import decide_usage
from coax.subscription.types.actions import (
    ActionRequest,
    Behaviour,
    Effects,
    Membership,
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

# What may cost a penalty while a binding runs.
WITH_PENALTIES: Final = frozenset({Behaviour.CANCEL, Behaviour.CANCEL_SERVICE, Behaviour.AMEND_BUNDLE})
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
    check_state(request, facts, transition)
    check_day(request, facts, today)
    check_end(request, facts, policy, transition)
    if transition.activates or request.behaviour is Behaviour.SHORT_TERM_ACTIVATE:
        check_activation(request, facts)
        check_conditions(request, facts, policy, transition)
    if request.behaviour in _APART:
        return _APART[request.behaviour](request, facts, policy)
    if request.behaviour is Behaviour.AMEND_BUNDLE:
        effects = _amend_bundle(request, facts, policy)
    else:
        effects = _decide_services(request, facts, policy, transition)
    if transition.adds_service:
        effects = replace(effects, new_services=(_decide_new(request, facts, policy, transition, effects),))
    if transition.to:
        ends_on = request.ends_on if transition.needs_end else None
        effects = replace(effects, state=transition.to, on=request.performed_on, state_ends_on=ends_on)
    if request.behaviour in {Behaviour.REGRET, Behaviour.REGRET_SERVICE}:
        effects = replace(effects, withdrawn=tuple(_find_regretted(request, facts, effects, policy)))
    check_structure(request, facts, effects, policy)
    if request.behaviour not in WITH_PENALTIES:
        return effects
    penalties = decide_penalties(
        facts,
        policy,
        (change.service for change in effects.services if change.state is ServiceState.CANCELLED),
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
            check_order(request, service)
            services.append(replace(ServiceChange(service, service.state, on, directive, on, on), rate_from=on))
    return Effects(new_term=term, services=tuple(services))


def _amend_bundle(request: ActionRequest, facts: SubscriptionFacts, policy: Policy) -> Effects:
    """Change what a bundle holds: services leave, go over into it and come, all on one day."""
    plan = plan_bundle(request, facts, policy)
    is_draft = facts.state is SubscriptionState.DRAFT
    if not is_draft and (plan.added or (plan.moving and plan.bundle_id)):
        check_account(request, facts)
        check_activation(request, facts)
    gone = ServiceState.REMOVED if is_draft else ServiceState.CANCELLED
    changes = [_decide_change(request, facts, policy, s, gone) for s in plan.leaving]
    changes += [_move_service(request, facts, policy, s, Membership(plan.bundle_id)) for s in plan.moving]
    adding = TRANSITIONS[Behaviour.ADD_SERVICE_AS_DRAFT if is_draft else Behaviour.ADD_SERVICE]
    news = []
    for code in plan.added:
        one = replace(request, product_code=code, new_service_code=_find_free_code(code, facts), quantity=1)
        if not is_draft:
            check_conditions(one, facts, policy, adding)
        news.append(replace(_decide_new(one, facts, policy, adding, Effects()), bundle_id=plan.bundle_id))
    return Effects(services=tuple(changes), new_services=tuple(news))


def _move_service(
    request: ActionRequest, facts: SubscriptionFacts, policy: Policy, service: ServiceFacts, membership: Membership
) -> ServiceChange:
    """Let a service go over into a bundle, or out of it: what was billed ahead is credited and charged anew."""
    on = request.performed_on
    check_order(request, service)
    directive = policy.directive(service.state, facts, service.product_id)
    change = ServiceChange(service, service.state, on, directive, stays_off=service.stays_off, membership=membership)
    if directive is not BillingDirective.TO_BE_BILLED:
        return change
    return replace(change, billable_from=max(on, service.billable_from), billing_effective_date=on, rate_from=on)


def _find_free_code(product: str, facts: SubscriptionFacts) -> str:
    """Return a code for a new service: its product's, with a number where the subscription has had it."""
    taken = {service.code for service in facts.services}
    numbered = (f"{product}-{number}" for number in count(2))
    return next(code for code in chain((product,), numbered) if code not in taken)


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
    check_order(request, service)
    stays_off = request.behaviour is Behaviour.STOP_SERVICE
    change = ServiceChange(service, to, on, policy.directive(to, facts, service.product_id), stays_off=stays_off)
    if to is ServiceState.REGRETTED:
        check_regret(request, facts, policy, service)
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
