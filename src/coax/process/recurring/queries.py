"""Processes and their executions as people, pages and the worker read them; a transaction of the tenant is open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from coax.base.clock import is_clock_simulated, tenant_now
from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.tenancy import APP_ALIAS, Tenant
from coax.configuration.queries import find_versions
from coax.configuration.types.documents import ConfigurationRow
from coax.process.recurring.judge import judge_occurrences
from coax.process.recurring.types import (
    IN_ORDER,
    KINDS_OF_ENTITY,
    Process,
    ProcessKey,
    ProcessKind,
    ProcessRunRow,
    ProcessState,
    Refusal,
)

LOCK_SPACE: Final = 0x_C0A8
LOCK_KEYS: Final = 2**31
PAGE_ROWS: Final = 50
REFUSALS_MAX: Final = 1_000
WORKER_SILENT_S: Final = 60
_PLACES: Final = {kind: place for place, kind in enumerate(ProcessKind)}
_RUNS: Final = """
SELECT r.id, r.tenant_id, r.number, r.kind, r.entity_id, e.code, v.number AS version, r.due_at, r.is_scheduled,
       r.asked_by, r.state, r.attempts, r.started_at, r.finished_at, r.worked_ms, r.done, r.total, r.left_s,
       r.counts::text AS counts, b.number AS billing_run, r.is_stop_asked, r.error
  FROM process_run r
  JOIN configuration_entity e ON e.id = r.entity_id
  LEFT JOIN configuration_version v ON v.id = r.version_id
  LEFT JOIN billing_run b ON b.id = r.billing_run_id
 WHERE r.tenant_id = %(tenant_id)s
"""
_REFUSALS: Final = """
SELECT f.subject, f.code, f.reason, f.at FROM process_refusal f JOIN process_run r ON r.id = f.run_id
 WHERE r.tenant_id = %s AND r.number = %s ORDER BY f.at, f.subject, f.action_id LIMIT %s
"""
_HELD: Final = """
SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid::bigint = %s
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class ProcessUnknown(DomainError):
    """The operator has no such process."""

    code: ClassVar[str] = "process_unknown"


class ProcessRunUnknown(DomainError):
    """The operator has no execution of this number."""

    code: ClassVar[str] = "process_run_unknown"


@dataclass(frozen=True, slots=True)
class ProcessOverview:
    """A process as lists show it: when it is due, what came of it last, what was missed and since when."""

    process: Process
    name: str
    is_active: bool
    next_at: datetime | None
    last: ProcessRunRow | None
    current: ProcessRunRow | None
    missed: int
    oldest_missed: datetime | None


def find_processes(tenant: Tenant, *, using: str = APP_ALIAS) -> list[Process]:
    """Return every process that a definition of the operator names, in the order of execution."""
    found: dict[ProcessKey, list[ConfigurationRow]] = {}
    for entity in KINDS_OF_ENTITY:
        for row in find_versions(entity, using=using):
            for kind in KINDS_OF_ENTITY[entity]:
                found.setdefault(ProcessKey(kind, row.entity_id), []).append(row)
    processes = [Process(key, rows[0].code, tenant.time_zone, tuple(rows)) for key, rows in found.items()]
    return sorted(processes, key=lambda process: (_PLACES[process.key.kind], process.code))


def get_process(tenant: Tenant, address: str, *, using: str = APP_ALIAS) -> Process:
    """Return the process called so: `deactivation/overdue`, or the kind or code alone where that is clear.

    Raises: ProcessUnknown, which names those that there are.
    """
    processes = find_processes(tenant, using=using)
    found = [one for one in processes if one.address == address]
    found = found or [one for one in processes if address in (one.key.kind.value, one.code)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(one.address for one in found or processes) or "none"
    what = "is not clear" if found else "is unknown"
    raise ProcessUnknown(f"The process {address!r} {what}; there are: {known}.", process=address)


def find_overviews(tenant: Tenant, *, using: str = APP_ALIAS) -> list[ProcessOverview]:
    """Return all processes with what lists show; occurrences that nobody has planned yet are judged as they are."""
    now = tenant_now(tenant.id, using=using)
    is_simulated = is_clock_simulated(tenant.id, using=using)
    plans = find_plans(tenant.id, using=using)
    missed = _count_missed(tenant.id, using)
    processes = find_processes(tenant, using=using)
    last = _find_latest(tenant.id, processes, "r.state NOT IN ('missed', 'waiting', 'running')", using)
    current = _find_latest(tenant.id, processes, "r.state IN ('waiting', 'running')", using)
    overviews = []
    for process in processes:
        count, oldest = missed.get(process.key, (0, None))
        judged = judge_occurrences(
            process.find_occurrences(after=plans.get(process.key, now), until=now),
            now=now,
            is_simulated=is_simulated,
            is_in_order=process.key.kind in IN_ORDER,
            is_behind=bool(count) or _has_failed(last.get(process.key)),
        )
        late = [at for at, state in judged if state is ProcessState.MISSED]
        on = now.astimezone(process.zone).date()
        holding = [row for row in process.versions if row.effective_date <= on] or list(process.versions[:1])
        overviews.append(
            ProcessOverview(
                process,
                holding[-1].spec.name,
                process.is_active(on),
                process.find_next(now),
                last.get(process.key),
                current.get(process.key),
                count + len(late),
                oldest or next(iter(late), None),
            )
        )
    return overviews


def find_plans(tenant_id: int, *, using: str = APP_ALIAS) -> dict[ProcessKey, datetime]:
    """Return until when the occurrences of each process are planned."""
    rows = fetch_rows(
        "SELECT kind, entity_id, planned_until FROM process_plan WHERE tenant_id = %s", [tenant_id], using=using
    )
    return {ProcessKey(ProcessKind(kind), entity_id): until for kind, entity_id, until in rows}


def find_runs(
    *,
    tenant_id: int,
    key: ProcessKey | None = None,
    states: Iterable[ProcessState] = (),
    before: int | None = None,
    limit: int = PAGE_ROWS,
    using: str = APP_ALIAS,
) -> list[ProcessRunRow]:
    """Return executions, the latest number first; `before` is the last number of the page before."""
    params = {
        "tenant_id": tenant_id,
        "kind": key.kind.value if key else None,
        "entity_id": key.entity_id if key else None,
        "states": [state.value for state in states] or None,
        "before": before,
        "limit": limit,
    }
    conditions = """AND (%(kind)s::text IS NULL OR (r.kind = %(kind)s AND r.entity_id = %(entity_id)s))
        AND (%(states)s::text[] IS NULL OR r.state = ANY(%(states)s))
        AND (%(before)s::bigint IS NULL OR r.number < %(before)s) ORDER BY r.number DESC LIMIT %(limit)s"""
    return [_make_row(row) for row in fetch_dicts(_RUNS + conditions, params, using=using)]


def get_run(tenant_id: int, number: int, *, using: str = APP_ALIAS) -> ProcessRunRow:
    """Return the execution of a number. Raises: ProcessRunUnknown."""
    rows = fetch_dicts(_RUNS + "AND r.number = %(number)s", {"tenant_id": tenant_id, "number": number}, using=using)
    if not rows:
        raise ProcessRunUnknown(f"There is no execution {number}; `coax process runs` lists them.", number=number)
    return _make_row(rows[0])


def find_refusals(*, tenant_id: int, number: int, limit: int = REFUSALS_MAX, using: str = APP_ALIAS) -> list[Refusal]:
    """Return what an execution refused, in the order of time."""
    return [Refusal(*row) for row in fetch_rows(_REFUSALS, [tenant_id, number, limit], using=using)]


def find_undone(
    tenant_id: int, states: Iterable[ProcessState], *, key: ProcessKey | None = None, using: str = APP_ALIAS
) -> list[ProcessRunRow]:
    """Return executions that are not done, the oldest occurrence first."""
    params = {
        "tenant_id": tenant_id,
        "states": [state.value for state in states],
        "kind": key.kind.value if key else None,
        "entity_id": key.entity_id if key else None,
    }
    conditions = """AND r.state = ANY(%(states)s)
        AND (%(kind)s::text IS NULL OR (r.kind = %(kind)s AND r.entity_id = %(entity_id)s)) ORDER BY r.due_at, r.id"""
    rows = [_make_row(row) for row in fetch_dicts(_RUNS + conditions, params, using=using)]
    return sorted(rows, key=lambda row: (row.due_at, _PLACES[row.key.kind]))


def find_ready(tenant_id: int, *, using: str = APP_ALIAS) -> list[ProcessKey]:
    """Return the processes with executions that wait, or were left by somebody who is gone, in order."""
    undone = find_undone(tenant_id, (ProcessState.WAITING, ProcessState.RUNNING), using=using)
    held = find_held(using=using)
    return [key for key in dict.fromkeys(row.key for row in undone) if lock_key(key) not in held]


def lock_key(key: ProcessKey) -> int:
    """Return the key of the advisory lock that whoever executes the definition holds."""
    return key.entity_id % LOCK_KEYS


def find_held(*, using: str = APP_ALIAS) -> set[int]:
    """Return the lock keys of the definitions that somebody executes at this moment, whichever process it is."""
    return {row[0] for row in fetch_rows(_HELD, [LOCK_SPACE], using=using)}


def is_worker_alive(*, using: str = APP_ALIAS) -> bool:
    """Tell whether a worker has lately shown that it is there."""
    statement = (
        "SELECT EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %s))"
    )
    return bool(fetch_rows(statement, [WORKER_SILENT_S], using=using)[0][0])


def _has_failed(run: ProcessRunRow | None) -> bool:
    return run is not None and run.state is ProcessState.FAILED


def _count_missed(tenant_id: int, using: str) -> dict[ProcessKey, tuple[int, datetime]]:
    rows = fetch_rows(
        """SELECT kind, entity_id, count(*), min(due_at) FROM process_run
            WHERE tenant_id = %s AND state = 'missed' GROUP BY kind, entity_id""",
        [tenant_id],
        using=using,
    )
    return {ProcessKey(ProcessKind(kind), entity_id): (count, oldest) for kind, entity_id, count, oldest in rows}


def _find_latest(
    tenant_id: int, processes: Sequence[Process], condition: str, using: str
) -> dict[ProcessKey, ProcessRunRow]:
    """Return the latest execution of each process; read from the end of each one's log, however long that is."""
    statement = f"""SELECT d.* FROM unnest(%(kinds)s::text[], %(entities)s::bigint[]) AS p (kind, entity_id)
        CROSS JOIN LATERAL ({_RUNS} AND r.kind = p.kind AND r.entity_id = p.entity_id AND {condition}
                             ORDER BY r.due_at DESC LIMIT 1) d"""
    params = {
        "tenant_id": tenant_id,
        "kinds": [process.key.kind.value for process in processes],
        "entities": [process.key.entity_id for process in processes],
    }
    return {row.key: row for row in map(_make_row, fetch_dicts(statement, params, using=using))}


def _make_row(row: dict[str, Any]) -> ProcessRunRow:
    key = ProcessKey(ProcessKind(row.pop("kind")), row.pop("entity_id"))
    return ProcessRunRow(
        **{**row, "key": key, "state": ProcessState(row["state"]), "counts": json.loads(row["counts"])}
    )
