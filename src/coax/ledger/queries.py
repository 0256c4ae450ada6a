"""Reading the journal and the balance rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from coax.base.bulk import bind, read_frame
from coax.base.db import fetch_rows

_BALANCES: Final = """
SELECT b.account_id, b.balance_minor, b.unallocated_minor,
       b.debited_since_bill_minor AS debited_between_minor, b.credited_since_bill_minor AS credited_between_minor,
       b.last_bill_run_id AS previous_run_id
FROM party_account a JOIN ledger_account_balance b ON b.bucket = a.bucket AND b.account_id = a.account_id
WHERE a.tenant_id = {tenant_id} AND a.bucket BETWEEN {first_bucket} AND {last_bucket}
"""
_OPEN_ITEMS: Final = """
SELECT t.bucket, t.account_id, t.origin_id, t.line, t.transaction_date, t.due_date,
       t.kind IN ('invoice', 'refund', 'payment_cancellation') AS is_debit,
       t.amount_minor - coalesce((
           SELECT sum(l.amount_minor) FROM ledger_allocation l
           WHERE l.bucket = t.bucket AND l.account_id = t.account_id
             AND ((l.debit_origin_id = t.origin_id AND l.debit_line = t.line)
               OR (l.credit_origin_id = t.origin_id AND l.credit_line = t.line))), 0)::bigint AS open_minor
FROM ledger_transaction t
WHERE t.tenant_id = %s AND t.bucket = ANY(%s) AND t.account_id = ANY(%s)
ORDER BY t.bucket, t.account_id, t.origin_id, t.line
"""


@dataclass(frozen=True, slots=True)
class OpenItemRow:
    """A financial transaction with what is still open of it, in minor units."""

    bucket: int
    account_id: int
    origin_id: int
    line: int
    transaction_date: date
    due_date: date | None
    is_debit: bool
    open_minor: int


def find_balances(
    *, tenant_id: int, first_bucket: int, last_bucket: int, account_ids: tuple[int, ...] = ()
) -> pl.DataFrame:
    """Return the balance rows of a range of buckets, in minor units."""
    sql = _BALANCES + (" AND a.account_id = ANY({account_ids})" if account_ids else "")
    return read_frame(
        bind(
            sql,
            tenant_id=tenant_id,
            first_bucket=first_bucket,
            last_bucket=last_bucket,
            account_ids=list(account_ids),
        )
    )


def find_open_items(*, tenant_id: int, account_ids: list[int], using: str = "default") -> list[OpenItemRow]:
    """Return the transactions of some accounts that are not fully settled."""
    buckets = sorted({account_id & 1023 for account_id in account_ids})
    rows = fetch_rows(_OPEN_ITEMS, [tenant_id, buckets, account_ids], using=using)
    return [OpenItemRow(*row) for row in rows if row[-1] > 0]


def get_ledger_accounts(tenant_id: int, *, using: str = "default") -> dict[str, int]:
    """Return the key of the ledger account of each kind."""
    rows = fetch_rows("SELECT kind, id FROM ledger_ledger_account WHERE tenant_id = %s", [tenant_id], using=using)
    return dict(rows)
