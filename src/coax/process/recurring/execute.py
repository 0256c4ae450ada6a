"""Execute what waits of a process, the oldest first, one at a time whoever asks; resumable from wherever it stands."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final
from zoneinfo import ZoneInfo

import psycopg
from django.db import DatabaseError, InterfaceError, OperationalError, connections

from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.process.recurring.queries import LOCK_SPACE, find_undone, lock_key
from coax.process.recurring.record import record_begin, record_end
from coax.process.recurring.request import find_process
from coax.process.recurring.types import ProcessKey, ProcessRunRow, ProcessState
from coax.process.recurring.work import Log, Released, StopAsked, perform

ATTEMPTS_MAX: Final = 5
MS_PER_S: Final = 1000
LOST: Final = (OperationalError, InterfaceError, psycopg.OperationalError)
_LOG: Final = logging.getLogger(__name__)

Show = Callable[[ProcessRunRow, int, int], None]


def ignore_progress(run: ProcessRunRow, done: int, total: int) -> None:
    """Show nothing."""


def execute_process(
    *,
    tenant: Tenant,
    key: ProcessKey,
    leave: threading.Event | None = None,
    show: Show = ignore_progress,
) -> list[ProcessRunRow]:
    """Execute what waits of a process and what somebody who is gone has left; return the executions as they ended.

    Where somebody else is at it, nothing is done. Where `leave` is set, what is under way goes back to waiting after
    the group that it is at. The database's errors are raised; the execution is then taken up by the next who looks.
    """
    leave = leave or threading.Event()
    ended: list[ProcessRunRow] = []
    with _hold(key) as is_mine:
        while is_mine and not leave.is_set():
            with tenant_transaction(tenant.id, using=RUN_ALIAS):
                waiting = find_undone(tenant.id, (ProcessState.WAITING, ProcessState.RUNNING), key=key, using=RUN_ALIAS)
            if not waiting:
                break
            ended.append(_execute(tenant, min(waiting, key=_place), leave, show))
    return ended


def _place(run: ProcessRunRow) -> tuple[bool, object]:
    """Order by what was begun before, then by the time at which it was due."""
    return run.state is not ProcessState.RUNNING, run.due_at


def _execute(tenant: Tenant, run: ProcessRunRow, leave: threading.Event, show: Show) -> ProcessRunRow:
    begun = monotonic()
    try:
        state, error = _work(tenant, run, leave, show)
    except LOST:
        raise  # the database is gone: the execution stays as it is, and whoever looks next takes it up
    except Exception as fault:  # noqa: BLE001 - the log is what it is told to
        _LOG.exception("execution %s of operator %s stopped", run.number, tenant.code)
        state, error = ProcessState.FAILED, f"{type(fault).__name__}: {fault}"
    return record_end(tenant, run, state, worked_ms=int((monotonic() - begun) * MS_PER_S), error=error)


def _work(tenant: Tenant, run: ProcessRunRow, leave: threading.Event, show: Show) -> tuple[ProcessState, str]:
    """Work at an execution and return how that ended, with the reason where it failed."""
    if run.attempts >= ATTEMPTS_MAX:
        return ProcessState.FAILED, f"It was begun {run.attempts} times and never came to its end; the log says why."
    try:
        with tenant_transaction(tenant.id, using=RUN_ALIAS):
            process = find_process(tenant, run.key, using=RUN_ALIAS)
        version = process.get_version(run.due_at.astimezone(ZoneInfo(tenant.time_zone)).date())
        begun = record_begin(tenant, run, version)
        if begun is None:
            return ProcessState.STOPPED, ""
        log = Log(begun, leave, lambda done, total: show(begun, done, total))
        perform(tenant, version, log)
    except StopAsked:
        return ProcessState.STOPPED, ""
    except Released:
        return ProcessState.WAITING, ""
    except DomainError as problem:
        return ProcessState.FAILED, problem.message
    return _how_completed(tenant, run), ""


def _how_completed(tenant: Tenant, run: ProcessRunRow) -> ProcessState:
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        rows = fetch_rows(
            "SELECT coalesce((counts ->> 'refused')::bigint, 0) FROM process_run WHERE id = %s AND tenant_id = %s",
            [run.id, tenant.id],
            using=RUN_ALIAS,
        )
    return ProcessState.COMPLETED_WITH_REFUSALS if rows[0][0] else ProcessState.COMPLETED


@contextmanager
def _hold(key: ProcessKey) -> Iterator[bool]:
    """Hold the definition for this process; the lock ends with the connection, so a killed process leaves none."""
    held = fetch_rows("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, lock_key(key)], using=RUN_ALIAS)[0][0]
    try:
        yield bool(held)
    finally:
        if held:
            _release(key)


def _release(key: ProcessKey) -> None:
    try:
        fetch_rows("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, lock_key(key)], using=RUN_ALIAS)
    except DatabaseError:
        connections[RUN_ALIAS].close()
