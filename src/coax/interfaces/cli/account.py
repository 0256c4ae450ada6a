"""`coax account`: whose an account is, what it has and what it owes.

Exit codes: 0 in order; 1 refused; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coax.interfaces.cli.shared import AsJson, TenantCode, open_tenant, print_json, problems_reported
from coax.ledger.types import CreditStatus
from coax.process.account_statement import BILLS_SHOWN, POSTINGS_SHOWN, AccountStatement, get_account_statement
from coax.process.describe_account import describe_account


def account(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Code of the account.")],
    tenant: TenantCode = None,
    bills: Annotated[int, typer.Option("--bills", min=0, max=1000, help="How many bills.")] = BILLS_SHOWN,
    postings: Annotated[int, typer.Option("--postings", min=0, max=10_000, help="How many postings.")] = POSTINGS_SHOWN,
    as_json: AsJson = False,
) -> None:
    """Show an account: contact, services and until when they are billed, balance, last bills and postings."""
    with problems_reported(as_json=as_json):
        statement = get_account_statement(tenant=open_tenant(tenant), account_code=code, bills=bills, postings=postings)
        if as_json:
            print_json(describe_account(statement))
        else:
            _print(statement)


def _print(statement: AccountStatement) -> None:
    console = Console(highlight=False)
    data = describe_account(statement)
    contact = data["contact"]
    console.print(Text(f"Account {data['account']} ({data['state']}), as of {data['as_of']}", style="bold"))
    place = f"{contact['postal_code']} {contact['city']}".strip()
    lines = (contact["name"], contact["street"], place, contact["country"], contact["email"], contact["phone"])
    console.print("\n".join(f"  {line}" for line in lines if line), markup=False)
    _print_position(console, statement, data)
    for title, rows, columns in (
        ("Services", _list_services(data), ("subscription", "product", "quantity", "from", "to", "rated up to")),
        ("Bills", _list_bills(data), ("bill", "dated", "due", "total", "to_pay", "status", "unsettled")),
        ("Postings", data["postings"], ("date", "kind", "bill", "reference", "amount", "balance", "open")),
    ):
        _print_table(console, title, rows, columns)


def _print_position(console: Console, statement: AccountStatement, data: dict[str, Any]) -> None:
    style = "bold red" if statement.credit_status is CreditStatus.EXCEEDED else "green"
    limit = "none" if data["credit_limit"] is None else data["credit_limit"]
    console.print(
        Text.assemble(
            ("\n  balance ", ""),
            (f"{data['balance']} {data['currency']}", "bold"),
            f"   unsettled {data['unsettled']}   past due {data['outstanding']}   not allocated {data['unallocated']}",
            f"\n  credit limit {limit}: ",
            (statement.credit_status.value.replace("_", " "), style),
        )
    )


def _list_services(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "subscription": subscription["subscription"],
            "product": service["product"],
            "quantity": service["quantity"],
            "from": service["effective_from"],
            "to": service["effective_to"],
            "rated up to": service["rated_up_to"],
        }
        for subscription in data["subscriptions"]
        for service in subscription["services"]
    ]


def _list_bills(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**bill, "dated": bill["transaction_date"], "due": bill["due_date"]} for bill in data["bills"]]


def _print_table(console: Console, title: str, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    if not rows:
        console.print(Text(f"\n{title}: none"))
        return
    numeric = {"quantity", "total", "to_pay", "unsettled", "amount", "balance", "open"}
    table = Table(box=None, title=f"\n{title}", title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right" if column in numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(Text("" if row[column] is None else str(row[column])) for column in columns))
    console.print(table)
