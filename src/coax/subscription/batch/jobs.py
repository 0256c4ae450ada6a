"""Writing jobs: the job, its lines, its contract, its charges, and what was done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.configuration.types.job_type import JobState
from coax.subscription.types.jobs import JobLineRow, JobRow, JobVerb

_COLUMNS = frozenset(
    {
        "state",
        "status",
        "subscription_id",
        "start_date",
        "expected_on",
        "completed_on",
        "location",
        "assigned_to",
        "organisational_unit_id",
        "is_private",
        "contact_email",
        "contact_phone",
    }
)


@dataclass(frozen=True, slots=True)
class JobDeed:
    """Who does something with a job, when, why, and what to remember of it."""

    verb: JobVerb
    actor: str
    performed_on: date
    at: datetime
    reason: str = ""
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to be written."""

    product_id: int
    quantity: int
    duration: int
    is_billed: bool
    agreed_price_micro: int | None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be written; the contract's scheme and plan where it is billable."""

    job_id: int
    account_id: int
    code: str
    type_version_id: int
    fulfilment: str
    state: JobState
    subscription_id: int | None
    order: Mapping[str, Any]
    values: Mapping[str, Any]
    scheme_version_id: int | None
    price_plan_id: int | None
    agreement_date: date
    frequency: str


def insert_job(job: NewJob, lines: Sequence[NewLine], deed: JobDeed, *, tenant_id: int, using: str) -> None:
    """Write a job with its code, contract, lines and first event."""
    bucket = bucket_of(job.account_id)
    execute(
        "INSERT INTO subscription_job_code (tenant_id, code, account_id, job_id) VALUES (%s, %s, %s, %s)",
        [tenant_id, job.code, job.account_id, job.job_id],
        using=using,
    )
    values = {
        "bucket": bucket,
        "account_id": job.account_id,
        "id": job.job_id,
        "tenant_id": tenant_id,
        "code": job.code,
        "type_version_id": job.type_version_id,
        "fulfilment": job.fulfilment,
        "state": job.state,
        "status": "",
        "subscription_id": job.subscription_id,
        '"order"': json.dumps(job.order, default=str),
        "location": "",
        "assigned_to": "",
        "is_private": False,
        "contact_email": "",
        "contact_phone": "",
        "revision": 1,
        "created_on": deed.performed_on,
        **job.values,
    }
    execute(
        f"INSERT INTO subscription_job ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})",
        list(values.values()),
        using=using,
    )
    if job.scheme_version_id is not None:
        _insert_term(job, tenant_id, using)
    _insert_event(bucket, job.account_id, job.job_id, 1, job.state, "", deed, tenant_id=tenant_id, using=using)
    insert_lines(job.account_id, job.job_id, 1, lines, tenant_id=tenant_id, using=using)


def _insert_term(job: NewJob, tenant_id: int, using: str) -> None:
    """Write a job's contract; its frequency and cycle day have no meaning, for everything in it is billed once."""
    execute(
        """INSERT INTO subscription_billing_term (bucket, account_id, id, tenant_id, job_id, scheme_version_id,
               price_plan_id, frequency, cycle_day, agreement_date, binding_period, effective_from)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 1, %s, '', %s)""",
        [
            bucket_of(job.account_id),
            job.account_id,
            next_ids("base_object_seq", 1, using=using)[0],
            tenant_id,
            job.job_id,
            job.scheme_version_id,
            job.price_plan_id,
            job.frequency,
            job.agreement_date,
            job.agreement_date,
        ],
        using=using,
    )


def insert_lines(
    account_id: int, job_id: int, first: int, lines: Sequence[NewLine], *, tenant_id: int, using: str
) -> None:
    """Write lines with the numbers from `first` on."""
    if not lines:
        return
    execute(
        """INSERT INTO subscription_job_line (bucket, account_id, job_id, number, tenant_id, product_id, quantity,
               duration, is_billed, agreed_price_micro, serials)
           SELECT %s, %s, %s, v.number, %s, v.product_id, v.quantity, v.duration, v.is_billed, v.price, '[]'
           FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::boolean[], %s::bigint[])
             AS v (number, product_id, quantity, duration, is_billed, price)""",
        [
            bucket_of(account_id),
            account_id,
            job_id,
            tenant_id,
            list(range(first, first + len(lines))),
            [line.product_id for line in lines],
            [line.quantity for line in lines],
            [line.duration for line in lines],
            [line.is_billed for line in lines],
            [line.agreed_price_micro for line in lines],
        ],
        using=using,
    )


def delete_line(job: JobRow, number: int, *, using: str) -> None:
    """Take a line off a job that is still open; its event tells what it was."""
    execute(
        "DELETE FROM subscription_job_line WHERE bucket = %s AND account_id = %s AND job_id = %s AND number = %s",
        [*_key(job), number],
        using=using,
    )


def write_serials(job: JobRow, number: int, serials: Sequence[str], *, using: str) -> None:
    """Write which items a line delivers."""
    execute(
        """UPDATE subscription_job_line SET serials = %s
           WHERE bucket = %s AND account_id = %s AND job_id = %s AND number = %s""",
        [json.dumps(list(serials)), *_key(job), number],
        using=using,
    )


def update_job(job: JobRow, deed: JobDeed, values: Mapping[str, Any], *, tenant_id: int, using: str) -> None:
    """Change a locked job and write the event that its new revision is."""
    if unknown := set(values) - _COLUMNS:
        raise AssertionError(f"no such columns of a job: {sorted(unknown)}")
    sets = "".join(f", {name} = %s" for name in values)
    execute(
        f"""UPDATE subscription_job SET revision = revision + 1{sets}
            WHERE bucket = %s AND account_id = %s AND id = %s""",
        [*values.values(), *_key(job)],
        using=using,
    )
    state, status = values.get("state", job.state), values.get("status", job.status)
    bucket, account_id, job_id = _key(job)
    _insert_event(bucket, account_id, job_id, job.revision + 1, state, status, deed, tenant_id=tenant_id, using=using)


def charge_lines(job: JobRow, lines: Sequence[JobLineRow], on: date, *, tenant_id: int, using: str) -> int:
    """Charge the billed lines of a job on a day; the next run bills them. Return how many there were."""
    billed = [line for line in lines if line.is_billed]
    if not billed:
        return 0
    fresh = next_ids("base_object_seq", len(billed), using=using)
    columns = [
        fresh,
        [f"{job.code}-{line.number}" for line in billed],
        [line.product_id for line in billed],
        [line.quantity for line in billed],
        [line.duration for line in billed],
        [line.agreed_price_micro for line in billed],
    ]
    execute(
        """INSERT INTO subscription_charge (bucket, account_id, id, tenant_id, job_id, code, product_id, quantity,
               duration, performed_on, agreed_price_micro)
           SELECT %s, %s, v.id, %s, %s, v.code, v.product_id, v.quantity, v.duration, %s, v.price
           FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
             AS v (id, code, product_id, quantity, duration, price)""",
        [bucket_of(job.account_id), job.account_id, tenant_id, job.job_id, on, *columns],
        using=using,
    )
    return execute(
        """UPDATE subscription_job_line l SET charge_id = v.id
           FROM unnest(%s::bigint[], %s::int[]) AS v (id, number)
           WHERE l.bucket = %s AND l.account_id = %s AND l.job_id = %s AND l.number = v.number""",
        [fresh, [line.number for line in billed], *_key(job)],
        using=using,
    )


def lines_ever(job: JobRow, *, using: str) -> int:
    """Return the highest number that a line of a job has had."""
    rows = fetch_rows(
        """SELECT greatest(
               (SELECT coalesce(max(number), 0) FROM subscription_job_line
                 WHERE bucket = %s AND account_id = %s AND job_id = %s),
               (SELECT coalesce(max((detail ->> 'line')::int), 0) FROM subscription_job_event
                 WHERE bucket = %s AND account_id = %s AND job_id = %s))""",
        [*_key(job), *_key(job)],
        using=using,
    )
    return int(rows[0][0])


def _insert_event(
    bucket: int,
    account_id: int,
    job_id: int,
    number: int,
    state: str,
    status: str,
    deed: JobDeed,
    *,
    tenant_id: int,
    using: str,
) -> None:
    execute(
        """INSERT INTO subscription_job_event (bucket, account_id, job_id, number, tenant_id, verb, state, status,
               performed_on, actor, reason, detail, recorded_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            bucket,
            account_id,
            job_id,
            number,
            tenant_id,
            deed.verb,
            state,
            status,
            deed.performed_on,
            deed.actor,
            deed.reason,
            json.dumps(deed.detail or {}, default=str),
            deed.at,
        ],
        using=using,
    )


def _key(job: JobRow) -> list[int]:
    return [bucket_of(job.account_id), job.account_id, job.job_id]
