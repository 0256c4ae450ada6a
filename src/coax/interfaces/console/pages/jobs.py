"""Jobs: the board of what is to do, an order, one job with its plan, lines, items and history."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, cast

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from coax.base.clock import tenant_today
from coax.base.errors import DomainError
from coax.configuration.queries import find_versions, get_entity
from coax.configuration.types.catalogue import ProductClass
from coax.configuration.types.job_type import JobState, JobType
from coax.interfaces.console.access import StaffRequest
from coax.interfaces.console.forms.action import find_products
from coax.interfaces.console.forms.job import LineForm, OrderForm, PlanForm, to_plan
from coax.interfaces.console.forms.nodes import write_label
from coax.interfaces.console.pages.page import page, show
from coax.interfaces.console.pages.visibility import find_visibility
from coax.interfaces.console.problems import report_problem
from coax.party.queries.accounts import get_account
from coax.party.types import Right
from coax.process.bills.compose import compose_document
from coax.process.jobs.complete import perform_completion, quote_job
from coax.process.jobs.order import change_job, order_job
from coax.subscription.operations.job_change import (
    JobContext,
    add_job_line,
    equip_job_line,
    get_job_type,
    move_job,
    plan_job,
    remove_job_line,
)
from coax.subscription.queries import find_subscriptions
from coax.subscription.queries.jobs import find_job_events, find_job_lines, find_jobs, get_job
from coax.subscription.rules.jobs import JOB_TRANSITIONS, OPEN
from coax.subscription.rules.machine import LIVE
from coax.subscription.types.jobs import JobRow, JobUnknown, JobVerb, refuse_job

PAGE: Final = "jobs"
COLUMNS: Final = ((JobState.DRAFT, "Drafts"), (JobState.PENDING, "To do"), (JobState.IN_PROGRESS, "In progress"))
MOVES: Final = (JobVerb.SUBMIT, JobVerb.START, JobVerb.PUT_BACK, JobVerb.CANCEL)
OVER_SHOWN: Final = 50


@page()
def board(request: StaffRequest) -> HttpResponse:
    """Show the open jobs by state, the most urgent first."""
    who, kind = request.GET.get("who", "").strip(), request.GET.get("type", "")
    sight = find_visibility(request)
    found = find_jobs(tenant_id=request.tenant.id, job_type=kind or None, is_open=True)
    rows = [row for row in found if sight.may_see_job(row)]
    people = sorted({row.assigned_to for row in rows if row.assigned_to})
    chosen = [row for row in rows if not who or row.assigned_to == who]
    types = {row.code: row.spec.name for row in find_versions("job_type")}
    completed = find_jobs(tenant_id=request.tenant.id, job_type=kind or None, state=JobState.COMPLETED)
    over = [row for row in completed if sight.may_see_job(row)]
    return show(
        request,
        "jobs.html",
        page=PAGE,
        title="Jobs",
        columns=[(title, state, [row for row in chosen if row.state is state]) for state, title in COLUMNS],
        over=sorted(over, key=lambda row: str(row.completed_on), reverse=True)[:OVER_SHOWN],
        today=tenant_today(request.tenant.id),
        types=list(types.items()),
        names=types,
        people=people,
        who=who,
        kind=kind,
    )


@page(Right.WORK_ACCOUNTS)
def choose(request: StaffRequest, code: str) -> HttpResponse:
    """Choose what kind of job is ordered for an account."""
    account = get_account(request.tenant.id, code)
    today = tenant_today(request.tenant.id)
    sight = find_visibility(request)
    types = [
        cast("JobType", row.spec)
        for row in find_versions("job_type", today)
        if row.spec.is_active and sight.may_see_job_type(row.code)
    ]
    return show(
        request,
        "job_types.html",
        page=PAGE,
        title=f"Order for {account.name or account.code}",
        account_code=account.code,
        types=types,
    )


@page(Right.WORK_ACCOUNTS, methods=("GET", "HEAD", "POST"))
def order(request: StaffRequest, kind: str, code: str) -> HttpResponse:
    """Order a job for an account."""
    account = get_account(request.tenant.id, code)
    today = tenant_today(request.tenant.id)
    job_type = cast("JobType", get_entity("job_type", kind, today).spec)
    rows = find_subscriptions(tenant_id=request.tenant.id, account_id=account.account_id)
    form = OrderForm(
        request.POST or None,
        job_type=job_type,
        subscriptions=[row for row in rows if row.state in LIVE],
        tenant_id=request.tenant.id,
        today=today,
    )
    problem: DomainError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            answer, _ = order_job(
                tenant=request.tenant,
                request=form.to_request(account.code),
                actor=request.staff.username,
                idempotency_key=form.cleaned_data["key"],
            )
        except DomainError as fault:
            problem = fault
        else:
            messages.success(request, f"Job {answer['job']} is {answer['state']}.")
            return redirect("admin:job", answer["job"])
    return show(
        request,
        "job_order.html",
        page=PAGE,
        title=f"{job_type.name} for {account.name or account.code}",
        status=409 if problem else 200,
        form=form,
        account_code=account.code,
        problem=problem,
    )


@page()
def job(request: StaffRequest, code: str) -> HttpResponse:
    """Show a job; with `?quote` also what completing it would do."""
    return _show_job(request, code)


@page(Right.WORK_ACCOUNTS, methods=("POST",))
def plan(request: StaffRequest, code: str) -> HttpResponse:
    """Say when and where a job is done, and by whom."""
    form = PlanForm(request.POST, job=get_job(tenant_id=request.tenant.id, code=code))
    if not form.is_valid():
        return _show_job(request, code, plan_form=form)
    given = to_plan(form.cleaned_data)
    return _do(request, code, JobVerb.PLAN, lambda c: plan_job(code, given, c), "is planned")


@page(Right.WORK_ACCOUNTS, methods=("POST",))
def add_line(request: StaffRequest, code: str) -> HttpResponse:
    """Add a good or work to a job."""
    row = get_job(tenant_id=request.tenant.id, code=code)
    form = LineForm(request.POST, job_type=get_job_type(row), today=tenant_today(request.tenant.id))
    if not form.is_valid():
        return _show_job(request, code, line_form=form)
    line = form.to_request()
    return _do(request, code, JobVerb.ADD_LINE, lambda c: add_job_line(code, line, c), f"has {line.product} now")


@page(Right.WORK_ACCOUNTS, methods=("POST",))
def change_line(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Name the items that a line delivers, or take the line off."""
    if "remove" in request.POST:
        said = f"has no line {number} any more"
        return _do(request, code, JobVerb.REMOVE_LINE, lambda c: remove_job_line(code, number, c), said)
    serials = [one for one in re.split(r"[\s,;]+", request.POST.get("serials", "")) if one]
    said = f"delivers {', '.join(serials) or 'no named items'} on line {number}"
    return _do(request, code, JobVerb.EQUIP, lambda c: equip_job_line(code, number, serials, c), said)


@page(Right.WORK_ACCOUNTS, methods=("POST",))
def move(request: StaffRequest, code: str, verb: str) -> HttpResponse:
    """Submit, start, put back or cancel a job, note something, or set its status."""
    if verb not in {*MOVES, JobVerb.NOTE}:
        report_problem(request, refuse_job("verb", verb, ", ".join((*MOVES, JobVerb.NOTE))))
        return redirect("admin:job", code)
    kind = JobVerb(verb)
    status = request.POST.get("status")
    said = "has your note" if kind is JobVerb.NOTE else f"is {JOB_TRANSITIONS[kind].to or ''}".replace("_", " ")
    return _do(request, code, kind, lambda c: move_job(code, kind, c, status=status), said)


@page(Right.WORK_ACCOUNTS, methods=("POST",))
def complete(request: StaffRequest, code: str) -> HttpResponse:
    """Complete a job."""
    swaps = {
        name.removeprefix("swap-"): value.strip()
        for name, value in request.POST.items()
        if name.startswith("swap-") and isinstance(value, str) and value.strip()
    }
    try:
        answer, _ = perform_completion(
            tenant=request.tenant,
            code=code,
            actor=request.staff.username,
            swaps=swaps,
            reason=request.POST.get("reason", ""),
        )
    except DomainError as fault:
        report_problem(request, fault)
    else:
        messages.success(request, f"Job {code} is completed. {'; '.join(answer['changes'])}")
    return redirect("admin:job", code)


def _do(
    request: StaffRequest, code: str, verb: JobVerb, change: Callable[[JobContext], JobRow], said: str
) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        change_job(tenant=request.tenant, actor=request.staff.username, change=change, verb=verb, reason=reason)
    except DomainError as fault:
        report_problem(request, fault)
    else:
        messages.success(request, f"Job {code} {said}.")
    return redirect("admin:job", code)


def _show_job(request: StaffRequest, code: str, **forms: Any) -> HttpResponse:
    row = get_job(tenant_id=request.tenant.id, code=code)
    if not find_visibility(request).may_see_job(row):
        raise JobUnknown(f"There is no job {code!r}.", job=code)
    job_type = get_job_type(row)
    today = tenant_today(request.tenant.id)
    context: dict[str, Any] = {
        "plan_form": PlanForm(job=row),
        "line_form": LineForm(job_type=job_type, today=today),
        **forms,
    }
    if "quote" in request.GET and row.state in OPEN:
        try:
            quote = quote_job(tenant=request.tenant, code=code, actor=request.staff.username)
            context |= {"quote": quote, "d": compose_document(quote.bill.facts) if quote.bill.facts else None}
        except DomainError as fault:
            context["problem"] = fault
    return show(
        request,
        "job.html",
        page=PAGE,
        title=f"{code}: {job_type.name}",
        status=200 if not forms else 422,
        job=row,
        job_type=job_type,
        lines=find_job_lines(row),
        goods=[code for code, _ in find_products(today, (ProductClass.PHYSICAL_GOOD,))],
        events=find_job_events(row),
        moves=[
            (verb.value, write_label(verb.value))
            for verb in MOVES
            if row.state in JOB_TRANSITIONS[verb].begins_from and verb is not JobVerb.CANCEL
        ],
        is_open=row.state in OPEN,
        may_complete=row.state in JOB_TRANSITIONS[JobVerb.COMPLETE].begins_from,
        statuses=[status for status in job_type.statuses if status.state is row.state],
        is_late=row.state in OPEN and row.expected_on is not None and row.expected_on < today,
        **context,
    )
