"""Money that came to the wrong account goes to the right one, through the clearing account."""

from __future__ import annotations

from typing import Any

from coax.base.idempotency import perform_once
from coax.base.tenancy import Tenant, tenant_transaction
from coax.ledger.operations.lock_balance import lock_balance
from coax.ledger.operations.post_debit import post_debit
from coax.ledger.operations.post_transaction import LINE
from coax.ledger.types import LedgerAccountKind, TransactionKind
from coax.party.queries.accounts import get_account
from coax.party.types import AccountRow
from coax.payment.operations.record_payment import move_payment, record_payment
from coax.payment.queries.payments import get_payment
from coax.payment.queries.refunds import sum_given_back
from coax.payment.rules import PaymentRefused, find_transaction
from coax.payment.types import NewPayment, PaymentRow, PaymentState
from coax.process.bills.reading import read_operator
from coax.process.payments.context import MoneyContext, make_money_context, write_money
from coax.process.payments.describe import describe_payment
from coax.process.payments.receive import post_received


def transfer_payment(
    *,
    tenant: Tenant,
    payment_id: int,
    to_account: str,
    actor: str,
    amount: str | None = None,
    reason: str = "",
    idempotency_key: str | None = None,
) -> tuple[dict[str, Any], bool]:
    """Move a payment, or so much of it, to another account; return the payment that it makes there.

    What it settled on the old account is open again as far as the money is gone. Both balances are locked in the order
    of their keys; either account's books can be proved by themselves.

    Raises: PaymentUnknown, AccountUnknown, InvalidAmount, PaymentRefused, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    given = {"payment": payment_id, "to": to_account, "amount": amount, "reason": reason}
    with tenant_transaction(tenant.id):
        return perform_once(
            tenant_id=tenant.id,
            operation="transfer_payment",
            key=idempotency_key,
            request=given,
            action=lambda: _transfer(make_money_context(tenant, actor=actor), payment_id, to_account, amount, reason),
        )


def _transfer(
    context: MoneyContext, payment_id: int, to_account: str, amount: str | None, reason: str
) -> dict[str, Any]:
    tenant_id = context.tenant.id
    source = get_payment(tenant_id=tenant_id, payment_id=payment_id)
    target = get_account(tenant_id, to_account)
    for account_id in sorted({source.account_id, target.account_id}):
        lock_balance(tenant_id=tenant_id, account_id=account_id)
    source = get_payment(tenant_id=tenant_id, payment_id=payment_id)
    amount_minor = _check(context, source, target, amount)
    post_debit(
        tenant_id=tenant_id,
        account_id=source.account_id,
        kind=TransactionKind.PAYMENT_CANCELLATION,
        amount_minor=amount_minor,
        currency=source.currency,
        on=context.today,
        money=LedgerAccountKind.CLEARING,
        reference=f"payment {payment_id} to {target.code}",
        takes_back=(find_transaction(source), LINE),
    )
    if not move_payment(source, amount_minor, tenant_id=tenant_id):
        raise AssertionError("the payment is locked with its account's balance")
    moved = NewPayment(
        payment_id=0,
        account_id=target.account_id,
        mode=source.mode,
        payer=source.payer,
        state=PaymentState.POSTED,
        money=LedgerAccountKind.CLEARING,
        amount_minor=amount_minor,
        currency=source.currency,
        received_on=context.today,
        reference=reason or f"payment {payment_id} from {source.account_code}",
        details=source.details,
        came_from=(source.account_id, payment_id),
        recorded_by=context.actor,
    )
    moved = post_received(context, moved)
    record_payment(moved, tenant_id=tenant_id, at=context.now)
    row = get_payment(tenant_id=tenant_id, payment_id=moved.payment_id)
    return describe_payment(row, read_operator(tenant_id).bill_number_prefix, tenant_id=tenant_id)


def _check(context: MoneyContext, source: PaymentRow, target: AccountRow, amount: str | None) -> int:
    """Return the amount to be moved in minor units. Raises: InvalidAmount, PaymentRefused."""
    if source.state is not PaymentState.POSTED:
        text = f"payment: {source.payment_id} is {source.state}; only one that is posted can be moved."
        raise PaymentRefused(text, field="payment", value=source.payment_id)
    if target.account_id == source.account_id:
        raise PaymentRefused(f"account: the payment is on {target.code} already.", field="account", value=target.code)
    if target.currency != source.currency:
        text = f"account: {target.code} is in {target.currency}, the payment in {source.currency}."
        raise PaymentRefused(text, field="account", value=target.code)
    given = sum_given_back(tenant_id=context.tenant.id, account_id=source.account_id, payment_id=source.payment_id)
    left = source.amount_minor - source.moved_minor - given
    wanted = left if amount is None else context.read_amount(amount, source.currency)
    if not 0 < wanted <= left:
        text = f"amount: {write_money(left, source.currency)} {source.currency} of the payment are left to be moved."
        raise PaymentRefused(text, field="amount", value=amount)
    return wanted
