"""`coax charge`: what is billed once, and taken back."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from coax.base.clock import tenant_today
from coax.base.money import parse_micro
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.action import submit
from coax.interfaces.cli.shared import AsJson, TenantCode, open_tenant, parse_date, print_json, problems_reported
from coax.process.describe_charges import describe_charge, find_bill_numbers
from coax.subscription.operations.add_charge import add_charge
from coax.subscription.queries.charges import find_charges
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.types.actions import ActionRequest, Behaviour

app = typer.Typer(help="One-time services, expenses and goods.", no_args_is_help=True)


@app.callback()
def charges() -> None:
    """One-time services, expenses and goods."""


@app.command()
def add(
    subscription: str,
    product: str,
    tenant: TenantCode = None,
    on: Annotated[str | None, typer.Option("--on", help="Day of performance; by default today.")] = None,
    quantity: Annotated[int, typer.Option("--quantity", help="How many.")] = 1,
    duration: Annotated[int, typer.Option("--duration", help="Units of a duration-tiered rate.")] = 0,
    price: Annotated[str | None, typer.Option("--price", help="Agreed price instead of the plan's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Charge a subscription once; the next run bills it."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            performed_on = parse_date(on, "--on") or tenant_today(operator.id)
            added = add_charge(
                tenant_id=operator.id,
                subscription_code=subscription,
                product_code=product,
                performed_on=performed_on,
                quantity=quantity,
                duration=duration,
                agreed_price_micro=parse_micro(price) if price is not None else None,
            )
        if as_json:
            print_json({"charge": added.charge_id, "product": product, "performed_on": performed_on})
        else:
            Console(highlight=False).print(f"{product} is charged to {subscription}; the next run bills it.")


@app.command("list")
def list_all(subscription: str, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """List what was charged once on a subscription, the latest first, and how far it is billed."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            key = get_subscription_key(tenant_id=operator.id, code=subscription)
            rows = find_charges(tenant_id=operator.id, account_id=key.account_id, subscription_id=key.subscription_id)
            bills = find_bill_numbers(tenant_id=operator.id, account_id=key.account_id)
        found = [describe_charge(row, bills) for row in rows]
        if as_json:
            print_json({"charges": found})
            return
        table = Table(box=None, pad_edge=False)
        for name in ("Charge", "Day", "Product", "Quantity", "Price", "State", "Bill"):
            table.add_column(name, no_wrap=name in {"Charge", "Day", "Bill"})
        for row in found:
            bill = row["credited_on_bill"] or row["bill"] or ""
            state = row["state"].replace("_", " ")
            figures = (str(row["quantity"]), row["agreed_price"] or "the plan's")
            table.add_row(row["charge"], str(row["performed_on"]), row["product_name"], *figures, state, bill)
        Console(highlight=False).print(table if found else "Nothing was charged once.")


@app.command()
def cancel(
    subscription: str,
    charge: str,
    tenant: TenantCode = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who read it later.")] = "",
    on: Annotated[str | None, typer.Option("--on", help="Day it is taken back; by default today.")] = None,
    key: Annotated[str | None, typer.Option("--key", help="Idempotency key: done once however often asked.")] = None,
    as_json: AsJson = False,
) -> None:
    """Take back what was charged once: unbilled it is not billed, billed it is credited by the next run."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            day = parse_date(on, "--on") or tenant_today(operator.id)
        request = ActionRequest(
            subscription_code=subscription,
            behaviour=Behaviour.CANCEL_EXPENSE,
            performed_on=day,
            charge_code=charge,
            reason=reason,
        )
        submit(operator, request, key, as_json=as_json)
