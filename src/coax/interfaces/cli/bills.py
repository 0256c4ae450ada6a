"""`coax bills`, `coax bill`, `coax bills export`: bills as lists, data, JSON and PDF.

Exit codes: 0 in order; 1 refused, or a bill could not be made; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.bills import PAGE_ROWS, PAGE_ROWS_MAX, find_bills
from coax.billing.queries.runs import get_run_by_number
from coax.billing.types import BillClassification
from coax.billing.types.document import BillDocument, BillSettlement
from coax.interfaces.cli.shared import (
    PROBLEM,
    AsJson,
    StepProgress,
    TenantCode,
    open_tenant,
    print_json,
    problems_reported,
)
from coax.party.queries.accounts import get_account
from coax.process.bills.compose import compose_document
from coax.process.bills.describe import describe_bills
from coax.process.bills.documents import get_facts, make_pdf
from coax.process.bills.export import (
    JOBS_DEFAULT,
    Exported,
    ExportOrder,
    FileFormat,
    export_bills,
    write_whole,
)
from coax.process.bills.ledger_reading import find_settlements
from coax.process.bills.numbers import DIGITS
from coax.process.bills.publish import to_json
from coax.process.bills.view import make_view

FAILURES_SHOWN_MAX = 20
PLAIN_WIDTH = 140

app = typer.Typer(help="Look at bills, and write those of a run as files.", invoke_without_command=True)

Fonts = Annotated[
    list[Path] | None,
    typer.Option(
        "--fonts",
        exists=True,
        file_okay=False,
        help="Directory of fonts for characters that the built-in ones lack.",
    ),
]


@app.callback()
def bills(
    context: typer.Context,
    tenant: TenantCode = None,
    run: Annotated[int | None, typer.Option("--run", min=1, help="Only bills of this run.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Only bills of this account.")] = None,
    after: Annotated[int, typer.Option("--after", min=0, help="Begin after this bill's number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=PAGE_ROWS_MAX, help="How many at most.")] = PAGE_ROWS,
    as_json: AsJson = False,
) -> None:
    """List bills in the order of their numbers."""
    if context.invoked_subcommand is not None:
        return
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        account_id = get_account(operator.id, account).account_id if account else None
        with tenant_transaction(operator.id):
            run_id = get_run_by_number(tenant_id=operator.id, number=run).id if run else None
            rows = find_bills(tenant_id=operator.id, run_id=run_id, account_id=account_id, after=after, limit=limit)
            listed = describe_bills(tenant_id=operator.id, rows=rows)
        if as_json:
            print_json(listed)
        else:
            _print_list(listed, is_cut=len(rows) == limit)


@app.command("export")
def export(
    to: Annotated[Path, typer.Option("--to", file_okay=False, help="Directory of the files.")],
    run: Annotated[int, typer.Option("--run", min=1, help="Bills of this run.")],
    tenant: TenantCode = None,
    file_format: Annotated[FileFormat, typer.Option("--format", help="Kind of file.")] = FileFormat.PDF,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=256, help="Worker processes.")] = JOBS_DEFAULT,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write files that are there once more.")] = False,
    fonts: Fonts = None,
    as_json: AsJson = False,
) -> None:
    """Write a file per bill of a run; what is there already is skipped, so an export can be resumed."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        order = ExportOrder(
            tenant_id=operator.id,
            directory=to,
            format=file_format,
            overwrite=overwrite,
            font_directories=tuple(fonts or ()),
        )
        with StepProgress(is_shown=not as_json) as progress:
            result = export_bills(
                order=order,
                run_number=run,
                jobs=jobs,
                progress=lambda done, total: progress("bills", done, total),
            )
        _print_exported(result, to, as_json=as_json)
    if result.failures:
        raise typer.Exit(PROBLEM)


def bill(
    number: Annotated[str, typer.Argument(help="Number of the bill, with its prefix or without.")],
    tenant: TenantCode = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the bill as JSON (docs/bills.md).")] = False,
    pdf: Annotated[
        Path | None, typer.Option("--pdf", dir_okay=False, help="Write the bill as PDF to this file.")
    ] = None,
    fonts: Fonts = None,
) -> None:
    """Show a bill: on the screen, as JSON, or as PDF."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            facts = get_facts(tenant_id=operator.id, number=number)
            settled = find_settlements(tenant_id=operator.id, keys=[facts.bill.key]).get(facts.bill.key)
        document = compose_document(facts)
        if pdf is not None:
            write_whole(pdf, make_pdf(facts, fonts or ()))
            typer.echo(f"Written: {pdf}", err=True)
        if as_json:
            typer.echo(to_json(document).decode(), nl=False)
        elif pdf is None:
            print_bill(document, settled, operator)


def _print_list(listed: list[dict[str, Any]], *, is_cut: bool) -> None:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    table = Table(box=None)
    for title in ("Bill", "Run", "Account", "Date", "Due"):
        table.add_column(title, no_wrap=True)
    for title in ("Total", "To be paid", "Unsettled"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Status")
    for row in listed:
        names = ("number", "run", "account", "bill_date", "due_date", "total", "total_to_be_paid", "unsettled")
        table.add_row(*(str(row[name]) for name in names), _write_status(row))
    console.print(table)
    if is_cut:
        last = listed[-1]["number"][-DIGITS:]
        typer.echo(f"There may be more: go on with --after {int(last)}.", err=True)


def _write_status(row: dict[str, Any]) -> str:
    status = (row["status"] or "").replace("_", " ")
    is_normal = row["classification"] == BillClassification.NORMAL.value
    return status if is_normal else f"{status} ({row['classification'].replace('_', ' ')})"


def _print_exported(result: Exported, directory: Path, *, as_json: bool) -> None:
    failures = [
        {"bill": failure.number, "code": failure.code, "message": failure.message} for failure in result.failures
    ]
    if as_json:
        counts = {"bills": result.bills, "written": result.written, "skipped": result.skipped}
        print_json({**counts, "failed": len(failures), "failures": failures, "directory": str(directory)})
        return
    typer.echo(
        f"{result.bills} bills: {result.written} written, {result.skipped} were there, "
        f"{len(failures)} failed. Directory: {directory}"
    )
    for failure in failures[:FAILURES_SHOWN_MAX]:
        typer.echo(f"  {failure['message']}", err=True)


def print_bill(document: BillDocument, settlement: BillSettlement | None, operator: Tenant) -> None:
    """Print what the page shows, in the bill's own language."""
    view, console = make_view(document), Console(highlight=False, markup=False)
    texts = view["texts"]
    console.print(f"{operator.name}\n\n{view['document_title']}")
    for label, value in view["facts"]:
        console.print(f"{label:<20} {value}")
    console.print("\n" + "\n".join(view["customer"]))
    if view["statement"]:
        console.print(f"\n{texts['account_statement']}")
        rows = [*view["statement"]["rows"], ["", texts["balance_brought_forward"], view["statement"]["sum"]]]
        console.print(_plain_table(rows, figures=1))
    for section in [*view["sections"], *([view["one_time"]] if view["one_time"] else [])]:
        console.print(f"\n{section['title'] or texts['one_time']}")
        rows = [_line_cells(line) for line in section["lines"]]
        sums = ["", "", section["net"]["text"], "", section["tax"]["text"], section["total"]["text"]]
        console.print(_plain_table([*rows, [section["sum_label"], *sums]], figures=6))
    console.print("\n" + texts["totals"])
    console.print(_plain_table(_total_rows(view), figures=1))
    if settlement:
        console.print(f"\n{settlement.status.value.replace('_', ' ').capitalize()} now.")


def _line_cells(line: dict[str, Any]) -> list[str]:
    name = f"{line['name']}\n  {line['detail']}" if line["detail"] else line["name"]
    return [
        name,
        line["quantity"],
        line["price"]["text"],
        line["net"]["text"],
        line["rate"],
        line["tax"]["text"],
        line["total"]["text"],
    ]


def _total_rows(view: dict[str, Any]) -> list[list[str]]:
    texts, totals = view["texts"], view["totals"]
    rows = [
        [texts["tax_at"].format(percent=tax["rate"], net=tax["net"]["text"]), tax["tax"]["text"]]
        for tax in totals["taxes"]
    ]
    if totals["rounding"]:
        rows.append([totals["rounding"]["label"], totals["rounding"]["total"]["text"]])
    rows.append([texts["bill_total"], totals["total"]["text"]])
    rows.append([texts["balance_brought_forward"], totals["brought_forward"]["text"]])
    rows.append([texts["to_be_paid"], view["summary"]["to_be_paid"][1]])
    rows.append([view["summary"]["hint"], ""])
    return rows


def _plain_table(rows: list[list[str]], *, figures: int) -> Table:
    """Return a table whose last columns hold figures."""
    table = Table(box=None, show_header=False)
    for place in range(len(rows[0])):
        is_figure = place >= len(rows[0]) - figures
        table.add_column(justify="right" if is_figure else "left", no_wrap=is_figure)
    for row in rows:
        table.add_row(*row)
    return table
