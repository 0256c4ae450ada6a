"""Numbers that people read: per tenant and series, without holes; and identifiers in blocks."""

from __future__ import annotations

from typing import Literal

from coax.base.db import execute, fetch_rows

Sequence = Literal["base_account_seq", "base_object_seq", "base_document_seq"]


def next_ids(sequence: Sequence, count: int, *, using: str = "default") -> list[int]:
    """Return `count` fresh identifiers in rising order."""
    rows = fetch_rows(f"SELECT nextval('{sequence}') FROM generate_series(1, %s)", [count], using=using)
    return sorted(row[0] for row in rows)


def reserve_numbers(*, tenant_id: int, series: str, count: int, using: str = "default") -> list[int]:
    """Reserve `count` numbers of a series, those left over by earlier reservations first.

    The series' row stays locked until the transaction ends, so a rolled-back reservation leaves no hole.
    """
    if count == 1:
        return [_reserve_one(tenant_id, series, using)]
    gaps = fetch_rows(
        """DELETE FROM base_number_gap g USING (
               SELECT number FROM base_number_gap WHERE tenant_id = %s AND series = %s
               ORDER BY number LIMIT %s FOR UPDATE) f
           WHERE g.tenant_id = %s AND g.series = %s AND g.number = f.number RETURNING g.number""",
        [tenant_id, series, count, tenant_id, series],
        using=using,
    )
    fresh = count - len(gaps)
    last = fetch_rows(
        """INSERT INTO base_number_series (tenant_id, series, next_number) VALUES (%s, %s, 1 + %s)
           ON CONFLICT (tenant_id, series) DO UPDATE SET next_number = base_number_series.next_number + %s
           RETURNING next_number - 1""",
        [tenant_id, series, fresh, fresh],
        using=using,
    )[0][0]
    return sorted([row[0] for row in gaps] + list(range(last - fresh + 1, last + 1)))


def _reserve_one(tenant_id: int, series: str, using: str) -> int:
    """Take the lowest number left over, or the next one, in one statement."""
    number: int = fetch_rows(
        """WITH gap AS (
               DELETE FROM base_number_gap g USING (
                   SELECT number FROM base_number_gap WHERE tenant_id = %s AND series = %s
                   ORDER BY number LIMIT 1 FOR UPDATE) f
               WHERE g.tenant_id = %s AND g.series = %s AND g.number = f.number RETURNING g.number),
           fresh AS (
               INSERT INTO base_number_series (tenant_id, series, next_number)
               SELECT %s, %s, 2 WHERE NOT EXISTS (SELECT FROM gap)
               ON CONFLICT (tenant_id, series) DO UPDATE SET next_number = base_number_series.next_number + 1
               RETURNING next_number - 1)
           SELECT * FROM gap UNION ALL SELECT * FROM fresh""",
        [tenant_id, series] * 3,
        using=using,
    )[0][0]
    return number


def return_numbers(*, tenant_id: int, series: str, numbers: list[int], using: str = "default") -> None:
    """Give reserved numbers back; the next reservation takes them first."""
    if numbers:
        execute(
            "INSERT INTO base_number_gap (tenant_id, series, number) SELECT %s, %s, unnest(%s::bigint[])",
            [tenant_id, series, numbers],
            using=using,
        )
