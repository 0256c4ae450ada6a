"""`coax payment` and `coax refund`: money received, cancelled, moved, given back.

Exit codes: 0 done; 1 refused; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coax.base.tenancy import tenant_transaction
from coax.configuration.types.payment_mode import Payer
from coax.interfaces.cli.shared import (
    AsJson,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
    read_pair,
)
from coax.party.queries.accounts import get_account
from coax.payment.queries.payments import find_payments, get_payment
from coax.payment.queries.refunds import find_refunds
from coax.payment.types import PaymentState, RefundState
from coax.process.bills.reading import read_operator
from coax.process.payments.allocate import allocate_payment
from coax.process.payments.approve import approve_payment, reject_payment
from coax.process.payments.cancel import cancel_payment
from coax.process.payments.context import make_money_context
from coax.process.payments.describe import describe_payment, describe_payment_briefly, describe_refund
from coax.process.payments.receive import PaymentRequest, receive_payment
from coax.process.payments.refund import RefundRequest, approve_refund, refund, reject_refund
from coax.process.payments.transfer import transfer_payment

app = typer.Typer(help="Money received: posted, cancelled, moved, settled.", no_args_is_help=True)
refund_app = typer.Typer(help="Money given back.", no_args_is_help=True)
Number = Annotated[int, typer.Argument(metavar="PAYMENT", help="Number of the payment.")]
RefundNumber = Annotated[int, typer.Argument(metavar="REFUND", help="Number of the refund.")]
Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Code of the account.")]
Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="In major units, such as 12.50.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]
On = Annotated[str | None, typer.Option("--on", help="Day of it; by default the operator's today.")]
Key = Annotated[str | None, typer.Option("--idempotency-key", help="The same key does it only once.")]
OfAccount = Annotated[str | None, typer.Option("--account", help="Only of this account.")]


@app.command()
def add(
    account: Account,
    amount: Amount,
    tenant: TenantCode = None,
    mode: Annotated[str, typer.Option("--mode", help="How it was paid; `coax payment modes` lists them.")] = "cash",
    payer: Annotated[Payer, typer.Option("--payer", help="Who pays.")] = Payer.SUBSCRIBER,
    told: Annotated[
        list[str] | None, typer.Option("--with", help="What the mode asks, such as cheque_number=4711; repeatable.")
    ] = None,
    on: On = None,
    reference: Annotated[str, typer.Option("--reference", help="What the payer or the bank wrote.")] = "",
    against: Annotated[
        str | None, typer.Option("--against", help="Bill to settle first; by default the oldest debt.")
    ] = None,
    idempotency_key: Key = None,
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
            mode=mode,
            payer=payer,
            details=dict(read_pair(pair, "--with") for pair in told or ()),
        )
        receipt, is_repeated = receive_payment(
            tenant=operator, request=request, actor=find_actor(), idempotency_key=idempotency_key
        )
        _show(receipt, as_json=as_json, is_repeated=is_repeated)


@app.command()
def cancel(
    payment: Number,
    reason: Why,
    tenant: TenantCode = None,
    on: On = None,
    idempotency_key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Cancel a payment, such as a cheque that bounced; what it settled is open again."""
    with problems_reported(as_json=as_json):
        done, is_repeated = cancel_payment(
            tenant=open_tenant(tenant),
            payment_id=payment,
            reason=reason,
            actor=find_actor(),
            on=parse_date(on, "--on"),
            idempotency_key=idempotency_key,
        )
        _show(done, as_json=as_json, is_repeated=is_repeated)


@app.command()
def transfer(
    payment: Number,
    account: Account,
    tenant: TenantCode = None,
    amount: Annotated[str | None, typer.Option("--amount", help="Only so much of it; by default all.")] = None,
    reason: Why = "",
    idempotency_key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Move a payment, or so much of it, to another account."""
    with problems_reported(as_json=as_json):
        done, is_repeated = transfer_payment(
            tenant=open_tenant(tenant),
            payment_id=payment,
            to_account=account,
            amount=amount,
            actor=find_actor(),
            reason=reason,
            idempotency_key=idempotency_key,
        )
        _show(done, as_json=as_json, is_repeated=is_repeated)


@app.command()
def allocate(
    payment: Number,
    bills: Annotated[
        list[str] | None, typer.Argument(metavar="BILL=AMOUNT", help="What it is to settle, in place of what it did.")
    ] = None,
    tenant: TenantCode = None,
    as_json: AsJson = False,
) -> None:
    """Say which bills a payment settles; what is left of it settles nothing until the account's next posting."""
    with problems_reported(as_json=as_json):
        wanted = [read_pair(pair, "BILL=AMOUNT") for pair in bills or ()]
        done = allocate_payment(tenant=open_tenant(tenant), payment_id=payment, bills=wanted, actor=find_actor())
        _show(done, as_json=as_json)


@app.command()
def approve(payment: Number, tenant: TenantCode = None, reason: Why = "", as_json: AsJson = False) -> None:
    """Post a payment that waits for a second person."""
    with problems_reported(as_json=as_json):
        done = approve_payment(tenant=open_tenant(tenant), payment_id=payment, actor=find_actor(), reason=reason)
        _show(done, as_json=as_json)


@app.command()
def reject(payment: Number, reason: Why, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Reject a payment that waits for a second person."""
    with problems_reported(as_json=as_json):
        done = reject_payment(tenant=open_tenant(tenant), payment_id=payment, actor=find_actor(), reason=reason)
        _show(done, as_json=as_json)


@app.command()
def show(payment: Number, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show a payment with what it settles."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            row = get_payment(tenant_id=operator.id, payment_id=payment)
            found = describe_payment(row, read_operator(operator.id).bill_number_prefix, tenant_id=operator.id)
        _show(found, as_json=as_json)


@app.command("list")
def list_payments(
    tenant: TenantCode = None,
    account: OfAccount = None,
    state: Annotated[PaymentState | None, typer.Option("--state", help="Only in this state.")] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="Only by this mode.")] = None,
    received_from: Annotated[str | None, typer.Option("--from", help="Only from this day on.")] = None,
    received_until: Annotated[str | None, typer.Option("--until", help="Only up to this day.")] = None,
    as_json: AsJson = False,
) -> None:
    """List payments, the latest first."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            rows = find_payments(
                tenant_id=operator.id,
                account_id=get_account(operator.id, account).account_id if account else None,
                state=state,
                mode=mode,
                received_from=parse_date(received_from, "--from"),
                received_until=parse_date(received_until, "--until"),
            )
        found = [describe_payment_briefly(row) for row in rows]
        if as_json:
            print_json({"payments": found})
            return
        _print_table(found, ("payment", "received_on", "account", "mode", "amount", "state", "reference"), "payments")


@app.command()
def modes(tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """List the modes of payment, who may pay so, and what each asks."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            context = make_money_context(operator, actor=find_actor())
        found = [
            {
                "mode": mode.code,
                "name": mode.name,
                "payers": ", ".join(mode.payers),
                "asks": ", ".join(mode.required),
                "approval": "a second person" if mode.needs_approval else "",
                "state": mode.state.value,
            }
            for mode in sorted(context.modes.values(), key=lambda mode: mode.code)
        ]
        if as_json:
            print_json({"modes": found})
            return
        _print_table(found, ("mode", "name", "payers", "asks", "approval", "state"), "modes")


@refund_app.command("add")
def add_refund(
    account: Account,
    amount: Amount,
    reason: Why,
    tenant: TenantCode = None,
    mode: Annotated[str | None, typer.Option("--mode", help="How; by default as the payment came, or cash.")] = None,
    payment: Annotated[int | None, typer.Option("--payment", help="The payment whose money it is.")] = None,
    on: On = None,
    idempotency_key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Give back what an account has too much; above the operator's limit it waits for a second person."""
    with problems_reported(as_json=as_json):
        request = RefundRequest(
            account_code=account,
            amount=amount,
            reason=reason,
            mode=mode,
            payment=payment,
            on=parse_date(on, "--on"),
        )
        done, is_repeated = refund(
            tenant=open_tenant(tenant), request=request, actor=find_actor(), idempotency_key=idempotency_key
        )
        _show_refund(done, as_json=as_json, is_repeated=is_repeated)


@refund_app.command("approve")
def approve_one(refund: RefundNumber, tenant: TenantCode = None, reason: Why = "", as_json: AsJson = False) -> None:
    """Give back the money of a refund that waits."""
    with problems_reported(as_json=as_json):
        done = approve_refund(tenant=open_tenant(tenant), refund_id=refund, actor=find_actor(), reason=reason)
        _show_refund(done, as_json=as_json)


@refund_app.command("reject")
def reject_one(refund: RefundNumber, reason: Why, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Reject a refund that waits."""
    with problems_reported(as_json=as_json):
        done = reject_refund(tenant=open_tenant(tenant), refund_id=refund, actor=find_actor(), reason=reason)
        _show_refund(done, as_json=as_json)


@refund_app.command("list")
def list_refunds(
    tenant: TenantCode = None,
    account: OfAccount = None,
    state: Annotated[RefundState | None, typer.Option("--state", help="Only in this state.")] = None,
    as_json: AsJson = False,
) -> None:
    """List refunds, the latest first."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            account_id = get_account(operator.id, account).account_id if account else None
            rows = find_refunds(tenant_id=operator.id, account_id=account_id, state=state)
        found = [describe_refund(row) for row in rows]
        if as_json:
            print_json({"refunds": found})
            return
        _print_table(found, ("refund", "on", "account", "mode", "amount", "state", "reason"), "refunds")


def _show(found: dict[str, Any], *, as_json: bool, is_repeated: bool = False) -> None:
    if as_json:
        print_json({**found, "repeated": is_repeated})
        return
    console = Console(highlight=False, soft_wrap=True)
    currency = found["currency"]
    console.print(Text(_write_head(found), style="bold"))
    for row in found["settled"]:
        what = f"bill {row['bill']}" if row["bill"] else "a debit without a bill"
        console.print(f"  {row['amount']} settles {what}", markup=False)
    if found["state"] == PaymentState.POSTED.value:
        console.print(f"  {found['not_allocated']} settles nothing yet", markup=False)
    console.print(f"  the balance is {found['balance']} {currency}", markup=False)
    console.print(f"  payment {found['payment']}, by {found['mode']}", markup=False)
    if is_repeated:
        console.print(Text("  It was done before under this key; nothing was done now.", style="yellow"))


def _write_head(found: dict[str, Any]) -> str:
    said = {
        PaymentState.POSTED.value: "Received",
        PaymentState.PENDING.value: "Waits for a second person:",
        PaymentState.REJECTED.value: "Rejected:",
        PaymentState.CANCELLED.value: "Cancelled:",
    }[found["state"]]
    what = f"{found['amount']} {found['currency']} of account {found['account']} on {found['received_on']}"
    return f"{said} {what}."


def _show_refund(found: dict[str, Any], *, as_json: bool, is_repeated: bool = False) -> None:
    if as_json:
        print_json({**found, "repeated": is_repeated})
        return
    again = " It was done before under this key." if is_repeated else ""
    what = f"Refund {found['refund']} of {found['amount']} {found['currency']} to account {found['account']}"
    Console(highlight=False, soft_wrap=True).print(
        f"{what} by {found['mode']} is {found['state']}.{again}", markup=False
    )


def _print_table(rows: list[dict[str, Any]], columns: tuple[str, ...], what: str) -> None:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " ").capitalize(), justify="right" if column == "amount" else "left")
    for row in rows:
        table.add_row(*(Text(str(row[column])) for column in columns))
    Console(highlight=False).print(table if rows else f"There are no {what}.")
