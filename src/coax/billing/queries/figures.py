"""Figures of months, taken from the sums that completed runs keep: no bill is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from coax.base.db import fetch_rows

MONTHS: Final = 12
_MONTHS: Final = """
SELECT date_trunc('month', transaction_date)::date AS month, count(*),
       coalesce(sum((totals ->> 'bills')::bigint), 0)::bigint,
       coalesce(sum((totals ->> 'total_minor')::bigint), 0)::bigint,
       coalesce(sum((totals ->> 'refused')::bigint), 0)::bigint
FROM billing_run WHERE tenant_id = %s AND state = 'completed'
GROUP BY 1 ORDER BY 1 DESC LIMIT %s"""


@dataclass(frozen=True, slots=True)
class MonthRow:
    """What was billed with transaction dates of a month; `total_minor` in minor units, credits taken off."""

    month: date
    runs: int
    bills: int
    total_minor: int
    refused: int


def find_months(*, tenant_id: int, limit: int = MONTHS, using: str = "default") -> list[MonthRow]:
    """Return the latest months in which something was billed, the latest first."""
    return [MonthRow(*row) for row in fetch_rows(_MONTHS, [tenant_id, limit], using=using)]
