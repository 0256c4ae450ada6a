"""`coax explain`: the arithmetic of a bill, worked out again from what is stored.

Exit codes: 0 all amounts follow; 1 refused, or one does not; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from coax.base.money import micro_to_decimal, minor_to_decimal
from coax.interfaces.cli.shared import PROBLEM, AsJson, TenantCode, open_tenant, print_json, problems_reported
from coax.process.explain import BillExplanation, InvoiceExplanation, LineExplanation, explain_bill


def explain(
    number: Annotated[str, typer.Argument(metavar="BILL_NUMBER", help="As printed, or only its digits.")],
    line: Annotated[int | None, typer.Option("--line", min=1, help="Only this line.")] = None,
    tenant: TenantCode = None,
    as_json: AsJson = False,
) -> None:
    """Show how the lines and the total of a bill come about, and work them out again."""
    with problems_reported(as_json=as_json):
        bill = explain_bill(tenant=open_tenant(tenant), number=number, line=line)
        if as_json:
            print_json(_describe(bill))
        else:
            _print(bill)
        if bill.all_differences:
            raise typer.Exit(PROBLEM)


def _describe(bill: BillExplanation) -> dict[str, Any]:
    return {
        "bill": bill.number,
        "account": bill.account_code,
        "currency": bill.currency,
        "run": {
            "number": bill.run_number,
            "kind": bill.run_kind,
            "definition": bill.definition,
            "execution_date": bill.execution_date,
            "bill_as_of": bill.bill_as_of,
        },
        "transaction_date": bill.transaction_date,
        "due_date": bill.due_date,
        "total": _minor(bill, bill.total_minor),
        "exact": str(micro_to_decimal(bill.exact_micro)),
        "rounding": str(micro_to_decimal(bill.rounding_micro)),
        "rounding_rule": bill.rounding,
        "invoices": [_describe_invoice(bill, invoice) for invoice in bill.invoices],
        "lines": [line.as_dict() for line in bill.lines],
        "differences": list(bill.all_differences),
    }


def _describe_invoice(bill: BillExplanation, invoice: InvoiceExplanation) -> dict[str, Any]:
    return {
        "invoice": invoice.line,
        "kind": invoice.kind,
        "subscription": invoice.subscription_code,
        "due_date": invoice.due_date,
        "amount": _minor(bill, invoice.amount_minor),
        "net": _minor(bill, invoice.net_minor),
        "tax": _minor(bill, invoice.tax_minor),
        "rounding": _minor(bill, invoice.rounding_minor),
        "exact": str(micro_to_decimal(invoice.exact_micro)),
        "share_of_rounding": str(micro_to_decimal(invoice.rounding_micro)),
    }


def _minor(bill: BillExplanation, amount_minor: int) -> str:
    return str(minor_to_decimal(amount_minor, bill.currency))


def _print(bill: BillExplanation) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(f"Bill {bill.number} of account {bill.account_code}", style="bold"))
    console.print(
        f"  run {bill.run_number} ({bill.run_kind}) by definition {bill.definition}, "
        f"executed {bill.execution_date}, bill as of {bill.bill_as_of}\n"
        f"  transaction date {bill.transaction_date}, due {bill.due_date}"
    )
    for line in bill.lines:
        _print_line(console, line)
    console.print(Text("\nInvoices", style="bold"))
    for invoice in bill.invoices:
        console.print(_describe_invoice_text(bill, invoice))
    console.print(Text("\nTotal", style="bold"))
    console.print(
        f"  {micro_to_decimal(bill.exact_micro)}, {bill.rounding}: "
        f"{micro_to_decimal(bill.rounding_micro)} of rounding = {_minor(bill, bill.total_minor)} {bill.currency}"
    )
    _print_verdict(console, bill)


def _describe_invoice_text(bill: BillExplanation, invoice: InvoiceExplanation) -> str:
    net, tax, rounding = (
        _minor(bill, minor) for minor in (invoice.net_minor, invoice.tax_minor, invoice.rounding_minor)
    )
    return (
        f"  {invoice.line} {invoice.kind.replace('_', ' ')} of subscription {invoice.subscription_code}: "
        f"{micro_to_decimal(invoice.exact_micro)} and {micro_to_decimal(invoice.rounding_micro)} of the rounding "
        f"= {_minor(bill, invoice.amount_minor)} (net {net}, tax {tax}, rounding {rounding})"
    )


def _print_line(console: Console, line: LineExplanation) -> None:
    item = line.item
    service = f" ({item.service_code})" if item.service_code else ""
    head = f"\nLine {item.line}: {item.kind} of {line.product}, subscription {item.subscription_code}{service}"
    console.print(Text(head, style="bold"))
    console.print(
        f"  period [{item.period_from}, {item.period_to}), quantity {item.quantity}, invoice {item.invoice_line}"
    )
    console.print(f"  {line.price_source}")
    for text in line.arithmetic:
        console.print(f"  {text}", markup=False)
    if line.differences:
        console.print(Text(f"  RECOMPUTED: DIFFERENT: {'; '.join(line.differences)}", style="bold red"))
    else:
        console.print(Text("  recomputed: same", style="green"))


def _print_verdict(console: Console, bill: BillExplanation) -> None:
    if not bill.all_differences:
        console.print(Text("  recomputed: same", style="green"))
        return
    console.print(Text("\nThis bill does not follow from what is stored:", style="bold red"))
    for text in bill.all_differences:
        console.print(Text(f"  {text}", style="bold red"))
