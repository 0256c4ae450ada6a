"""Subscriptions: listed, shown as they stand or stood, sold; what is installed on one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from ninja import Query
from pydantic import Field

from coax.base.clock import tenant_today
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.resource import Key, Resource, describe_request
from coax.interfaces.api.rest.values import Code, Day, Flag, Model, Text
from coax.party.queries.accounts import get_account
from coax.party.types import ApiScope
from coax.process.describe_subscription import describe_subscription
from coax.process.subscription_actions.replace import replace_subscription
from coax.process.subscription_actions.sell import PRODUCTS_MAX, SaleRequest, sell_subscription
from coax.subscription.operations.end_service import end_service
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.items import find_installed_items
from coax.subscription.queries.pages import SubscriptionLine, find_subscription_page
from coax.subscription.types import SubscriptionState
from coax.subscription.types.actions import ServiceState

resource = Resource("Subscriptions")


class Subscription(Model):
    """A subscription in a list."""

    subscription: str
    account: str
    type: str | None
    state: SubscriptionState
    created_on: date
    state_from: date | None
    state_ends_on: date | None
    grace_until: date | None


class SubscriptionPage(Page[Subscription]):
    """A page of subscriptions in the order of their codes."""


class TermOfSubscription(Model):
    """The contract that holds on the day."""

    scheme: str
    price_plan: str
    frequency: str
    cycle_day: int
    agreement_date: date
    binding_period: str
    binding_start_date: date | None
    binding_extension_days: int
    effective_from: date
    effective_to: date | None


class ServiceOfSubscription(Model):
    """A service on the day; `rated_up_to`, the first day not yet billed, is as of now."""

    service: str
    product: str
    quantity: int
    state: ServiceState
    bundle: str | None
    directive: str
    since: date
    rated_up_to: date


class SubscriptionAsOf(Model):
    """A subscription at the end of the day `as_of`; without a state its history had not begun."""

    subscription: str
    account: str
    type: str | None
    as_of: date
    state: SubscriptionState | None
    since: date | None
    grace_until: date | None
    term: TermOfSubscription | None
    services: list[ServiceOfSubscription]


class Sale(Model):
    """What is sold to whom; what is left out follows from scheme and account."""

    account: Code
    type: Code
    scheme: Annotated[Code | None, Field(description="By default the type's only one, or its package's.")] = None
    products: Annotated[list[Code], Field(max_length=PRODUCTS_MAX, description="A package has its own.")] = Field(
        default_factory=list
    )
    performed_on: Annotated[Day | None, Field(description="Day from which it holds; by default today.")] = None
    subscription: Annotated[Code | None, Field(description="Its code; by default the account's and a number.")] = None
    in_place_of: Annotated[Code | None, Field(description="The account's subscription that it replaces.")] = None
    bundle: Annotated[Code | None, Field(description="Sell those of its services as this bundle.")] = None
    price_plan: Code | None = None
    frequency: Code | None = None
    cycle_day: Annotated[int, Field(strict=True, ge=1, le=31)] | None = None
    agreement_date: Day | None = None
    binding_period: Code | None = None
    binding_start_date: Day | None = None
    draft: Annotated[Flag, Field(description="Only lay it down; the action `activate` begins it.")] = False
    reason: Text = ""


class Sold(Model):
    """The new subscription and the action that made it."""

    subscription: str
    action: int
    state: SubscriptionState


class ServiceEnd(Model):
    """The first day without a service."""

    on: Annotated[Day | None, Field(description="By default today.")] = None


class EndedService(Model):
    """A service that has been ended."""

    subscription: str
    service: str
    effective_to: date
    to_be_credited: bool


class InstalledItem(Model):
    """An item on a subscription, `installed_to` exclusive and null while it is there."""

    serial: str
    good: str
    installed_from: date
    installed_to: date | None
    service: str | None
    paired_with: str | None


class InstalledItems(Model):
    """The items of a subscription on a day."""

    data: list[InstalledItem]


class SubscriptionFilter(Model):
    """Which subscriptions are wanted."""

    account: Annotated[Code | None, Field(description="Only of this account.")] = None
    state: SubscriptionState | None = None


class AsOf(Model):
    """The day that is asked about."""

    as_of: Annotated[Day | None, Field(description="By default today.")] = None


@resource.read("", scope=ApiScope.SUBSCRIPTIONS_READ, answer=SubscriptionPage)
def list_subscriptions(
    request: ApiRequest, wanted: Query[SubscriptionFilter], page: Query[PageRequest]
) -> dict[str, Any]:
    """List subscriptions."""
    tenant_id = request.tenant.id
    rows = find_subscription_page(
        tenant_id=tenant_id,
        account_id=get_account(tenant_id, wanted.account).account_id if wanted.account else None,
        state=wanted.state,
        after=read_place(request, page) or "",
        limit=page.limit + 1,
    )
    return make_page(request, page, rows, place=lambda row: row.code, describe=_describe)


@resource.write("", scope=ApiScope.SUBSCRIPTIONS_WRITE, answer=Sold, status=HTTPStatus.CREATED, key=Key.REQUIRED_BELOW)
def sell_to_account(request: ApiRequest, body: Sale) -> dict[str, Any]:
    """Sell a subscription to an account, at once or as a draft."""
    given = body.model_dump(
        exclude={"account", "type", "products", "performed_on", "subscription", "draft", "in_place_of"}
    )
    sale = SaleRequest(
        account_code=body.account,
        subscription_type=body.type,
        products=tuple(body.products),
        performed_on=body.performed_on or tenant_today(request.tenant.id),
        subscription_code=body.subscription,
        is_draft=body.draft,
        **given,
    )
    how: dict[str, Any] = {
        "tenant": request.tenant,
        "request": sale,
        "actor": request.caller.actor,
        "idempotency_key": request.idempotency_key,
        "asked": describe_request(request),
    }
    if body.in_place_of is None:
        done, get_exchange(request).is_repeated = sell_subscription(**how)
    else:
        done, get_exchange(request).is_repeated = replace_subscription(code=body.in_place_of, **how)
    return {name: done[name] for name in Sold.model_fields}


@resource.write(
    "/{path:subscription}/services/{path:service}/end", scope=ApiScope.SUBSCRIPTIONS_WRITE, answer=EndedService
)
def end_one_service(request: ApiRequest, subscription: Code, service: Code, body: ServiceEnd) -> dict[str, Any]:
    """End a service that nothing has happened to.

    What was billed beyond that day is credited by the next run. A service with a history is ended by an action.
    """
    ended = end_service(
        tenant_id=request.tenant.id,
        subscription_code=subscription,
        service_code=service,
        on=body.on or tenant_today(request.tenant.id),
        actor=request.caller.actor,
    )
    return {
        "subscription": subscription,
        "service": service,
        "effective_to": ended.effective_to,
        "to_be_credited": ended.rated_up_to > ended.effective_to,
    }


@resource.read("/{path:subscription}/items", scope=ApiScope.ITEMS_READ, answer=InstalledItems)
def list_items_of_subscription(request: ApiRequest, subscription: Code, day: Query[AsOf]) -> dict[str, Any]:
    """List the items on a subscription, now or on a day."""
    key = get_subscription_key(tenant_id=request.tenant.id, code=subscription)
    rows = find_installed_items(
        tenant_id=request.tenant.id,
        account_id=key.account_id,
        subscription_id=key.subscription_id,
        as_of=day.as_of,
    )
    return {"data": [{name: asdict(row)[name] for name in InstalledItem.model_fields} for row in rows]}


@resource.read("/{path:subscription}", scope=ApiScope.SUBSCRIPTIONS_READ, answer=SubscriptionAsOf)
def get_subscription(request: ApiRequest, subscription: Code, day: Query[AsOf]) -> dict[str, Any]:
    """Show a subscription as it stands, or as it stood at the end of a day: state, contract, services."""
    return describe_subscription(tenant=request.tenant, code=subscription, on=day.as_of)


def _describe(row: SubscriptionLine) -> dict[str, Any]:
    data = asdict(row)
    head = {"subscription": data.pop("code"), "account": data.pop("account_code"), "type": data.pop("type_code")}
    return {**head, **data}
