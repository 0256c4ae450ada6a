"""`coax payment add`: receive money.

Exit codes: 0 posted; 1 refused; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from coax.interfaces.cli.shared import AsJson, TenantCode, open_tenant, parse_date, print_json, problems_reported
from coax.process.receive_payment import PaymentRequest, receive_payment

app = typer.Typer(help="Receive payments.", no_args_is_help=True)


@app.callback()
def payment() -> None:
    """Receive payments."""


@app.command()
def add(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Code of the account.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="In major units, such as 12.50.")],
    tenant: TenantCode = None,
    on: Annotated[str | None, typer.Option("--on", help="Day of receipt; by default the operator's today.")] = None,
    reference: Annotated[str, typer.Option("--reference", help="What the payer or the bank wrote.")] = "",
    against: Annotated[
        str | None, typer.Option("--against", help="Bill to settle first; by default the oldest debt.")
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option("--idempotency-key", help="The same key posts the payment only once.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Post a payment of an account and settle what it owes."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        request = PaymentRequest(
            account_code=account,
            amount=amount,
            on=parse_date(on, "--on"),
            reference=reference,
            against_bill=against,
        )
        receipt, is_repeated = receive_payment(tenant=operator, request=request, idempotency_key=idempotency_key)
        if as_json:
            print_json({**receipt, "repeated": is_repeated})
        else:
            _print(receipt, is_repeated=is_repeated)


def _print(receipt: dict[str, Any], *, is_repeated: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    currency = receipt["currency"]
    head = f"Received {receipt['amount']} {currency} of account {receipt['account']} on {receipt['received_on']}."
    console.print(Text(head, style="bold"))
    for row in receipt["settled"]:
        what = f"bill {row['bill']}" if row["bill"] else "a debit without a bill"
        console.print(f"  {row['amount']} settles {what}", markup=False)
    console.print(f"  {receipt['not_allocated']} settles nothing yet; the balance is {receipt['balance']} {currency}")
    if is_repeated:
        console.print(Text("  It was posted before under this key; nothing was posted now.", style="yellow"))
