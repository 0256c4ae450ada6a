"""Amending a contract: a new one takes the place of the old, which still rates its past (R58-R61, reference 2.2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from coax.configuration.types.billing_term_scheme import BillingMethod, BillingTermScheme
from coax.subscription.rules.binding import find_binding_end
from coax.subscription.rules.contracts import CycleDayRefused, decide_cycle_day
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, Amendment, NewTerm, SubscriptionFacts, TermFacts
from coax.subscription.types.contracts import CycleDayRules

EXTENSION_DAYS_MAX = 3_660


def decide_amendment(request: ActionRequest, facts: SubscriptionFacts, policy: Policy) -> NewTerm:
    """Return the contract that follows; what the request leaves empty stays as it was.

    Rates change from the day of the amendment where scheme, plan, frequency or cycle day do: what was billed ahead of
    it is then credited and charged anew. A change of the binding alone leaves what is billed.

    Raises: ActionRefused.
    """
    term = facts.term
    if term is None:
        raise ActionRefused("billing_term", f"Subscription {facts.code} has no billing term that is effective.")
    if request.performed_on < term.effective_from:
        raise ActionRefused(
            "performed_on",
            f"performed_on: {request.performed_on} is before the present billing term began, {term.effective_from}.",
        )
    version, scheme = _choose_scheme(request, facts, term, policy)
    new = NewTerm(
        on=request.performed_on,
        scheme_version_id=version,
        price_plan_id=_choose_plan(request, term, scheme, policy),
        frequency=_choose_frequency(request, term, scheme),
        cycle_day=_choose_cycle_day(request, term, scheme),
        agreement_date=request.agreement_date or request.performed_on,
        binding_period=term.binding_period,
        binding_start_date=term.binding_start_date,
        binding_extension_days=term.binding_extension_days,
    )
    rated = ("scheme_version_id", "price_plan_id", "frequency", "cycle_day")
    is_rated_anew = any(getattr(new, name) != getattr(term, name) for name in rated)
    return _bind(replace(new, is_rated_anew=is_rated_anew), request, term, scheme)


def _choose_scheme(
    request: ActionRequest, facts: SubscriptionFacts, term: TermFacts, policy: Policy
) -> tuple[int, BillingTermScheme]:
    if request.scheme_code is None:
        return term.scheme_version_id, policy.schemes[term.scheme_version_id]
    kind = policy.type_of(facts)
    own = None if kind is None else (kind.package.scheme,) if kind.package else kind.schemes
    allowed = [code for code in policy.scheme_versions if own is None or code in own]
    if request.scheme_code not in allowed:
        listed = ", ".join(allowed) or "none"
        raise ActionRefused("scheme", f"scheme: {request.scheme_code!r} is not allowed; allowed: {listed}.")
    version = policy.scheme_versions[request.scheme_code]
    return version, policy.schemes[version]


def _choose_plan(request: ActionRequest, term: TermFacts, scheme: BillingTermScheme, policy: Policy) -> int:
    allowed = {code: policy.plan_ids[code] for code in scheme.price_plans if code in policy.plan_ids}
    if request.price_plan_code is not None:
        if request.price_plan_code not in allowed:
            listed = ", ".join(allowed) or "none"
            raise ActionRefused("price_plan", f"price_plan: {request.price_plan_code!r}; allowed: {listed}.")
        return allowed[request.price_plan_code]
    if term.price_plan_id in allowed.values():
        return term.price_plan_id
    if scheme.default_price_plan is None:
        raise ActionRefused("price_plan", f"price_plan: is required by the scheme; allowed: {', '.join(allowed)}.")
    return allowed[scheme.default_price_plan]


def _choose_frequency(request: ActionRequest, term: TermFacts, scheme: BillingTermScheme) -> str:
    frequency = request.frequency or term.frequency
    if frequency not in scheme.frequencies:
        allowed = ", ".join(scheme.frequencies)
        raise ActionRefused("frequency", f"frequency: {frequency!r} is not allowed by the scheme; allowed: {allowed}.")
    return frequency


def _choose_cycle_day(request: ActionRequest, term: TermFacts, scheme: BillingTermScheme) -> int:
    rules = CycleDayRules(
        is_anniversary=scheme.billing_method is BillingMethod.ANNIVERSARY,
        allowed_days=scheme.allowed_cycle_days,
        is_automated=scheme.automate_cycle_day,
        is_last_day_of_month=scheme.cycle_last_day_of_month,
    )
    given = request.cycle_day
    if given is None and (request.scheme_code is None or rules.is_anniversary):
        given = term.cycle_day
    try:
        return decide_cycle_day(rules, given=given, starts_on=request.performed_on)
    except CycleDayRefused as refusal:
        raise ActionRefused("cycle_day", f"cycle_day: {refusal.message}") from refusal


def _bind(new: NewTerm, request: ActionRequest, term: TermFacts, scheme: BillingTermScheme) -> NewTerm:
    """Set the binding period as the amendment says."""
    kind = request.amendment or Amendment.NONE
    end = find_binding_end(term)
    is_bound = end is not None and end > request.performed_on
    if kind is Amendment.NONE:
        _refuse_fields(request, kind, "binding_period", "binding_start_date", "extension_days")
        return new
    if kind is Amendment.CANCELLED:
        _refuse_fields(request, kind, "binding_period", "binding_start_date", "extension_days")
        if not is_bound:
            raise ActionRefused("binding", "amendment: there is no binding period that could be cancelled.")
        return replace(new, binding_period="", binding_start_date=None, binding_extension_days=0)
    if kind is Amendment.EXTENDED:
        _refuse_fields(request, kind, "binding_period", "binding_start_date")
        days = request.extension_days or 0
        if not is_bound or not 1 <= days <= EXTENSION_DAYS_MAX:
            text = f"a binding period that runs, and 1 to {EXTENSION_DAYS_MAX} days"
            raise ActionRefused("binding", f"extension_days: {days} is not allowed; allowed is {text}.")
        return replace(new, binding_extension_days=term.binding_extension_days + days)
    _refuse_fields(request, kind, "extension_days")
    period = request.binding_period or (term.binding_period if kind is not Amendment.NEW else "")
    if period not in scheme.binding_periods:
        allowed = ", ".join(scheme.binding_periods) or "none"
        raise ActionRefused("binding", f"binding_period: {period or 'empty'!r} is not allowed; allowed: {allowed}.")
    if kind is Amendment.NEW and is_bound:
        raise ActionRefused("binding", f"amendment: the contract binds until {end}; renew, extend or adjust it.")
    if kind is not Amendment.NEW and end is None:
        raise ActionRefused("binding", "amendment: the contract has no binding period; make a new one.")
    start = request.binding_start_date or _default_start(kind, request.performed_on, term, end)
    return replace(new, binding_period=period, binding_start_date=start, binding_extension_days=0)


def _default_start(kind: Amendment, on: date, term: TermFacts, end: date | None) -> date:
    """Let a renewed binding follow the present one, an adjusted one keep its start, a new one begin at once."""
    if kind is Amendment.RENEWED and end is not None:
        return max(end, on)
    return term.binding_start_date or on if kind is Amendment.ADJUSTED else on


def _refuse_fields(request: ActionRequest, kind: Amendment, *names: str) -> None:
    for name in names:
        if getattr(request, name) is not None:
            raise ActionRefused("binding", f"{name}: has no meaning with amendment {kind}; leave it empty.")
