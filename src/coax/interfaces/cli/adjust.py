"""`coax credit-note`, `coax write-off`: corrections of an account by hand."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console

from coax.interfaces.cli.shared import AsJson, TenantCode, open_tenant, parse_date, print_json, problems_reported
from coax.ledger.types import TransactionKind
from coax.process.adjust_account import AdjustmentRequest, adjust_account

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Code of the account.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the account's postings.")]
On = Annotated[str | None, typer.Option("--on", help="Transaction date; by default the operator's today.")]
Against = Annotated[str | None, typer.Option("--against", help="Bill to settle first; by default the oldest debt.")]
Key = Annotated[str | None, typer.Option("--idempotency-key", help="The same key posts it only once.")]


def credit_note(
    account: Account,
    net: Annotated[str, typer.Argument(metavar="NET", help="Net amount in major units, such as 12.50.")],
    reason: Reason,
    tenant: TenantCode = None,
    tax: Annotated[str, typer.Option("--tax", help="Tax taken back, in major units.")] = "0",
    on: On = None,
    against: Against = None,
    idempotency_key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Credit an account: revenue and tax are taken back."""
    with problems_reported(as_json=as_json):
        request = AdjustmentRequest(
            kind=TransactionKind.CREDIT_NOTE,
            account_code=account,
            net=net,
            tax=tax,
            reason=reason,
            on=parse_date(on, "--on"),
            against_bill=against,
        )
        _post(tenant, request, idempotency_key, as_json=as_json)


def write_off(
    account: Account,
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="In major units, such as 12.50.")],
    reason: Reason,
    tenant: TenantCode = None,
    on: On = None,
    against: Against = None,
    idempotency_key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Write off what an account will not pay."""
    with problems_reported(as_json=as_json):
        request = AdjustmentRequest(
            kind=TransactionKind.WRITE_OFF,
            account_code=account,
            net=amount,
            reason=reason,
            on=parse_date(on, "--on"),
            against_bill=against,
        )
        _post(tenant, request, idempotency_key, as_json=as_json)


def _post(tenant: str | None, request: AdjustmentRequest, key: str | None, *, as_json: bool) -> None:
    posted: dict[str, Any]
    posted, is_repeated = adjust_account(tenant=open_tenant(tenant), request=request, idempotency_key=key)
    if as_json:
        print_json({**posted, "repeated": is_repeated})
        return
    note = " (posted before under this key)" if is_repeated else ""
    Console(highlight=False, soft_wrap=True).print(
        f"{posted['amount']} {posted['currency']} credited to {posted['account']}{note}; "
        f"the balance is {posted['balance']}.",
        markup=False,
    )
