"""A payment that waits for a second person: approved and posted, or rejected."""

from __future__ import annotations

from typing import Any

from coax.base.tenancy import Tenant, tenant_transaction
from coax.ledger.operations.lock_balance import lock_balance
from coax.payment.operations.record_payment import decide_payment
from coax.payment.queries.payments import get_payment
from coax.payment.rules import PaymentRefused
from coax.payment.types import NewPayment, PaymentRow, PaymentState
from coax.process.bills.reading import read_operator
from coax.process.payments.context import MoneyContext, make_money_context
from coax.process.payments.describe import describe_payment
from coax.process.payments.receive import check_overpayment, post_received


def approve_payment(*, tenant: Tenant, payment_id: int, actor: str, reason: str = "") -> dict[str, Any]:
    """Post a payment that waits; whoever recorded it cannot. Raises: PaymentUnknown, PaymentRefused."""
    with tenant_transaction(tenant.id):
        context = make_money_context(tenant, actor=actor)
        payment = _take(context, payment_id)
        waiting = _renew(payment)
        check_overpayment(context, waiting)
        posted = post_received(context, waiting)
        _decide(context, payment, PaymentState.POSTED, reason, transaction_id=posted.payment_id)
        return _describe(context, payment_id)


def reject_payment(*, tenant: Tenant, payment_id: int, actor: str, reason: str) -> dict[str, Any]:
    """Reject a payment that waits. Raises: PaymentUnknown, PaymentRefused."""
    if not reason.strip():
        raise PaymentRefused("reason: say why the payment is rejected.", field="reason", value=reason)
    with tenant_transaction(tenant.id):
        context = make_money_context(tenant, actor=actor)
        _decide(context, _take(context, payment_id), PaymentState.REJECTED, reason)
        return _describe(context, payment_id)


def _take(context: MoneyContext, payment_id: int) -> PaymentRow:
    """Return a payment that waits and is for this person to decide on; its account's balance is locked."""
    tenant_id = context.tenant.id
    account_id = get_payment(tenant_id=tenant_id, payment_id=payment_id).account_id
    lock_balance(tenant_id=tenant_id, account_id=account_id)
    payment = get_payment(tenant_id=tenant_id, payment_id=payment_id)
    if payment.state is not PaymentState.PENDING:
        text = f"payment: {payment_id} is {payment.state}; only one that is pending is decided on."
        raise PaymentRefused(text, field="payment", value=payment_id)
    if payment.recorded_by == context.actor:
        text = f"payment: {payment_id} was recorded by {context.actor}; a second person decides on it."
        raise PaymentRefused(text, field="payment", value=payment_id)
    return payment


def _renew(payment: PaymentRow) -> NewPayment:
    return NewPayment(
        payment_id=payment.payment_id,
        account_id=payment.account_id,
        mode=payment.mode,
        payer=payment.payer,
        state=PaymentState.POSTED,
        money=payment.money,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        received_on=payment.received_on,
        reference=payment.reference,
        details=payment.details,
        against_bill=payment.against_bill,
    )


def _decide(
    context: MoneyContext,
    payment: PaymentRow,
    state: PaymentState,
    reason: str,
    *,
    transaction_id: int | None = None,
) -> None:
    is_decided = decide_payment(
        payment,
        state,
        by=context.actor,
        on=context.today,
        reason=reason,
        tenant_id=context.tenant.id,
        transaction_id=transaction_id,
    )
    if not is_decided:
        raise AssertionError("the payment is locked with its account's balance")


def _describe(context: MoneyContext, payment_id: int) -> dict[str, Any]:
    tenant_id = context.tenant.id
    payment = get_payment(tenant_id=tenant_id, payment_id=payment_id)
    return describe_payment(payment, read_operator(tenant_id).bill_number_prefix, tenant_id=tenant_id)
