"""`coax import`: files of another system. Exit codes: 0 in order, 1 refused or a problem, 2 wrong usage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coax.base.clock import tenant_today
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.shared import (
    PROBLEM,
    AsJson,
    StepProgress,
    TenantCode,
    open_tenant,
    print_json,
    problems_reported,
)
from coax.process.import_subscribers import ImportOutcome, import_subscribers, write_report

PROBLEMS_SHOWN: Final = 20

app = typer.Typer(help="Take over data from files.", no_args_is_help=True)


@app.callback()
def imports() -> None:
    """Take over data from files."""


@app.command()
def subscribers(
    file: Annotated[Path, typer.Argument(help="A .csv, .parquet or .ndjson file; docs/import.md names its columns.")],
    tenant: TenantCode = None,
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad/--all-or-nothing",
            help="Leave bad rows out with their subscriptions, or refuse the whole file for one of them.",
        ),
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", dir_okay=False, help="Write every problem to this CSV file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Import subscribers: accounts, subscriptions and services; what is there already stays as it is."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            today = tenant_today(operator.id)
        with StepProgress(is_shown=not as_json) as progress:
            outcome = import_subscribers(tenant=operator, path=file, as_of=today, skip_bad=skip_bad, progress=progress)
        if report is not None:
            write_report(outcome, report)
        _print_outcome(outcome, report, as_json=as_json)
        if outcome.is_refused:
            raise typer.Exit(PROBLEM)


def _print_outcome(outcome: ImportOutcome, report: Path | None, *, as_json: bool) -> None:
    if as_json:
        print_json(_describe(outcome, report))
        return
    console = Console(highlight=False)
    if outcome.problems.height:
        console.print(_make_table(outcome))
        rest = outcome.problems.height - PROBLEMS_SHOWN
        if rest > 0:
            console.print(Text(f"... and {rest:,} more problems; --report FILE writes all of them", style="dim"))
    for line in summarize(outcome):
        console.print(Text(line, style="bold red" if outcome.is_refused else "bold"))


def summarize(outcome: ImportOutcome) -> list[str]:
    """Return what an import did in sentences."""
    if outcome.is_refused:
        bad = f"{outcome.bad_rows:,} of {outcome.rows:,} rows are bad"
        return [f"Refused: {bad}, nothing was changed (--skip-bad leaves them out)."]
    people = f"{outcome.accounts:,} accounts, {outcome.contacts:,} contacts"
    made = f"{people}, {outcome.subscriptions:,} subscriptions and {outcome.services:,} services"
    lines = [f"Created {made}; {outcome.unchanged_services:,} services were there already."]
    if outcome.bad_rows:
        lines.append(f"Left out {outcome.skipped_rows:,} rows for {outcome.bad_rows:,} bad ones.")
    return lines


def _describe(outcome: ImportOutcome, report: Path | None) -> dict[str, Any]:
    shown = outcome.problems.head(PROBLEMS_SHOWN).to_dicts()
    return {**outcome.as_dict(), "problem_count": outcome.problems.height, "problems": shown, "report": report}


def _make_table(outcome: ImportOutcome) -> Table:
    table = Table("Line", "Field", "Value", "Reason", "Allowed", box=None, header_style="bold")
    for row in outcome.problems.head(PROBLEMS_SHOWN).iter_rows():
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    return table
