"""Execute a run: its tasks in this process or in a pool, up to a step, resumable from wherever it stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, ClassVar, Final

from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.settings import read_environment
from coax.base.tenancy import RUN_ALIAS, tenant_transaction
from coax.billing.operations.runs import number_parts, set_run_state
from coax.billing.operations.staging import drop_stage
from coax.billing.queries.runs import PartRow, find_parts, get_progress, get_run
from coax.billing.types import OPEN_STATES, STEP_ORDER, RunRow, RunState, RunStep
from coax.process.billing_run.compute import compute_part
from coax.process.billing_run.post import post_part

LOCK_SPACE: Final = 0x_C0A7
POLL_S: Final = 0.2
WORKERS_MAX: Final = 1024

Progress = Callable[[str, int, int], None]
Task = Callable[[int, PartRow], None]


class RunBusy(DomainError):
    """Another process executes this run at this moment."""

    code: ClassVar[str] = "run_busy"


class RunEnded(DomainError):
    """The run is completed or cancelled."""

    code: ClassVar[str] = "run_ended"


class RunIsPosting(DomainError):
    """Part of the run is posted; it can only be completed."""

    code: ClassVar[str] = "run_is_posting"


class WorkerLost(DomainError):
    """A worker process was killed; its task is rolled back, what others committed stays."""

    code: ClassVar[str] = "worker_lost"


@dataclass(frozen=True, slots=True)
class RunResult:
    """Where a run stands after an execution, and its sums so far."""

    run: RunRow
    sums: dict[str, int]


def ignore_progress(step: str, done: int, total: int) -> None:
    """Show nothing."""


def execute_run(
    *,
    run_id: int,
    until: RunStep = RunStep.FORMATTING,
    progress: Progress = ignore_progress,
    executor: Executor | None = None,
    workers: int | None = None,
) -> RunResult:
    """Bring a run to the step `until` and return where it stands.

    What an earlier execution had reached is kept: tasks that are staged are not computed again, tasks that are
    posted are not posted again. Without an executor small runs work in this process, larger ones in a pool of
    `workers` processes. Raises: RunBusy, RunEnded, WorkerLost, and what a task raises.
    """
    with _hold(run_id), _executor(run_id, executor, workers) as pool:
        run = get_run(run_id, using=RUN_ALIAS)
        if run.state not in OPEN_STATES:
            raise RunEnded(f"Run {run.number} is {run.state.value}.", run=run.number)
        _compute(run, until, pool, progress)
        if STEP_ORDER[until] >= STEP_ORDER[RunStep.POSTING] and not run.is_dry:
            _post(run, pool, progress)
    return RunResult(get_run(run_id, using=RUN_ALIAS), get_progress(run_id, using=RUN_ALIAS))


def cancel_run(*, run_id: int) -> RunRow:
    """End a run of which nothing is posted; what it staged is dropped, and everything stays due.

    Raises: RunBusy, RunEnded, RunIsPosting.
    """
    with _hold(run_id):
        run = get_run(run_id, using=RUN_ALIAS)
        if run.state not in OPEN_STATES:
            raise RunEnded(f"Run {run.number} is {run.state.value}.", run=run.number)
        if run.state is RunState.POSTING:
            raise RunIsPosting(
                f"Run {run.number} has begun to post and can only be completed: resume it.", run=run.number
            )
        _end(run, RunState.CANCELLED)
    return get_run(run_id, using=RUN_ALIAS)


def _compute(run: RunRow, until: RunStep, pool: Executor | None, progress: Progress) -> None:
    last = until if STEP_ORDER[until] < STEP_ORDER[RunStep.ASSEMBLING] else RunStep.ASSEMBLING
    if run.state is RunState.POSTING:
        return
    waiting = [part for part in find_parts(run.id, using=RUN_ALIAS) if _is_before(part.state, last)]
    _perform(compute_part, run, waiting, pool, lambda done, total: progress(last.value, done, total), last)
    with tenant_transaction(run.tenant_id, using=RUN_ALIAS):
        if _is_before(run.state.value, last):
            set_run_state(run_id=run.id, state=RunState(last.value), using=RUN_ALIAS)


def _is_before(state: str, step: RunStep) -> bool:
    return state == "draft" or (state != "posted" and STEP_ORDER[RunStep(state)] < STEP_ORDER[step])


def _post(run: RunRow, pool: Executor | None, progress: Progress) -> None:
    if get_run(run.id, using=RUN_ALIAS).state is not RunState.POSTING:
        with tenant_transaction(run.tenant_id, using=RUN_ALIAS):
            number_parts(tenant_id=run.tenant_id, run_id=run.id, using=RUN_ALIAS)
    waiting = [part for part in find_parts(run.id, using=RUN_ALIAS) if part.state != "posted"]
    _perform(post_part, run, waiting, pool, lambda done, total: progress(RunStep.POSTING.value, done, total))
    _end(run, RunState.COMPLETED)


def _end(run: RunRow, state: RunState) -> None:
    with tenant_transaction(run.tenant_id, using=RUN_ALIAS):
        drop_stage(run_id=run.id, using=RUN_ALIAS)
        set_run_state(run_id=run.id, state=state, totals=get_progress(run.id, using=RUN_ALIAS), using=RUN_ALIAS)


def _perform(
    task: Callable[..., None],
    run: RunRow,
    parts: list[PartRow],
    pool: Executor | None,
    progress: Callable[[int, int], None],
    *arguments: Any,
) -> None:
    """Perform a task on every part, and report the accounts done after each; the first failure stops the rest."""
    accounts = run.catalogue["accounts"]
    done = run.parts - len(parts)
    progress(accounts * done // run.parts, accounts)
    for _ in _results(task, run, parts, pool, arguments):
        done += 1
        progress(accounts * done // run.parts, accounts)


def _results(
    task: Callable[..., None],
    run: RunRow,
    parts: list[PartRow],
    pool: Executor | None,
    arguments: Iterable[Any],
) -> Iterator[None]:
    if pool is None:
        for part in parts:
            task(run.id, part, *arguments)
            yield
        return
    waiting: set[Future[None]] = {pool.submit(task, run.id, part, *arguments) for part in parts}
    try:
        while waiting:
            finished, waiting = wait(waiting, timeout=POLL_S, return_when="FIRST_COMPLETED")
            for future in finished:
                yield future.result()
    except BrokenExecutor as error:
        raise WorkerLost(
            f"A worker process ended by itself; go on with: coax run billing --resume {run.number}", run=run.number
        ) from error
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def _hold(run_id: int) -> Iterator[None]:
    """Hold the run for this process; the lock ends with the connection, so a killed process leaves none."""
    held = fetch_rows("SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, run_id], using=RUN_ALIAS)[0][0]
    if not held:
        raise RunBusy("Another process executes this run at this moment; wait for it or look at it with `coax runs`.")
    try:
        yield
    finally:
        _release(run_id)


def _release(run_id: int) -> None:
    from django.db import connections  # noqa: PLC0415
    from django.db.utils import Error  # noqa: PLC0415

    try:
        fetch_rows("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, run_id], using=RUN_ALIAS)
    except Error:
        connections[RUN_ALIAS].close()


@contextmanager
def _executor(run_id: int, executor: Executor | None, workers: int | None) -> Iterator[Executor | None]:
    """Give the executor, or a pool when the run is worth one, or None for this process."""
    run = get_run(run_id, using=RUN_ALIAS)
    allowed = min(read_environment().workers, run.definition.get("threads") or WORKERS_MAX)
    count = min(workers or allowed, run.parts)
    if executor is not None or count <= 1:
        yield executor
        return
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # inherited: the workers fill the cores, not each one's threads
    with ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_set_up_worker) as pool:
        yield pool


def _set_up_worker() -> None:
    """Set Django up in a fresh worker process, which ends with the process that started it, even a killed one."""
    import django  # noqa: PLC0415

    django.setup()
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the end of the starting process, then end this one where it stands: open transactions roll back."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
