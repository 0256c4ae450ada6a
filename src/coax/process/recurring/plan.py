"""Make rows of the occurrences that have fallen due: the latest waits for the worker, what came too late is missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from coax.base.clock import is_clock_simulated, tenant_now
from coax.base.db import execute, fetch_rows
from coax.base.numbers import next_ids, reserve_numbers
from coax.base.tenancy import APP_ALIAS, Tenant
from coax.process.recurring.judge import MISSED_AFTER, judge_occurrences
from coax.process.recurring.queries import find_plans, find_processes
from coax.process.recurring.types import IN_ORDER, Process, ProcessKey, ProcessState

PLAN_SPACE: Final = 0x_C0A9
SERIES: Final = "process_run"
SCHEDULE: Final = "schedule"
PLANNED_ANEW_AFTER: Final = timedelta(hours=1)


def plan_occurrences(tenant: Tenant, *, is_settled: bool = False, using: str = APP_ALIAS) -> int:
    """Record the occurrences since the last time, and return how many are new; the tenant's transaction is open.

    A process that is seen for the first time is due from now on. `is_settled` notes that everything up to now is
    planned even where nothing fell due: done around every change of a definition, so that a schedule holds from the
    moment of its change on and never reaches back.
    """
    fetch_rows("SELECT pg_advisory_xact_lock(%s, %s)", [PLAN_SPACE, tenant.id], using=using)
    now = tenant_now(tenant.id, using=using)
    is_simulated = is_clock_simulated(tenant.id, using=using)
    plans = find_plans(tenant.id, using=using)
    fresh = 0
    for process in find_processes(tenant, using=using):
        since = plans.get(process.key)
        due = process.find_occurrences(after=since, until=now) if since and since < now else []
        if due:
            fresh += len(due)
            _record(tenant, process, due, now=now, is_simulated=is_simulated, using=using)
        if since is None or due or is_settled or now - since > PLANNED_ANEW_AFTER:
            _note(tenant.id, process.key, now, using)
    return fresh


def give_up_late(tenant: Tenant, *, using: str = APP_ALIAS) -> int:
    """Turn what waits since too long, and nobody has begun, into missed occurrences; return how many.

    The worker does it as it starts: what fell due while another worker was there waited for that one, which is gone.
    """
    if is_clock_simulated(tenant.id, using=using):
        return 0
    late = tenant_now(tenant.id, using=using) - MISSED_AFTER
    return execute(
        """UPDATE process_run SET state = 'missed'
            WHERE tenant_id = %s AND state = 'waiting' AND is_scheduled AND asked_by = %s AND attempts = 0
              AND due_at <= %s""",
        [tenant.id, SCHEDULE, late],
        using=using,
    )


def insert_runs(
    *, tenant_id: int, key: ProcessKey, due: Sequence[tuple[datetime, ProcessState]], asked_by: str, using: str
) -> list[int]:
    """Insert executions that have not begun, and return their numbers, in the order given."""
    count = len(due)
    numbers = reserve_numbers(tenant_id=tenant_id, series=SERIES, count=count, using=using)
    execute(
        """INSERT INTO process_run (id, tenant_id, number, kind, entity_id, due_at, is_scheduled, asked_by, state,
                                    attempts, worked_ms, done, total, counts, is_stop_asked, error)
           SELECT r.id, %s, r.number, %s, %s, r.due_at, %s, %s, r.state, 0, 0, 0, 0, '{}', false, ''
             FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[]) AS r (id, number, due_at, state)""",
        [
            tenant_id,
            key.kind.value,
            key.entity_id,
            asked_by == SCHEDULE,
            asked_by,
            next_ids("base_object_seq", count, using=using),
            numbers,
            [due_at for due_at, _ in due],
            [state.value for _, state in due],
        ],
        using=using,
    )
    return numbers


def _record(
    tenant: Tenant, process: Process, due: list[datetime], *, now: datetime, is_simulated: bool, using: str
) -> None:
    key = process.key
    _supersede(tenant.id, key, using)
    judged = judge_occurrences(
        due,
        now=now,
        is_simulated=is_simulated,
        is_in_order=key.kind in IN_ORDER,
        is_behind=key.kind in IN_ORDER and _is_behind(tenant.id, key, using),
    )
    insert_runs(tenant_id=tenant.id, key=key, due=judged, asked_by=SCHEDULE, using=using)


def _supersede(tenant_id: int, key: ProcessKey, using: str) -> None:
    """Turn what still waits as the next occurrence falls due into a missed one: executions do not pile up."""
    execute(
        """UPDATE process_run SET state = 'missed' WHERE tenant_id = %s AND kind = %s AND entity_id = %s
              AND state = 'waiting' AND is_scheduled AND asked_by = %s AND attempts = 0""",
        [tenant_id, key.kind.value, key.entity_id, SCHEDULE],
        using=using,
    )


def _is_behind(tenant_id: int, key: ProcessKey, using: str) -> bool:
    rows = fetch_rows(
        """SELECT EXISTS (SELECT FROM process_run WHERE tenant_id = %s AND kind = %s AND entity_id = %s
                             AND is_scheduled AND state IN ('missed', 'failed'))""",
        [tenant_id, key.kind.value, key.entity_id],
        using=using,
    )
    return bool(rows[0][0])


def _note(tenant_id: int, key: ProcessKey, until: datetime, using: str) -> None:
    execute(
        """INSERT INTO process_plan (tenant_id, kind, entity_id, planned_until) VALUES (%s, %s, %s, %s)
           ON CONFLICT (tenant_id, kind, entity_id) DO UPDATE SET planned_until = excluded.planned_until""",
        [tenant_id, key.kind.value, key.entity_id, until],
        using=using,
    )
