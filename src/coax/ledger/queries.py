"""Reading the journal and the balance rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final

import polars as pl

from coax.base.bulk import ReadSize, bind, read_frame
from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.ledger.types import AccountPosition, StatementRow, TransactionKind

_BALANCES: Final = """
SELECT b.account_id, b.balance_minor, b.unallocated_minor,
       b.debited_since_bill_minor AS debited_between_minor, b.credited_since_bill_minor AS credited_between_minor,
       b.last_bill_run_id AS previous_run_id
FROM party_account a JOIN ledger_account_balance b ON b.bucket = a.bucket AND b.account_id = a.account_id
WHERE a.tenant_id = {tenant_id} AND a.bucket BETWEEN {first_bucket} AND {last_bucket}
  AND b.bucket BETWEEN {first_bucket} AND {last_bucket}
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
_POSITION: Final = """
SELECT balance_minor, unallocated_minor, debited_since_bill_minor, credited_since_bill_minor, last_bill_run_id
FROM ledger_account_balance WHERE bucket = %s AND account_id = %s AND tenant_id = %s
"""
# The account's own transactions, newest first; what is open is one sum over its allocations, not one per row.
_STATEMENT: Final = """
WITH settled AS (
    SELECT side.origin_id, side.line, sum(l.amount_minor) AS minor
    FROM ledger_allocation l
    CROSS JOIN LATERAL (VALUES (l.credit_origin_id, l.credit_line), (l.debit_origin_id, l.debit_line))
        AS side (origin_id, line)
    WHERE l.bucket = %(bucket)s AND l.account_id = %(account_id)s AND l.tenant_id = %(tenant_id)s
    GROUP BY side.origin_id, side.line
), signed AS (
    SELECT t.*, CASE WHEN t.kind IN ('invoice', 'refund', 'payment_cancellation') THEN 1 ELSE -1 END AS sign
    FROM ledger_transaction t
    WHERE t.bucket = %(bucket)s AND t.account_id = %(account_id)s AND t.tenant_id = %(tenant_id)s
      AND (%(until)s::date IS NULL OR t.transaction_date <= %(until)s)
)
SELECT * FROM (
SELECT t.origin_id, t.line, t.posted_at, t.transaction_date, t.due_date, t.kind, t.reference,
       b.number AS bill_number, t.sign * t.amount_minor AS amount_minor,
       (sum(t.sign * t.amount_minor) OVER (ORDER BY t.posted_at, t.origin_id, t.line))::bigint AS balance_minor,
       (t.amount_minor - coalesce(s.minor, 0))::bigint AS open_minor
FROM signed t
LEFT JOIN settled s ON s.origin_id = t.origin_id AND s.line = t.line
LEFT JOIN billing_bill b ON b.bucket = t.bucket AND b.account_id = t.account_id AND b.run_id = t.origin_id
) AS t
WHERE %(after_at)s::timestamptz IS NULL
   OR (t.posted_at, t.origin_id, t.line) < (%(after_at)s, %(after_origin)s::bigint, %(after_line)s::smallint)
ORDER BY t.posted_at DESC, t.origin_id DESC, t.line DESC LIMIT %(limit)s
"""
_SETTLED: Final = """
SELECT l.debit_origin_id, l.debit_line, b.number, t.kind, sum(l.amount_minor)::bigint
FROM ledger_allocation l
JOIN ledger_transaction t ON t.bucket = l.bucket AND t.account_id = l.account_id
 AND t.origin_id = l.debit_origin_id AND t.line = l.debit_line
LEFT JOIN billing_bill b ON b.bucket = l.bucket AND b.account_id = l.account_id AND b.run_id = l.debit_origin_id
WHERE l.bucket = %s AND l.account_id = %s AND l.tenant_id = %s AND l.credit_origin_id = %s
GROUP BY l.debit_origin_id, l.debit_line, b.number, t.kind HAVING sum(l.amount_minor) <> 0
ORDER BY min(l.origin_id), min(l.seq)
"""
_ENTRIES: Final = """
SELECT e.origin_id, e.line, e.booked_on, t.kind, t.reference, b.number AS bill_number,
       a.code AS ledger_code, a.name AS ledger_name, e.amount_minor
FROM ledger_entry e
JOIN ledger_transaction t ON t.bucket = e.bucket AND t.account_id = e.account_id
 AND t.origin_id = e.origin_id AND t.line = e.line
JOIN ledger_ledger_account a ON a.id = e.ledger_account_id
LEFT JOIN billing_bill b ON b.bucket = t.bucket AND b.account_id = t.account_id AND b.run_id = t.origin_id
WHERE e.bucket = %(bucket)s AND e.account_id = %(account_id)s AND e.tenant_id = %(tenant_id)s
ORDER BY t.posted_at DESC, e.origin_id DESC, e.line DESC, e.seq LIMIT %(limit)s
"""
STATEMENT_ROWS: Final = 50
STATEMENT_ROWS_MAX: Final = 10_000


class BalanceUnknown(DomainError):
    """The operator has no balance row for this account."""

    code: ClassVar[str] = "balance_unknown"


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


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A leg of a transaction with the ledger account that it is booked to; debits positive, minor units."""

    origin_id: int
    line: int
    booked_on: date
    kind: TransactionKind
    reference: str
    bill_number: int | None
    ledger_code: str
    ledger_name: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SettledRow:
    """So much of a credit settles one debit, which may be an invoice of a bill; minor units."""

    origin_id: int
    line: int
    bill_number: int | None
    kind: TransactionKind
    amount_minor: int

    @property
    def is_taken_back(self) -> bool:
        """Tell whether the debit takes the credit back."""
        return self.kind is TransactionKind.PAYMENT_CANCELLATION


def find_balances(
    *,
    tenant_id: int,
    first_bucket: int,
    last_bucket: int,
    account_ids: tuple[int, ...] = (),
    size: ReadSize = ReadSize.MANY,
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
        ),
        size=size,
    )


def get_balance(*, tenant_id: int, account_id: int, using: str = "default") -> int:
    """Return what an account owes in minor units. Raises: BalanceUnknown."""
    rows = fetch_rows(_POSITION, [bucket_of(account_id), account_id, tenant_id], using=using)
    if not rows:
        raise BalanceUnknown("This operator keeps no such account.", account_id=account_id)
    balance: int = rows[0][0]
    return balance


def find_open_items(*, tenant_id: int, account_ids: list[int], using: str = "default") -> list[OpenItemRow]:
    """Return the transactions of some accounts that are not fully settled."""
    buckets = sorted({account_id & 1023 for account_id in account_ids})
    rows = fetch_rows(_OPEN_ITEMS, [tenant_id, buckets, account_ids], using=using)
    return [OpenItemRow(*row) for row in rows if row[-1] > 0]


def get_ledger_accounts(tenant_id: int, *, using: str = "default") -> dict[str, int]:
    """Return the key of the ledger account of each kind."""
    rows = fetch_rows("SELECT kind, id FROM ledger_ledger_account WHERE tenant_id = %s", [tenant_id], using=using)
    return dict(rows)


def get_position(*, tenant_id: int, account_id: int, as_of: date, using: str = "default") -> AccountPosition:
    """Return how an account stands on a day; `as_of` decides what is past due.

    Raises:
        BalanceUnknown: if the operator keeps no such account.
    """
    rows = fetch_rows(_POSITION, [bucket_of(account_id), account_id, tenant_id], using=using)
    if not rows:
        raise BalanceUnknown("This operator keeps no such account.", account_id=account_id)
    balance, unallocated, debited, credited, last_run = rows[0]
    items = find_open_items(tenant_id=tenant_id, account_ids=[account_id], using=using)
    debits = [item for item in items if item.is_debit]
    return AccountPosition(
        balance_minor=balance,
        unsettled_minor=sum(item.open_minor for item in debits),
        outstanding_minor=sum(item.open_minor for item in debits if (item.due_date or item.transaction_date) < as_of),
        unallocated_minor=unallocated,
        debited_since_bill_minor=debited,
        credited_since_bill_minor=credited,
        last_bill_run_id=last_run,
    )


def find_statement(
    *,
    tenant_id: int,
    account_id: int,
    limit: int = STATEMENT_ROWS,
    until: date | None = None,
    after: tuple[datetime, int, int] | None = None,
    using: str = "default",
) -> list[StatementRow]:
    """Return an account's transactions, the latest first, each with the balance after it, in minor units.

    With `until` only those dated up to that day. `after` are `posted_at`, `origin_id` and `line` of the last row of
    the page before.
    """
    after_at, after_origin, after_line = after or (None, None, None)
    params = {
        "until": until,
        "after_at": after_at,
        "after_origin": after_origin,
        "after_line": after_line,
        "bucket": bucket_of(account_id),
        "account_id": account_id,
        "tenant_id": tenant_id,
        "limit": min(limit, STATEMENT_ROWS_MAX),
    }
    rows = fetch_dicts(_STATEMENT, params, using=using)
    return [StatementRow(**{**row, "kind": TransactionKind(row["kind"])}) for row in rows]


def find_entries(
    *, tenant_id: int, account_id: int, limit: int = STATEMENT_ROWS, using: str = "default"
) -> list[EntryRow]:
    """Return the journal of an account leg by leg, the latest transaction first."""
    params = {
        "bucket": bucket_of(account_id),
        "account_id": account_id,
        "tenant_id": tenant_id,
        "limit": min(limit, STATEMENT_ROWS_MAX),
    }
    rows = fetch_dicts(_ENTRIES, params, using=using)
    return [EntryRow(**{**row, "kind": TransactionKind(row["kind"])}) for row in rows]


def find_settled(*, tenant_id: int, account_id: int, origin_id: int, using: str = "default") -> list[SettledRow]:
    """Return which debits the credit of an origin settles, by how much, in the order in which it did."""
    params = [bucket_of(account_id), account_id, tenant_id, origin_id]
    rows = fetch_rows(_SETTLED, params, using=using)
    return [
        SettledRow(origin_id, line, bill_number, TransactionKind(kind), amount_minor)
        for origin_id, line, bill_number, kind, amount_minor in rows
    ]
