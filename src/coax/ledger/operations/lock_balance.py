"""Keep an account's postings to one transaction."""

from __future__ import annotations

from typing import Final

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.ledger.queries import BalanceUnknown

_LOCK: Final = """
SELECT balance_minor FROM ledger_account_balance WHERE bucket = %s AND account_id = %s AND tenant_id = %s FOR UPDATE"""


def lock_balance(*, tenant_id: int, account_id: int, using: str = APP_ALIAS) -> int:
    """Lock an account's balance row until the transaction ends; return the balance in minor units.

    Raises: BalanceUnknown.
    """
    rows = fetch_rows(_LOCK, [bucket_of(account_id), account_id, tenant_id], using=using)
    if not rows:
        raise BalanceUnknown("This operator keeps no such account.", account_id=account_id)
    balance: int = rows[0][0]
    return balance
