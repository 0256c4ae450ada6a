"""Moving the balance rows of billed accounts by compare-and-set."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.db import execute
from coax.base.relation import as_relation, bucket_range

COLUMNS: Final = (
    ("account_id", "int8"),
    ("balance_minor", "int8"),
    ("debited_between_minor", "int8"),
    ("credited_between_minor", "int8"),
    ("unallocated_minor", "int8"),
    ("previous_run_id", "int8"),
    ("total_minor", "int8"),
    ("revision", "int4"),
    ("bucket", "int2"),
)
_MOVE: Final = """UPDATE ledger_account_balance b
    SET balance_minor = b.balance_minor + m.total_minor, last_bill_run_id = %s,
        debited_since_bill_minor = 0, credited_since_bill_minor = 0
    FROM {bills} JOIN party_account a ON a.bucket = m.bucket AND a.account_id = m.account_id
    WHERE b.bucket = m.bucket AND b.account_id = m.account_id AND b.tenant_id = %s
      AND b.bucket BETWEEN %s AND %s AND a.bucket BETWEEN %s AND %s
      AND b.balance_minor = m.balance_minor AND b.unallocated_minor = m.unallocated_minor
      AND b.debited_since_bill_minor = m.debited_between_minor
      AND b.credited_since_bill_minor = m.credited_between_minor AND b.last_bill_run_id = m.previous_run_id
      AND a.revision = m.revision AND a.state = 'active'"""


def move_balances(bills: pl.DataFrame, *, tenant_id: int, run_id: int, using: str) -> int:
    """Add each bill to its account's balance where the account stands as it was read; return how many did."""
    source, values = as_relation(bills, COLUMNS, table="balance_move", alias="m", using=using)
    buckets = bucket_range(bills)
    return execute(_MOVE.format(bills=source), [run_id, *values, tenant_id, *buckets, *buckets], using=using)
