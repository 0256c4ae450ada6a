"""Advance a simulated clock and work on the way: every process is executed at the very moment at which it falls due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from coax.base.audit import set_actor
from coax.base.clock import set_simulated_clock, tenant_now
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.process.recurring.execute import execute_process
from coax.process.recurring.plan import plan_occurrences
from coax.process.recurring.queries import find_processes, find_ready
from coax.process.recurring.types import ProcessRunRow


def advance_working(*, tenant: Tenant, until: datetime, actor: str, report: Callable[[ProcessRunRow], None]) -> None:
    """Bring the operator's simulated clock to an instant, from one occurrence to the next, as if a worker were there.

    Interrupted, it goes on from where the clock stands. Raises: ClockIsReal, ClockRunsForward.
    """
    _set_clock(tenant, _get_now(tenant), actor)  # refused at once where the clock is real
    _execute_ready(tenant, report)
    while (now := _get_now(tenant)) < until:
        _set_clock(tenant, min(_find_next(tenant, now) or until, until), actor)
        _execute_ready(tenant, report)
    _set_clock(tenant, until, actor)


def _get_now(tenant: Tenant) -> datetime:
    with tenant_transaction(tenant.id):
        return tenant_now(tenant.id)


def _find_next(tenant: Tenant, now: datetime) -> datetime | None:
    """Return when the first process falls due after an instant."""
    with tenant_transaction(tenant.id):
        nexts = [process.find_next(now) for process in find_processes(tenant)]
    return min((at for at in nexts if at is not None), default=None)


def _set_clock(tenant: Tenant, at: datetime, actor: str) -> None:
    with tenant_transaction(tenant.id):
        set_actor(actor)
        set_simulated_clock(tenant_id=tenant.id, at=at)


def _execute_ready(tenant: Tenant, report: Callable[[ProcessRunRow], None]) -> None:
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        plan_occurrences(tenant, using=RUN_ALIAS)
        ready = find_ready(tenant.id, using=RUN_ALIAS)
    for key in ready:
        for run in execute_process(tenant=tenant, key=key):
            report(run)
