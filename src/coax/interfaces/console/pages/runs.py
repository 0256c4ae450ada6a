"""Billing runs: list, create, watch, inspect, post, cancel."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from coax.base.clock import tenant_today
from coax.base.errors import DomainError
from coax.base.tenancy import Tenant
from coax.billing.queries.runs import get_progress, get_run, get_run_by_number, list_outcomes, list_runs
from coax.billing.types import OPEN_STATES, STEP_ORDER, RunKind, RunRow, RunState, RunStep
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.forms.run import RunForm
from coax.interfaces.console.pages.page import page, show
from coax.interfaces.console.pages.staged import find_exceptional, find_staged_bills, find_staged_outcomes
from coax.interfaces.console.problems import report_problem
from coax.party.types import Right
from coax.process.billing_run.background import find_execution, is_executing, start_execution
from coax.process.billing_run.execute import cancel_run
from coax.process.billing_run.plan import plan_run

PAGE = "runs"
RUNS_SHOWN = 200
OUTCOMES_SHOWN = 200
BUTTONS = (
    (RunStep.IDENTIFICATION, "Identification"),
    (RunStep.RATING, "Rating"),
    (RunStep.INVOICING, "Invoicing"),
    (RunStep.ASSEMBLING, "Assembling"),
    (RunStep.FORMATTING, "Posting & Formatting"),
)
_STEP_CODES = frozenset(step.value for step in RunStep)
_PLACES = tuple(STEP_ORDER[step] for step, _ in BUTTONS)
FORM_METHODS = ("GET", "HEAD", "POST")
UNPROCESSABLE = 422


@page()
def runs(request: StaffRequest) -> HttpResponse:
    """List runs, the latest first: batch runs, or those of single accounts."""
    kind = request.GET.get("kind", "batch")
    rows = [
        run
        for run in list_runs(tenant_id=request.tenant.id, limit=RUNS_SHOWN)
        if (kind == "individual") == (run.kind is RunKind.INDIVIDUAL)
    ]
    shown = [run for run in rows if kind != "individual" or not run.is_dry]
    return show(request, "runs.html", page=PAGE, title="Billing runs", rows=shown, kind=kind)


@page(Right.RUN_BILLING, methods=FORM_METHODS)
def new_run(request: StaffRequest) -> HttpResponse:
    """Ask for a run, and begin it."""
    today = tenant_today(request.tenant.id)
    if request.method != "POST":
        return _show_form(request, RunForm(initial={"execution_date": today}))
    form = RunForm(request.POST)
    if not form.is_valid():
        return _show_form(request, form, status=UNPROCESSABLE)
    try:
        run_id = plan_run(tenant=request.tenant, request=form.to_request(actor=request.staff.username))
    except DomainError as problem:
        form.add_error(None, problem.message)
        return _show_form(request, form, status=UNPROCESSABLE)
    start_execution(run_id, form.get_until())
    number = next(run.number for run in list_runs(tenant_id=request.tenant.id) if run.id == run_id)
    return redirect("admin:run", number)


@page()
def run(request: StaffRequest, number: int) -> HttpResponse:
    """Show a run: where it stands, what it found, what may be done next."""
    found, is_busy = _look_at(request, number)
    outcomes = [] if is_busy else _find_outcomes(request.tenant, found)
    return show(
        request,
        "run.html",
        page=PAGE,
        title=f"Billing run {number}",
        criteria={name: values for name, values in found.criteria.as_dict().items() if values},
        outcomes=outcomes,
        outcomes_max=OUTCOMES_SHOWN,
        staged=None if is_busy else find_staged_bills(tenant=request.tenant, run=found),
        exceptional=[] if is_busy else find_exceptional(tenant=request.tenant, run=found),
        **_progress_context(found, is_busy=is_busy),
    )


@page()
def progress(request: StaffRequest, number: int) -> HttpResponse:
    """Give the moving part of a run's page; when the run has stopped, ask for the whole page."""
    found, is_busy = _look_at(request, number)
    if not is_busy:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "console/run_progress.html", _progress_context(found, is_busy=True))


@page(Right.RUN_BILLING, methods=("POST",))
def execute(request: StaffRequest, number: int) -> HttpResponse:
    """Bring a run to a step, in the background."""
    found = get_run_by_number(tenant_id=request.tenant.id, number=number)
    step = request.POST.get("until", "")
    if step not in {button.value for button, _ in BUTTONS} or found.state not in OPEN_STATES:
        messages.error(request, f"Run {number} is {found.state.value}; it cannot be brought to {step or 'no step'}.")
    elif is_executing(found.id) or not start_execution(found.id, RunStep(step)):
        messages.warning(request, f"Run {number} is being executed at this moment.")
    return redirect("admin:run", number)


@page(Right.RUN_BILLING, methods=("POST",))
def cancel(request: StaffRequest, number: int) -> HttpResponse:
    """Cancel a run of which nothing is posted."""
    found = get_run_by_number(tenant_id=request.tenant.id, number=number)
    try:
        cancel_run(run_id=found.id)
    except DomainError as problem:
        report_problem(request, problem)
    else:
        messages.success(request, f"Run {number} is cancelled; what it considered stays due.")
    return redirect("admin:run", number)


def _look_at(request: StaffRequest, number: int) -> tuple[RunRow, bool]:
    """Return a run as it stands, and whether it is being executed; one that is not cannot stand further than read."""
    run_id = get_run_by_number(tenant_id=request.tenant.id, number=number).id
    is_busy = is_executing(run_id)
    return get_run(run_id), is_busy


def _show_form(request: StaffRequest, form: RunForm, status: int = 200) -> HttpResponse:
    return show(request, "run_form.html", page=PAGE, title="New billing run", form=form, status=status)


def _progress_context(found: RunRow, *, is_busy: bool) -> dict[str, Any]:
    execution = find_execution(found.id)
    sums = get_progress(found.id)
    is_open = found.state in OPEN_STATES
    return {
        "run": found,
        "sums": sums,
        "is_busy": is_busy,
        "is_open": is_open,
        "execution": execution,
        "problem": execution.problem if execution and execution.is_over and is_open else "",
        "steps": _describe_steps(found, is_busy=is_busy),
        "buttons": _find_buttons(found) if is_open and not is_busy else [],
        "may_cancel": is_open and not is_busy and found.state is not RunState.POSTING,
    }


def _describe_steps(found: RunRow, *, is_busy: bool) -> list[dict[str, object]]:
    """Return each step with whether it is done, under way or to come."""
    reached = len(STEP_ORDER) if found.state is RunState.COMPLETED else _reached(found)
    working = _find_working(found, reached) if is_busy else reached
    return [
        {"label": label, "is_done": place <= reached, "is_next": reached < place <= working}
        for place, (_, label) in zip(_PLACES, BUTTONS, strict=True)
    ]


def _find_working(found: RunRow, reached: int) -> int:
    """Return the last step that is being worked at: all up to it are done task by task."""
    execution = find_execution(found.id)
    if execution is None or execution.is_over or execution.step not in _STEP_CODES:
        return next((place for place in _PLACES if place > reached), reached)
    step = RunStep(execution.step)
    return STEP_ORDER[RunStep.FORMATTING if step is RunStep.POSTING else step]


def _reached(found: RunRow) -> int:
    if found.state.value in _STEP_CODES:
        step = RunStep(found.state.value)
        return STEP_ORDER[step] if step is not RunStep.POSTING else STEP_ORDER[RunStep.ASSEMBLING]
    return -1


def _find_buttons(found: RunRow) -> list[tuple[str, str]]:
    """Return the steps that a run may be brought to; a dry run is never posted."""
    reached = _reached(found)
    return [
        (step.value, label)
        for step, label in BUTTONS
        if STEP_ORDER[step] > reached
        and not (found.is_dry and step is RunStep.FORMATTING)
        and not (found.state is RunState.POSTING and step is not RunStep.FORMATTING)
    ]


def _find_outcomes(tenant: Tenant, found: RunRow) -> list[dict[str, object]]:
    stored = list_outcomes(tenant_id=tenant.id, run_id=found.id, limit=OUTCOMES_SHOWN)
    return stored or find_staged_outcomes(run=found, limit=OUTCOMES_SHOWN)
