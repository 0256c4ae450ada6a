"""The overview: what was billed last, what is open, what is due next."""

from __future__ import annotations

from django.http import HttpResponse

from coax.base.clock import tenant_today
from coax.billing.queries.figures import find_months
from coax.billing.queries.runs import find_open_run, get_progress, list_outcomes, list_runs
from coax.billing.types import RunKind, RunState
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.pages.page import page, show
from coax.process.billing_run.background import is_executing

RUNS_LOOKED_AT = 200
REFUSED_SHOWN = 8


@page()
def index(request: StaffRequest) -> HttpResponse:
    """Show where billing stands."""
    tenant = request.tenant
    open_run = find_open_run(tenant_id=tenant.id)
    batches = [run for run in list_runs(tenant_id=tenant.id, limit=RUNS_LOOKED_AT) if run.kind is RunKind.BATCH]
    last = next((run for run in batches if run.state is RunState.COMPLETED and not run.is_dry), None)
    months = find_months(tenant_id=tenant.id)
    refused = list_outcomes(tenant_id=tenant.id, run_id=last.id, outcome="refused", limit=REFUSED_SHOWN) if last else []
    return show(
        request,
        "dashboard.html",
        page="dashboard",
        title="Overview",
        today=tenant_today(tenant.id),
        open_run=open_run,
        open_progress=get_progress(open_run.id) if open_run else None,
        is_busy=bool(open_run and is_executing(open_run.id)),
        last=last,
        months=months,
        largest_minor=max([abs(month.total_minor) for month in months] or [0]),
        refused=refused,
    )
