"""`coax process`: recurring processes at the keyboard: what is due, what was missed, what came of it."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from coax.base.audit import set_actor
from coax.base.tenancy import Tenant, tenant_transaction
from coax.interfaces.cli.shared import (
    PROBLEM,
    AsJson,
    StepProgress,
    TenantCode,
    find_actor,
    open_tenant,
    print_json,
    problems_reported,
)
from coax.process.recurring.describe import describe_overview, describe_run, write_local, write_run, write_words
from coax.process.recurring.execute import execute_process
from coax.process.recurring.plan import plan_occurrences
from coax.process.recurring.queries import (
    PAGE_ROWS,
    ProcessOverview,
    find_overviews,
    find_refusals,
    find_runs,
    get_process,
    get_run,
)
from coax.process.recurring.request import give_up_missed, request_again, request_missed, request_run, request_stop
from coax.process.recurring.types import ProcessRunRow, ProcessState
from coax.process.recurring.words import write_result

app = typer.Typer(help="Recurring processes: what is due, run one, look at the log.", no_args_is_help=True)

REFUSED_SHOWN: Final = 20
LIMIT_MAX: Final = 10_000

Number = Annotated[int, typer.Argument(metavar="RUN", help="Number of the execution.")]
ProcessName = Annotated[
    str, typer.Argument(metavar="PROCESS", help="Such as deactivation/overdue; kind or code alone where it is clear.")
]


@app.command("list")
def list_processes(tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """List the processes: when each is due next, what came of it last, what was missed."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            found = find_overviews(operator)
        if as_json:
            print_json([describe_overview(operator, one) for one in found])
            return
        if not found:
            typer.echo("No process is defined; docs/processes.md says how.")
            return
        table = Table("Process", "Next", "Missed", "Last", "Result", box=None, pad_edge=False)
        for one in found:
            table.add_row(*_list_cells(operator, one))
        Console(highlight=False, soft_wrap=True).print(table)


@app.command("runs")
def list_runs(
    process: Annotated[str | None, typer.Option("--process", help="Only of this process.")] = None,
    state: Annotated[list[ProcessState] | None, typer.Option("--state", help="Only in these states.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=LIMIT_MAX, help="At most so many.")] = PAGE_ROWS,
    tenant: TenantCode = None,
    as_json: AsJson = False,
) -> None:
    """Show the log: executions and missed occurrences, the latest first."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            plan_occurrences(operator)
            key = get_process(operator, process).key if process else None
            rows = find_runs(tenant_id=operator.id, key=key, states=state or (), limit=limit)
        if as_json:
            print_json([describe_run(operator, row) for row in rows])
            return
        table = Table("Run", "Process", "Due", "State", "Result", "By", box=None, pad_edge=False)
        for row in rows:
            cells = (
                row.number,
                row.address,
                write_local(operator, row.due_at),
                write_words(row.state),
                write_result(row, operator.currency),
            )
            table.add_row(*map(str, cells), row.asked_by)
        Console(highlight=False, soft_wrap=True).print(table)


@app.command("show")
def show(number: Number, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show an execution: progress, sums, what was refused and why."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        _show(operator, number, as_json=as_json)


@app.command("run")
def run(
    process: ProcessName,
    missed: Annotated[bool, typer.Option("--missed", help="Make up for the oldest missed occurrence.")] = False,
    tenant: TenantCode = None,
    as_json: AsJson = False,
) -> None:
    """Execute a process now, or the oldest occurrence of it that was missed."""
    with problems_reported(as_json=as_json):
        operator, actor = open_tenant(tenant), find_actor()
        with tenant_transaction(operator.id):
            set_actor(actor)
            found = get_process(operator, process)
            request = request_missed if missed else request_run
            number = request(operator, found, actor=actor)
        _execute(operator, number, as_json=as_json)


@app.command("resume")
def resume(number: Number, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Go on with an execution that failed or was stopped, or execute one that was missed."""
    with problems_reported(as_json=as_json):
        operator, actor = open_tenant(tenant), find_actor()
        with tenant_transaction(operator.id):
            set_actor(actor)
            request_again(operator, number, actor=actor)
        _execute(operator, number, as_json=as_json)


@app.command("stop")
def stop(number: Number, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Stop an execution after the group that it is at, or give up one that waits or was missed."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            set_actor(find_actor())
            stopped = request_stop(operator, number)
        if as_json:
            print_json(describe_run(operator, stopped))
        elif stopped.is_stop_asked:
            typer.echo(f"Execution {number} stops after the group that it is at.")
        else:
            typer.echo(f"Execution {number} is stopped; `coax process resume {number}` goes on with it.")


@app.command("give-up")
def give_up(process: ProcessName, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Give up everything that was missed of a process; each stays in the log as stopped."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            set_actor(find_actor())
            found = get_process(operator, process)
            count = give_up_missed(operator, found)
        if as_json:
            print_json({"process": found.address, "given_up": count})
        else:
            typer.echo(f"{count} missed of {found.address} given up.")


def _execute(tenant: Tenant, number: int, *, as_json: bool) -> None:
    with tenant_transaction(tenant.id):
        run = get_run(tenant.id, number)
    with StepProgress(is_shown=not as_json) as progress:
        execute_process(
            tenant=tenant,
            key=run.key,
            show=lambda under_way, done, total: progress(under_way.address, done, total),
        )
    if _show(tenant, number, as_json=as_json).state is ProcessState.FAILED:
        raise typer.Exit(PROBLEM)


def _show(tenant: Tenant, number: int, *, as_json: bool) -> ProcessRunRow:
    with tenant_transaction(tenant.id):
        run = get_run(tenant.id, number)
        refused = find_refusals(tenant_id=tenant.id, number=number)
    if as_json:
        rows = [{"subject": one.subject, "code": one.code, "reason": one.reason} for one in refused]
        print_json({**describe_run(tenant, run), "refused": rows})
        return run
    console = Console(highlight=False, soft_wrap=True)
    console.print(write_run(tenant, run), markup=False)
    by = f"version {run.version}, " if run.version else ""
    console.print(f"  {by}asked by {run.asked_by}", markup=False)
    if run.started_at:
        ended = f" to {write_local(tenant, run.finished_at)}" if run.finished_at else ""
        console.print(
            f"  {write_local(tenant, run.started_at)}{ended}, {run.worked_ms / 1000:.1f} s of work", markup=False
        )
    if run.billing_run:
        console.print(f"  billing run {run.billing_run}: coax runs show {run.billing_run}", markup=False)
    for one in refused[:REFUSED_SHOWN]:
        console.print(f"  {one.subject}: {one.reason}", markup=False)
    if len(refused) > REFUSED_SHOWN:
        console.print(f"  ... and {len(refused) - REFUSED_SHOWN} more; --json lists them.")
    return run


def _list_cells(tenant: Tenant, one: ProcessOverview) -> tuple[str, ...]:
    due = write_local(tenant, one.next_at) or ("on request" if one.is_active else "not active")
    missed = f"{one.missed} since {write_local(tenant, one.oldest_missed)}" if one.missed else ""
    shown = one.current or one.last
    if shown is None:
        return one.process.address, due, missed, "never", ""
    result = f"{write_words(shown.state)} {write_result(shown, tenant.currency)}"
    return one.process.address, due, missed, f"{shown.number} of {write_local(tenant, shown.due_at)}", result
