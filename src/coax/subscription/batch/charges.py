"""Marking charges as billed, or credited, by compare-and-set."""

from __future__ import annotations

from typing import Final

from coax.base.db import execute, fetch_rows

Keys = tuple[list[int], list[int], list[int]]
_KEYS: Final = "unnest(%s::smallint[], %s::bigint[], %s::bigint[]) k (bucket, account_id, id)"
_BY_KEY: Final = "c.bucket = k.bucket AND c.account_id = k.account_id AND c.id = k.id"


def mark_billed(keys: Keys, *, run_id: int, using: str) -> int:
    """Mark the charges that nobody has billed or taken back as billed by a run; return how many there were."""
    return execute(
        f"""UPDATE subscription_charge c SET billed_by = %s FROM {_KEYS}
            WHERE {_BY_KEY} AND c.billed_by IS NULL AND c.withdrawn_on IS NULL""",
        [run_id, *keys],
        using=using,
    )


def mark_credited(keys: Keys, *, run_id: int, using: str) -> int:
    """Mark the billed charges that were taken back, and nobody has credited, as credited by a run; return how many."""
    return execute(
        f"""UPDATE subscription_charge c SET credited_by = %s FROM {_KEYS}
            WHERE {_BY_KEY} AND c.billed_by IS NOT NULL AND c.withdrawn_on IS NOT NULL AND c.credited_by IS NULL""",
        [run_id, *keys],
        using=using,
    )


def find_billed(keys: Keys, *, using: str) -> list[int]:
    """Return the accounts of those charges that are billed, or taken back, already."""
    return _find_accounts("c.billed_by IS NOT NULL OR c.withdrawn_on IS NOT NULL", keys, using)


def find_credited(keys: Keys, *, using: str) -> list[int]:
    """Return the accounts of those charges that are credited already."""
    return _find_accounts("c.credited_by IS NOT NULL", keys, using)


def _find_accounts(condition: str, keys: Keys, using: str) -> list[int]:
    rows = fetch_rows(
        f"SELECT DISTINCT c.account_id FROM subscription_charge c JOIN {_KEYS} ON {_BY_KEY} WHERE {condition}",
        list(keys),
        using=using,
    )
    return [row[0] for row in rows]
