"""Post a payment received."""

from __future__ import annotations

from datetime import date

from coax.base.tenancy import APP_ALIAS
from coax.ledger.operations.post_transaction import post_transaction
from coax.ledger.rules import list_legs
from coax.ledger.types import LedgerAccountKind, PostedTransaction, SingleTransaction, TransactionKind


def post_payment(
    *,
    tenant_id: int,
    account_id: int,
    amount_minor: int,
    currency: str,
    on: date,
    reference: str = "",
    money: LedgerAccountKind = LedgerAccountKind.CASH,
    against: tuple[int, int | None] | None = None,
    using: str = APP_ALIAS,
) -> PostedTransaction:
    """Credit an account with money received: `money` against receivable, oldest debt first (reference 6.2, 6.1).

    `against` (origin, line or None for all of it) is what to settle before the rest. The tenant's transaction is open.

    Raises: AmountRefused, BalanceUnknown.
    """
    payment = SingleTransaction(
        account_id=account_id,
        kind=TransactionKind.PAYMENT,
        currency=currency,
        net_minor=amount_minor,
        tax_minor=0,
        legs=list_legs(TransactionKind.PAYMENT, net_minor=amount_minor, counter=money),
        transaction_date=on,
        reference=reference,
    )
    return post_transaction(tenant_id=tenant_id, transaction=payment, against=against, using=using)
