"""Reading runs, their tasks and outcomes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.billing.types import OPEN_STATES, RunCriteria, RunKind, RunRow, RunState

_COLUMNS: Final = """id, tenant_id, number, kind, state, is_dry, execution_date, bill_as_of, transaction_date, due_date,
    criteria, definition, catalogue, parts, totals, created_by, created_at, finished_at"""


class RunUnknown(DomainError):
    """No run has this number."""

    code: ClassVar[str] = "run_unknown"


@dataclass(frozen=True, slots=True)
class PartRow:
    """A task of a run: its range of buckets, the step it has reached, its sums."""

    part: int
    state: str
    first_bucket: int
    last_bucket: int
    numbers: tuple[tuple[int, int], ...]
    accounts: int


def get_run(run_id: int, *, using: str = "default") -> RunRow:
    """Return a run by key. Raises: RunUnknown."""
    rows = fetch_rows(f"SELECT {_COLUMNS} FROM billing_run WHERE id = %s", [run_id], using=using)
    if not rows:
        raise RunUnknown(f"There is no run with the key {run_id}.", run=run_id)
    return _run(rows[0])


def get_run_by_number(*, tenant_id: int, number: int, using: str = "default") -> RunRow:
    """Return a run by its number. Raises: RunUnknown, which names the latest one."""
    rows = fetch_rows(
        f"SELECT {_COLUMNS} FROM billing_run WHERE tenant_id = %s AND number = %s",
        [tenant_id, number],
        using=using,
    )
    if not rows:
        latest = fetch_rows("SELECT max(number) FROM billing_run WHERE tenant_id = %s", [tenant_id], using=using)[0][0]
        raise RunUnknown(f"There is no run {number}; the latest is {latest or 'none yet'}.", run=number)
    return _run(rows[0])


def list_runs(*, tenant_id: int, before: int | None = None, limit: int = 50, using: str = "default") -> list[RunRow]:
    """Return the latest runs first; `before` is the number of the last run of the page before."""
    rows = fetch_rows(
        f"""SELECT {_COLUMNS} FROM billing_run
            WHERE tenant_id = %s AND (%s::bigint IS NULL OR number < %s) ORDER BY number DESC LIMIT %s""",
        [tenant_id, before, before, limit],
        using=using,
    )
    return [_run(row) for row in rows]


def find_open_run(*, tenant_id: int, using: str = "default") -> RunRow | None:
    """Return the batch run that has begun and not ended, if there is one."""
    rows = fetch_rows(
        f"""SELECT {_COLUMNS} FROM billing_run WHERE tenant_id = %s AND kind = 'batch' AND NOT is_dry
            AND state = ANY(%s)""",
        [tenant_id, [state.value for state in OPEN_STATES]],
        using=using,
    )
    return _run(rows[0]) if rows else None


def find_previous_bill_as_of(
    *, tenant_id: int, criteria: RunCriteria, using: str = "default"
) -> tuple[date, int] | None:
    """Return the bill-as-of date of the latest batch run with the same criteria, and the first one's day of the month.

    Runs with the same criteria are a series of their own: one of some subscribers does not move all the others on.
    """
    rows = fetch_rows(
        """SELECT max(bill_as_of), (array_agg(bill_as_of ORDER BY number))[1] FROM billing_run
           WHERE tenant_id = %s AND kind = 'batch' AND state = 'completed' AND criteria = %s::jsonb""",
        [tenant_id, json.dumps(criteria.as_dict())],
        using=using,
    )
    latest, first = rows[0]
    return (latest, first.day) if latest else None


def find_parts(run_id: int, *, using: str = "default") -> list[PartRow]:
    """Return the tasks of a run in their order."""
    rows = fetch_rows(
        """SELECT part, state, first_bucket, last_bucket, numbers, accounts FROM billing_run_part
           WHERE run_id = %s ORDER BY part""",
        [run_id],
        using=using,
    )
    return [
        PartRow(part, state, first, last, tuple((a, b) for a, b in _json(numbers)), accounts)
        for part, state, first, last, numbers, accounts in rows
    ]


def get_progress(run_id: int, *, using: str = "default") -> dict[str, Any]:
    """Return the sums over a run's tasks, and how many tasks stand in each state."""
    sums = fetch_dicts(
        """SELECT coalesce(sum(services), 0)::bigint AS services, coalesce(sum(due), 0)::bigint AS due,
                  coalesce(sum(billed), 0)::bigint AS billed, coalesce(sum(pending), 0)::bigint AS pending,
                  coalesce(sum(refused), 0)::bigint AS refused, coalesce(sum(accounts), 0)::bigint AS bills,
                  coalesce(sum(invoices), 0)::bigint AS invoices, coalesce(sum(items), 0)::bigint AS items,
                  coalesce(sum(net_micro), 0)::bigint AS net_micro, coalesce(sum(tax_micro), 0)::bigint AS tax_micro,
                  coalesce(sum(rounding_micro), 0)::bigint AS rounding_micro,
                  coalesce(sum(total_minor), 0)::bigint AS total_minor,
                  count(*) AS parts, count(*) FILTER (WHERE state = 'posted') AS posted,
                  count(*) FILTER (WHERE staged_at IS NOT NULL) AS staged
           FROM billing_run_part WHERE run_id = %s""",
        [run_id],
        using=using,
    )[0]
    return {name: int(value) for name, value in sums.items()}


def list_outcomes(
    *, tenant_id: int, run_id: int, outcome: str | None = None, limit: int = 1000, using: str = "default"
) -> list[dict[str, Any]]:
    """Return what a run did not bill, with account and subscription codes and the reason."""
    return fetch_dicts(
        """SELECT o.outcome, o.reason, o.detail, o.amount_micro, a.code AS account_code, a.account_id,
                  coalesce(s.code, c.code) AS service_code, u.code AS subscription_code
           FROM billing_run_outcome o
           JOIN party_account a ON a.bucket = o.bucket AND a.account_id = o.account_id
           LEFT JOIN subscription_service s
             ON s.bucket = o.bucket AND s.account_id = o.account_id AND s.id = o.service_id
           LEFT JOIN subscription_charge c
             ON c.bucket = o.bucket AND c.account_id = o.account_id AND c.id = o.service_id
           LEFT JOIN subscription_billable u
             ON u.bucket = o.bucket AND u.account_id = o.account_id
            AND u.id = coalesce(s.subscription_id, c.subscription_id, c.job_id)
           WHERE o.tenant_id = %s AND o.run_id = %s AND (%s::text IS NULL OR o.outcome = %s)
           ORDER BY o.outcome DESC, o.reason, a.code, o.line LIMIT %s""",
        [tenant_id, run_id, outcome, outcome, limit],
        using=using,
    )


def _run(row: tuple[Any, ...]) -> RunRow:
    values = list(row)
    values[3], values[4] = RunKind(row[3]), RunState(row[4])
    values[10] = RunCriteria.from_dict(_json(row[10]))
    for place in (11, 12, 14):
        values[place] = _json(row[place])
    return RunRow(*values)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
