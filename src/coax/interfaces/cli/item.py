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
from coax.subscription.operations.item_import import import_items
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_lose import lose_item
from coax.subscription.operations.item_pair import pair_items
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.item_reserve import reserve_item
from coax.subscription.operations.item_return import return_item
from coax.subscription.operations.item_swap import swap_item
from coax.subscription.operations.item_transfer import transfer_item
from coax.subscription.operations.item_write_off import write_off_item
from coax.subscription.operations.location_add import add_location
from coax.subscription.queries.items import find_items, find_movements, get_item
from coax.subscription.queries.locations import find_locations
from coax.subscription.types.items import ItemCondition, ItemState

app = typer.Typer(help="Items in stock and at customers.", no_args_is_help=True)
location_app = typer.Typer(help="Locations of stock.", no_args_is_help=True)
On = Annotated[str | None, typer.Option("--on", help="Day it is done; by default today.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
At = Annotated[str, typer.Option("--location", help="Code of the location.")]
Condition = Annotated[ItemCondition, typer.Option("--condition", help="Condition it is in.")]


def _perform(tenant: str | None, on: str | None, reason: str, operation: Callable[..., Any], **values: Any) -> None:
    with problems_reported(as_json=False):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            day = parse_date(on, "--on") or tenant_today(operator.id)
            deed = {"actor": find_actor(), "performed_on": day, "reason": reason}
            operation(tenant_id=operator.id, **values, **deed)
        Console(highlight=False).print("Done.")


@app.command()
def receive(serial: str, good: str, location: At, reason: Reason, tenant: TenantCode = None, on: On = None) -> None:
    """Receive an item into stock."""
    _perform(tenant, on, reason, receive_item, serial=serial, good=good, location=location)


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
def transfer(serial: str, location: At, reason: Reason, tenant: TenantCode = None, on: On = None) -> None:
    """Move an item to another location."""
    _perform(tenant, on, reason, transfer_item, serial=serial, location=location)


@app.command()
def reserve(serial: str, subscription: str, reason: Reason, tenant: TenantCode = None, on: On = None) -> None:
    """Keep an item for a subscription."""
    _perform(tenant, on, reason, reserve_item, serial=serial, subscription=subscription)


@app.command()
def install(serial: str, subscription: str, reason: Reason, tenant: TenantCode = None, on: On = None) -> None:
    """Install an item on a subscription."""
    _perform(tenant, on, reason, install_item, serial=serial, subscription=subscription)


@app.command()
def pair(serial: str, other: str, tenant: TenantCode = None) -> None:
    """Pair two items of one subscription."""
    with problems_reported(as_json=False):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            pair_items(tenant_id=operator.id, serial=serial, other=other)


@app.command()
def swap(
    old: str, new: str, location: At, condition: Condition, reason: Reason, tenant: TenantCode = None, on: On = None
) -> None:
    """Take an installed item back and install another one in its place."""
    _perform(tenant, on, reason, swap_item, old=old, new=new, location=location, condition=condition)


@app.command("return")
def take_back(
    serial: str,
    location: At,
    reason: Reason,
    condition: Condition = ItemCondition.USED,
    tenant: TenantCode = None,
    on: On = None,
) -> None:
    """Take an item back from a subscription."""
    _perform(tenant, on, reason, return_item, serial=serial, location=location, condition=condition)


@app.command()
def lost(serial: str, reason: Reason, tenant: TenantCode = None, on: On = None) -> None:
    """Say that an item is lost."""
    _perform(tenant, on, reason, lose_item, serial=serial)


@app.command("write-off")
def write_off(serial: str, reason: Reason, tenant: TenantCode = None, on: On = None) -> None:
    """Write an item off, for ever."""
    _perform(tenant, on, reason, write_off_item, serial=serial)


@app.command()
def show(serial: str, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show an item and its history."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            item = get_item(tenant_id=operator.id, serial=serial)
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
