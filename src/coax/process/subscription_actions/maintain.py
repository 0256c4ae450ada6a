"""Subscription maintenance: execute scheduled actions, activate settled subscriptions (R125-R128)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from coax.base.clock import tenant_now, tenant_today
from coax.base.ids import BUCKETS
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.types.process_definition import SETTLED_WITHIN_DAYS
from coax.process.subscription_actions.context import make_context
from coax.process.subscription_actions.remaining_fees import find_remaining_fees
from coax.process.subscription_actions.standing import (
    Settled,
    find_debtors,
    find_over_limit,
    find_to_activate,
    split_buckets,
)
from coax.process.subscription_actions.watch import UNWATCHED, BulkResult, Watch
from coax.subscription.operations.execute_scheduled import BEGINNING, Place, execute_scheduled_actions
from coax.subscription.operations.perform_actions import ActionContext, perform_actions
from coax.subscription.queries.due_actions import (
    count_due_actions,
    find_accounts_with_due_actions,
    find_due_cancellations,
)
from coax.subscription.types.actions import ActionRequest, Behaviour
from coax.subscription.types.contracts import SubscriptionState

ACTIONS_AT_A_TIME: Final = 1_000
REASON: Final = "The account has settled what it owed."


def execute_scheduled(*, tenant: Tenant, actor: str, watch: Watch = UNWATCHED) -> BulkResult:
    """Execute every scheduled action whose day has come; what is no longer allowed is recorded as rejected.

    Each chunk is a transaction of its own: stopped and started again, it goes on with what is left.
    """
    result = BulkResult()
    total = _count_due(tenant)
    place: Place | None = BEGINNING
    while place is not None:
        with tenant_transaction(tenant.id, using=RUN_ALIAS):
            context = make_context(tenant, actor=actor, using=RUN_ALIAS)
            owners = find_accounts_with_due_actions(
                tenant_id=tenant.id, as_of=context.today, after=place, limit=ACTIONS_AT_A_TIME, using=RUN_ALIAS
            )
            context = replace(
                context,
                over_limit=find_over_limit(owners, using=RUN_ALIAS) if owners else frozenset(),
                remaining_fees=_read_fees(tenant, context, place),
            )
            outcomes, place = execute_scheduled_actions(context, after=place, limit=ACTIONS_AT_A_TIME)
            result.add(outcomes)
            watch.note(outcomes)
        done = result.performed + len(result.refused)
        watch.advance(done, max(total, done))
    return result


def _count_due(tenant: Tenant) -> int:
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        today = tenant_today(tenant.id, using=RUN_ALIAS)
        return count_due_actions(tenant_id=tenant.id, as_of=today, using=RUN_ALIAS)


def activate_settled(
    *,
    tenant: Tenant,
    actor: str,
    threshold_minor: int = 0,
    within_days: int = SETTLED_WITHIN_DAYS,
    watch: Watch = UNWATCHED,
) -> BulkResult:
    """Activate what is off, of accounts that have settled what they owed (R123, C17, C18).

    They are not over their limit, owe no more than `threshold_minor` overdue and had a posting within so many days;
    their scheme lets services be activated when funded.
    """
    result = BulkResult()
    for buckets in split_buckets(tenant.id):
        with tenant_transaction(tenant.id, using=RUN_ALIAS):
            context = make_context(tenant, actor=actor, using=RUN_ALIAS)
            found = _find_settled(tenant, context, buckets, threshold_minor=threshold_minor, within_days=within_days)
            outcomes = perform_actions([request for one in found for request in _requests(one, context)], context)
            result.add(outcomes)
            watch.note(outcomes)
        watch.advance(buckets[1] + 1, BUCKETS)
    return result


def _find_settled(
    tenant: Tenant, context: ActionContext, buckets: tuple[int, int], *, threshold_minor: int, within_days: int
) -> list[Settled]:
    """Return what is off of accounts in a range of buckets that owe no more than they may."""
    found = find_to_activate(
        tenant_id=tenant.id,
        since=tenant_now(tenant.id, using=RUN_ALIAS) - timedelta(days=within_days),
        scheme_version_ids=[key for key, scheme in context.policy.schemes.items() if scheme.auto_activation_on_payment],
        buckets=buckets,
        using=RUN_ALIAS,
    )
    if not found:
        return []
    debtors = find_debtors(
        tenant_id=tenant.id,
        today=context.today,
        threshold_minor=threshold_minor,
        buckets=buckets,
        using=RUN_ALIAS,
    )
    owing = {debtor.account_id for debtor in debtors if debtor.is_overdue or debtor.is_over_limit}
    return [one for one in found if one.account_id not in owing]


def _requests(one: Settled, context: ActionContext) -> Iterator[ActionRequest]:
    if one.state == SubscriptionState.NOT_EFFECTIVE:
        yield ActionRequest(
            subscription_code=one.code, behaviour=Behaviour.ACTIVATE, performed_on=context.today, reason=REASON
        )
        return
    for service in one.services_off:
        yield ActionRequest(
            subscription_code=one.code,
            behaviour=Behaviour.START_SERVICE,
            performed_on=context.today,
            service_code=service,
            reason=REASON,
        )


def _read_fees(tenant: Tenant, context: ActionContext, place: Place) -> dict[int, int]:
    """Return what is left to pay of the bindings of those whose cancellation comes next, each as of its own day."""
    by_day = find_due_cancellations(
        tenant_id=tenant.id, as_of=context.today, after=place, limit=ACTIONS_AT_A_TIME, using=RUN_ALIAS
    )
    fees: dict[int, int] = {}
    for day, keys in by_day.items():
        fees |= find_remaining_fees(tenant=tenant, keys=keys, policy=context.policy, on=day)
    return fees
