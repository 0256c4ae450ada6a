"""Write off what an account will not pay."""

from __future__ import annotations

from datetime import date

from coax.base.tenancy import APP_ALIAS
from coax.ledger.operations.post_transaction import post_transaction
from coax.ledger.rules import list_legs
from coax.ledger.types import PostedTransaction, SingleTransaction, TransactionKind


def write_off(
    *,
    tenant_id: int,
    account_id: int,
    amount_minor: int,
    currency: str,
    on: date,
    reference: str = "",
    against: tuple[int, int | None] | None = None,
    using: str = APP_ALIAS,
) -> PostedTransaction:
    """Credit an account at the expense of the write-off account. The tenant's transaction is open.

    `against` (origin, line or None for all of it) is what to settle before the rest.

    Raises: AmountRefused, BalanceUnknown.
    """
    loss = SingleTransaction(
        account_id=account_id,
        kind=TransactionKind.WRITE_OFF,
        currency=currency,
        net_minor=amount_minor,
        tax_minor=0,
        legs=list_legs(TransactionKind.WRITE_OFF, net_minor=amount_minor),
        transaction_date=on,
        reference=reference,
    )
    return post_transaction(tenant_id=tenant_id, transaction=loss, against=against, using=using)
