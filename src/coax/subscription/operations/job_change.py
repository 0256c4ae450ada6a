"""Submit, plan, start, put back, annotate and cancel a job; add, remove and equip its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from coax.base.tenancy import APP_ALIAS
from coax.configuration.queries import find_versions_by_id
from coax.configuration.types.job_type import JobType
from coax.subscription.batch.items import move_item
from coax.subscription.batch.jobs import (
    JobDeed,
    delete_line,
    insert_lines,
    lines_ever,
    update_job,
    write_serials,
)
from coax.subscription.operations.job_create import make_lines, plan_values
from coax.subscription.queries.items import get_item
from coax.subscription.queries.jobs import find_job_lines, get_job
from coax.subscription.rules.jobs import check_job_verb, check_status
from coax.subscription.types.items import Deed, ItemState, ItemVerb, Place
from coax.subscription.types.jobs import (
    LINES_MAX,
    TEXT_CHARS_MAX,
    JobLineRow,
    JobRow,
    JobVerb,
    LineRequest,
    Plan,
    refuse_job,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """Who acts, for which operator, when."""

    tenant_id: int
    actor: str
    today: date
    now: datetime
    reason: str = ""
    using: str = APP_ALIAS


def move_job(
    code: str, verb: JobVerb, context: JobContext, *, status: str | None = None, detail: dict[str, Any] | None = None
) -> JobRow:
    """Take a job to another state (submit, start, put back, cancel), or only note something; return it.

    Cancelling keeps its items for nobody any more. Raises: JobRefused.
    """
    job = get_job(tenant_id=context.tenant_id, code=code, is_locked=True, using=context.using)
    state = check_job_verb(verb, state=job.state, code=code)
    values: dict[str, Any] = {}
    if state is not job.state:
        values = {"state": state, "status": ""}
    if status is not None:
        check_status(get_job_type(job, using=context.using), status, state)
        values["status"] = status
    if verb is JobVerb.START and job.start_date is None:
        values["start_date"] = context.today
    if verb is JobVerb.NOTE and not context.reason and status is None:
        raise refuse_job("reason", None, "what is to be noted")
    if verb is JobVerb.CANCEL:
        for line in find_job_lines(job, using=context.using):
            release_items(job, line.serials, context)
    return write_job(job, verb, context, values, detail)


def plan_job(code: str, plan: Plan, context: JobContext) -> JobRow:
    """Set when and where a job is done, and by whom; return it. Raises: JobRefused, EntityNotFound."""
    job = get_job(tenant_id=context.tenant_id, code=code, is_locked=True, using=context.using)
    check_job_verb(JobVerb.PLAN, state=job.state, code=code)
    job_type = get_job_type(job, using=context.using)
    values = plan_values(plan, job_type, start_date=job.start_date, today=context.today, using=context.using)
    if plan.start_date is None and plan.expected_on is None:
        values.pop("expected_on", None)
    if not values:
        raise refuse_job("plan", None, "something to plan: a day, a place, a person")
    return write_job(job, JobVerb.PLAN, context, values, {name: values[name] for name in values})


def add_job_line(code: str, line: LineRequest, context: JobContext) -> JobRow:
    """Add a good or work to a job; return it. Raises: JobRefused."""
    job = get_job(tenant_id=context.tenant_id, code=code, is_locked=True, using=context.using)
    check_job_verb(JobVerb.ADD_LINE, state=job.state, code=code)
    if len(find_job_lines(job, using=context.using)) >= LINES_MAX:
        raise refuse_job("lines", LINES_MAX + 1, f"up to {LINES_MAX}")
    lines = make_lines([line], get_job_type(job, using=context.using), today=context.today, using=context.using)
    number = lines_ever(job, using=context.using) + 1
    insert_lines(job.account_id, job.job_id, number, lines, tenant_id=context.tenant_id, using=context.using)
    detail = {"line": number, "product": line.product, "quantity": line.quantity}
    return write_job(job, JobVerb.ADD_LINE, context, {}, detail)


def remove_job_line(code: str, number: int, context: JobContext) -> JobRow:
    """Take a line off a job; return it. Raises: JobRefused."""
    job, line = _get_line(code, number, JobVerb.REMOVE_LINE, context)
    release_items(job, line.serials, context)
    delete_line(job, number, using=context.using)
    detail = {"line": number, "product": line.product, "quantity": line.quantity}
    return write_job(job, JobVerb.REMOVE_LINE, context, {}, detail)


def equip_job_line(code: str, number: int, serials: Sequence[str], context: JobContext) -> JobRow:
    """Say which items a line delivers, in place of those named before, and keep them for the job; return it.

    Raises: JobRefused, ItemUnknown, ItemStateRefused, ItemMovedMeanwhile.
    """
    job, line = _get_line(code, number, JobVerb.EQUIP, context)
    if len(serials) > line.quantity:
        raise refuse_job("serials", len(serials), f"up to {line.quantity}, the quantity of line {number}")
    if len(set(serials)) < len(serials):
        raise refuse_job("serials", ", ".join(serials), "each serial number once")
    if serials and job.subscription_id is None and job.order.sale is None:
        raise refuse_job("serials", ", ".join(serials), f"none: job {code} has no subscription to install them on")
    release_items(job, [serial for serial in line.serials if serial not in serials], context)
    for serial in serials:
        if serial not in line.serials:
            _keep_item(job, line, serial, context)
    write_serials(job, number, serials, using=context.using)
    return write_job(job, JobVerb.EQUIP, context, {}, {"line": number, "serials": list(serials)})


def release_items(job: JobRow, serials: Sequence[str], context: JobContext) -> None:
    """Keep items for a job no longer. Raises: ItemMovedMeanwhile."""
    for serial in serials:
        item = get_item(tenant_id=context.tenant_id, serial=serial, using=context.using)
        if item.place.reserved_for != job.job_id:
            continue
        move_item(
            tenant_id=context.tenant_id,
            item=item,
            verb=ItemVerb.UNRESERVE,
            to=ItemState.IN_STOCK,
            place=Place(location_id=item.place.location_id),
            deed=Deed(context.actor, context.today, context.reason or f"job {job.code}"),
            using=context.using,
        )


def get_job_type(job: JobRow, *, using: str = APP_ALIAS) -> JobType:
    """Return the version of its type that a job was ordered by."""
    return cast("JobType", find_versions_by_id([job.type_version_id], using=using)[0].spec)


def _keep_item(job: JobRow, line: JobLineRow, serial: str, context: JobContext) -> None:
    item = get_item(tenant_id=context.tenant_id, serial=serial, good=line.product, using=context.using)
    move_item(
        tenant_id=context.tenant_id,
        item=item,
        verb=ItemVerb.RESERVE,
        to=ItemState.RESERVED,
        place=Place(location_id=item.place.location_id, reserved_for=job.job_id),
        deed=Deed(context.actor, context.today, context.reason or f"job {job.code}"),
        using=context.using,
    )


def _get_line(code: str, number: int, verb: JobVerb, context: JobContext) -> tuple[JobRow, JobLineRow]:
    job = get_job(tenant_id=context.tenant_id, code=code, is_locked=True, using=context.using)
    check_job_verb(verb, state=job.state, code=code)
    lines = {line.number: line for line in find_job_lines(job, using=context.using)}
    if number not in lines:
        raise refuse_job("line", number, ", ".join(map(str, lines)) or "none, the job has no lines")
    return job, lines[number]


def write_job(
    job: JobRow, verb: JobVerb, context: JobContext, values: dict[str, Any], detail: dict[str, Any] | None
) -> JobRow:
    """Change a locked job and tell it as a deed; return the job. Raises: JobRefused."""
    if len(context.reason) > TEXT_CHARS_MAX:
        raise refuse_job("reason", f"{len(context.reason)} characters", f"up to {TEXT_CHARS_MAX} characters")
    deed = JobDeed(verb, context.actor, context.today, context.now, context.reason, detail)
    update_job(job, deed, values, tenant_id=context.tenant_id, using=context.using)
    return get_job(tenant_id=context.tenant_id, code=job.code, using=context.using)
