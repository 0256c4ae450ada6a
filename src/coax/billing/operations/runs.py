"""Create, move on and end runs."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, ClassVar

from django.db import IntegrityError, transaction

from coax.base.db import execute
from coax.base.errors import DomainError
from coax.base.ids import BUCKETS, bucket_of
from coax.base.numbers import next_ids, reserve_numbers
from coax.billing.queries.runs import find_open_run, find_parts
from coax.billing.types import RunCriteria, RunKind, RunState

RUN_SERIES = "billing_run"
BILL_SERIES = "bill"


class RunAlreadyOpen(DomainError):
    """Another run of this operator has begun and not ended."""

    code: ClassVar[str] = "run_already_open"


def create_run(
    *,
    tenant_id: int,
    kind: RunKind,
    is_dry: bool,
    execution_date: date,
    bill_as_of: date,
    transaction_date: date,
    due_date: date,
    criteria: RunCriteria,
    definition: dict[str, Any],
    catalogue: dict[str, Any],
    parts: int,
    actor: str,
    using: str,
) -> int:
    """Create a run in state draft with its tasks, ranges of buckets that together are all, and return its key.

    Raises: RunAlreadyOpen.
    """
    run_id = next_ids("base_document_seq", 1, using=using)[0]
    values = (
        run_id,
        tenant_id,
        kind.value,
        is_dry,
        execution_date,
        bill_as_of,
        transaction_date,
        due_date,
        json.dumps(criteria.as_dict()),
        json.dumps(definition),
        json.dumps(catalogue),
        parts,
        actor,
    )
    try:
        with transaction.atomic(using=using):
            number = reserve_numbers(tenant_id=tenant_id, series=RUN_SERIES, count=1, using=using)[0]
            execute(
                """INSERT INTO billing_run (id, tenant_id, kind, is_dry, execution_date, bill_as_of,
                       transaction_date, due_date, criteria, definition, catalogue, parts, created_by,
                       number, state, totals, created_at)
                   VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'draft', '{}', now())""",
                [*values, number],
                using=using,
            )
    except IntegrityError as error:
        if "run_is_the_only_open_one" not in str(error):
            raise
        raise _already_open(tenant_id, using) from error
    _create_parts(tenant_id=tenant_id, run_id=run_id, ranges=_split_buckets(parts, criteria), using=using)
    return run_id


def _already_open(tenant_id: int, using: str) -> RunAlreadyOpen:
    run = find_open_run(tenant_id=tenant_id, using=using)
    if run is None:
        return RunAlreadyOpen("Another run has just begun and ended; start this one again.")
    return RunAlreadyOpen(
        f"Run {run.number} (bill as of {run.bill_as_of}) has reached {run.state.value} and is not ended: "
        f"resume it with --resume {run.number}, or cancel it.",
        run=run.number,
        state=run.state.value,
    )


def _split_buckets(parts: int, criteria: RunCriteria) -> list[tuple[int, int]]:
    """Return the ranges of the tasks: all buckets, or those between which the accounts named lie."""
    if criteria.account_ids:
        buckets = [bucket_of(account_id) for account_id in criteria.account_ids]
        return [(min(buckets), max(buckets))]
    return [(part * BUCKETS // parts, (part + 1) * BUCKETS // parts - 1) for part in range(parts)]


def _create_parts(*, tenant_id: int, run_id: int, ranges: list[tuple[int, int]], using: str) -> None:
    for part, (first, last) in enumerate(ranges):
        execute(
            """INSERT INTO billing_run_part (run_id, part, tenant_id, state, first_bucket, last_bucket, numbers,
                   services, due, billed, pending, refused, accounts, invoices, items,
                   net_micro, tax_micro, rounding_micro, total_minor)
               VALUES (%s, %s, %s, 'draft', %s, %s, '[]', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)""",
            [run_id, part, tenant_id, first, last],
            using=using,
        )


def set_run_state(*, run_id: int, state: RunState, using: str, totals: dict[str, Any] | None = None) -> None:
    """Record the state that a run has reached; with totals when it ends."""
    is_end = state in {RunState.COMPLETED, RunState.CANCELLED}
    execute(
        """UPDATE billing_run SET state = %s, totals = coalesce(%s::jsonb, totals),
               finished_at = CASE WHEN %s THEN now() END WHERE id = %s""",
        [state.value, json.dumps(totals) if totals is not None else None, is_end, run_id],
        using=using,
    )


def number_parts(*, tenant_id: int, run_id: int, using: str, counts: dict[int, int] | None = None) -> None:
    """Reserve the bill numbers of a run and give each task its block, in the order of the tasks.

    `counts` says how many bills each task has, where it is not staged. Done once: a run in state posting keeps its
    numbers, so that a resumed one makes the same bills.
    """
    counts = counts or {part.part: part.accounts for part in find_parts(run_id, using=using)}
    numbers = reserve_numbers(tenant_id=tenant_id, series=BILL_SERIES, count=sum(counts.values()), using=using)
    start = 0
    for part, count in counts.items():
        own = numbers[start : start + count]
        start += count
        execute(
            "UPDATE billing_run_part SET numbers = %s WHERE run_id = %s AND part = %s",
            [json.dumps(_as_ranges(own)), run_id, part],
            using=using,
        )
    set_run_state(run_id=run_id, state=RunState.POSTING, using=using)


def _as_ranges(numbers: list[int]) -> list[tuple[int, int]]:
    """Return sorted numbers as inclusive ranges."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges
