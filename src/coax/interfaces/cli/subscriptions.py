"""`coax subscriptions`: what is done to many of them at once."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from coax.base.money import parse_minor
from coax.interfaces.cli.shared import AsJson, TenantCode, find_actor, open_tenant, print_json, problems_reported
from coax.process.subscription_actions.deactivate import BulkResult, DeactivationCriteria, deactivate_debtors
from coax.process.subscription_actions.maintain import SETTLED_WITHIN_DAYS, activate_settled, execute_scheduled
from coax.process.subscription_actions.standing import DebtBasis

app = typer.Typer(help="Deactivation for debt, and subscription maintenance.", no_args_is_help=True)

REFUSED_SHOWN = 20


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
    refused = result.refused or []
    if as_json:
        print_json({verb: result.performed, "refused": [{"subscription": c, "reason": r} for c, r in refused]})
        return
    console = Console(highlight=False)
    console.print(f"{result.performed} {verb}, {len(refused)} refused.")
    for code, reason in refused[:REFUSED_SHOWN]:
        console.print(f"  {code}: {reason}")
    if len(refused) > REFUSED_SHOWN:
        console.print(f"  ... and {len(refused) - REFUSED_SHOWN} more; --json lists them all.")
