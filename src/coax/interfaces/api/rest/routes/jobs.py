"""Jobs: ordered, planned, equipped, done and billed; quoted before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from ninja import Path, Query

from coax.base.clock import tenant_today
from coax.base.money import minor_to_decimal
from coax.billing.types import RunCriteria
from coax.interfaces.api.rest.paging import PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.resource import Key, Resource, describe_request
from coax.interfaces.api.rest.routes.job_bodies import (
    CompletedJob,
    Completion,
    ItemsOfLine,
    JobFilter,
    JobPage,
    JobToOrder,
    JobWithLines,
    LineToAdd,
    OrderedJob,
    PlanToMake,
    QuotedJob,
    StepToTake,
    WhyRemoved,
    describe_job,
    make_line,
    make_request,
    show_job,
)
from coax.interfaces.api.rest.routes.runs import BillToMake, MadeBill
from coax.interfaces.api.rest.values import Code, Nothing
from coax.party.queries.accounts import get_account
from coax.party.types import ApiScope
from coax.process.billing_run.describe import describe_preview
from coax.process.billing_run.order import bill_criteria
from coax.process.billing_run.plan import RunRequest
from coax.process.jobs.complete import perform_completion, quote_job
from coax.process.jobs.order import change_job, order_job
from coax.subscription.operations.job_change import (
    JobContext,
    add_job_line,
    equip_job_line,
    move_job,
    plan_job,
    remove_job_line,
)
from coax.subscription.queries.jobs import find_jobs, get_job
from coax.subscription.types.jobs import JobRow, JobVerb, Plan

resource = Resource("Jobs")
LineNumber = Annotated[int, Path(ge=1, le=2_147_483_647)]


@resource.read("", scope=ApiScope.JOBS_READ, answer=JobPage)
def list_jobs(request: ApiRequest, wanted: Query[JobFilter], page: Query[PageRequest]) -> dict[str, Any]:
    """List jobs."""
    tenant_id = request.tenant.id
    rows = find_jobs(
        tenant_id=tenant_id,
        account_id=get_account(tenant_id, wanted.account).account_id if wanted.account else None,
        state=wanted.state,
        job_type=wanted.type,
        assigned_to=wanted.assigned_to,
        due_by=wanted.due_by,
        after=read_place(request, page) or 0,
        limit=page.limit + 1,
    )
    return make_page(request, page, rows, place=lambda row: row.job_id, describe=describe_job)


@resource.write("", scope=ApiScope.JOBS_WRITE, answer=OrderedJob, status=HTTPStatus.CREATED, key=Key.REQUIRED_BELOW)
def order_one_job(request: ApiRequest, body: JobToOrder) -> dict[str, Any]:
    """Order a job: goods and work for an account, and what completing it does."""
    done, get_exchange(request).is_repeated = order_job(
        tenant=request.tenant,
        request=make_request(body),
        actor=request.caller.actor,
        idempotency_key=request.idempotency_key,
        asked=describe_request(request),
    )
    return done


@resource.write("/{job}/quote", scope=ApiScope.JOBS_READ, answer=QuotedJob, key=Key.NONE)
def quote_one_job(request: ApiRequest, job: Code, body: Nothing) -> dict[str, Any]:
    """Show what completing a job today would do and the next bill after it; nothing is changed."""
    found = quote_job(tenant=request.tenant, code=job, actor=request.caller.actor)
    left = found.credit_left_minor
    return {
        "changes": found.changes,
        "credit_left": None if left is None else str(minor_to_decimal(left, request.tenant.currency)),
        "is_affordable": found.is_affordable,
        **describe_preview(found.bill),
    }


@resource.write("/{job}/plan", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def plan_one_job(request: ApiRequest, job: Code, body: PlanToMake) -> dict[str, Any]:
    """Say when and where a job is done, and by whom."""
    return _change(request, job, JobVerb.PLAN, partial(plan_job, job, Plan(**body.model_dump())))


@resource.write("/{job}/lines", scope=ApiScope.JOBS_WRITE, answer=JobWithLines, status=HTTPStatus.CREATED)
def add_line_to_job(request: ApiRequest, job: Code, body: LineToAdd) -> dict[str, Any]:
    """Add a good or work to a job that is open."""
    return _change(request, job, JobVerb.ADD_LINE, partial(add_job_line, job, make_line(body)))


@resource.write("/{job}/lines/{line}/remove", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def remove_line_of_job(request: ApiRequest, job: Code, line: LineNumber, body: WhyRemoved) -> dict[str, Any]:
    """Take a line off a job that is open."""
    return _change(request, job, JobVerb.REMOVE_LINE, partial(remove_job_line, job, line), body.reason)


@resource.write("/{job}/lines/{line}/items", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def equip_line_of_job(request: ApiRequest, job: Code, line: LineNumber, body: ItemsOfLine) -> dict[str, Any]:
    """Say which items a line delivers, in place of those named before; they are kept for the job."""
    return _change(request, job, JobVerb.EQUIP, partial(equip_job_line, job, line, list(body.serials)))


@resource.write("/{job}/submit", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def submit_one_job(request: ApiRequest, job: Code, body: StepToTake) -> dict[str, Any]:
    """Submit a draft, so that it is to be done."""
    return _move(request, job, JobVerb.SUBMIT, body)


@resource.write("/{job}/start", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def start_one_job(request: ApiRequest, job: Code, body: StepToTake) -> dict[str, Any]:
    """Begin with a job."""
    return _move(request, job, JobVerb.START, body)


@resource.write("/{job}/put-back", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def put_back_one_job(request: ApiRequest, job: Code, body: StepToTake) -> dict[str, Any]:
    """Put a job that was begun back among those to be done."""
    return _move(request, job, JobVerb.PUT_BACK, body)


@resource.write("/{job}/notes", scope=ApiScope.JOBS_WRITE, answer=JobWithLines, status=HTTPStatus.CREATED)
def note_on_job(request: ApiRequest, job: Code, body: StepToTake) -> dict[str, Any]:
    """Note something of a job, or set its status."""
    return _move(request, job, JobVerb.NOTE, body)


@resource.write("/{job}/cancel", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def cancel_one_job(request: ApiRequest, job: Code, body: StepToTake) -> dict[str, Any]:
    """Cancel a job; its items are kept for nobody any more."""
    return _move(request, job, JobVerb.CANCEL, body)


@resource.write("/{job}/complete", scope=ApiScope.JOBS_WRITE, answer=CompletedJob, key=Key.REQUIRED_BELOW)
def complete_one_job(request: ApiRequest, job: Code, body: Completion) -> dict[str, Any]:
    """Complete a job: what it was for is done, its items are installed, its lines are charged; all or nothing."""
    done, get_exchange(request).is_repeated = perform_completion(
        tenant=request.tenant,
        code=job,
        actor=request.caller.actor,
        completed_on=body.on,
        swaps=body.swaps,
        reason=body.reason,
        idempotency_key=request.idempotency_key,
        asked=describe_request(request),
    )
    return done


@resource.write(
    "/{job}/bills", scope=ApiScope.RUNS_WRITE, answer=MadeBill, status=HTTPStatus.CREATED, key=Key.REQUIRED_BELOW
)
def bill_one_job(request: ApiRequest, job: Code, body: BillToMake) -> dict[str, Any]:
    """Bill what a completed job costs at once, apart from the rest of its account (Bill Job)."""
    row = get_job(tenant_id=request.tenant.id, code=job)
    done, get_exchange(request).is_repeated = bill_criteria(
        tenant=request.tenant,
        criteria=RunCriteria(account_ids=(row.account_id,), subscription_ids=(row.job_id,)),
        request=RunRequest(
            execution_date=body.on or tenant_today(request.tenant.id),
            bill_as_of=body.bill_as_of,
            actor=request.caller.actor,
        ),
        asked=describe_request(request),
        idempotency_key=request.idempotency_key,
    )
    return done


@resource.read("/{job}", scope=ApiScope.JOBS_READ, answer=JobWithLines)
def get_one_job(request: ApiRequest, job: Code) -> dict[str, Any]:
    """Show a job with its goods, its work and its history."""
    return show_job(get_job(tenant_id=request.tenant.id, code=job))


def _change(
    request: ApiRequest, job: str, verb: JobVerb, change: Callable[[JobContext], JobRow], reason: str = ""
) -> dict[str, Any]:
    get_job(tenant_id=request.tenant.id, code=job)
    row = change_job(tenant=request.tenant, actor=request.caller.actor, change=change, verb=verb, reason=reason)
    return show_job(row)


def _move(request: ApiRequest, job: str, verb: JobVerb, body: StepToTake) -> dict[str, Any]:
    return _change(request, job, verb, partial(move_job, job, verb, status=body.status), body.reason)
