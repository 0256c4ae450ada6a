"""Complete a job: fulfil what it was for, install and charge what it delivers; or only see what that would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from django.db import transaction

from coax.base.clock import tenant_today
from coax.base.idempotency import perform_once
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.types.job_type import FulfilmentScope, JobState
from coax.process.billing_run.plan import RunRequest
from coax.process.billing_run.preview import Preview, preview_bill
from coax.process.jobs.order import make_job_context, make_sale
from coax.process.subscription_actions.perform import describe_effects, perform_request
from coax.process.subscription_actions.sell import sell_subscription
from coax.process.subscription_actions.standing import find_credit_left
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_swap import swap_item
from coax.subscription.operations.job_change import JobContext, move_job
from coax.subscription.operations.job_complete import check_completion, complete_job
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.jobs import find_job_lines, get_job
from coax.subscription.queries.policy import load_policy
from coax.subscription.rules.jobs import FULFILMENTS
from coax.subscription.types.actions import ActionRequest, Behaviour
from coax.subscription.types.items import ItemCondition
from coax.subscription.types.jobs import JobLineRow, JobRow, JobVerb, ServiceOrder, refuse_job

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class JobQuote:
    """What completing a job today would do, the account's next bill after it, and if its credit is enough.

    `total_minor` is the bill's total, 0 where it has none; `credit_left_minor` what the account may owe more as things
    stand, None without a limit; both in minor units.
    """

    changes: list[str]
    bill: Preview
    total_minor: int
    credit_left_minor: int | None

    @property
    def is_affordable(self) -> bool:
        """Tell whether the bill keeps the account within its credit limit."""
        return self.credit_left_minor is None or self.total_minor <= self.credit_left_minor


def perform_completion(
    *,
    tenant: Tenant,
    code: str,
    actor: str,
    completed_on: date | None = None,
    swaps: Mapping[str, str] = NOTHING,
    reason: str = "",
    idempotency_key: str | None = None,
    asked: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], bool]:
    """Complete a job, by default today; return what was done, and whether it was a repetition.

    `swaps` names, by the serial number of an item that is taken back, the one that takes its place, where the order
    does not. `asked` is what two requests with the same key have in common. All is stored, or nothing.

    Raises: JobRefused, ActionRefused, InstallationRefused, ItemUnknown, ItemStateRefused, ItemMovedMeanwhile,
    IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    given = {"job": code, "completed_on": completed_on, "swaps": dict(swaps), "reason": reason}
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        return perform_once(
            tenant_id=tenant.id,
            operation="complete_job",
            key=idempotency_key,
            request=asked or given,
            action=lambda: _complete(tenant, code, actor, completed_on, swaps, reason),
            using=RUN_ALIAS,
        )


def quote_job(*, tenant: Tenant, code: str, actor: str) -> JobQuote:
    """Complete a job today, make the account's next bill by the run's own code, and take everything back.

    A draft is quoted as if it were submitted. Swaps of items are left out, for the new ones may not be chosen yet.

    Raises: JobRefused, ActionRefused, and what planning a run raises.
    """
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        job = get_job(tenant_id=tenant.id, code=code, using=RUN_ALIAS)
        left = find_credit_left(job.account_id, using=RUN_ALIAS)
        if job.state is JobState.DRAFT:
            move_job(code, JobVerb.SUBMIT, make_job_context(tenant, actor=actor, using=RUN_ALIAS))
        today = tenant_today(tenant.id, using=RUN_ALIAS)
        done = _complete(tenant, code, actor, today, NOTHING, "", is_quote=True)
        bill = preview_bill(
            tenant=tenant, account_id=job.account_id, request=RunRequest(execution_date=today, actor=actor)
        )
        transaction.set_rollback(True, using=RUN_ALIAS)
    total_minor = bill.facts.bill.total_minor if bill.facts else 0
    return JobQuote(done["changes"], bill, total_minor, left)


def _complete(
    tenant: Tenant,
    code: str,
    actor: str,
    completed_on: date | None,
    swaps: Mapping[str, str],
    reason: str,
    *,
    is_quote: bool = False,
) -> dict[str, Any]:
    context = make_job_context(tenant, actor=actor, reason=reason, using=RUN_ALIAS)
    job = get_job(tenant_id=tenant.id, code=code, is_locked=True, using=RUN_ALIAS)
    on = completed_on or context.today
    check_completion(job, completed_on=on, today=context.today)
    subscription, requests, changes = job.subscription_code, list(_requests(job, on)), []
    if job.order.sale is not None:
        is_draft = load_policy(on, using=RUN_ALIAS).asks_for_items
        sale = make_sale(job, job.order.sale, on, is_draft=is_draft)
        subscription = str(sell_subscription(tenant=tenant, request=sale, actor=actor)[0]["subscription"])
        requests = [_activation(job, subscription, on)] if is_draft else []
        changes.append(f"subscription {subscription}: sold, effective from {on}")
    if not is_quote:
        changes += _exchange(job, context, on, swaps)
    changes += _deliver(job, find_job_lines(job, using=RUN_ALIAS), context, on, subscription)
    changes += _perform(tenant, requests, actor)
    key = get_subscription_key(tenant_id=tenant.id, code=subscription, using=RUN_ALIAS) if subscription else None
    closed = complete_job(
        job,
        context,
        completed_on=on,
        subscription_id=key.subscription_id if key else None,
        detail={"changes": changes},
    )
    return {
        "job": code,
        "state": closed.state.value,
        "on": on.isoformat(),
        "subscription": subscription,
        "changes": changes,
    }


def _perform(tenant: Tenant, requests: Sequence[ActionRequest], actor: str) -> list[str]:
    """Perform the actions that the job is for; return what changed, a line for each."""
    changes: list[str] = []
    for request in requests:
        outcome = perform_request(tenant=tenant, request=request, actor=actor, using=RUN_ALIAS)
        changes += describe_effects(outcome.effects) if outcome.effects else []
    return changes


def _activation(job: JobRow, subscription: str, on: date) -> ActionRequest:
    return ActionRequest(
        subscription_code=subscription, behaviour=Behaviour.ACTIVATE, performed_on=on, reason=f"job {job.code}"
    )


def _requests(job: JobRow, on: date) -> Iterator[ActionRequest]:
    """Return the actions that a job's order is made of."""
    behaviour = FULFILMENTS[job.fulfilment].behaviour
    if behaviour is None or job.subscription_code is None:
        return
    for service in job.order.services or (ServiceOrder(),):
        yield ActionRequest(
            subscription_code=job.subscription_code,
            behaviour=behaviour,
            performed_on=on,
            reason=f"job {job.code}",
            service_code=service.service,
            new_service_code=service.new_service,
            product_code=service.product,
            quantity=service.quantity,
            agreed_price_micro=service.agreed_price_micro,
            location=job.order.location or None if behaviour is Behaviour.CHANGE_LOCATION else None,
        )


def _exchange(job: JobRow, context: JobContext, on: date, swaps: Mapping[str, str]) -> list[str]:
    """Put new items in the place of old ones."""
    unknown = set(swaps) - {item.old_serial for item in job.order.items}
    if unknown:
        allowed = ", ".join(item.old_serial for item in job.order.items) or f"none: job {job.code} swaps no items"
        raise refuse_job("swaps", min(unknown), allowed)
    changes = []
    for item in job.order.items:
        new = swaps.get(item.old_serial) or item.new_serial
        if not new:
            raise refuse_job("swaps", None, f"the serial number of the item that takes the place of {item.old_serial}")
        is_broken = job.fulfilment is FulfilmentScope.REPLACE_PHYSICAL_GOODS
        swap_item(
            tenant_id=context.tenant_id,
            old=item.old_serial,
            new=new,
            location=item.location,
            condition=ItemCondition.DEFECTIVE if is_broken else item.condition,
            actor=context.actor,
            performed_on=on,
            reason=context.reason or f"job {job.code}",
            subscription_id=job.subscription_id,
            kept_for=job.job_id,
            using=context.using,
        )
        changes.append(f"item {item.old_serial}: taken back to {item.location}; {new} installed")
    return changes


def _deliver(
    job: JobRow, lines: Sequence[JobLineRow], context: JobContext, on: date, subscription: str | None
) -> list[str]:
    """Install the items that the lines name."""
    changes = []
    for line in lines:
        for serial in line.serials:
            install_item(
                tenant_id=context.tenant_id,
                serial=serial,
                subscription=subscription or "",
                actor=context.actor,
                performed_on=on,
                reason=context.reason or f"job {job.code}",
                good=line.product,
                kept_for=job.job_id,
                using=context.using,
            )
            changes.append(f"item {serial}: installed on {subscription}")
    return changes
