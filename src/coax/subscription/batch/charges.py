"""Marking charges as billed by compare-and-set."""

from __future__ import annotations

from coax.base.db import execute, fetch_rows


def mark_billed(buckets: list[int], account_ids: list[int], ids: list[int], *, run_id: int, using: str) -> int:
    """Mark the charges that nobody has billed as billed by a run, and return how many there were."""
    return execute(
        """UPDATE subscription_charge c SET billed_by = %s
           FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) k (bucket, account_id, id)
           WHERE c.bucket = k.bucket AND c.account_id = k.account_id AND c.id = k.id AND c.billed_by IS NULL""",
        [run_id, buckets, account_ids, ids],
        using=using,
    )


def find_billed(buckets: list[int], account_ids: list[int], ids: list[int], *, using: str) -> list[int]:
    """Return the accounts of those charges that are billed already."""
    rows = fetch_rows(
        """SELECT DISTINCT c.account_id FROM subscription_charge c
           JOIN unnest(%s::smallint[], %s::bigint[], %s::bigint[]) k (bucket, account_id, id)
             ON c.bucket = k.bucket AND c.account_id = k.account_id AND c.id = k.id
           WHERE c.billed_by IS NOT NULL""",
        [buckets, account_ids, ids],
        using=using,
    )
    return [row[0] for row in rows]
