"""Jobs: one by its code, the board of what is to do, the jobs of an account, lines and history of one."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.configuration.types.job_type import FulfilmentScope, JobState
from coax.subscription.queries.codes import SubscriptionKey
from coax.subscription.types.jobs import JobEventRow, JobLineRow, JobRow, JobUnknown, order_from_data

ROWS_MAX: Final = 500
_JOBS: Final = """
SELECT j.id AS job_id, j.account_id, j.code, a.code AS account_code, e.code AS job_type, j.type_version_id,
       j.fulfilment, j.state, j.status, j.subscription_id, u.code AS subscription_code, j.order::text AS "order",
       s.code AS scheme, j.start_date, j.expected_on, j.completed_on, j.location, j.assigned_to,
       o.code AS organisational_unit, j.is_private, j.contact_email, j.contact_phone, j.revision, j.created_on
  FROM subscription_job j
  JOIN party_account a ON a.bucket = j.bucket AND a.account_id = j.account_id
  JOIN configuration_version v ON v.id = j.type_version_id
  JOIN configuration_entity e ON e.id = v.entity_id
  LEFT JOIN configuration_entity o ON o.id = j.organisational_unit_id
  LEFT JOIN subscription_subscription u
    ON u.bucket = j.bucket AND u.account_id = j.account_id AND u.id = j.subscription_id
  LEFT JOIN subscription_billing_term t
    ON t.bucket = j.bucket AND t.account_id = j.account_id AND t.job_id = j.id AND t.effective_to IS NULL
  LEFT JOIN configuration_version sv ON sv.id = t.scheme_version_id
  LEFT JOIN configuration_entity s ON s.id = sv.entity_id
 WHERE j.tenant_id = %(tenant_id)s
"""
_LINES: Final = """
SELECT l.number, l.product_id, e.code AS product, l.quantity, l.duration, l.is_billed, l.agreed_price_micro,
       l.serials::text AS serials, l.charge_id, c.billed_by
  FROM subscription_job_line l
  JOIN configuration_entity e ON e.id = l.product_id
  LEFT JOIN subscription_charge c ON c.bucket = l.bucket AND c.account_id = l.account_id AND c.id = l.charge_id
 WHERE l.bucket = %s AND l.account_id = %s AND l.job_id = %s ORDER BY l.number
"""
_EVENTS: Final = """
SELECT number, verb, state, status, performed_on, actor, reason, detail::text AS detail, recorded_at
  FROM subscription_job_event WHERE bucket = %s AND account_id = %s AND job_id = %s ORDER BY number
"""


def get_job(*, tenant_id: int, code: str, is_locked: bool = False, using: str = APP_ALIAS) -> JobRow:
    """Return a job; `is_locked` keeps it to the open transaction. Raises: JobUnknown."""
    keys = fetch_rows(
        "SELECT account_id, job_id FROM subscription_job_code WHERE tenant_id = %s AND code = %s",
        [tenant_id, code],
        using=using,
    )
    if not keys:
        raise JobUnknown(f"There is no job {code!r}.", job=code)
    account_id, job_id = keys[0]
    params = {"tenant_id": tenant_id, "bucket": bucket_of(account_id), "account_id": account_id, "job_id": job_id}
    if is_locked:
        fetch_rows(
            "SELECT 1 FROM subscription_job WHERE bucket = %s AND account_id = %s AND id = %s FOR NO KEY UPDATE",
            [params["bucket"], account_id, job_id],
            using=using,
        )
    sql = f"{_JOBS} AND j.bucket = %(bucket)s AND j.account_id = %(account_id)s AND j.id = %(job_id)s"
    return _make_job(fetch_dicts(sql, params, using=using)[0])


def get_billable_key(*, tenant_id: int, job: str, using: str = APP_ALIAS) -> SubscriptionKey:
    """Return the key of a job as what a run bills: it stands where that of a subscription does. Raises: JobUnknown."""
    row = get_job(tenant_id=tenant_id, code=job, using=using)
    return SubscriptionKey(row.account_id, row.job_id)


def find_jobs(
    *,
    tenant_id: int,
    account_id: int | None = None,
    state: JobState | None = None,
    job_type: str | None = None,
    assigned_to: str | None = None,
    due_by: date | None = None,
    is_open: bool = False,
    after: int | None = None,
    limit: int = ROWS_MAX,
    using: str = APP_ALIAS,
) -> list[JobRow]:
    """Return jobs by the day they are expected to be done: open ones, of an account, a type, a person.

    With `after` they come in the order of their keys, those after that key.
    """
    sql = f"""{_JOBS}
        AND (%(account_id)s::bigint IS NULL OR (j.bucket = %(bucket)s AND j.account_id = %(account_id)s))
        AND (%(state)s::text IS NULL OR j.state = %(state)s) AND (%(job_type)s::text IS NULL OR e.code = %(job_type)s)
        AND (%(assigned_to)s::text IS NULL OR j.assigned_to = %(assigned_to)s)
        AND (%(due_by)s::date IS NULL OR j.expected_on <= %(due_by)s)
        AND (NOT %(is_open)s OR j.state IN ('draft', 'pending', 'in_progress'))
        AND (%(after)s::bigint IS NULL OR j.id > %(after)s)
        ORDER BY {"j.expected_on, j.id" if after is None else "j.id"} LIMIT %(limit)s"""
    params = {
        "tenant_id": tenant_id,
        "account_id": account_id,
        "bucket": bucket_of(account_id) if account_id is not None else None,
        "state": state,
        "job_type": job_type,
        "assigned_to": assigned_to,
        "due_by": due_by,
        "is_open": is_open,
        "after": after,
        "limit": limit,
    }
    return [_make_job(row) for row in fetch_dicts(sql, params, using=using)]


def find_job_states(*, tenant_id: int, account_id: int, on: date, using: str = APP_ALIAS) -> dict[int, str]:
    """Return in which state the jobs of an account were at the end of a day, by their keys."""
    rows = fetch_rows(
        """SELECT DISTINCT ON (job_id) job_id, state FROM subscription_job_event
           WHERE bucket = %s AND account_id = %s AND tenant_id = %s AND performed_on <= %s
           ORDER BY job_id, number DESC""",
        [bucket_of(account_id), account_id, tenant_id, on],
        using=using,
    )
    return dict(rows)


def find_job_lines(job: JobRow, *, using: str = APP_ALIAS) -> list[JobLineRow]:
    """Return the goods and the work of a job in the order of their numbers."""
    rows = fetch_dicts(_LINES, _key(job), using=using)
    return [JobLineRow(**{**row, "serials": tuple(json.loads(row["serials"]))}) for row in rows]


def find_job_events(job: JobRow, *, using: str = APP_ALIAS) -> list[JobEventRow]:
    """Return what was done with a job, the oldest first."""
    rows = fetch_dicts(_EVENTS, _key(job), using=using)
    return [JobEventRow(**{**row, "detail": json.loads(row["detail"])}) for row in rows]


def _key(job: JobRow) -> list[int]:
    return [bucket_of(job.account_id), job.account_id, job.job_id]


def _make_job(row: dict[str, Any]) -> JobRow:
    known: dict[str, Any] = {
        "fulfilment": FulfilmentScope(row.pop("fulfilment")),
        "state": JobState(row.pop("state")),
        "order": order_from_data(json.loads(row.pop("order"))),
    }
    return JobRow(**row, **known)
