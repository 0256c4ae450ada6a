"""Runs that a server executes: in a thread of its process, watched through the database.

A run belongs to whoever holds its advisory lock, so a page shows it as being executed whichever process does it;
one that stopped with its server is resumed where it stood.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connections

from coax.base.bulk import close_bulk_connections
from coax.base.clock import now_utc
from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.billing.types import RunStep
from coax.process.billing_run.execute import LOCK_SPACE, execute_run

KEPT_MAX: Final = 100
_LOG: Final = logging.getLogger(__name__)
_HELD_SQL: Final = """
SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid::bigint = %s
   AND objid::bigint = %s AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@dataclass(slots=True)
class Execution:
    """What this process did or does for a run: how far the step is, and what stopped it."""

    run_id: int
    until: RunStep
    started_at: datetime
    step: str = ""
    done: int = 0
    total: int = 0
    problem: str = ""
    is_over: bool = False

    def show(self, step: str, done: int, total: int) -> None:
        """Take note that a step is done for `done` of `total` accounts."""
        if step != self.step:
            self.started_at = now_utc()
        self.step, self.done, self.total = step, done, total

    @property
    def left_s(self) -> int | None:
        """Return about how many seconds the step will still take; None before anything of it is done."""
        passed_s = int((now_utc() - self.started_at).total_seconds())
        return passed_s * (self.total - self.done) // self.done if self.done else None


_executions: Final[dict[int, Execution]] = {}
_guard: Final = threading.Lock()


def start_execution(run_id: int, until: RunStep) -> bool:
    """Execute a run up to a step in a thread; False if this process is at it already."""
    with _guard:
        present = _executions.get(run_id)
        if present is not None and not present.is_over:
            return False
        execution = Execution(run_id, until, now_utc())
        _executions[run_id] = execution
        for old in [key for key, found in _executions.items() if found.is_over][:-KEPT_MAX]:
            del _executions[old]
    threading.Thread(target=_execute, args=[execution], name=f"run {run_id}", daemon=True).start()
    return True


def find_execution(run_id: int) -> Execution | None:
    """Return what this process did last for a run."""
    return _executions.get(run_id)


def is_executing(run_id: int) -> bool:
    """Tell whether a run is being executed, by this process or another."""
    own = _executions.get(run_id)
    return (own is not None and not own.is_over) or bool(fetch_rows(_HELD_SQL, [LOCK_SPACE, run_id]))


def _execute(execution: Execution) -> None:
    try:
        execute_run(run_id=execution.run_id, until=execution.until, progress=execution.show)
    except DomainError as problem:
        execution.problem = problem.message
    except Exception as fault:  # noqa: BLE001 - a thread has nobody above it to tell
        _LOG.exception("run %s stopped", execution.run_id)
        execution.problem = f"The run stopped ({type(fault).__name__}); what it did stays. The server's log says more."
    finally:
        close_bulk_connections()
        for alias in connections:
            connections[alias].close()
        execution.is_over = True
