"""Write refunds and what becomes of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from coax.base.db import execute
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.payment.types import NewRefund, RefundRow, RefundState

_KEY: Final = "INSERT INTO payment_refund_key (tenant_id, refund_id, account_id) VALUES (%s, %s, %s)"
_INSERT: Final = """
INSERT INTO payment_refund (bucket, account_id, id, tenant_id, mode, state, money, amount_minor, currency, refunded_on,
    reason, payment_id, transaction_id, asked_by, asked_at, decided_by, decision_reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', '')
"""
_DECIDE: Final = """
UPDATE payment_refund SET state = %s, transaction_id = %s, decided_by = %s, decision_reason = %s, refunded_on = %s
 WHERE bucket = %s AND account_id = %s AND id = %s AND tenant_id = %s AND state = 'pending'
"""


def record_refund(refund: NewRefund, *, tenant_id: int, at: datetime, using: str = APP_ALIAS) -> None:
    """Insert a refund in the open transaction; one that is posted has its transaction's key."""
    execute(_KEY, [tenant_id, refund.refund_id, refund.account_id], using=using)
    execute(
        _INSERT,
        [
            *(bucket_of(refund.account_id), refund.account_id, refund.refund_id, tenant_id, refund.mode),
            *(
                refund.state.value,
                refund.money.value,
                refund.amount_minor,
                refund.currency,
                refund.refunded_on,
                refund.reason,
            ),
            *(refund.payment_id, refund.refund_id if refund.state is RefundState.POSTED else None),
            *(refund.asked_by, at),
        ],
        using=using,
    )


def decide_refund(
    refund: RefundRow,
    state: RefundState,
    *,
    by: str,
    on: date,
    reason: str,
    tenant_id: int,
    transaction_id: int | None = None,
    using: str = APP_ALIAS,
) -> bool:
    """Post or reject a refund that waits; tell whether it still did."""
    key = [bucket_of(refund.account_id), refund.account_id, refund.refund_id, tenant_id]
    return execute(_DECIDE, [state.value, transaction_id, by, reason, on, *key], using=using) == 1
