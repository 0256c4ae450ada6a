"""Order a job: goods and work for an account, under a contract of its own where it is billed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any, cast

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids, reserve_numbers
from coax.base.outbox import append_facts
from coax.base.tenancy import APP_ALIAS
from coax.configuration.operations.mark_used import mark_used
from coax.configuration.queries import find_versions, get_entity
from coax.configuration.types.billing_term_scheme import BillingTermScheme
from coax.configuration.types.catalogue import Product
from coax.configuration.types.job_type import JobState, JobType
from coax.subscription.batch.jobs import JobDeed, NewJob, NewLine, insert_job
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.rules.jobs import check_contract, check_line, check_order, check_plan, decide_expected
from coax.subscription.types.contracts import ENDED
from coax.subscription.types.jobs import LINES_MAX, JobRequest, JobVerb, LineRequest, Plan, refuse_job

SERIES = "job"


def create_job(
    request: JobRequest,
    *,
    tenant_id: int,
    account_id: int,
    account_state: str,
    actor: str,
    unit: str | None,
    now: datetime,
    today: date,
    using: str = APP_ALIAS,
) -> str:
    """Order a job in the open transaction and return its code.

    The type's own tasks come first, then the lines of the order. `unit` is the organisational unit of who orders, None
    for who may order everything.

    Raises: EntityNotFound, SubscriptionUnknown, JobRefused.
    """
    if account_state == "terminated":
        raise refuse_job("account", request.account_code, "an account that is not terminated")
    row = get_entity("job_type", request.job_type, today, using=using)
    job_type = cast("JobType", row.spec)
    if not job_type.is_active:
        raise refuse_job("job_type", request.job_type, "an active job type")
    if unit and job_type.organisational_units and unit not in job_type.organisational_units:
        allowed = ", ".join(job_type.organisational_units)
        raise refuse_job("job_type", request.job_type, f"for the units {allowed}", said=f"is not for {unit}")
    subscription_id = _find_subscription(request, job_type, tenant_id, account_id, using)
    order = request.order
    check_order(job_type.fulfilment, order, has_subscription=subscription_id is not None, job_type=request.job_type)
    scheme_version_id, plan_id, frequency = _find_contract(request, job_type, today, using)
    mark_used([row.version_id, *([scheme_version_id] if scheme_version_id else [])], now, using=using)
    code = f"J-{reserve_numbers(tenant_id=tenant_id, series=SERIES, count=1, using=using)[0]}"
    job_id = next_ids("base_object_seq", 1, using=using)[0]
    insert_job(
        NewJob(
            job_id=job_id,
            account_id=account_id,
            code=code,
            type_version_id=row.version_id,
            fulfilment=job_type.fulfilment,
            state=JobState.DRAFT if request.is_draft else JobState.PENDING,
            subscription_id=subscription_id,
            order=asdict(order),
            values=plan_values(request.plan, job_type, start_date=None, today=today, using=using),
            scheme_version_id=scheme_version_id,
            price_plan_id=plan_id,
            agreement_date=request.agreement_date or today,
            frequency=frequency,
        ),
        make_lines([*_tasks(job_type), *request.lines], job_type, today=today, using=using),
        JobDeed(JobVerb.CREATE, actor, today, now, request.reason),
        tenant_id=tenant_id,
        using=using,
    )
    append_facts(
        tenant_id=tenant_id,
        kind="job",
        bodies=[{"job": code, "verb": JobVerb.CREATE, "type": request.job_type, "actor": actor}],
        using=using,
    )
    return code


def make_lines(lines: list[LineRequest], job_type: JobType, *, today: date, using: str) -> list[NewLine]:
    """Return lines as they are written. Raises: JobRefused."""
    if len(lines) > LINES_MAX:
        raise refuse_job("lines", len(lines), f"up to {LINES_MAX}")
    found = {row.code: row for row in find_versions("product", today, using=using)} if lines else {}
    made = []
    for line in lines:
        row = found.get(line.product)
        check_line(line, cast("Product", row.spec) if row else None, job_type)
        is_billed = job_type.billable if line.is_billed is None else line.is_billed
        made.append(
            NewLine(
                product_id=row.entity_id if row else 0,
                quantity=line.quantity,
                duration=line.duration,
                is_billed=is_billed,
                agreed_price_micro=line.agreed_price_micro,
            )
        )
    return made


def plan_values(plan: Plan, job_type: JobType, *, start_date: date | None, today: date, using: str) -> dict[str, Any]:
    """Return the columns that a plan sets. Raises: JobRefused, EntityNotFound."""
    start = plan.start_date or start_date
    expected = decide_expected(plan, job_type, started_on=start or today)
    check_plan(plan, start_date=start, expected_on=expected)
    names = ("start_date", "location", "assigned_to", "is_private", "contact_email", "contact_phone")
    values = {name: getattr(plan, name) for name in names if getattr(plan, name) is not None}
    if plan.expected_on or plan.start_date or start_date is None:
        values["expected_on"] = expected
    if plan.organisational_unit is not None:
        unit = get_entity("organisational_unit", plan.organisational_unit, today, using=using)
        values["organisational_unit_id"] = unit.entity_id
    return values


def _tasks(job_type: JobType) -> list[LineRequest]:
    return [
        LineRequest(
            product=task.product,
            quantity=task.quantity,
            duration=task.duration,
            is_billed=task.billed and job_type.billable,
        )
        for task in job_type.tasks
    ]


def _find_subscription(
    request: JobRequest, job_type: JobType, tenant_id: int, account_id: int, using: str
) -> int | None:
    """Return the subscription that a job is about, one of its account that is not over."""
    code = request.subscription_code
    if code is None:
        return None
    key = get_subscription_key(tenant_id=tenant_id, code=code, using=using)
    if key.account_id != account_id:
        raise refuse_job("subscription", code, f"a subscription of account {request.account_code}")
    state, type_id = fetch_rows(
        "SELECT state, type_id FROM subscription_subscription WHERE bucket = %s AND account_id = %s AND id = %s",
        [bucket_of(account_id), account_id, key.subscription_id],
        using=using,
    )[0]
    if state in ENDED:
        raise refuse_job("subscription", code, "a subscription that is not over", said=f"is {state}")
    if job_type.subscription_types:
        codes = {row.entity_id: row.code for row in find_versions("subscription_type", using=using)}
        if codes.get(type_id) not in job_type.subscription_types:
            allowed = ", ".join(job_type.subscription_types)
            raise refuse_job("subscription", code, allowed, said=f"is of type {codes.get(type_id)}")
    return key.subscription_id


def _find_contract(
    request: JobRequest, job_type: JobType, today: date, using: str
) -> tuple[int | None, int | None, str]:
    """Return scheme version, price plan and frequency of a billable job's contract."""
    code = request.scheme
    if code is None and len(job_type.schemes) == 1:
        code = job_type.schemes[0]
    row = next((row for row in find_versions("billing_term_scheme", today, using=using) if row.code == code), None)
    scheme = cast("BillingTermScheme", row.spec) if row and row.spec.is_active else None
    check_contract(job_type, scheme, code)
    if row is None or scheme is None:
        return None, None, ""
    if request.agreement_date and request.agreement_date > today:
        raise refuse_job("agreement_date", request.agreement_date.isoformat(), f"up to {today}")
    only = scheme.price_plans[0] if len(scheme.price_plans) == 1 else None
    plan = request.price_plan or scheme.default_price_plan or only
    if plan not in scheme.price_plans:
        raise refuse_job("price_plan", plan, ", ".join(scheme.price_plans))
    plan_id = get_entity("price_plan", plan, today, using=using).entity_id
    return row.version_id, plan_id, scheme.frequencies[0] if scheme.frequencies else "monthly"
