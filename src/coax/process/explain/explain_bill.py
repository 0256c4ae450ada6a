"""Explain a bill from what is stored: run, invoices, rounding, lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from coax.base.errors import DomainError
from coax.base.money import MICRO, currency_scale, micro_to_decimal, minor_to_decimal
from coax.base.rounding import RoundingMethod, round_micro_to_minor
from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.bills import get_bill
from coax.billing.queries.runs import get_run
from coax.billing.types import RunRow
from coax.billing.types.document import BillRow
from coax.configuration.queries import find_versions_by_id
from coax.configuration.types.documents import ConfigurationRow
from coax.ledger.types import DEBIT_KINDS
from coax.process.bills.numbers import compose_bill_number, parse_bill_number
from coax.process.bills.reading import read_operator
from coax.process.explain.lines import TAKEN_FROM, explain_line
from coax.process.explain.reading import find_invoices, find_items, find_items_of_services
from coax.process.explain.types import BillExplanation, InvoiceExplanation, LineExplanation, StoredItem


class LineUnknown(DomainError):
    """The bill has no line of this number."""

    code: ClassVar[str] = "line_unknown"


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a bill is explained from, its lines apart."""

    bill: BillRow
    run: RunRow
    definition: ConfigurationRow | None
    items: Sequence[StoredItem]
    invoices: Sequence[InvoiceExplanation]


def explain_bill(*, tenant: Tenant, number: str, line: int | None = None) -> BillExplanation:
    """Explain the bill with this number, as people write it; with `line` only that rated item of it.

    Raises: InvalidBillNumber, BillUnknown, LineUnknown.
    """
    with tenant_transaction(tenant.id):
        prefix = read_operator(tenant.id).bill_number_prefix
        bill = get_bill(tenant_id=tenant.id, number=parse_bill_number(prefix, number))
        run = get_run(bill.key.run_id)
        items = find_items(tenant.id, bill.key, prefix)
        credited = sorted({item.service_id for item in items if item.kind in TAKEN_FROM})
        lines = _explain_lines(items, find_items_of_services(tenant.id, bill.key, credited, prefix))
        invoices = [_make_invoice(row, items) for row in find_invoices(tenant.id, bill.key)]
        definition = _find_definition(run)
    shown = [row for row in lines if line is None or row.item.line == line]
    if not shown:
        raise LineUnknown(f"Bill {number} has lines 1 to {len(lines)}, not {line}.", line=line)
    return _make_bill(_Facts(bill, run, definition, items, invoices), compose_bill_number(prefix, bill.number), shown)


def _explain_lines(items: Sequence[StoredItem], history: Sequence[StoredItem]) -> list[LineExplanation]:
    keys = {item.product_version_id for item in (*items, *history)}
    keys |= {item.price_version_id for item in (*items, *history) if item.price_version_id is not None}
    versions = {row.version_id: row for row in find_versions_by_id(sorted(keys))}
    return [explain_line(item, versions, history) for item in items]


def _find_definition(run: RunRow) -> ConfigurationRow | None:
    rows = find_versions_by_id([run.catalogue["definition_version_id"]])
    return rows[0] if rows else None


def _make_invoice(row: dict[str, Any], items: Sequence[StoredItem]) -> InvoiceExplanation:
    """Return an invoice with signed amounts: a credit note is negative, as on the bill."""
    sign = 1 if row["kind"] in DEBIT_KINDS else -1
    signed = ("amount_minor", "net_minor", "tax_minor", "rounding_minor", "rounding_micro")
    return InvoiceExplanation(
        line=row["line"],
        kind=row["kind"],
        subscription_code=row["subscription_code"],
        due_date=row["due_date"],
        exact_micro=sum(item.total_micro for item in items if item.invoice_line == row["line"]),
        **{name: sign * row[name] for name in signed},
    )


def _make_bill(facts: _Facts, number: str, lines: Sequence[LineExplanation]) -> BillExplanation:
    bill, run, definition = facts.bill, facts.run, facts.definition
    exact_micro = sum(item.total_micro for item in facts.items)
    assembling = run.definition["assembling"]
    method, decimals = assembling["rounding_method"], assembling["decimal_scale"]
    return BillExplanation(
        number=number,
        account_code=bill.account_code,
        currency=bill.currency,
        run_number=run.number,
        run_kind=run.kind.value,
        definition=f"{definition.code} version {definition.number}" if definition else "(unknown)",
        execution_date=run.execution_date,
        bill_as_of=run.bill_as_of,
        transaction_date=bill.transaction_date,
        due_date=bill.due_date,
        total_minor=bill.total_minor,
        exact_micro=exact_micro,
        rounding_micro=bill.rounding_micro,
        rounding=method.replace("_", " ") + (f" to {decimals} decimals" if decimals is not None else ""),
        invoices=tuple(facts.invoices),
        lines=tuple(lines),
        differences=(*_compare_total(bill, exact_micro, assembling), *_compare_invoices(bill, facts.invoices)),
    )


def _compare_total(bill: BillRow, exact_micro: int, assembling: dict[str, Any]) -> list[str]:
    """Return where the bill's total is not its lines rounded by the run's definition."""
    scale = currency_scale(bill.currency)
    decimals = scale if assembling["decimal_scale"] is None else min(assembling["decimal_scale"], scale)
    expected = round_micro_to_minor(exact_micro, scale, RoundingMethod(assembling["rounding_method"]), decimals)
    found = []
    if bill.total_minor != expected:
        stored, follows = (minor_to_decimal(minor, bill.currency) for minor in (bill.total_minor, expected))
        found.append(f"total of the bill: stored {stored}, follows {follows}")
    rounding_micro = expected * MICRO // 10**scale - exact_micro
    if bill.rounding_micro != rounding_micro:
        stored, follows = micro_to_decimal(bill.rounding_micro), micro_to_decimal(rounding_micro)
        found.append(f"rounding: stored {stored}, follows {follows}")
    return found


def _compare_invoices(bill: BillRow, invoices: Sequence[InvoiceExplanation]) -> list[str]:
    unit_micro = MICRO // 10 ** currency_scale(bill.currency)
    found = [
        f"invoice {row.line}: {minor_to_decimal(row.amount_minor, bill.currency)} is not "
        f"{micro_to_decimal(row.exact_micro)} and its rounding {micro_to_decimal(row.rounding_micro)}"
        for row in invoices
        if row.amount_minor * unit_micro != row.exact_micro + row.rounding_micro
    ]
    invoiced = sum(row.amount_minor for row in invoices)
    if invoiced != bill.total_minor:
        stored, follows = (minor_to_decimal(minor, bill.currency) for minor in (bill.total_minor, invoiced))
        found.append(f"invoices: the bill is {stored}, they are {follows}")
    return found
