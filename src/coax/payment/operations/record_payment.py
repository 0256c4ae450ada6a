"""Write payments and what becomes of them."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Final

from coax.base.db import execute
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.payment.types import NewPayment, PaymentRow, PaymentState

_KEY: Final = "INSERT INTO payment_payment_key (tenant_id, payment_id, account_id) VALUES (%s, %s, %s)"
_INSERT: Final = """
INSERT INTO payment_payment (bucket, account_id, id, tenant_id, mode, payer, state, money, amount_minor, moved_minor,
    currency, received_on, reference, details, transaction_id, against_bill, came_from_account, came_from_payment,
    recorded_by, recorded_at, decided_by, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s, '', '')
"""
_MOVE: Final = """
UPDATE payment_payment SET moved_minor = moved_minor + %s
 WHERE bucket = %s AND account_id = %s AND id = %s AND tenant_id = %s AND state = 'posted'
   AND moved_minor + %s <= amount_minor
"""
_DECIDE: Final = """
UPDATE payment_payment SET state = %s, transaction_id = coalesce(%s, transaction_id), decided_by = %s, decided_on = %s,
       reason = %s
 WHERE bucket = %s AND account_id = %s AND id = %s AND tenant_id = %s AND state = %s
"""


def record_payment(payment: NewPayment, *, tenant_id: int, at: datetime, using: str = APP_ALIAS) -> None:
    """Insert a payment in the open transaction; one that is posted has its transaction's key."""
    origin_account, origin_payment = payment.came_from or (None, None)
    execute(_KEY, [tenant_id, payment.payment_id, payment.account_id], using=using)
    execute(
        _INSERT,
        [
            *(bucket_of(payment.account_id), payment.account_id, payment.payment_id, tenant_id, payment.mode),
            *(payment.payer.value, payment.state.value, payment.money.value, payment.amount_minor),
            *(payment.currency, payment.received_on),
            *(payment.reference, json.dumps(dict(payment.details))),
            payment.payment_id if payment.state is PaymentState.POSTED else None,
            *(payment.against_bill, origin_account, origin_payment, payment.recorded_by, at),
        ],
        using=using,
    )


def move_payment(payment: PaymentRow, amount_minor: int, *, tenant_id: int, using: str = APP_ALIAS) -> bool:
    """Note that so much of a posted payment went to another account; tell whether it had that much left."""
    key = [bucket_of(payment.account_id), payment.account_id, payment.payment_id, tenant_id]
    return execute(_MOVE, [amount_minor, *key, amount_minor], using=using) == 1


def decide_payment(
    payment: PaymentRow,
    state: PaymentState,
    *,
    by: str,
    on: date,
    reason: str,
    tenant_id: int,
    transaction_id: int | None = None,
    using: str = APP_ALIAS,
) -> bool:
    """Take a payment from the state that it was read in to another one; tell whether it was still there."""
    key = [bucket_of(payment.account_id), payment.account_id, payment.payment_id, tenant_id]
    return execute(_DECIDE, [state.value, transaction_id, by, on, reason, *key, payment.state.value], using=using) == 1
