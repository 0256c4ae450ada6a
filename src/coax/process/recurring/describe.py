"""What interfaces say of processes and their executions: plain data, and one line."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from coax.base.tenancy import Tenant
from coax.process.recurring.queries import ProcessOverview
from coax.process.recurring.types import ProcessRunRow, ProcessState
from coax.process.recurring.words import write_result


def describe_run(tenant: Tenant, run: ProcessRunRow) -> dict[str, Any]:
    """Return an execution as plain data; times are the operator's."""
    return {
        "run": run.number,
        "process": run.address,
        "version": run.version,
        "due_at": _iso(tenant, run.due_at),
        "by_schedule": run.is_scheduled,
        "asked_by": run.asked_by,
        "state": run.state.value,
        "attempts": run.attempts,
        "started_at": _iso(tenant, run.started_at),
        "finished_at": _iso(tenant, run.finished_at),
        "worked_ms": run.worked_ms,
        "done": run.done,
        "total": run.total,
        "left_s": run.left_s,
        "counts": run.counts,
        "billing_run": run.billing_run,
        "stop_asked": run.is_stop_asked,
        "error": run.error,
        "text": write_run(tenant, run),
    }


def write_run(tenant: Tenant, run: ProcessRunRow) -> str:
    """Return an execution in one line."""
    result = write_result(run, tenant.currency)
    due = f"{run.address} of {write_local(tenant, run.due_at)}"
    return f"{run.number} {due}: {write_words(run.state)}{f', {result}' if result else ''}"


def describe_overview(tenant: Tenant, one: ProcessOverview) -> dict[str, Any]:
    """Return a process as plain data: when it is due, what came of it, what was missed; times are the operator's."""
    return {
        "process": one.process.address,
        "name": one.name,
        "active": one.is_active,
        "next_at": _iso(tenant, one.next_at),
        "missed": one.missed,
        "oldest_missed_at": _iso(tenant, one.oldest_missed),
        "current": describe_run(tenant, one.current) if one.current else None,
        "last": describe_run(tenant, one.last) if one.last else None,
    }


def write_words(state: ProcessState) -> str:
    """Return a state in words."""
    return state.value.replace("_", " ")


def write_local(tenant: Tenant, at: datetime | None) -> str:
    """Return an instant as the operator's clocks show it."""
    return f"{at.astimezone(ZoneInfo(tenant.time_zone)):%Y-%m-%d %H:%M}" if at else ""


def _iso(tenant: Tenant, at: datetime | None) -> str | None:
    return at.astimezone(ZoneInfo(tenant.time_zone)).isoformat(timespec="seconds") if at else None
