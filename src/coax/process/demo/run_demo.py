"""The demo from beginning to end; each step looks first whether it has been done."""

from __future__ import annotations

from datetime import date
from typing import Final

from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.billing.queries.runs import find_open_run, list_runs
from coax.billing.types import RunCriteria, RunKind, RunState
from coax.process.billing_run.execute import RunResult, execute_run
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.demo.bills import write_bills
from coax.process.demo.prepare import advance_clock, prepare_large, prepare_small
from coax.process.demo.types import DemoOrder, DemoResult, DemoRun, Screen
from coax.process.verify import verify_tenant
from coax.subscription.operations.end_service import end_service

RUNS_SEARCHED: Final = 1000
# Executed on, bill as of. The June run charges what the July run credits.
JUNE: Final = (date(2026, 6, 20), date(2026, 7, 1))
JULY: Final = (date(2026, 7, 20), date(2026, 8, 1))
# Subscription, service, first day without it.
ENDED: Final = ("ZX-F-1", "eurosports-1", date(2026, 7, 1))


def run_demo(*, order: DemoOrder, screen: Screen) -> DemoResult:
    """Bring both operators to the end of their July runs, write three bills, prove the books.

    The database is open. Raises: DemoDataRefused, DirectoryUnusable, and what the steps raise.
    """
    small = prepare_small(order, screen)
    if _find_run(small, JULY[1]) is None:
        _bill(small, JUNE, order, screen)
        _end_service(small, order.actor)
    large = prepare_large(order, screen, as_of=JULY[0])
    runs = (_bill(small, JULY, order, screen), _bill(large, JULY, order, screen))
    with screen.stage("Write three bills as PDF") as progress:
        bills = write_bills(runs, order.out, progress)
    checks = {}
    for run in runs:
        with screen.stage(f"{run.tenant.name}: verify the books") as progress:
            checks[run.tenant.code] = verify_tenant(tenant=run.tenant, progress=progress)
    return DemoResult(runs, bills, checks)


def _end_service(tenant: Tenant, actor: str) -> None:
    subscription, service, on = ENDED
    with tenant_transaction(tenant.id):
        end_service(tenant_id=tenant.id, subscription_code=subscription, service_code=service, on=on, actor=actor)


def _bill(tenant: Tenant, dates: tuple[date, date], order: DemoOrder, screen: Screen) -> DemoRun:
    """Return the operator's run of these dates: the one there is, an interrupted one resumed, or a new one."""
    executed_on, bill_as_of = dates
    found = _find_run(tenant, bill_as_of)
    if found is not None:
        screen.note(f"{tenant.name} is billed as of {bill_as_of} already: nothing new.")
        return DemoRun(tenant, found, is_new=False)
    advance_clock(tenant, executed_on)
    begun = find_open_run(tenant_id=tenant.id, using=RUN_ALIAS)
    if begun is not None and begun.bill_as_of == bill_as_of:
        run_id = begun.id
    else:
        request = RunRequest(execution_date=executed_on, bill_as_of=bill_as_of, actor=order.actor)
        run_id = plan_run(tenant=tenant, request=request)
    with screen.stage(f"{tenant.name}: bill on {executed_on} what is due as of {bill_as_of}") as progress:
        return DemoRun(tenant, execute_run(run_id=run_id, progress=progress), is_new=True)


def _find_run(tenant: Tenant, bill_as_of: date) -> RunResult | None:
    """Return the completed run of all accounts as of a day."""
    for run in reversed(list_runs(tenant_id=tenant.id, limit=RUNS_SEARCHED, using=RUN_ALIAS)):
        is_whole = run.kind is RunKind.BATCH and not run.is_dry and run.criteria == RunCriteria()
        if is_whole and run.state is RunState.COMPLETED and run.bill_as_of == bill_as_of:
            return RunResult(run, run.totals)
    return None
