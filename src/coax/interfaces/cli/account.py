"""`coax account`: whose an account is, what it has and what it owes; its terms change.

Exit codes: 0 in order; 1 refused; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from coax.base.tenancy import tenant_transaction
from coax.configuration.queries import find_versions
from coax.interfaces.cli.shared import AsJson, TenantCode, find_actor, open_tenant, print_json, problems_reported
from coax.ledger.types import CreditStatus
from coax.party.queries.accounts import get_account
from coax.process.account_statement import BILLS_SHOWN, POSTINGS_SHOWN, AccountStatement, get_account_statement
from coax.process.change_account import CLASSIFICATION, change_account
from coax.process.describe_account import describe_account, describe_account_row

NO_LIMIT: Final = "none"


class AccountCommands(TyperGroup):
    """`coax account CODE` is short for `coax account show CODE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what is no command as the code of an account to be shown."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    help="An account: shown (`coax account CODE` is short for it), and its terms changed.",
    cls=AccountCommands,
    no_args_is_help=True,
)


@app.command()
def show(
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


@app.command()
def change(
    code: Annotated[str, typer.Argument(metavar="CODE", help="Code of the account.")],
    classification: Annotated[
        str | None, typer.Option("--classification", help="Code of a classification; empty for none.")
    ] = None,
    credit_limit: Annotated[
        str | None, typer.Option("--credit-limit", help="How much it may owe, such as 250; none for no limit.")
    ] = None,
    credit_rating: Annotated[str | None, typer.Option("--credit-rating", help="Empty for none.")] = None,
    credit_period: Annotated[
        int | None, typer.Option("--credit-period", help="Days added to the due dates of its bills.")
    ] = None,
    tenant: TenantCode = None,
    as_json: AsJson = False,
) -> None:
    """Change an account's terms; what is not named stays. A run under way sets the account aside."""
    wanted: dict[str, Any] = {}
    if classification is not None:
        wanted["classification"] = classification or None
    if credit_limit is not None:
        wanted["credit_limit"] = None if credit_limit == NO_LIMIT else credit_limit
    if credit_rating is not None:
        wanted["credit_rating"] = credit_rating
    if credit_period is not None:
        wanted["credit_period_days"] = credit_period
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            changed = change_account(tenant=operator, account_code=code, wanted=wanted, actor=find_actor())
            names = {row.entity_id: row.code for row in find_versions(CLASSIFICATION)}
            data = describe_account_row(get_account(operator.id, code), names)
        report_change(f"Account {code}", data, changed, as_json=as_json)


def report_change(what: str, data: dict[str, Any], changed: tuple[str, ...], *, as_json: bool) -> None:
    """Print what was changed, with the values that are there now."""
    if as_json:
        print_json({**data, "changed": list(changed)})
        return
    if not changed:
        typer.echo(f"{what}: nothing was to be changed.")
    for name in changed:
        value = data[name] if data[name] not in ("", None) else "none"
        typer.echo(f"{what}: {name.replace('_', ' ')} is {value} now.")


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
