"""What travels of jobs: orders, lines, plans, what came of them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field

from coax.base.money import micro_to_decimal, parse_micro
from coax.configuration.types.job_type import FulfilmentScope, JobState
from coax.interfaces.api.rest.paging import Page
from coax.interfaces.api.rest.routes.bills import BillPreview
from coax.interfaces.api.rest.values import Amount, Code, Day, Flag, Model, Money, Natural, Positive, Text
from coax.subscription.queries.jobs import find_job_events, find_job_lines
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


def make_request(body: JobToOrder) -> JobRequest:
    """Return the order that a body asks for."""
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
        lines=tuple(make_line(line) for line in body.lines),
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


def make_line(body: LineToAdd) -> LineRequest:
    """Return the line that a body asks for."""
    price = None if body.agreed_price is None else parse_micro(body.agreed_price)
    return LineRequest(**body.model_dump(exclude={"agreed_price"}), agreed_price_micro=price)


def _make_service(body: ServiceToOrder) -> ServiceOrder:
    price = None if body.agreed_price is None else parse_micro(body.agreed_price)
    return ServiceOrder(**body.model_dump(exclude={"agreed_price"}), agreed_price_micro=price)


def describe_job(row: JobRow) -> dict[str, Any]:
    """Return what `Job` says of a job."""
    head = {"job": row.code, "account": row.account_code, "type": row.job_type, "subscription": row.subscription_code}
    return {**head, **{name: getattr(row, name) for name in Job.model_fields if name not in head}}


def show_job(row: JobRow) -> dict[str, Any]:
    """Return what `JobWithLines` says of a job."""
    return {
        **describe_job(row),
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
