"""`coax subscriptions`: selling one, and what is done to many of them at once."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from coax.base.clock import tenant_today
from coax.base.money import parse_minor
from coax.base.tenancy import tenant_transaction
from coax.configuration.types.process_definition import SETTLED_WITHIN_DAYS, DebtBasis
from coax.interfaces.cli.shared import (
    AsJson,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
)
from coax.process.describe_subscription import describe_subscription
from coax.process.subscription_actions.deactivate import DeactivationCriteria, deactivate_debtors
from coax.process.subscription_actions.maintain import activate_settled, execute_scheduled
from coax.process.subscription_actions.replace import replace_subscription
from coax.process.subscription_actions.sell import SaleRequest, sell_subscription
from coax.process.subscription_actions.watch import BulkResult

app = typer.Typer(help="Sell subscriptions; deactivation for debt, and subscription maintenance.", no_args_is_help=True)

REFUSED_SHOWN: Final = 20


@app.command()
def sell(
    account: str,
    subscription_type: Annotated[str, typer.Option("--type", help="Subscription type.")],
    products: Annotated[
        list[str] | None, typer.Argument(help="The services that it begins with; a package has its own.")
    ] = None,
    scheme: Annotated[str | None, typer.Option("--scheme", help="Billing term scheme; a package has its own.")] = None,
    tenant: TenantCode = None,
    on: Annotated[str | None, typer.Option("--on", help="Day from which it holds; by default today.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Its code; by default the account's and a number.")] = None,
    in_place_of: Annotated[
        str | None, typer.Option("--in-place-of", help="The account's subscription that it replaces.")
    ] = None,
    bundle: Annotated[str | None, typer.Option("--bundle", help="Sell those of its services as this bundle.")] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="Price plan; by default the scheme's.")] = None,
    frequency: Annotated[str | None, typer.Option("--frequency", help="Billing frequency.")] = None,
    cycle_day: Annotated[int | None, typer.Option("--cycle-day", help="Day of the billing cycle.")] = None,
    binding_period: Annotated[str | None, typer.Option("--binding-period", help="Such as annual.")] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Only lay it down; `coax action do activate` begins it.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who read it later.")] = "",
    key: Annotated[str | None, typer.Option("--key", help="Idempotency key: done once however often asked.")] = None,
    as_json: AsJson = False,
) -> None:
    """Sell a subscription to an account."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            today = tenant_today(operator.id)
        request = SaleRequest(
            account_code=account,
            subscription_type=subscription_type,
            scheme=scheme,
            products=tuple(products or ()),
            performed_on=parse_date(on, "--on") or today,
            subscription_code=code,
            price_plan=plan,
            frequency=frequency,
            cycle_day=cycle_day,
            binding_period=binding_period,
            is_draft=draft,
            bundle=bundle,
            reason=reason,
        )
        if in_place_of:
            answer, is_repeated = replace_subscription(
                tenant=operator, code=in_place_of, request=request, actor=find_actor(), idempotency_key=key
            )
        else:
            answer, is_repeated = sell_subscription(
                tenant=operator, request=request, actor=find_actor(), idempotency_key=key
            )
        if as_json:
            print_json({**answer, "repeated": is_repeated})
            return
        Console(highlight=False).print(f"Subscription {answer['subscription']} is {answer['state']}.")


@app.command()
def show(
    subscription: str,
    tenant: TenantCode = None,
    on: Annotated[str | None, typer.Option("--on", help="As it stood on that day; by default today.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a subscription as it stands, or as it stood on a day: state, contract, services."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        found = describe_subscription(tenant=operator, code=subscription, on=parse_date(on, "--on"))
        if as_json:
            print_json(found)
            return
        console = Console(highlight=False)
        since = f" since {found['since']}" if found["since"] else ""
        state = (found["state"] or "not there yet").replace("_", " ")
        console.print(f"{found['subscription']} on {found['as_of']}: {state}{since}")
        _print_term(console, found["term"])
        table = Table(box=None, pad_edge=False)
        for name in ("Service", "Product", "Quantity", "State", "Since", "Time in it", "Billed until"):
            table.add_column(name)
        for row in found["services"]:
            words = (str(row[name]).replace("_", " ") for name in ("state", "since", "directive", "rated_up_to"))
            product = f"{row['product']} in {row['bundle']}" if row["bundle"] else row["product"]
            table.add_row(row["service"], product, str(row["quantity"]), *words)
        console.print(table)


def _print_term(console: Console, term: dict[str, Any] | None) -> None:
    if term is None:
        return
    bound = f", bound {term['binding_period']} from {term['binding_start_date']}" if term["binding_period"] else ""
    cycle = f"{term['frequency']} on day {term['cycle_day']}"
    console.print(f"  {term['scheme']}, {term['price_plan']}, {cycle}{bound}")


@app.command()
def deactivate(
    tenant: TenantCode = None,
    basis: Annotated[DebtBasis, typer.Option("--basis", help="By which measure an account owes too much.")] = (
        DebtBasis.BOTH
    ),
    threshold: Annotated[str, typer.Option("--threshold", help="What may be overdue, in major units.")] = "0",
    classification: Annotated[list[str] | None, typer.Option("--classification", help="Only these accounts.")] = None,
    subscription_type: Annotated[list[str] | None, typer.Option("--type", help="Only these types.")] = None,
    frequency: Annotated[list[str] | None, typer.Option("--frequency", help="Only billed this often.")] = None,
    as_json: AsJson = False,
) -> None:
    """Deactivate normal subscriptions of accounts that owe too much; those in grace and free services are spared."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        criteria = DeactivationCriteria(
            basis=basis,
            threshold_minor=parse_minor(threshold, operator.currency),
            classifications=tuple(classification or ()),
            subscription_types=tuple(subscription_type or ()),
            frequencies=tuple(frequency or ()),
        )
        result = deactivate_debtors(tenant=operator, criteria=criteria, actor=find_actor())
        _print("deactivated", result, as_json=as_json)


@app.command("execute-scheduled")
def execute(tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Execute the scheduled actions whose day has come."""
    with problems_reported(as_json=as_json):
        result = execute_scheduled(tenant=open_tenant(tenant), actor=find_actor())
        _print("executed", result, as_json=as_json)


@app.command("activate-settled")
def activate(
    tenant: TenantCode = None,
    threshold: Annotated[str, typer.Option("--threshold", help="What may be overdue, in major units.")] = "0",
    within_days: Annotated[int, typer.Option("--within-days", help="Balance changed within so many days.")] = (
        SETTLED_WITHIN_DAYS
    ),
    as_json: AsJson = False,
) -> None:
    """Activate what is off, of accounts that have settled what they owed."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        result = activate_settled(
            tenant=operator,
            actor=find_actor(),
            threshold_minor=parse_minor(threshold, operator.currency),
            within_days=within_days,
        )
        _print("activated", result, as_json=as_json)


def _print(verb: str, result: BulkResult, *, as_json: bool) -> None:
    refused = result.refused
    if as_json:
        print_json({verb: result.performed, "refused": [{"subscription": c, "reason": r} for c, r in refused]})
        return
    console = Console(highlight=False)
    console.print(f"{result.performed} {verb}, {len(refused)} refused.")
    for code, reason in refused[:REFUSED_SHOWN]:
        console.print(f"  {code}: {reason}")
    if len(refused) > REFUSED_SHOWN:
        console.print(f"  ... and {len(refused) - REFUSED_SHOWN} more; --json lists them all.")
