"""Actions on subscriptions: previewed, performed at once or on a day to come, listed, called off."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from ninja import Path, Query
from pydantic import Field

from coax.base.clock import tenant_today
from coax.base.money import parse_micro
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.resource import Key, Resource, describe_request
from coax.interfaces.api.rest.routes.bills import BillPreview
from coax.interfaces.api.rest.routes.usage_bodies import UsageTold, make_detail
from coax.interfaces.api.rest.values import Amount, Code, Day, Model, Natural, Positive, Text
from coax.party.types import ApiScope
from coax.process.billing_run.describe import describe_preview
from coax.process.subscription_actions.perform import (
    call_off_action,
    describe_effects,
    preview_action,
    submit_action,
)
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.due_actions import find_actions, get_action
from coax.subscription.types.actions import ActionRequest, ActionRow, ActionState, Amendment, Behaviour

resource = Resource("Actions")
of_subscriptions = Resource("Actions")
PRODUCTS_MAX: Final = 100
KEY_MAX: Final = 2**63 - 1
ActionKey = Annotated[int, Path(ge=1, le=KEY_MAX)]


class ActionToDo(Model):
    """One action; what a behaviour does not use is left out (docs/life-cycle.md)."""

    behaviour: Behaviour
    performed_on: Annotated[Day | None, Field(description="A later day than today schedules it.")] = None
    action_type: Annotated[Text, Field(description="Your own action type, as configured.")] = ""
    sub_action_type: Annotated[Text, Field(description="Your own finer name within the type.")] = ""
    reason: Text = ""
    ends_on: Annotated[Day | None, Field(description="First day on which a state for a time is over.")] = None
    service: Annotated[Code | None, Field(description="The service it is about.")] = None
    new_service: Annotated[Code | None, Field(description="Code of the new service; by default its product's.")] = None
    product: Annotated[Code | None, Field(description="The service that is added or comes in its place.")] = None
    quantity: Positive = 1
    agreed_price: Annotated[Amount | None, Field(description="In place of the price plan's.")] = None
    amendment: Amendment | None = None
    scheme: Code | None = None
    price_plan: Code | None = None
    frequency: Code | None = None
    cycle_day: Annotated[int, Field(strict=True, ge=1, le=31)] | None = None
    agreement_date: Day | None = None
    binding_period: Code | None = None
    binding_start_date: Day | None = None
    extension_days: Natural | None = None
    duration: Annotated[Natural, Field(description="Units of a duration-tiered rate, of an expense.")] = 0
    location: Annotated[Text | None, Field(description="Where it is served from now on.")] = None
    account: Annotated[Code | None, Field(description="The account that it goes to.")] = None
    bundle: Annotated[Code | None, Field(description="The bundle that is amended.")] = None
    products: Annotated[
        list[Code], Field(max_length=PRODUCTS_MAX, description="What the bundle is to hold; none dissolves it.")
    ] = Field(default_factory=list)
    charge: Annotated[Code | None, Field(description="The charge or usage that is taken back.")] = None
    usage: Annotated[UsageTold | None, Field(description="What is known of a usage.")] = None


class Action(Model):
    """What somebody did to a subscription, or means to do."""

    action: int
    subscription: str
    service: str | None
    behaviour: Behaviour
    action_type: str
    sub_action_type: str
    state: ActionState
    performed_on: date
    ends_on: date | None
    submitted_at: datetime
    submitted_by: str
    executed_at: datetime | None
    reason: str
    detail: str


class ActionPage(Page[Action]):
    """A page of actions, the latest submitted first."""


class SubmittedAction(Model):
    """What became of an action: executed with its changes, or scheduled."""

    action: int
    state: ActionState
    on: date
    changes: list[str] = Field(default_factory=list, description="What it changed, for people.")


class PreviewedAction(BillPreview):
    """What an action would change, and the account's next bill after it; nothing was changed."""

    changes: list[str]


class CallOff(Model):
    """Why an action is called off."""

    reason: Text = ""


class ActionFilter(Model):
    """Which actions are wanted."""

    subscription: Annotated[Code | None, Field(description="Only of this subscription.")] = None
    state: ActionState | None = None


@resource.read("", scope=ApiScope.SUBSCRIPTIONS_READ, answer=ActionPage)
def list_actions(request: ApiRequest, wanted: Query[ActionFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List actions."""
    tenant_id = request.tenant.id
    key = get_subscription_key(tenant_id=tenant_id, code=wanted.subscription) if wanted.subscription else None
    rows = find_actions(
        tenant_id=tenant_id,
        account_id=key.account_id if key else None,
        subscription_id=key.subscription_id if key else None,
        state=wanted.state,
        before_id=read_place(request, page) or KEY_MAX,
        limit=page.limit + 1,
    )
    return make_page(request, page, rows, place=lambda row: row.action_id, describe=_describe)


@resource.read("/{action}", scope=ApiScope.SUBSCRIPTIONS_READ, answer=Action)
def get_one_action(request: ApiRequest, action: ActionKey) -> dict[str, Any]:
    """Show an action."""
    return _describe(get_action(tenant_id=request.tenant.id, action_id=action))


@resource.write("/{action}/cancel", scope=ApiScope.SUBSCRIPTIONS_WRITE, answer=Action)
def cancel_scheduled_action(request: ApiRequest, action: ActionKey, body: CallOff) -> dict[str, Any]:
    """Call a scheduled action off."""
    tenant_id = request.tenant.id
    get_action(tenant_id=tenant_id, action_id=action)
    call_off_action(tenant=request.tenant, action_id=action, actor=request.caller.actor, reason=body.reason)
    return _describe(get_action(tenant_id=tenant_id, action_id=action))


@of_subscriptions.write(
    "/{path:subscription}/actions/preview",
    scope=ApiScope.SUBSCRIPTIONS_WRITE,
    answer=PreviewedAction,
    key=Key.NONE,
)
def preview_one_action(request: ApiRequest, subscription: Code, body: ActionToDo) -> dict[str, Any]:
    """Show what an action would change and the next bill after it; nothing is changed.

    It is performed and billed by the very code that does so, and taken back.
    """
    asked = _make_request(request, subscription, body)
    found = preview_action(tenant=request.tenant, request=asked, actor=request.caller.actor)
    return {"changes": describe_effects(found.effects), **describe_preview(found.bill)}


@of_subscriptions.write(
    "/{path:subscription}/actions",
    scope=ApiScope.SUBSCRIPTIONS_WRITE,
    answer=SubmittedAction,
    status=HTTPStatus.CREATED,
    key=Key.ACCEPTED_BELOW,
)
def submit_one_action(request: ApiRequest, subscription: Code, body: ActionToDo) -> dict[str, Any]:
    """Perform an action on a subscription at once, or schedule it for a day to come."""
    done, get_exchange(request).is_repeated = submit_action(
        tenant=request.tenant,
        request=_make_request(request, subscription, body),
        actor=request.caller.actor,
        idempotency_key=request.idempotency_key,
        asked=describe_request(request),
    )
    return done


def _make_request(request: ApiRequest, subscription: str, body: ActionToDo) -> ActionRequest:
    names = (
        *("behaviour", "action_type", "sub_action_type", "reason", "ends_on", "quantity", "duration", "location"),
        *("amendment", "frequency", "cycle_day", "agreement_date", "binding_period", "binding_start_date"),
        "extension_days",
    )
    return ActionRequest(
        subscription_code=subscription,
        performed_on=body.performed_on or tenant_today(request.tenant.id),
        service_code=body.service,
        new_service_code=body.new_service,
        product_code=body.product,
        agreed_price_micro=None if body.agreed_price is None else parse_micro(body.agreed_price),
        scheme_code=body.scheme,
        price_plan_code=body.price_plan,
        account_code=body.account,
        charge_code=body.charge,
        bundle_code=body.bundle,
        product_codes=tuple(body.products),
        usage=make_detail(body.usage) if body.usage else None,
        **{name: getattr(body, name) for name in names},
    )


def _describe(row: ActionRow) -> dict[str, Any]:
    names = set(Action.model_fields) - {"action", "subscription", "service"}
    head = {"action": row.action_id, "subscription": row.subscription_code, "service": row.service_code}
    return {**head, **{name: getattr(row, name) for name in names}}
