"""Order a job, as staff and programs ask for it, and do the small things with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from coax.base.clock import tenant_now, tenant_today
from coax.base.idempotency import perform_once
from coax.base.tenancy import APP_ALIAS, Tenant, tenant_transaction
from coax.party.queries.accounts import get_account
from coax.party.queries.staff import find_unit
from coax.process.subscription_actions.sell import SaleRequest, check_sale
from coax.process.subscription_actions.standing import find_over_limit
from coax.subscription.operations.job_change import JobContext
from coax.subscription.operations.job_create import create_job
from coax.subscription.queries.jobs import get_job
from coax.subscription.queries.policy import load_policy
from coax.subscription.types.jobs import JobRequest, JobRow, JobVerb, SaleOrder, refuse_job


def order_job(
    *,
    tenant: Tenant,
    request: JobRequest,
    actor: str,
    idempotency_key: str | None = None,
    asked: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], bool]:
    """Order a job; return its code and state, and whether it was a repetition.

    A draft is kept as it is. What is submitted could be completed as things stand: its account owes no more than its
    credit limit, and may be sold what it orders. `asked` is what two requests with the same key have in common, by
    default the request itself.

    Raises: AccountUnknown, EntityNotFound, SubscriptionUnknown, JobRefused, ActionRefused, IdempotencyKeyReused,
    IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id):
        return perform_once(
            tenant_id=tenant.id,
            operation="order_job",
            key=idempotency_key,
            request=asked or asdict(request),
            action=lambda: _order(tenant, request, actor),
        )


def change_job(
    *, tenant: Tenant, actor: str, change: Callable[[JobContext], JobRow], verb: JobVerb, reason: str = ""
) -> JobRow:
    """Do something with a job in a transaction of its own, and return the job. Raises: what `change` raises."""
    with tenant_transaction(tenant.id):
        job = change(make_job_context(tenant, actor=actor, reason=reason))
        if verb is JobVerb.SUBMIT:
            _check_order(tenant, job, actor)
        return job


def make_job_context(tenant: Tenant, *, actor: str, reason: str = "", using: str = APP_ALIAS) -> JobContext:
    """Return who acts now, in the open transaction."""
    return JobContext(
        tenant_id=tenant.id,
        actor=actor,
        today=tenant_today(tenant.id, using=using),
        now=tenant_now(tenant.id, using=using),
        reason=reason,
        using=using,
    )


def make_sale(job: JobRow, sale: SaleOrder, on: date, *, is_draft: bool) -> SaleRequest:
    """Return the sale that completing a job on a day makes; a draft where items have to be installed first."""
    return SaleRequest(
        account_code=job.account_code,
        subscription_type=sale.subscription_type,
        scheme=sale.scheme,
        products=sale.products,
        performed_on=on,
        subscription_code=sale.subscription_code,
        price_plan=sale.price_plan,
        frequency=sale.frequency,
        cycle_day=sale.cycle_day,
        binding_period=sale.binding_period,
        binding_start_date=on if sale.binding_period else None,
        is_draft=is_draft,
        reason=f"job {job.code}",
    )


def _order(tenant: Tenant, request: JobRequest, actor: str) -> dict[str, Any]:
    account = get_account(tenant.id, request.account_code)
    code = create_job(
        request,
        tenant_id=tenant.id,
        account_id=account.account_id,
        account_state=account.state,
        actor=actor,
        unit=find_unit(tenant_id=tenant.id, username=actor),
        now=tenant_now(tenant.id),
        today=tenant_today(tenant.id),
    )
    if not request.is_draft:
        _check_order(tenant, get_job(tenant_id=tenant.id, code=code), actor)
    return {"job": code, "state": "draft" if request.is_draft else "pending"}


def _check_order(tenant: Tenant, job: JobRow, actor: str) -> None:
    """Check what would keep a job from being completed as things stand. Raises: JobRefused, ActionRefused."""
    if find_over_limit([job.account_id]):
        allowed = "one that owes no more than its credit limit; a draft may be kept"
        raise refuse_job("account", job.account_code, allowed, said="owes more than its credit limit")
    if job.order.sale is not None:
        today = tenant_today(tenant.id)
        account = get_account(tenant.id, job.account_code)
        policy = load_policy(today, unit=find_unit(tenant_id=tenant.id, username=actor))
        sale = make_sale(job, job.order.sale, today, is_draft=policy.asks_for_items)
        check_sale(tenant, sale, account, policy, using=APP_ALIAS)
