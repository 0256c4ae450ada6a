"""`coax worker`: executes recurring processes as they fall due, in one process that a service manager keeps running.

Exit codes: 0 stopped, or with --once everything that was due is executed; 1 with --once something failed; 3 the
database cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from coax.base.tenancy import Tenant, get_tenant
from coax.interfaces.cli.shared import PROBLEM, AsJson, print_json, problems_reported
from coax.interfaces.site.bootstrap import open_database
from coax.process.recurring.describe import describe_run, write_run
from coax.process.recurring.types import ProcessRunRow, ProcessState

AT_ONCE = 2
AT_ONCE_MAX = 32


def worker(
    operator: Annotated[
        str | None,
        typer.Option("--operator", "--tenant", "-t", help="Code of the only operator to work for; by default all."),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Execute what is due, and end.")] = False,
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=AT_ONCE_MAX, help="Executions at a time.")] = AT_ONCE,
    as_json: AsJson = False,
) -> None:
    """Execute recurring processes as they fall due, until Ctrl-C or SIGTERM."""
    from coax.process.recurring.worker import work, work_once  # noqa: PLC0415 - loads what other commands need not

    with problems_reported(as_json=as_json):
        open_database()
        tenant = get_tenant(operator) if operator else None
        if not once:
            work(tenant=tenant, at_once=at_once, report=_report, ready=lambda: _say_ready(tenant))
            typer.echo("Stopped.")
            return
        ended: list[dict[str, Any]] = []
        work_once(
            tenant=tenant,
            at_once=at_once,
            report=lambda owner, run: ended.append({"tenant": owner.code, **describe_run(owner, run)}),
        )
        _show(ended, as_json=as_json)
        if any(run["state"] == ProcessState.FAILED for run in ended):
            raise typer.Exit(PROBLEM)


def _show(ended: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(ended)
        return
    for run in ended:
        typer.echo(f"{run['tenant']}: {run['text']}")
    typer.echo(f"{len(ended)} executed.")


def _say_ready(tenant: Tenant | None) -> None:
    typer.echo(f"The worker works for {tenant.name if tenant else 'all operators'}; Ctrl-C stops it.")


def _report(tenant: Tenant, run: ProcessRunRow) -> None:
    typer.echo(f"{tenant.code}: {write_run(tenant, run)}")
