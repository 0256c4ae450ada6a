"""`coax run billing`, `coax runs`: the normal billing run at the keyboard."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from coax.base.clock import tenant_today
from coax.base.money import minor_to_decimal
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.billing.queries.runs import get_progress, get_run_by_number, list_outcomes, list_runs
from coax.billing.types import RunKind, RunStep
from coax.interfaces.cli.shared import (
    AsJson,
    StepProgress,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
)
from coax.process.billing_run.describe import describe_outcome, describe_run
from coax.process.billing_run.execute import RunResult, cancel_run, execute_run
from coax.process.billing_run.order import find_criteria
from coax.process.billing_run.plan import RunRequest, plan_run

app = typer.Typer(help="Execute runs.", no_args_is_help=True)
runs_app = typer.Typer(help="Look at runs, and cancel one.", invoke_without_command=True)

OUTCOMES_SHOWN_MAX = 20


@app.command()
def billing(
    tenant: TenantCode = None,
    on: Annotated[str | None, typer.Option("--on", help="Execution date; by default the operator's today.")] = None,
    bill_as_of: Annotated[
        str | None, typer.Option("--bill-as-of", help="Bill what is due as of this date; default per definition.")
    ] = None,
    transaction_date: Annotated[
        str | None, typer.Option("--transaction-date", help="Date of the transactions; default per definition.")
    ] = None,
    due: Annotated[
        str | None,
        typer.Option("--due", help="day_of_next_month:N, days_after_transaction:N or a date; default per definition."),
    ] = None,
    until: Annotated[RunStep, typer.Option("--until", help="Stop after this step.")] = RunStep.FORMATTING,
    resume: Annotated[int | None, typer.Option("--resume", help="Go on with this run.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compute everything, keep and post nothing.")] = False,
    scheme: Annotated[list[str] | None, typer.Option(help="Only these billing term schemes.")] = None,
    subscription_type: Annotated[list[str] | None, typer.Option(help="Only these subscription types.")] = None,
    classification: Annotated[list[str] | None, typer.Option(help="Only these account classifications.")] = None,
    frequency: Annotated[list[str] | None, typer.Option(help="Only these billing frequencies.")] = None,
    account: Annotated[list[str] | None, typer.Option(help="Only these accounts (Bill Account for one).")] = None,
    subscription: Annotated[
        list[str] | None, typer.Option(help="Only these subscriptions (Bill Subscription).")
    ] = None,
    job: Annotated[list[str] | None, typer.Option(help="Only these jobs (Bill Job).")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes; by default one per core.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bill all normal subscriptions that are due, or go on with a run."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        if resume is not None:
            run_id = get_run_by_number(tenant_id=operator.id, number=resume, using=RUN_ALIAS).id
        else:
            criteria = find_criteria(
                tenant=operator,
                schemes=tuple(scheme or ()),
                subscription_types=tuple(subscription_type or ()),
                classifications=tuple(classification or ()),
                frequencies=tuple(frequency or ()),
                accounts=tuple(account or ()),
                subscriptions=tuple(subscription or ()),
                jobs=tuple(job or ()),
            )
            is_individual = bool(criteria.subscription_ids) or len(criteria.account_ids) == 1
            request = RunRequest(
                execution_date=parse_date(on, "--on") or tenant_today(operator.id, using=RUN_ALIAS),
                bill_as_of=parse_date(bill_as_of, "--bill-as-of"),
                transaction_date=parse_date(transaction_date, "--transaction-date"),
                due=due,
                criteria=criteria,
                kind=RunKind.INDIVIDUAL if is_individual and not dry_run else RunKind.BATCH,
                is_dry=dry_run,
                actor=find_actor(),
            )
            run_id = plan_run(tenant=operator, request=request)
        with StepProgress(is_shown=not as_json) as progress:
            result = execute_run(run_id=run_id, until=until, progress=progress, workers=workers)
        if result.run.is_dry:
            cancel_run(run_id=run_id)
        show_result(operator, result, as_json=as_json)


@runs_app.callback()
def runs(context: typer.Context, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """List the runs of an operator, the latest first."""
    if context.invoked_subcommand is not None:
        return
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        rows = list_runs(tenant_id=operator.id, using=RUN_ALIAS)
        if as_json:
            print_json([describe_run(operator, row, row.totals) for row in rows])
            return
        table = Table("Run", "Kind", "State", "Executed", "Bill as of", "Bills", "Total", "By", box=None)
        for row in rows:
            total = minor_to_decimal(row.totals.get("total_minor", 0), operator.currency)
            kind = "dry run" if row.is_dry else row.kind.value
            cells = (row.number, kind, row.state.value, row.execution_date, row.bill_as_of)
            table.add_row(*map(str, cells), str(row.totals.get("bills", "")), str(total), row.created_by)
        Console().print(table)


@runs_app.command("show")
def show(number: int, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show a run: its dates, its sums, what it refused and what waits."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        run = get_run_by_number(tenant_id=operator.id, number=number, using=RUN_ALIAS)
        show_result(operator, RunResult(run, get_progress(run.id, using=RUN_ALIAS)), as_json=as_json)


@runs_app.command("cancel")
def cancel(number: int, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Cancel a run of which nothing is posted; everything it considered stays due."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        run = get_run_by_number(tenant_id=operator.id, number=number, using=RUN_ALIAS)
        cancelled = cancel_run(run_id=run.id)
        if as_json:
            print_json(describe_run(operator, cancelled, cancelled.totals))
        else:
            Console().print(f"Run {number} is cancelled; what it considered stays due.")


def show_result(operator: Tenant, result: RunResult, *, as_json: bool) -> None:
    """Print where a run stands."""
    data = describe_run(operator, result.run, result.sums)
    with tenant_transaction(operator.id):
        outcomes = list_outcomes(tenant_id=operator.id, run_id=result.run.id, limit=OUTCOMES_SHOWN_MAX)
    if as_json:
        print_json({**data, "not_billed": [describe_outcome(row) for row in outcomes]})
        return
    console = Console(highlight=False)
    console.print(
        f"[bold]Run {data['run']}[/bold] of {operator.name}: [bold]{data['state']}[/bold]"
        f"{' (dry run: nothing was kept)' if data['dry_run'] else ''}"
    )
    console.print(
        f"executed {data['execution_date']}, bill as of {data['bill_as_of']}, "
        f"transactions of {data['transaction_date']}, due {data['due_date']}"
    )
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("Services due", f"{data['due']:,}", "Bills", f"{data['bills']:,}")
    table.add_row("  billed", f"{data['billed']:,}", "Net", f"{data['net']}")
    table.add_row("  pending", f"{data['pending']:,}", "Tax", f"{data['tax']}")
    table.add_row("  refused", f"{data['refused']:,}", "Rounding", f"{data['rounding']}")
    table.add_row("Rated items", f"{data['items']:,}", "Total", f"[bold]{data['total']} {operator.currency}[/bold]")
    console.print(table)
    if outcomes:
        refused = Table("Account", "Service", "Outcome", "Reason", "Amount", box=None, header_style="bold")
        for row in outcomes:
            found = describe_outcome(row)
            reason = f"{found['reason']} {found['detail']}".strip()
            refused.add_row(found["account"], found["service"] or "", found["outcome"], reason, found["amount"])
        console.print(refused)
