"""Items in stock and at customers: lists, one with its history, and all that is done to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from ninja import Query
from pydantic import Field

from coax.base.clock import tenant_today
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest
from coax.interfaces.api.rest.resource import Resource
from coax.interfaces.api.rest.values import Code, Day, Model, Reason, Text
from coax.party.types import ApiScope
from coax.subscription.operations.item_find import find_lost_item
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_lose import lose_item
from coax.subscription.operations.item_pair import pair_items
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.item_reserve import reserve_item
from coax.subscription.operations.item_return import return_item
from coax.subscription.operations.item_swap import swap_item
from coax.subscription.operations.item_test import record_item_test
from coax.subscription.operations.item_transfer import transfer_item
from coax.subscription.operations.item_unpair import unpair_item
from coax.subscription.operations.item_unreserve import unreserve_item
from coax.subscription.operations.item_write_off import write_off_item
from coax.subscription.queries.items import find_items, find_movements, get_item
from coax.subscription.types.items import ItemCondition, ItemRow, ItemState, ItemVerb

resource = Resource("Items")
Good = Annotated[Code | None, Field(description="Where several goods have the serial number: which is meant.")]


class Item(Model):
    """An item in the one place it has."""

    serial: str
    good: str
    mac: str
    card_number: str
    distributor: str
    condition: ItemCondition
    state: ItemState
    location: str | None
    subscription: str | None
    reserved_for: str | None
    since_date: date


class ItemPage(Page[Item]):
    """A page of items in the order of goods and serial numbers."""


class Movement(Model):
    """A movement; the item is in its place from `moved_from` to before `moved_to`."""

    number: int
    verb: ItemVerb
    moved_from: date
    moved_to: date | None
    from_state: str
    from_place: str
    to_state: str
    to_place: str
    condition: str
    actor: str
    reason: str
    recorded_at: datetime


class ItemWithHistory(Item):
    """An item with its history from its receipt on."""

    history: list[Movement]


class Deed(Model):
    """When and why something is done to an item."""

    good: Good = None
    performed_on: Annotated[Day | None, Field(description="By default today.")] = None
    reason: Reason


class DeedAtLocation(Deed):
    """Something done to an item at a location."""

    location: Code


class DeedForSubscription(Deed):
    """Something done to an item for a subscription."""

    subscription: Code


class ItemReturn(DeedAtLocation):
    """An item comes back from a subscription."""

    condition: ItemCondition = ItemCondition.USED


class ItemTest(Deed):
    """What testing an item found."""

    condition: ItemCondition


class ItemSwap(Model):
    """Another item comes in the place of an installed one."""

    new: Annotated[Code, Field(description="Serial number of the item that comes.")]
    location: Annotated[Code, Field(description="Where the old one goes.")]
    condition: ItemCondition
    performed_on: Day | None = None
    reason: Reason


class ItemReceipt(Model):
    """An item that is received into stock."""

    serial: Code
    good: Code
    location: Code
    condition: ItemCondition = ItemCondition.NEW
    mac: Text = ""
    card_number: Text = ""
    distributor: Text = ""
    performed_on: Day | None = None
    reason: Reason


class ItemPair(Deed):
    """The other item of a pair."""

    other: Annotated[Code, Field(description="Its serial number.")]
    other_good: Good = None


class ItemFilter(Model):
    """Which items are wanted."""

    location: Code | None = None
    good: Code | None = None
    state: ItemState | None = None


class ItemChoice(Model):
    """Which of the items of one serial number."""

    good: Good = None


@resource.read("", scope=ApiScope.ITEMS_READ, answer=ItemPage)
def list_items(request: ApiRequest, wanted: Query[ItemFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List items."""
    place = read_place(request, page)
    rows = find_items(
        tenant_id=request.tenant.id,
        location=wanted.location,
        good=wanted.good,
        state=wanted.state,
        after=(place[0], place[1]) if place else None,
        limit=page.limit + 1,
    )
    return make_page(request, page, rows, place=lambda row: [row.good, row.serial], describe=_describe)


@resource.write("", scope=ApiScope.ITEMS_WRITE, answer=Item, status=HTTPStatus.CREATED)
def item_receive(request: ApiRequest, body: ItemReceipt) -> dict[str, Any]:
    """Receive an item into stock."""
    given = body.model_dump(exclude={"performed_on", "reason"})
    receive_item(tenant_id=request.tenant.id, **given, **_deed(request, body))
    return _show(request, body.serial, body.good)


@resource.write("/{path:serial}/transfer", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_transfer(request: ApiRequest, serial: Code, body: DeedAtLocation) -> dict[str, Any]:
    """Move an item to another location."""
    return _perform(transfer_item, request, serial, body)


@resource.write("/{path:serial}/reserve", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_reserve(request: ApiRequest, serial: Code, body: DeedForSubscription) -> dict[str, Any]:
    """Keep an item for a subscription."""
    return _perform(reserve_item, request, serial, body)


@resource.write("/{path:serial}/unreserve", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_unreserve(request: ApiRequest, serial: Code, body: Deed) -> dict[str, Any]:
    """Keep an item for nobody any more."""
    return _perform(unreserve_item, request, serial, body)


@resource.write("/{path:serial}/install", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_install(request: ApiRequest, serial: Code, body: DeedForSubscription) -> dict[str, Any]:
    """Install an item on a subscription."""
    return _perform(install_item, request, serial, body)


@resource.write("/{path:serial}/return", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_return(request: ApiRequest, serial: Code, body: ItemReturn) -> dict[str, Any]:
    """Take an item back from a subscription."""
    return _perform(return_item, request, serial, body)


@resource.write("/{path:serial}/test", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_test(request: ApiRequest, serial: Code, body: ItemTest) -> dict[str, Any]:
    """Say what testing an item found: used goes to stock, defective does not."""
    return _perform(record_item_test, request, serial, body)


@resource.write("/{path:serial}/lose", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_lose(request: ApiRequest, serial: Code, body: Deed) -> dict[str, Any]:
    """Say that an item is lost."""
    return _perform(lose_item, request, serial, body)


@resource.write("/{path:serial}/find", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_find(request: ApiRequest, serial: Code, body: DeedAtLocation) -> dict[str, Any]:
    """Take a lost item that turned up to a location, to be tested."""
    return _perform(find_lost_item, request, serial, body)


@resource.write("/{path:serial}/write-off", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_write_off(request: ApiRequest, serial: Code, body: Deed) -> dict[str, Any]:
    """Write an item off, for ever."""
    return _perform(write_off_item, request, serial, body)


@resource.write("/{path:serial}/swap", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_swap(request: ApiRequest, serial: Code, body: ItemSwap) -> dict[str, Any]:
    """Take an installed item back and install another one in its place; that one is the answer."""
    _show(request, serial, None)
    swap_item(
        tenant_id=request.tenant.id,
        old=serial,
        new=body.new,
        location=body.location,
        condition=body.condition,
        **_deed(request, body),
    )
    return _show(request, body.new, None)


@resource.write("/{path:serial}/pair", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_pair(request: ApiRequest, serial: Code, body: ItemPair) -> dict[str, Any]:
    """Pair two items of one subscription, such as a decoder and its smart card."""
    return _perform(pair_items, request, serial, body)


@resource.write("/{path:serial}/unpair", scope=ApiScope.ITEMS_WRITE, answer=Item)
def item_unpair(request: ApiRequest, serial: Code, body: Deed) -> dict[str, Any]:
    """Part an item from its pair."""
    return _perform(unpair_item, request, serial, body)


@resource.read("/{path:serial}", scope=ApiScope.ITEMS_READ, answer=ItemWithHistory)
def get_item_with_history(request: ApiRequest, serial: Code, choice: Query[ItemChoice]) -> dict[str, Any]:
    """Show an item and its history."""
    item = get_item(tenant_id=request.tenant.id, serial=serial, good=choice.good)
    moves = find_movements(tenant_id=request.tenant.id, item_id=item.item_id)
    return {**_describe(item), "history": [asdict(move) for move in moves]}


def _perform(operation: Callable[..., Any], request: ApiRequest, serial: str, body: Deed) -> dict[str, Any]:
    _show(request, serial, body.good)  # first of all there is such an item
    given = body.model_dump(exclude={"performed_on", "reason"})
    operation(tenant_id=request.tenant.id, serial=serial, **given, **_deed(request, body))
    return _show(request, serial, body.good)


def _deed(request: ApiRequest, body: Any) -> dict[str, Any]:
    """Return who does it, when and why."""
    on = body.performed_on or tenant_today(request.tenant.id)
    return {"actor": request.caller.actor, "performed_on": on, "reason": body.reason}


def _show(request: ApiRequest, serial: str, good: str | None) -> dict[str, Any]:
    return _describe(get_item(tenant_id=request.tenant.id, serial=serial, good=good))


def _describe(row: ItemRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Item.model_fields}
