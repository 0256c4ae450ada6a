"""What a payment settles, as a person wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coax.base.tenancy import Tenant, tenant_transaction
from coax.billing.queries.bills import get_bill
from coax.ledger.operations.change_allocations import Credit
from coax.ledger.operations.lock_balance import lock_balance
from coax.ledger.operations.post_transaction import LINE
from coax.ledger.operations.reallocate import reallocate
from coax.payment.queries.payments import get_payment
from coax.payment.rules import PaymentRefused
from coax.payment.types import PaymentState
from coax.process.bills.numbers import parse_bill_number
from coax.process.bills.reading import read_operator
from coax.process.payments.context import make_money_context
from coax.process.payments.describe import describe_payment


def allocate_payment(
    *, tenant: Tenant, payment_id: int, bills: Sequence[tuple[str, str]], actor: str
) -> dict[str, Any]:
    """Let a payment settle just these bills by these amounts (major units), in place of what it settled.

    What is left of it settles nothing until the account's next posting.

    Raises: PaymentUnknown, PaymentRefused, BillUnknown, InvalidBillNumber, InvalidAmount, AllocationRefused,
    CreditTooSmall.
    """
    with tenant_transaction(tenant.id):
        context = make_money_context(tenant, actor=actor)
        account_id = get_payment(tenant_id=tenant.id, payment_id=payment_id).account_id
        lock_balance(tenant_id=tenant.id, account_id=account_id)
        payment = get_payment(tenant_id=tenant.id, payment_id=payment_id)
        if payment.state is not PaymentState.POSTED or payment.transaction_id is None or payment.moved_minor:
            text = (
                f"payment: {payment_id} is {payment.state}, {payment.moved_minor} of it moved; it settles as it does."
            )
            raise PaymentRefused(text, field="payment", value=payment_id)
        prefix = read_operator(tenant.id).bill_number_prefix
        wanted = []
        for number, amount in bills:
            bill = get_bill(tenant_id=tenant.id, number=parse_bill_number(prefix, number))
            if bill.key.account_id != payment.account_id:
                text = f"bill: {number} is of account {bill.account_code}, the payment of {payment.account_code}."
                raise PaymentRefused(text, field="bill", value=number)
            wanted.append((bill.key.run_id, None, context.read_amount(amount, payment.currency)))
        credit = Credit(payment.account_id, payment.transaction_id, LINE)
        reallocate(credit, wanted, on=context.today, tenant_id=tenant.id)
        return describe_payment(payment, prefix, tenant_id=tenant.id)
