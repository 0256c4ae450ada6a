"""Bills in lists as plain data, with how far each is settled now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coax.base.money import minor_to_decimal
from coax.billing.types.document import BillRow, BillSettlement
from coax.process.bills.ledger_reading import find_settlements
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.reading import read_operator


def describe_bills(*, tenant_id: int, rows: Sequence[BillRow]) -> list[dict[str, Any]]:
    """Return bills with number, dates, totals and settlement; a transaction is open."""
    settlements = find_settlements(tenant_id=tenant_id, keys=[row.key for row in rows])
    prefix = read_operator(tenant_id).bill_number_prefix
    return [_describe(row, settlements.get(row.key), prefix) for row in rows]


def _describe(row: BillRow, settlement: BillSettlement | None, prefix: str) -> dict[str, Any]:
    return {
        "number": compose_bill_number(prefix, row.number),
        "run": row.run_number,
        "account": row.account_code,
        "bill_date": row.transaction_date,
        "due_date": row.due_date,
        "currency": row.currency,
        "total": str(minor_to_decimal(row.total_minor, row.currency)),
        "total_to_be_paid": str(minor_to_decimal(row.to_pay_minor, row.currency)),
        "classification": row.classification.value,
        "status": settlement.status.value if settlement else None,
        "unsettled": str(minor_to_decimal(settlement.unsettled_minor if settlement else 0, row.currency)),
    }
