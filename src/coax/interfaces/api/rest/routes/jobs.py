"""Jobs: ordered, planned, equipped, done and billed; quoted before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from ninja import Path, Query
from pydantic import Field

from coax.base.clock import tenant_today
from coax.base.money import micro_to_decimal, minor_to_decimal, parse_micro
from coax.billing.types import RunCriteria
from coax.configuration.types.job_type import FulfilmentScope, JobState
from coax.interfaces.api.rest.paging import Page, PageRequest, make_page, read_place
from coax.interfaces.api.rest.request import ApiRequest, get_exchange
from coax.interfaces.api.rest.resource import Key, Resource, describe_request
from coax.interfaces.api.rest.routes.bills import BillPreview
from coax.interfaces.api.rest.routes.runs import BillToMake, MadeBill
from coax.interfaces.api.rest.values import Amount, Code, Day, Flag, Model, Money, Natural, Positive, Text
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
from coax.subscription.queries.jobs import find_job_events, find_job_lines, find_jobs, get_job
from coax.subscription.types.items import ItemCondition
from coax.subscription.types.jobs import (
    ItemOrder,
    JobLineRow,
    JobOrder,
    JobRequest,
    JobRow,
    JobVerb,
    LineRequest,
    Plan,
    SaleOrder,
    ServiceOrder,
)

resource = Resource("Jobs")
LineNumber = Annotated[int, Path(ge=1, le=2_147_483_647)]
LINES_MAX = 200


class PlanToMake(Model):
    """When and where a job is done, by whom; what is left out stays as it is."""

    start_date: Day | None = None
    expected_on: Day | None = None
    location: Text | None = None
    assigned_to: Text | None = None
    organisational_unit: Code | None = None
    is_private: Flag | None = None
    contact_email: Text | None = None
    contact_phone: Text | None = None


class LineToAdd(Model):
    """A good or work."""

    product: Code
    quantity: Positive = 1
    duration: Annotated[Natural, Field(description="Units of a duration-tiered rate.")] = 0
    is_billed: Annotated[Flag | None, Field(description="By default as the job's type says.")] = None
    agreed_price: Annotated[Amount | None, Field(description="Of one, in place of the price plan's.")] = None


class SaleToOrder(Model):
    """The subscription that completing the job sells."""

    type: Code
    scheme: Code | None = None
    products: Annotated[list[Code], Field(max_length=100)] = Field(default_factory=list)
    subscription: Code | None = None
    price_plan: Code | None = None
    frequency: Code | None = None
    cycle_day: Annotated[int, Field(strict=True, ge=1, le=31)] | None = None
    binding_period: Code | None = None


class ServiceToOrder(Model):
    """A service that is added (`product`), cancelled (`service`) or swapped (`service` for `product`)."""

    service: Code | None = None
    product: Code | None = None
    new_service: Code | None = None
    quantity: Positive = 1
    agreed_price: Amount | None = None


class ItemToSwap(Model):
    """An installed item that is taken back, and the one that takes its place."""

    old: Annotated[Code, Field(description="Serial number of the item that is taken back.")]
    location: Annotated[Code, Field(description="Where it goes.")]
    new: Annotated[Code | None, Field(description="Serial number of the new one, if it is known already.")] = None
    condition: ItemCondition = ItemCondition.USED


class JobToOrder(Model):
    """A job; of sale, services, items and new_location only what its type's fulfilment scope wants (docs/jobs.md)."""

    account: Code
    type: Code
    subscription: Annotated[Code | None, Field(description="The subscription that it is about.")] = None
    scheme: Code | None = None
    price_plan: Code | None = None
    agreement_date: Day | None = None
    lines: Annotated[list[LineToAdd], Field(max_length=LINES_MAX)] = Field(default_factory=list)
    sale: SaleToOrder | None = None
    services: Annotated[list[ServiceToOrder], Field(max_length=LINES_MAX)] = Field(default_factory=list)
    items: Annotated[list[ItemToSwap], Field(max_length=LINES_MAX)] = Field(default_factory=list)
    new_location: Text = ""
    plan: PlanToMake = PlanToMake()
    draft: Flag = False
    reason: Text = ""


class OrderedJob(Model):
    """A job that was ordered."""

    job: str
    state: JobState


class JobLine(Model):
    """A good or work of a job; `is_charged` once the job is completed, `is_billed_already` once a run billed it."""

    line: int
    product: str
    quantity: int
    duration: int
    is_billed: bool
    agreed_price: Money | None
    serials: list[str]
    is_charged: bool
    is_billed_already: bool


class JobEvent(Model):
    """What somebody did with a job."""

    number: int
    verb: JobVerb
    state: JobState
    status: str
    performed_on: date
    actor: str
    reason: str
    recorded_at: datetime


class Job(Model):
    """A job."""

    job: str
    account: str
    type: str
    fulfilment: FulfilmentScope
    state: JobState
    status: str
    subscription: str | None
    scheme: str | None
    start_date: date | None
    expected_on: date | None
    completed_on: date | None
    location: str
    assigned_to: str
    organisational_unit: str | None
    is_private: bool
    contact_email: str
    contact_phone: str
    created_on: date


class JobWithLines(Job):
    """A job with its goods and work, and its history."""

    lines: list[JobLine]
    events: list[JobEvent]


class JobPage(Page[Job]):
    """A page of jobs in the order in which they were ordered."""


class JobFilter(Model):
    """Which jobs are wanted."""

    account: Annotated[Code | None, Field(description="Only of this account.")] = None
    state: JobState | None = None
    type: Annotated[Code | None, Field(description="Only of this type.")] = None
    assigned_to: Annotated[Code | None, Field(description="Only of this person.")] = None
    due_by: Annotated[Day | None, Field(description="Only those expected by this day.")] = None


class StepToTake(Model):
    """Why, and with which status of the type's own."""

    status: Annotated[Code | None, Field(description="Own status of the type within the state.")] = None
    reason: Text = ""


class ItemsOfLine(Model):
    """Which items a line delivers; they are kept for the job."""

    serials: Annotated[list[Code], Field(max_length=LINES_MAX)]


class WhyRemoved(Model):
    """Why a line is taken off."""

    reason: Text = ""


class Completion(Model):
    """When a job was done, and what took the place of what was taken back."""

    on: Annotated[Day | None, Field(description="By default today.")] = None
    swaps: Annotated[dict[Code, Code], Field(max_length=LINES_MAX, description="New serial numbers by old ones.")] = (
        Field(default_factory=dict)
    )
    reason: Text = ""


class CompletedJob(Model):
    """What completing a job did."""

    job: str
    state: JobState
    on: date
    subscription: str | None
    changes: list[str]


class QuotedJob(BillPreview):
    """What completing a job today would do, and the account's next bill after it; nothing was changed."""

    changes: list[str]
    credit_left: Money | None
    is_affordable: bool


class Nothing(Model):
    """An empty object."""


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
    return make_page(request, page, rows, place=lambda row: row.job_id, describe=_describe)


@resource.write("", scope=ApiScope.JOBS_WRITE, answer=OrderedJob, status=HTTPStatus.CREATED, key=Key.REQUIRED_BELOW)
def order_one_job(request: ApiRequest, body: JobToOrder) -> dict[str, Any]:
    """Order a job: goods and work for an account, and what completing it does."""
    done, get_exchange(request).is_repeated = order_job(
        tenant=request.tenant,
        request=_make_request(body),
        actor=request.caller.actor,
        idempotency_key=request.idempotency_key,
        asked=describe_request(request),
    )
    return done


@resource.write("/{job}/quote", scope=ApiScope.JOBS_READ, answer=QuotedJob, key=Key.NONE)
def quote_one_job(request: ApiRequest, job: Code, body: Nothing) -> dict[str, Any]:  # noqa: ARG001 - an object is wanted
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
    plan = Plan(**body.model_dump())
    return _change(request, job, JobVerb.PLAN, lambda context: plan_job(job, plan, context))


@resource.write("/{job}/lines", scope=ApiScope.JOBS_WRITE, answer=JobWithLines, status=HTTPStatus.CREATED)
def add_line_to_job(request: ApiRequest, job: Code, body: LineToAdd) -> dict[str, Any]:
    """Add a good or work to a job that is open."""
    line = _make_line(body)
    return _change(request, job, JobVerb.ADD_LINE, lambda context: add_job_line(job, line, context))


@resource.write("/{job}/lines/{line}/remove", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def remove_line_of_job(request: ApiRequest, job: Code, line: LineNumber, body: WhyRemoved) -> dict[str, Any]:
    """Take a line off a job that is open."""
    change: Callable[[JobContext], JobRow] = lambda context: remove_job_line(job, line, context)  # noqa: E731
    return _change(request, job, JobVerb.REMOVE_LINE, change, body.reason)


@resource.write("/{job}/lines/{line}/items", scope=ApiScope.JOBS_WRITE, answer=JobWithLines)
def equip_line_of_job(request: ApiRequest, job: Code, line: LineNumber, body: ItemsOfLine) -> dict[str, Any]:
    """Say which items a line delivers, in place of those named before; they are kept for the job."""
    serials = list(body.serials)
    return _change(request, job, JobVerb.EQUIP, lambda context: equip_job_line(job, line, serials, context))


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
    return _show(get_job(tenant_id=request.tenant.id, code=job))


def _change(
    request: ApiRequest, job: str, verb: JobVerb, change: Callable[[JobContext], JobRow], reason: str = ""
) -> dict[str, Any]:
    get_job(tenant_id=request.tenant.id, code=job)
    row = change_job(tenant=request.tenant, actor=request.caller.actor, change=change, verb=verb, reason=reason)
    return _show(row)


def _move(request: ApiRequest, job: str, verb: JobVerb, body: StepToTake) -> dict[str, Any]:
    change: Callable[[JobContext], JobRow] = lambda context: move_job(job, verb, context, status=body.status)  # noqa: E731
    return _change(request, job, verb, change, body.reason)


def _make_request(body: JobToOrder) -> JobRequest:
    sale = None
    if body.sale:
        given = body.sale.model_dump(exclude={"type", "products", "subscription"})
        sale = SaleOrder(
            subscription_type=body.sale.type,
            products=tuple(body.sale.products),
            subscription_code=body.sale.subscription,
            **given,
        )
    return JobRequest(
        account_code=body.account,
        job_type=body.type,
        subscription_code=body.subscription,
        scheme=body.scheme,
        price_plan=body.price_plan,
        agreement_date=body.agreement_date,
        lines=tuple(_make_line(line) for line in body.lines),
        order=JobOrder(
            sale=sale,
            services=tuple(_make_service(service) for service in body.services),
            items=tuple(
                ItemOrder(old_serial=item.old, new_serial=item.new, location=item.location, condition=item.condition)
                for item in body.items
            ),
            location=body.new_location,
        ),
        plan=Plan(**body.plan.model_dump()),
        is_draft=body.draft,
        reason=body.reason,
    )


def _make_line(body: LineToAdd) -> LineRequest:
    price = None if body.agreed_price is None else parse_micro(body.agreed_price)
    return LineRequest(**body.model_dump(exclude={"agreed_price"}), agreed_price_micro=price)


def _make_service(body: ServiceToOrder) -> ServiceOrder:
    price = None if body.agreed_price is None else parse_micro(body.agreed_price)
    return ServiceOrder(**body.model_dump(exclude={"agreed_price"}), agreed_price_micro=price)


def _describe(row: JobRow) -> dict[str, Any]:
    head = {"job": row.code, "account": row.account_code, "type": row.job_type, "subscription": row.subscription_code}
    return {**head, **{name: getattr(row, name) for name in Job.model_fields if name not in head}}


def _show(row: JobRow) -> dict[str, Any]:
    return {
        **_describe(row),
        "lines": [_describe_line(line) for line in find_job_lines(row)],
        "events": [
            {name: value for name, value in asdict(event).items() if name in JobEvent.model_fields}
            for event in find_job_events(row)
        ],
    }


def _describe_line(line: JobLineRow) -> dict[str, Any]:
    price = line.agreed_price_micro
    return {
        "line": line.number,
        "product": line.product,
        "quantity": line.quantity,
        "duration": line.duration,
        "is_billed": line.is_billed,
        "agreed_price": None if price is None else str(micro_to_decimal(price)),
        "serials": list(line.serials),
        "is_charged": line.charge_id is not None,
        "is_billed_already": line.billed_by is not None,
    }
