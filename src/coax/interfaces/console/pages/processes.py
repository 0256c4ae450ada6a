"""Recurring processes: when each is due, what came of it, what was missed; the log of an execution."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from coax.base.errors import DomainError
from coax.base.tenancy import Tenant
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.pages.page import page, show
from coax.interfaces.console.problems import report_problem
from coax.party.types import Right
from coax.process.recurring.jobs import defer_process
from coax.process.recurring.plan import plan_occurrences
from coax.process.recurring.queries import (
    PAGE_ROWS,
    find_overviews,
    find_refusals,
    find_runs,
    get_process,
    get_run,
    is_worker_alive,
)
from coax.process.recurring.request import (
    give_up_missed,
    request_again,
    request_missed,
    request_run,
    request_stop,
)
from coax.process.recurring.types import KINDS_OF_ENTITY, REQUESTABLE, Process, ProcessKind, ProcessRunRow, ProcessState
from coax.process.recurring.words import write_result

PAGE = "processes"
REFUSALS_SHOWN = 500
MOVING = (ProcessState.WAITING, ProcessState.RUNNING)
ENTITY_OF_KIND = {kind: entity for entity, kinds in KINDS_OF_ENTITY.items() for kind in kinds}


@page()
def processes(request: StaffRequest) -> HttpResponse:
    """List the processes."""
    return show(request, "processes.html", page=PAGE, title="Processes", **_list_context(request.tenant))


@page()
def table(request: StaffRequest) -> HttpResponse:
    """Give the list anew, while something is under way."""
    return render(request, "console/processes_table.html", _list_context(request.tenant))


@page()
def log(request: StaffRequest) -> HttpResponse:
    """Show the log, or the part of it that is about a process or a state."""
    address, state = request.GET.get("process", ""), request.GET.get("state", "")
    plan_occurrences(request.tenant)
    rows = find_runs(
        tenant_id=request.tenant.id,
        key=get_process(request.tenant, address).key if address else None,
        states=[ProcessState(state)] if state in set(ProcessState) else (),
        before=_read_number(request.GET.get("before", "")),
        limit=PAGE_ROWS + 1,
    )
    return show(
        request,
        "process_log.html",
        page=PAGE,
        title="Log of executions",
        rows=[_describe(request.tenant, row) for row in rows[:PAGE_ROWS]],
        older=rows[PAGE_ROWS - 1].number if len(rows) > PAGE_ROWS else None,
        addresses=[one.process.address for one in find_overviews(request.tenant)],
        states=list(ProcessState),
        address=address,
        state=state,
    )


@page()
def execution(request: StaffRequest, number: int) -> HttpResponse:
    """Show an execution: how far it is, what came of it, what was refused."""
    refused = find_refusals(tenant_id=request.tenant.id, number=number, limit=REFUSALS_SHOWN)
    context = _run_context(request.tenant, get_run(request.tenant.id, number))
    title = f"Execution {number}"
    return show(
        request, "process_run.html", page=PAGE, title=title, refused=refused, refused_max=REFUSALS_SHOWN, **context
    )


@page()
def progress(request: StaffRequest, number: int) -> HttpResponse:
    """Give the moving part of an execution's page; when it has ended, ask for the whole page."""
    run = get_run(request.tenant.id, number)
    if run.state not in MOVING:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "console/process_progress.html", _run_context(request.tenant, run))


@page(Right.RUN_BILLING, methods=("POST",))
def run_now(request: StaffRequest, kind: str, code: str) -> HttpResponse:
    """Have a process executed now."""
    return _request(request, kind, code, request_run)


@page(Right.RUN_BILLING, methods=("POST",))
def make_up(request: StaffRequest, kind: str, code: str) -> HttpResponse:
    """Have the oldest missed occurrence of a process executed."""
    return _request(request, kind, code, request_missed)


@page(Right.RUN_BILLING, methods=("POST",))
def give_up(request: StaffRequest, kind: str, code: str) -> HttpResponse:
    """Give up what was missed of a process."""
    count = give_up_missed(request.tenant, get_process(request.tenant, f"{kind}/{code}"))
    messages.success(request, f"{count} missed of {kind.replace('_', ' ')} given up; the log keeps them as stopped.")
    return redirect("admin:processes")


@page(Right.RUN_BILLING, methods=("POST",))
def stop(request: StaffRequest, number: int) -> HttpResponse:
    """Stop an execution, or give a missed one up."""
    try:
        stopped = request_stop(request.tenant, number)
    except DomainError as problem:
        report_problem(request, problem)
    else:
        what = "stops after the group that it is at" if stopped.is_stop_asked else "is stopped"
        messages.success(request, f"Execution {number} {what}.")
    return redirect("admin:process_run", number)


@page(Right.RUN_BILLING, methods=("POST",))
def resume(request: StaffRequest, number: int) -> HttpResponse:
    """Go on with an execution, or execute one that was missed."""
    try:
        request_again(request.tenant, number, actor=request.staff.username)
        defer_process(tenant=request.tenant, key=get_run(request.tenant.id, number).key)
    except DomainError as problem:
        report_problem(request, problem)
    return redirect("admin:process_run", number)


def _request(request: StaffRequest, kind: str, code: str, ask: Callable[..., int]) -> HttpResponse:
    """Ask for an execution and wake a worker for it."""
    process: Process = get_process(request.tenant, f"{kind}/{code}")
    try:
        number = ask(request.tenant, process, actor=request.staff.username)
    except DomainError as problem:
        report_problem(request, problem)
        return redirect("admin:processes")
    defer_process(tenant=request.tenant, key=process.key)
    return redirect("admin:process_run", number)


def _list_context(tenant: Tenant) -> dict[str, Any]:
    overviews = find_overviews(tenant)
    rows = [
        {
            "one": one,
            "kind": one.process.key.kind.value,
            "entity": ENTITY_OF_KIND[one.process.key.kind],
            "shown": _describe(tenant, shown) if (shown := one.current or one.last) else None,
            "missed_link": f"?process={one.process.address}&state={ProcessState.MISSED.value}",
        }
        for one in overviews
    ]
    is_moving = any(one.current for one in overviews)
    return {"tenant": tenant, "rows": rows, "is_moving": is_moving, "has_worker": is_worker_alive()}


def _run_context(tenant: Tenant, run: ProcessRunRow) -> dict[str, Any]:
    return {
        "tenant": tenant,
        "run": run,
        "entity": ENTITY_OF_KIND[run.key.kind],
        "result": write_result(run, tenant.currency),
        "is_moving": run.state in MOVING,
        "may_resume": run.state in REQUESTABLE,
        "may_stop": run.state in (*MOVING, ProcessState.MISSED),
        "has_worker": is_worker_alive(),
        "is_billing": run.key.kind is ProcessKind.BILLING,
    }


def _describe(tenant: Tenant, run: ProcessRunRow) -> dict[str, Any]:
    return {"run": run, "result": write_result(run, tenant.currency)}


def _read_number(text: str) -> int | None:
    with suppress(ValueError):
        return int(text)
    return None
