"""Jobs that wake workers: one per process that has something to execute. The log, not the job, says what that is.

A job that is lost, done twice or done by two workers at once does no harm: whoever executes holds the definition's
lock and looks at the log for what is left.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final, TypedDict, cast

import procrastinate
from django.db import connections, transaction
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation

from coax.base.bulk import close_bulk_connections
from coax.base.tenancy import APP_ALIAS, Tenant, get_tenant_by_id
from coax.process.recurring.execute import LOST, execute_process
from coax.process.recurring.types import ProcessKey, ProcessKind, ProcessRunRow

EXECUTE: Final = "coax.execute_process"
RETRY_STALLED: Final = "coax.retry_stalled_jobs"
EVERY_MINUTE: Final = "* * * * *"
OWN_QUEUE: Final = "worker"
SILENT_S: Final = 30  # a worker that has not shown itself for so long is gone, and its jobs are others'
CONNECTIONS_MAX: Final = 4
CONNECTION_WAIT_S: Final = 5
_LOG: Final = logging.getLogger(__name__)


class WorkerContext(TypedDict):
    """What a worker gives to its jobs: when to leave off, and whom to tell of executions that have ended."""

    leave: threading.Event
    report: Callable[[Tenant, ProcessRunRow], None]


def defer_process(*, tenant: Tenant, key: ProcessKey, using: str = APP_ALIAS) -> bool:
    """Wake a worker for a process, in the open transaction; False where that is asked for already."""
    job = procrastinate.App(connector=DjangoConnector(alias=using)).configure_task(
        EXECUTE,
        queue=queue_of(tenant.id),
        queueing_lock=f"{key.kind.value} {key.entity_id} of {tenant.id}",
    )
    try:
        with transaction.atomic(using=using):
            job.defer(tenant_id=tenant.id, kind=key.kind.value, entity_id=key.entity_id)
    except AlreadyEnqueued:
        return False
    return True


def queue_of(tenant_id: int) -> str:
    """Return the queue of an operator's jobs, so that a worker may work for one only."""
    return f"operator_{tenant_id}"


def perform_job(context: procrastinate.JobContext, tenant_id: int, kind: str, entity_id: int) -> None:
    """Execute what waits of a process, in a thread of the worker; what is left over is asked for by the next poll."""
    given = cast("WorkerContext", context.additional_context)
    try:
        tenant = get_tenant_by_id(tenant_id)
        for run in execute_process(tenant=tenant, key=ProcessKey(ProcessKind(kind), entity_id), leave=given["leave"]):
            given["report"](tenant, run)
    except LOST as lost:
        _LOG.warning("%s of operator %s goes on later, the database is lost: %s", kind, tenant_id, lost)
    except Exception:  # noqa: BLE001 - a job has nobody above it to tell
        _LOG.exception("%s of operator %s", kind, tenant_id)
    finally:
        close_connections()


async def retry_stalled_jobs(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001 - is passed
    """Give the jobs of workers that are gone to those that are there, as often as it is asked for."""
    await retry_stalled(context.app)


async def retry_stalled(app: procrastinate.App) -> int:
    """Have the jobs of workers that are gone done again, and return how many there were."""
    manager = app.job_manager
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S))
    for job in stalled:
        _LOG.warning("a worker is gone: its job %s is done again", job.id)
        try:
            await manager.retry_job(job)
        except UniqueViolation:  # somebody has asked for the same since
            await manager.finish_job(job, procrastinate.jobs.Status.FAILED, delete_job=True)
    return len(stalled)


def open_worker(parameters: dict[str, Any]) -> procrastinate.App:
    """Return the application on connections of its own, as a worker needs it."""
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            kwargs=parameters, min_size=1, max_size=CONNECTIONS_MAX, timeout=CONNECTION_WAIT_S
        )
    )
    app.task(name=EXECUTE, pass_context=True)(perform_job)
    stalled = app.task(name=RETRY_STALLED, queue=OWN_QUEUE, queueing_lock=RETRY_STALLED, pass_context=True)
    app.periodic(cron=EVERY_MINUTE)(stalled(retry_stalled_jobs))
    return app


def close_connections() -> None:
    """Close this thread's connections: a worker's threads come and go."""
    close_bulk_connections()
    for alias in connections:
        connections[alias].close()
