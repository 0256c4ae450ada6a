"""`coax service`: what a clerk does to one service."""

from __future__ import annotations

from typing import Annotated

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
from coax.subscription.operations.end_service import end_service

app = typer.Typer(help="Services of a subscription.", no_args_is_help=True)


@app.callback()
def services() -> None:
    """Services of a subscription."""


@app.command()
def end(
    subscription: str,
    service: str,
    tenant: TenantCode = None,
    on: Annotated[str | None, typer.Option("--on", help="First day without it; by default today.")] = None,
    as_json: AsJson = False,
) -> None:
    """End a service; what was billed beyond that day is credited by the next run."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            ended = end_service(
                tenant_id=operator.id,
                subscription_code=subscription,
                service_code=service,
                on=parse_date(on, "--on") or tenant_today(operator.id),
                actor=find_actor(),
            )
        credit = ended.rated_up_to > ended.effective_to
        if as_json:
            print_json({"service": service, "effective_to": ended.effective_to, "to_be_credited": credit})
            return
        note = f"; billed until {ended.rated_up_to}, the next run credits the rest" if credit else ""
        Console(highlight=False).print(f"{service} of {subscription} ends on {ended.effective_to}{note}.")
