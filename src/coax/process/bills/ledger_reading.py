"""What the journal says of bills: transactions between them, and how far their invoices are settled now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.billing.types.document import BillKey, BillSettlement, SettlementStatus
from coax.ledger.types import TransactionKind
from coax.process.bills.facts import AccountTransaction

_TRANSACTIONS: Final = """
SELECT t.account_id, t.origin_id, t.line, t.kind, t.transaction_date, t.reference, t.amount_minor
FROM unnest(%s::smallint[], %s::bigint[]) AS wanted (bucket, account_id)
JOIN ledger_transaction t ON t.bucket = wanted.bucket AND t.account_id = wanted.account_id
WHERE t.tenant_id = %s AND NOT EXISTS (
    SELECT 1 FROM billing_bill b
    WHERE b.bucket = t.bucket AND b.account_id = t.account_id AND b.run_id = t.origin_id)
ORDER BY t.bucket, t.account_id, t.origin_id, t.line"""
# A bill that holds no invoice stands as its credit notes do.
_SETTLED: Final = """
SELECT t.bucket, t.account_id, t.origin_id, t.kind, sum(t.amount_minor)::bigint, sum(settled.minor)::bigint
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS wanted (bucket, account_id, run_id)
JOIN ledger_transaction t ON t.bucket = wanted.bucket AND t.account_id = wanted.account_id
 AND t.origin_id = wanted.run_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.amount_minor), 0) AS minor FROM ledger_allocation l
    WHERE l.bucket = t.bucket AND l.account_id = t.account_id
      AND ((l.debit_origin_id = t.origin_id AND l.debit_line = t.line)
        OR (l.credit_origin_id = t.origin_id AND l.credit_line = t.line))) AS settled
WHERE t.tenant_id = %s GROUP BY t.bucket, t.account_id, t.origin_id, t.kind ORDER BY t.kind DESC"""


def find_transactions(
    *, tenant_id: int, account_ids: Iterable[int], using: str = "default"
) -> dict[int, tuple[AccountTransaction, ...]]:
    """Return by account the transactions that no bill made, in the order of their keys."""
    wanted = sorted(set(account_ids))
    params = [[bucket_of(account_id) for account_id in wanted], wanted, tenant_id]
    found: defaultdict[int, list[AccountTransaction]] = defaultdict(list)
    for account_id, origin_id, line, kind, on, reference, amount in fetch_rows(_TRANSACTIONS, params, using=using):
        found[account_id].append(AccountTransaction((origin_id, line), TransactionKind(kind), on, reference, amount))
    return {account_id: tuple(transactions) for account_id, transactions in found.items()}


def find_settlements(
    *, tenant_id: int, keys: Sequence[BillKey], using: str = "default"
) -> dict[BillKey, BillSettlement]:
    """Return how far bills are settled now; it is no part of the document, which never changes."""
    params = [
        [key.bucket for key in keys],
        [key.account_id for key in keys],
        [key.run_id for key in keys],
        tenant_id,
    ]
    found: dict[BillKey, BillSettlement] = {}
    for bucket, account_id, run_id, kind, amount, settled in fetch_rows(_SETTLED, params, using=using):
        key = BillKey(bucket, account_id, run_id)
        is_debit = TransactionKind(kind) is TransactionKind.INVOICE
        found.setdefault(key, BillSettlement(_decide_status(amount, settled), amount - settled if is_debit else 0))
    return found


def _decide_status(amount_minor: int, settled_minor: int) -> SettlementStatus:
    if settled_minor >= amount_minor:
        return SettlementStatus.SETTLED
    return SettlementStatus.PARTIALLY_SETTLED if settled_minor > 0 else SettlementStatus.UNSETTLED
