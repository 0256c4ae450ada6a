"""Close a job: charge what it delivered and did, and write that it is completed."""

from __future__ import annotations

from datetime import date
from typing import Any

from coax.base.outbox import append_facts
from coax.configuration.types.job_type import JobState
from coax.subscription.batch.jobs import charge_lines
from coax.subscription.operations.job_change import JobContext, write_job
from coax.subscription.queries.jobs import find_job_lines
from coax.subscription.rules.jobs import check_job_verb
from coax.subscription.types.jobs import JobRow, JobVerb, refuse_job


def check_completion(job: JobRow, *, completed_on: date, today: date) -> None:
    """Check that a job may be completed as of a day. Raises: JobRefused."""
    check_job_verb(JobVerb.COMPLETE, state=job.state, code=job.code)
    if not job.created_on <= completed_on <= today:
        raise refuse_job("completed_on", completed_on.isoformat(), f"{job.created_on} to {today}")


def complete_job(
    job: JobRow, context: JobContext, *, completed_on: date, subscription_id: int | None, detail: dict[str, Any]
) -> JobRow:
    """Close a locked job whose fulfilment is written; its billed lines are charged on the day. Return the job.

    `subscription_id` is the subscription that it made or was about.

    Raises: JobRefused.
    """
    check_completion(job, completed_on=completed_on, today=context.today)
    lines = find_job_lines(job, using=context.using)
    charged = charge_lines(job, lines, completed_on, tenant_id=context.tenant_id, using=context.using)
    values: dict[str, Any] = {"state": JobState.COMPLETED, "status": "", "completed_on": completed_on}
    if subscription_id is not None:
        values["subscription_id"] = subscription_id
    if job.start_date is None:
        values["start_date"] = completed_on
    closed = write_job(job, JobVerb.COMPLETE, context, values, {**detail, "charges": charged})
    body = {"job": job.code, "verb": JobVerb.COMPLETE, "on": completed_on, "actor": context.actor}
    append_facts(tenant_id=context.tenant_id, kind="job", bodies=[body], using=context.using)
    return closed
