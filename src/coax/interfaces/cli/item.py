"""`coax item` and `coax location`: stock, and what stands at customers."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from coax.base.clock import tenant_today
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.shared import (
    AsJson,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
)
from coax.process.import_subscribers.reading import FileUnreadable
from coax.subscription.operations.item_find import find_lost_item
from coax.subscription.operations.item_import import import_items
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
from coax.subscription.operations.location_add import add_location
from coax.subscription.queries.items import find_items, find_items_due_back, find_movements, get_item
from coax.subscription.queries.locations import find_locations
from coax.subscription.types.items import ItemCondition, ItemState

app = typer.Typer(help="Items in stock and at customers.", no_args_is_help=True)
location_app = typer.Typer(help="Locations of stock.", no_args_is_help=True)
On = Annotated[str | None, typer.Option("--on", help="Day it is done; by default today.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
At = Annotated[str, typer.Option("--location", help="Code of the location.")]
Good = Annotated[str | None, typer.Option("--good", help="Its good, where several have the serial number.")]
Condition = Annotated[ItemCondition, typer.Option("--condition", help="Condition it is in.")]


def _perform(
    tenant: str | None,
    on: str | None,
    reason: str,
    operation: Callable[..., Any],
    *,
    as_json: bool = False,
    **values: Any,
) -> None:
    """Do it in one transaction, and show the items that it was about as they are now."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            day = parse_date(on, "--on") or tenant_today(operator.id)
            deed = {"actor": find_actor(), "performed_on": day, "reason": reason}
            operation(tenant_id=operator.id, **values, **deed)
            items = [
                get_item(tenant_id=operator.id, serial=values[name], good=values.get(good))
                for name, good in (("serial", "good"), ("old", ""), ("new", ""), ("other", "other_good"))
                if name in values
            ]
        if as_json:
            print_json({"items": [asdict(item) for item in items]})
            return
        for item in items:
            typer.echo(f"{item.good} {item.serial}: {item.state}, {item.location or item.subscription or 'nowhere'}")
        if not items:
            Console(highlight=False).print("Done.")


@app.command()
def receive(
    serial: str,
    good: str,
    location: At,
    reason: Reason,
    mac: Annotated[str, typer.Option(help="Its MAC address.")] = "",
    card_number: Annotated[str, typer.Option(help="Number printed on a card.")] = "",
    distributor: Annotated[str, typer.Option(help="Distributor whose system it belongs to.")] = "",
    condition: Condition = ItemCondition.NEW,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Receive an item into stock."""
    _perform(
        tenant,
        on,
        reason,
        receive_item,
        as_json=as_json,
        serial=serial,
        good=good,
        location=location,
        mac=mac,
        card_number=card_number,
        distributor=distributor,
        condition=condition,
    )


@app.command("import")
def import_file(file: Path, reason: Reason, tenant: TenantCode = None, on: On = None) -> None:
    """Receive the items of a CSV file (serial, good, location, ...): all or none."""
    with problems_reported(as_json=False):
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as fault:
            raise FileUnreadable(f"file: {file} cannot be read as UTF-8 text: {fault}.", file=file) from fault
    _perform(tenant, on, reason, import_items, lines=io.StringIO(text, newline=""))


@app.command()
def transfer(
    serial: str,
    location: At,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Move an item to another location."""
    _perform(tenant, on, reason, transfer_item, as_json=as_json, serial=serial, good=good, location=location)


@app.command()
def reserve(
    serial: str,
    subscription: str,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Keep an item for a subscription."""
    _perform(tenant, on, reason, reserve_item, as_json=as_json, serial=serial, good=good, subscription=subscription)


@app.command()
def unreserve(
    serial: str,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Keep an item for nobody any more."""
    _perform(tenant, on, reason, unreserve_item, as_json=as_json, serial=serial, good=good)


@app.command()
def install(
    serial: str,
    subscription: str,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Install an item on a subscription."""
    _perform(tenant, on, reason, install_item, as_json=as_json, serial=serial, good=good, subscription=subscription)


@app.command()
def pair(
    serial: str,
    other: str,
    reason: Reason,
    good: Good = None,
    other_good: Annotated[str | None, typer.Option(help="Good of the other, where several have its number.")] = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Pair two items of one subscription."""
    values = {"serial": serial, "good": good, "other": other, "other_good": other_good}
    _perform(tenant, on, reason, pair_items, as_json=as_json, **values)


@app.command()
def unpair(
    serial: str,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Part an item from its pair."""
    _perform(tenant, on, reason, unpair_item, as_json=as_json, serial=serial, good=good)


@app.command()
def swap(
    old: str,
    new: str,
    location: At,
    condition: Condition,
    reason: Reason,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Take an installed item back and install another one in its place."""
    _perform(tenant, on, reason, swap_item, as_json=as_json, old=old, new=new, location=location, condition=condition)


@app.command("return")
def take_back(
    serial: str,
    location: At,
    reason: Reason,
    condition: Condition = ItemCondition.USED,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Take an item back from a subscription."""
    values = {"serial": serial, "good": good, "location": location, "condition": condition}
    _perform(tenant, on, reason, return_item, as_json=as_json, **values)


@app.command("test")
def record_test(
    serial: str,
    condition: Condition,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Say what testing a returned item found: used goes to stock, defective does not."""
    values = {"serial": serial, "good": good, "condition": condition}
    _perform(tenant, on, reason, record_item_test, as_json=as_json, **values)


@app.command()
def lost(
    serial: str,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Say that an item is lost."""
    _perform(tenant, on, reason, lose_item, as_json=as_json, serial=serial, good=good)


@app.command()
def find(
    serial: str,
    location: At,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Take a lost item that turned up to a location."""
    _perform(tenant, on, reason, find_lost_item, as_json=as_json, serial=serial, good=good, location=location)


@app.command("write-off")
def write_off(
    serial: str,
    reason: Reason,
    good: Good = None,
    tenant: TenantCode = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Write an item off, for ever."""
    _perform(tenant, on, reason, write_off_item, as_json=as_json, serial=serial, good=good)


@app.command("due-back")
def due_back(tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """List the items that stand at customers whose subscription is over."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            rows = find_items_due_back(tenant_id=operator.id)
        if as_json:
            print_json([asdict(row) for row in rows])
            return
        for row in rows:
            typer.echo(f"{row.good} {row.serial}: {row.subscription}, over since {row.installed_to}")
        if not rows:
            typer.echo("Nothing is to come back.")


@app.command()
def show(serial: str, good: Good = None, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show an item and its history."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            item = get_item(tenant_id=operator.id, serial=serial, good=good)
            moves = find_movements(tenant_id=operator.id, item_id=item.item_id)
        if as_json:
            print_json({"item": asdict(item), "history": [asdict(move) for move in moves]})
            return
        typer.echo(f"{item.good} {item.serial}: {item.state}, {item.location or item.subscription or 'nowhere'}")
        for move in moves:
            typer.echo(
                f"  {move.moved_from} {move.verb} {move.from_place} -> {move.to_place}, {move.actor}: {move.reason}"
            )


@app.command("list")
def list_items(
    tenant: TenantCode = None,
    location: Annotated[str | None, typer.Option("--location", help="Only at this location.")] = None,
    good: Annotated[str | None, typer.Option("--good", help="Only of this good.")] = None,
    state: Annotated[ItemState | None, typer.Option("--state", help="Only in this state.")] = None,
    as_json: AsJson = False,
) -> None:
    """List items by good and serial number."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            items = find_items(tenant_id=operator.id, location=location, good=good, state=state)
        if as_json:
            print_json([asdict(item) for item in items])
            return
        for item in items:
            typer.echo(f"{item.good} {item.serial}: {item.state}, {item.location or item.subscription or 'nowhere'}")


@location_app.command("add")
def add(code: str, name: str, tenant: TenantCode = None) -> None:
    """Add a warehouse or shop."""
    with problems_reported(as_json=False):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            add_location(tenant_id=operator.id, code=code, name=name)


@location_app.command("list")
def list_locations(tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """List the locations."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            rows = find_locations(tenant_id=operator.id)
        if as_json:
            print_json(rows)
            return
        for row in rows:
            typer.echo(f"{row['code']}  {row['name']}")
