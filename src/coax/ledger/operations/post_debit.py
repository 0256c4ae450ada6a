"""Post what takes money from an account again: a payment cancelled, money given back."""

from __future__ import annotations

from datetime import date

from coax.base.tenancy import APP_ALIAS
from coax.ledger.operations.post_transaction import post_transaction
from coax.ledger.rules import list_legs
from coax.ledger.types import LedgerAccountKind, PostedTransaction, SingleTransaction, TransactionKind


def post_debit(
    *,
    tenant_id: int,
    account_id: int,
    kind: TransactionKind,
    amount_minor: int,
    currency: str,
    on: date,
    money: LedgerAccountKind,
    reference: str = "",
    takes_back: tuple[int, int] | None = None,
    using: str = APP_ALIAS,
) -> PostedTransaction:
    """Debit an account by a refund or the cancellation of a payment: receivable against `money` (reference 6.2).

    `takes_back` (origin, line) is the credit that is undone by it. The tenant's transaction is open.

    Raises: AmountRefused, BalanceUnknown, CreditTooSmall.
    """
    debit = SingleTransaction(
        account_id=account_id,
        kind=kind,
        currency=currency,
        net_minor=amount_minor,
        tax_minor=0,
        legs=list_legs(kind, net_minor=amount_minor, counter=money),
        transaction_date=on,
        due_date=on,
        reference=reference,
    )
    return post_transaction(tenant_id=tenant_id, transaction=debit, takes_back=takes_back, using=using)
