"""`coax charge`: what is billed once."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from coax.base.clock import tenant_today
from coax.base.money import parse_micro
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.shared import AsJson, TenantCode, open_tenant, parse_date, print_json, problems_reported
from coax.subscription.operations.add_charge import add_charge

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
