"""Payments and refunds as plain data, for receipts, lists and programs."""

from __future__ import annotations

from typing import Any

from coax.ledger.queries import find_settled, get_balance
from coax.payment.types import PaymentRow, RefundRow
from coax.process.bills.numbers import compose_bill_number
from coax.process.payments.context import write_money


def describe_payment(row: PaymentRow, prefix: str, *, tenant_id: int) -> dict[str, Any]:
    """Return a payment with what it settles now and the account's balance; `prefix` begins the numbers of bills."""

    def money(minor: int) -> str:
        return write_money(minor, row.currency)

    settled = []
    if row.transaction_id is not None:
        settled = find_settled(tenant_id=tenant_id, account_id=row.account_id, origin_id=row.transaction_id)
    of_bills = [one for one in settled if not one.is_taken_back]
    is_open = row.transaction_id is not None
    left = row.amount_minor - sum(one.amount_minor for one in settled) if is_open else 0
    return {
        **_describe_head(row),
        "settled": [
            {
                "bill": compose_bill_number(prefix, one.bill_number) if one.bill_number else None,
                "amount": money(one.amount_minor),
            }
            for one in of_bills
        ],
        "moved": money(row.moved_minor),
        "not_allocated": money(left),
        "balance": money(get_balance(tenant_id=tenant_id, account_id=row.account_id)),
    }


def describe_payment_briefly(row: PaymentRow) -> dict[str, Any]:
    """Return a payment as lists show it."""
    return {**_describe_head(row), "moved": write_money(row.moved_minor, row.currency)}


def describe_refund(row: RefundRow) -> dict[str, Any]:
    """Return a refund."""
    return {
        "refund": row.refund_id,
        "account": row.account_code,
        "mode": row.mode,
        "state": row.state.value,
        "amount": write_money(row.amount_minor, row.currency),
        "currency": row.currency,
        "on": row.refunded_on.isoformat(),
        "reason": row.reason,
        "payment": row.payment_id,
        "asked_by": row.asked_by,
        "decided_by": row.decided_by or None,
        "decision_reason": row.decision_reason,
    }


def _describe_head(row: PaymentRow) -> dict[str, Any]:
    return {
        "payment": row.payment_id,
        "account": row.account_code,
        "mode": row.mode,
        "payer": row.payer.value,
        "state": row.state.value,
        "amount": write_money(row.amount_minor, row.currency),
        "currency": row.currency,
        "received_on": row.received_on.isoformat(),
        "reference": row.reference,
        "details": dict(row.details),
        "came_from_payment": row.came_from_payment,
        "recorded_by": row.recorded_by,
        "recorded_at": row.recorded_at.isoformat(),
        "decided_by": row.decided_by or None,
        "decided_on": row.decided_on.isoformat() if row.decided_on else None,
        "reason": row.reason,
    }
