"""Pure decisions about jobs: which verb goes from which state, what an order needs, what may be ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from coax.configuration.types.billing_term_scheme import BillingTermScheme, Classification
from coax.configuration.types.catalogue import Product, ProductClass
from coax.configuration.types.job_type import DURATION_MAX, QUANTITY_MAX, FulfilmentScope, JobState, JobType
from coax.subscription.types.actions import Behaviour
from coax.subscription.types.jobs import (
    TEXT_CHARS_MAX,
    JobOrder,
    JobRefused,
    JobVerb,
    LineRequest,
    Plan,
    ServiceOrder,
    refuse_job,
)

S = JobState
OPEN: Final = frozenset({S.DRAFT, S.PENDING, S.IN_PROGRESS})
ORDERED: Final = (ProductClass.PHYSICAL_GOOD, ProductClass.ONE_TIME, ProductClass.EXPENSE)


@dataclass(frozen=True, slots=True)
class JobTransition:
    """From which states a verb goes, and to which; `to` None leaves the state as it is."""

    begins_from: frozenset[JobState]
    to: JobState | None = None


# The diagram in docs/jobs.md is drawn from this.
JOB_TRANSITIONS: Final[Mapping[JobVerb, JobTransition]] = {
    JobVerb.SUBMIT: JobTransition(frozenset({S.DRAFT}), S.PENDING),
    JobVerb.PLAN: JobTransition(OPEN),
    JobVerb.ADD_LINE: JobTransition(OPEN),
    JobVerb.REMOVE_LINE: JobTransition(OPEN),
    JobVerb.EQUIP: JobTransition(OPEN),
    JobVerb.NOTE: JobTransition(frozenset(S)),
    JobVerb.START: JobTransition(frozenset({S.PENDING}), S.IN_PROGRESS),
    JobVerb.PUT_BACK: JobTransition(frozenset({S.IN_PROGRESS}), S.PENDING),
    JobVerb.COMPLETE: JobTransition(frozenset({S.PENDING, S.IN_PROGRESS}), S.COMPLETED),
    JobVerb.CANCEL: JobTransition(OPEN, S.CANCELLED),
}


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """What an order of a scope is made of: `parts` it must have, and the action on its subscription."""

    parts: frozenset[str] = frozenset()
    behaviour: Behaviour | None = None
    is_of_subscription: bool = True


FULFILMENTS: Final[Mapping[FulfilmentScope, Fulfilment]] = {
    FulfilmentScope.NEW_SUBSCRIPTION: Fulfilment(frozenset({"sale"}), is_of_subscription=False),
    FulfilmentScope.GENERIC_PURPOSE: Fulfilment(is_of_subscription=False),
    FulfilmentScope.SUBSCRIPTION_ACTIVATION: Fulfilment(behaviour=Behaviour.ACTIVATE),
    FulfilmentScope.SUBSCRIPTION_DEACTIVATION: Fulfilment(behaviour=Behaviour.DEACTIVATE),
    FulfilmentScope.SUBSCRIPTION_CANCELLATION: Fulfilment(behaviour=Behaviour.CANCEL),
    FulfilmentScope.SERVICES_ADDITION: Fulfilment(frozenset({"services"}), Behaviour.ADD_SERVICE),
    FulfilmentScope.SERVICES_CANCELLATION: Fulfilment(frozenset({"services"}), Behaviour.CANCEL_SERVICE),
    FulfilmentScope.SERVICES_SWAP: Fulfilment(frozenset({"services"}), Behaviour.SWAP_SERVICE),
    FulfilmentScope.SWAP_INSTALLED_ITEMS: Fulfilment(frozenset({"items"})),
    FulfilmentScope.CHANGE_LOCATION: Fulfilment(frozenset({"location"}), Behaviour.CHANGE_LOCATION),
    FulfilmentScope.REPLACE_PHYSICAL_GOODS: Fulfilment(frozenset({"items"})),
}
# Which sides of a service order a behaviour uses.
_SIDES: Final[Mapping[Behaviour, tuple[bool, bool]]] = {
    Behaviour.ADD_SERVICE: (False, True),
    Behaviour.CANCEL_SERVICE: (True, False),
    Behaviour.SWAP_SERVICE: (True, True),
}


def check_job_verb(verb: JobVerb, *, state: JobState, code: str) -> JobState:
    """Return the state that a verb leads to. Raises: JobRefused."""
    transition = JOB_TRANSITIONS[verb]
    if state not in transition.begins_from:
        allowed = ", ".join(sorted(transition.begins_from))
        text = f"state: job {code} is {state}; {verb.replace('_', ' ')} is allowed from {allowed}."
        raise JobRefused(text, field="state", value=state, allowed=allowed, job=code)
    return transition.to or state


def check_order(scope: FulfilmentScope, order: JobOrder, *, has_subscription: bool, job_type: str) -> None:
    """Check that an order has the parts that its scope needs, and no others. Raises: JobRefused."""
    wanted = FULFILMENTS[scope]
    if wanted.is_of_subscription and not has_subscription:
        raise refuse_job("subscription", None, f"a subscription of the account, which {job_type} ({scope}) is about")
    if scope is FulfilmentScope.NEW_SUBSCRIPTION and has_subscription:
        raise refuse_job("subscription", "a subscription", f"none: {job_type} makes a new one")
    for part in ("sale", "services", "items", "location"):
        given = getattr(order, part)
        if part in wanted.parts and not given:
            raise refuse_job(part, None, f"what {job_type} ({scope}) is to do")
        if part not in wanted.parts and given:
            raise refuse_job(part, "what was given", f"nothing, for {job_type} ({scope})")
    for service in order.services:
        _check_sides(service, wanted.behaviour or Behaviour.ADD_SERVICE)


def _check_sides(service: ServiceOrder, behaviour: Behaviour) -> None:
    for name, value, is_needed in zip(
        ("service", "product"), (service.service, service.product), _SIDES[behaviour], strict=True
    ):
        if is_needed != (value is not None):
            allowed = f"a {name}" if is_needed else f"no {name}"
            raise refuse_job(f"services: {name}", value, f"{allowed}, to {behaviour.replace('_', ' ')}")


def check_line(line: LineRequest, product: Product | None, job_type: JobType) -> None:
    """Check a good or work against the job's type. Raises: JobRefused."""
    if product is None:
        raise refuse_job("product", line.product, "a product of this operator", said="is unknown")
    if product.class_ not in ORDERED:
        raise refuse_job("product", line.product, ", ".join(ORDERED), said=f"is of class {product.class_}")
    is_good = product.class_ is ProductClass.PHYSICAL_GOOD
    if is_good and job_type.physical_goods and line.product not in job_type.physical_goods:
        raise refuse_job("product", line.product, ", ".join(job_type.physical_goods))
    if not 1 <= line.quantity <= QUANTITY_MAX:
        raise refuse_job("quantity", line.quantity, f"1 to {QUANTITY_MAX}")
    if not 0 <= line.duration <= DURATION_MAX:
        raise refuse_job("duration", line.duration, f"0 to {DURATION_MAX}")
    if line.is_billed and not job_type.billable:
        raise refuse_job("is_billed", line.is_billed, f"false: {job_type.code} is not billable")
    if line.agreed_price_micro is not None and line.agreed_price_micro < 0:
        raise refuse_job("agreed_price", line.agreed_price_micro, "0 or more")


def check_contract(job_type: JobType, scheme: BillingTermScheme | None, code: str | None) -> None:
    """Check a job's scheme against its type. Raises: JobRefused."""
    if not job_type.billable:
        if code is not None:
            raise refuse_job("scheme", code, f"none: {job_type.code} is not billable")
        return
    allowed = ", ".join(job_type.schemes)
    if code not in job_type.schemes:
        raise refuse_job("scheme", code, allowed)
    if scheme is None or scheme.classification is not Classification.JOBS:
        raise refuse_job("scheme", code, "an active scheme of classification jobs")


def decide_expected(plan: Plan, job_type: JobType, *, started_on: date | None) -> date | None:
    """Return the day on which a job is expected to be done: as planned, or the start and the type's estimate."""
    if plan.expected_on is not None:
        return plan.expected_on
    start = plan.start_date or started_on
    return start + timedelta(days=job_type.estimated_days) if start else None


def check_plan(plan: Plan, *, start_date: date | None, expected_on: date | None) -> None:
    """Check the dates and texts of a plan. Raises: JobRefused."""
    if start_date and expected_on and expected_on < start_date:
        raise refuse_job("expected_on", expected_on.isoformat(), f"{start_date} or later, when the job begins")
    for name in ("location", "assigned_to", "contact_email", "contact_phone"):
        text = getattr(plan, name)
        if text is not None and len(text) > TEXT_CHARS_MAX:
            raise refuse_job(name, f"{len(text)} characters", f"up to {TEXT_CHARS_MAX} characters")
    if plan.contact_email and "@" not in plan.contact_email:
        raise refuse_job("contact_email", plan.contact_email, "an e-mail address")


def check_status(job_type: JobType, status: str, state: JobState) -> None:
    """Check that a status is one of the type's for the job's state. Raises: JobRefused."""
    named = [one.code for one in job_type.statuses if one.state is state]
    if status and status not in named:
        raise refuse_job("status", status, ", ".join(named) or f"none: {job_type.code} names none for {state}")
