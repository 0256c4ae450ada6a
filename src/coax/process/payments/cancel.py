"""A payment that was no payment: cancelled, so that everything is as if it had not been."""

from __future__ import annotations

from datetime import date
from typing import Any

from coax.base.idempotency import perform_once
from coax.base.tenancy import Tenant, tenant_transaction
from coax.ledger.operations.lock_balance import lock_balance
from coax.ledger.operations.post_debit import post_debit
from coax.ledger.operations.post_transaction import LINE
from coax.ledger.types import TransactionKind
from coax.payment.operations.record_payment import decide_payment
from coax.payment.queries.payments import get_payment
from coax.payment.queries.refunds import sum_given_back
from coax.payment.rules import PaymentRefused, find_transaction
from coax.payment.types import PaymentRow, PaymentState
from coax.process.bills.reading import read_operator
from coax.process.payments.context import MoneyContext, make_money_context
from coax.process.payments.describe import describe_payment


def cancel_payment(
    *,
    tenant: Tenant,
    payment_id: int,
    reason: str,
    actor: str,
    on: date | None = None,
    idempotency_key: str | None = None,
) -> tuple[dict[str, Any], bool]:
    """Cancel a posted payment, such as a cheque that bounced; return it, and whether it was a repetition.

    What it settled is open again. One of which something was moved or given back is not cancelled before that is
    taken back.

    Raises: PaymentUnknown, PaymentRefused, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    given = {"payment": payment_id, "reason": reason, "on": on}
    with tenant_transaction(tenant.id):
        return perform_once(
            tenant_id=tenant.id,
            operation="cancel_payment",
            key=idempotency_key,
            request=given,
            action=lambda: _cancel(make_money_context(tenant, actor=actor), payment_id, reason, on),
        )


def _cancel(context: MoneyContext, payment_id: int, reason: str, on: date | None) -> dict[str, Any]:
    tenant_id = context.tenant.id
    payment = get_payment(tenant_id=tenant_id, payment_id=payment_id)
    lock_balance(tenant_id=tenant_id, account_id=payment.account_id)
    payment = get_payment(tenant_id=tenant_id, payment_id=payment_id)
    day = context.read_day(on)
    _check(payment, reason, day, tenant_id)
    post_debit(
        tenant_id=tenant_id,
        account_id=payment.account_id,
        kind=TransactionKind.PAYMENT_CANCELLATION,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        on=day,
        money=payment.money,
        reference=f"payment {payment_id}: {reason}",
        takes_back=(find_transaction(payment), LINE),
    )
    if not decide_payment(
        payment, PaymentState.CANCELLED, by=context.actor, on=day, reason=reason, tenant_id=tenant_id
    ):
        raise AssertionError("the payment is locked with its account's balance")
    cancelled = get_payment(tenant_id=tenant_id, payment_id=payment_id)
    return describe_payment(cancelled, read_operator(tenant_id).bill_number_prefix, tenant_id=tenant_id)


def _check(payment: PaymentRow, reason: str, day: date, tenant_id: int) -> None:
    if payment.state is not PaymentState.POSTED:
        text = f"payment: {payment.payment_id} is {payment.state}; only one that is posted can be cancelled."
        raise PaymentRefused(text, field="payment", value=payment.payment_id)
    if not reason.strip():
        raise PaymentRefused("reason: say why the payment is cancelled.", field="reason", value=reason)
    if day < payment.received_on:
        text = f"on: {day} is before the payment of {payment.received_on}."
        raise PaymentRefused(text, field="on", value=day)
    if payment.moved_minor or payment.came_from_payment:
        text = f"payment: {payment.payment_id} was moved between accounts; move it back first."
        raise PaymentRefused(text, field="payment", value=payment.payment_id)
    if sum_given_back(tenant_id=tenant_id, account_id=payment.account_id, payment_id=payment.payment_id):
        text = f"payment: money of {payment.payment_id} was given back; it cannot be cancelled."
        raise PaymentRefused(text, field="payment", value=payment.payment_id)
