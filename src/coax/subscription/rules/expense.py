"""Actions that leave the state as it is: what is charged once, and where a subscription is served."""

from __future__ import annotations

from typing import Final

from coax.configuration.types.catalogue import ProductClass
from coax.configuration.types.job_type import DURATION_MAX, QUANTITY_MAX
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import (
    ActionRequest,
    Behaviour,
    ChargeFacts,
    NewCharge,
    SubscriptionFacts,
    Withdrawal,
)

CHARGED_ONCE: Final = (ProductClass.ONE_TIME, ProductClass.EXPENSE, ProductClass.PHYSICAL_GOOD)
LOCATION_CHARS_MAX: Final = 500


def decide_expense(request: ActionRequest, policy: Policy) -> NewCharge:
    """Return what an expense action charges once (reference 3.1). Raises: ActionRefused."""
    product_id = policy.product_ids.get(request.product_code or "", -1)
    product = policy.products.get(product_id)
    if product is None:
        raise ActionRefused("product", f"product: {request.product_code!r} is not a product of this operator.")
    if product.class_ not in CHARGED_ONCE:
        allowed = ", ".join(CHARGED_ONCE)
        text = f"product: {product.code!r} is {product.class_}; charged once are: {allowed}."
        raise ActionRefused("product", text)
    if not 1 <= request.quantity <= QUANTITY_MAX:
        text = f"quantity: {request.quantity} is not allowed; allowed is 1 to {QUANTITY_MAX}."
        raise ActionRefused("quantity", text)
    if not 0 <= request.duration <= DURATION_MAX:
        text = f"duration: {request.duration} is not allowed; allowed is 0 to {DURATION_MAX}."
        raise ActionRefused("duration", text)
    return NewCharge(product_id, request.agreed_price_micro, request.performed_on, request.quantity, request.duration)


def decide_withdrawal(request: ActionRequest, facts: SubscriptionFacts) -> Withdrawal:
    """Return what is taken back of what was charged once, or of what was used. Raises: ActionRefused."""
    is_usage = request.behaviour is Behaviour.CANCEL_SERVICE_USAGE
    charges = [charge for charge in facts.charges if (charge.usage_id is not None) == is_usage]
    for charge in charges:
        if charge.code == request.charge_code:
            _check_not_before(request, charge)
            return Withdrawal(charge, request.performed_on)
    listed = ", ".join(charge.code for charge in charges) or "none"
    what = "usage" if is_usage else "charge"
    text = f"{what}: {request.charge_code!r} is not one of {facts.code} that can be taken back: {listed}."
    raise ActionRefused("charge", text, subscription=facts.code)


def _check_not_before(request: ActionRequest, charge: ChargeFacts) -> None:
    if request.performed_on < charge.performed_on:
        text = f"performed_on: {request.performed_on} is before charge {charge.code} of {charge.performed_on}."
        raise ActionRefused("performed_on", text)


def decide_location(request: ActionRequest, facts: SubscriptionFacts) -> str:
    """Return where a subscription is served from now on. Raises: ActionRefused."""
    location = (request.location or "").strip()
    if not location or len(location) > LOCATION_CHARS_MAX:
        text = f"location: {request.location!r} is not allowed; allowed are 1 to {LOCATION_CHARS_MAX} characters."
        raise ActionRefused("location", text, subscription=facts.code)
    return location
