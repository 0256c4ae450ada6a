"""Post a credit note made by hand."""

from __future__ import annotations

from datetime import date

from coax.base.tenancy import APP_ALIAS
from coax.ledger.operations.post_transaction import post_transaction
from coax.ledger.rules import list_legs
from coax.ledger.types import PostedTransaction, SingleTransaction, TransactionKind


def post_credit_note(
    *,
    tenant_id: int,
    account_id: int,
    net_minor: int,
    tax_minor: int,
    currency: str,
    on: date,
    reference: str = "",
    subscription_id: int | None = None,
    against: tuple[int, int | None] | None = None,
    using: str = APP_ALIAS,
) -> PostedTransaction:
    """Credit an account with revenue and tax taken back; amounts positive. The tenant's transaction is open.

    `against` (origin, line or None for all of it) is what to settle before the rest.

    Raises: AmountRefused, BalanceUnknown.
    """
    note = SingleTransaction(
        account_id=account_id,
        kind=TransactionKind.CREDIT_NOTE,
        currency=currency,
        net_minor=net_minor,
        tax_minor=tax_minor,
        legs=list_legs(TransactionKind.CREDIT_NOTE, net_minor=net_minor, tax_minor=tax_minor),
        transaction_date=on,
        reference=reference,
        subscription_id=subscription_id,
    )
    return post_transaction(tenant_id=tenant_id, transaction=note, against=against, using=using)
