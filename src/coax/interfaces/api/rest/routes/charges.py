"""What is charged once on a subscription: added, listed. An action takes it back."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from ninja import Query
from pydantic import Field

from coax.base.clock import tenant_today
from coax.base.money import parse_micro
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Key, Resource
from coax.interfaces.api.rest.values import Amount, Code, Day, Model, Money, Natural, Positive
from coax.party.types import ApiScope
from coax.process.describe_charges import describe_charge, find_bill_numbers
from coax.subscription.operations.add_charge import add_charge
from coax.subscription.queries.charges import find_charges
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.types.charges import ChargeState

resource = Resource("Subscriptions")


class Charge(Model):
    """What is billed once by the next run."""

    product: Code
    performed_on: Annotated[Day | None, Field(description="By default today.")] = None
    quantity: Positive = 1
    duration: Annotated[Natural, Field(description="Units of a duration-tiered rate.")] = 0
    agreed_price: Annotated[Amount | None, Field(description="In place of the price plan's.")] = None


class AddedCharge(Model):
    """A charge that the next run bills."""

    charge: int
    subscription: str
    product: str
    performed_on: date


class ChargeOfSubscription(Model):
    """What was charged once, how far it is billed, and the bills that charge and credit it."""

    charge: str
    product: str
    product_name: str
    quantity: int
    duration: int
    performed_on: date
    agreed_price: Money | None
    state: ChargeState
    bill: str | None
    withdrawn_on: date | None
    credited_on_bill: str | None


class ChargePage(Page[ChargeOfSubscription]):
    """A page of what was charged once, the latest day first."""


@resource.read("/{path:subscription}/charges", scope=ApiScope.SUBSCRIPTIONS_READ, answer=ChargePage)
def list_charges_of_subscription(request: ApiRequest, subscription: Code, page: Query[PageRequest]) -> dict[str, Any]:
    """List what was charged once on a subscription; what was used is at `/usage`."""
    tenant_id = request.tenant.id
    key = get_subscription_key(tenant_id=tenant_id, code=subscription)
    place = read_place(request, page)
    rows = find_charges(
        tenant_id=tenant_id,
        account_id=key.account_id,
        subscription_id=key.subscription_id,
        after=(date.fromisoformat(place[0]), place[1]) if place else None,
        limit=page.limit + 1,
    )
    bills = find_bill_numbers(tenant_id=tenant_id, account_id=key.account_id)
    return make_page(
        request,
        page,
        rows,
        place=lambda row: [row.performed_on.isoformat(), row.charge_id],
        describe=lambda row: describe_charge(row, bills),
    )


@resource.write(
    "/{path:subscription}/charges",
    scope=ApiScope.SUBSCRIPTIONS_WRITE,
    answer=AddedCharge,
    status=HTTPStatus.CREATED,
    key=Key.REQUIRED,
)
def charge_once(request: ApiRequest, subscription: Code, body: Charge) -> dict[str, Any]:
    """Charge a subscription once: a one-time service, an expense, a good."""
    on = body.performed_on or tenant_today(request.tenant.id)
    added = add_charge(
        tenant_id=request.tenant.id,
        subscription_code=subscription,
        product_code=body.product,
        performed_on=on,
        quantity=body.quantity,
        duration=body.duration,
        agreed_price_micro=None if body.agreed_price is None else parse_micro(body.agreed_price),
    )
    return {"charge": added.charge_id, "subscription": subscription, "product": body.product, "performed_on": on}
