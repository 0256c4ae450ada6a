"""Settle debits with open credits."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Final

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of
from coax.ledger.queries import OpenItemRow, find_open_items
from coax.ledger.rules import allocate_fifo
from coax.ledger.types import OpenItem, Settlement

_INSERT: Final = """
INSERT INTO ledger_allocation (bucket, account_id, origin_id, seq, tenant_id, credit_origin_id, credit_line,
                               debit_origin_id, debit_line, amount_minor, allocated_on)
SELECT * FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[], %s::smallint[], %s::int[], %s::bigint[],
                     %s::smallint[], %s::bigint[], %s::smallint[], %s::bigint[], %s::date[])"""


_LAST: Final = """
SELECT coalesce(max(seq), 0)::int FROM ledger_allocation WHERE bucket = %s AND account_id = %s AND origin_id = %s"""


def allocate_credits(
    *,
    tenant_id: int,
    account_ids: list[int],
    origin_id: int,
    on: date,
    against: tuple[int, int | None] | None = None,
    using: str,
) -> int:
    """Settle open debits of the accounts with their open credits, and return how many allocations were made.

    Oldest first (reference 6.1); `against` names a debit (origin, line or None for all of it) to settle before the
    others. The balance row's `unallocated_minor` becomes what remains of the credits.
    """
    if not account_ids:
        return 0
    rows: list[tuple[object, ...]] = []
    left: list[tuple[int, int]] = []
    items = find_open_items(tenant_id=tenant_id, account_ids=account_ids, using=using)
    for account_id, group in groupby(items, key=lambda item: item.account_id):
        settlements, remaining = _settle_account(list(group), against)
        left.append((account_id, remaining))
        if settlements:
            after = find_last_seq(account_id=account_id, origin_id=origin_id, using=using)
            rows += [
                (
                    bucket_of(account_id),
                    account_id,
                    origin_id,
                    after + seq,
                    tenant_id,
                    *_settlement_values(settlement),
                    on,
                )
                for seq, settlement in enumerate(settlements, start=1)
            ]
    store_allocations(rows, using=using)
    store_remaining(left, set(account_ids), tenant_id=tenant_id, using=using)
    return len(rows)


def _settle_account(items: list[OpenItemRow], against: tuple[int, int | None] | None) -> tuple[list[Settlement], int]:
    def open_items(*, is_debit: bool) -> list[OpenItem]:
        return [
            OpenItem(item.origin_id, item.line, item.transaction_date, item.due_date, item.open_minor)
            for item in items
            if item.is_debit is is_debit
        ]

    open_credits = open_items(is_debit=False)
    settlements = allocate_fifo(open_credits, open_items(is_debit=True), against=against)
    settled = sum(settlement.amount_minor for settlement in settlements)
    return settlements, sum(item.open_minor for item in open_credits) - settled


def _settlement_values(settlement: Settlement) -> tuple[int, ...]:
    return (
        settlement.credit_origin_id,
        settlement.credit_line,
        settlement.debit_origin_id,
        settlement.debit_line,
        settlement.amount_minor,
    )


def find_last_seq(*, account_id: int, origin_id: int, using: str) -> int:
    """Return the number of the last allocation that a document made; 0 where there is none."""
    last: int = fetch_rows(_LAST, [bucket_of(account_id), account_id, origin_id], using=using)[0][0]
    return last


def store_allocations(rows: list[tuple[object, ...]], *, using: str) -> None:
    """Append allocations by INSERT: a single action works under row-level security, which refuses COPY."""
    if rows:
        execute(_INSERT, [list(column) for column in zip(*rows, strict=True)], using=using)


def store_remaining(left: list[tuple[int, int]], account_ids: set[int], *, tenant_id: int, using: str) -> None:
    """Set what is unallocated of accounts: (account_id, minor units), nothing for those not named."""
    known = dict(left)
    values = [(account_id, known.get(account_id, 0)) for account_id in sorted(account_ids)]
    execute(
        """UPDATE ledger_account_balance b SET unallocated_minor = v.remaining
           FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) v (bucket, account_id, remaining)
           WHERE b.bucket = v.bucket AND b.account_id = v.account_id AND b.tenant_id = %s
             AND b.unallocated_minor <> v.remaining""",
        [[bucket_of(a) for a, _ in values], [a for a, _ in values], [r for _, r in values], tenant_id],
        using=using,
    )
