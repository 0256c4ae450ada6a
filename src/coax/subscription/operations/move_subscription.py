"""Move a subscription to another account: it ends on the old one and goes on, as it is, on the new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.configuration.types.billing_term_definition import BillingDirective
from coax.subscription.batch.items import close_installation, move_item, open_installation, pair_installations
from coax.subscription.batch.moves import Move, find_scheduled, lay_down, touch_account
from coax.subscription.operations.perform_actions import ActionContext, Outcome, perform_actions
from coax.subscription.queries.codes import SubscriptionKey
from coax.subscription.queries.items import find_installed_items, get_item
from coax.subscription.queries.jobs import find_jobs
from coax.subscription.queries.sold import find_sold
from coax.subscription.rules.machine import LIVE_SERVICE
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.rules.structure import check_moved_subscription
from coax.subscription.types.actions import ActionRequest, ServiceState, SubscriptionFacts
from coax.subscription.types.contracts import SubscriptionState
from coax.subscription.types.items import Deed, ItemState, ItemVerb, Place

OFF = frozenset({SubscriptionState.DRAFT, SubscriptionState.NOT_EFFECTIVE})


@dataclass(frozen=True, slots=True)
class Target:
    """The account that a subscription goes to."""

    account_id: int
    code: str
    state: str
    currency: str


def move_subscription(
    request: ActionRequest, context: ActionContext, *, key: SubscriptionKey, target: Target, currency: str
) -> Outcome:
    """Move a subscription in the open transaction; return what became of it on its old account.

    Its services end there as replaced, and what was billed ahead is credited; from the same day they are billed on
    the new account, under the same contract. Installed items and scheduled actions go along; charges and debts stay.
    Both accounts must be locked.

    Raises: SubscriptionUnknown, SubscriptionBusy, ActionRefused.
    """
    scheduled = find_scheduled(account_id=key.account_id, subscription_id=key.subscription_id, using=context.using)
    _check_jobs(request, context, key)
    (outcome,) = perform_actions([request], replace(context, moves=True))
    if outcome.refusal:
        raise outcome.refusal
    if outcome.facts is None or outcome.action_id is None:
        raise AssertionError("what was not refused has its facts")
    _check_target(outcome.facts, target, currency, context)
    move = Move(
        facts=outcome.facts,
        account_id=target.account_id,
        subscription_id=next_ids("base_object_seq", 1, using=context.using)[0],
        on=request.performed_on,
        action_id=outcome.action_id,
        directives=_directives(outcome.facts, context.policy),
        scheduled=scheduled,
        tenant_id=context.tenant_id,
        using=context.using,
    )
    services = lay_down(move)
    carry_items(
        outcome.facts,
        account_id=move.account_id,
        subscription_id=move.subscription_id,
        services=services,
        on=move.on,
        reason=request.reason or "moved with its subscription",
        context=context,
    )
    touch_account(target.account_id, using=context.using)
    return outcome


def _check_jobs(request: ActionRequest, context: ActionContext, key: SubscriptionKey) -> None:
    jobs = find_jobs(tenant_id=context.tenant_id, account_id=key.account_id, is_open=True, using=context.using)
    about = [job.code for job in jobs if job.subscription_id == key.subscription_id]
    if about:
        text = f"Subscription {request.subscription_code} has open jobs: {', '.join(about)}; complete or cancel them."
        raise ActionRefused("jobs", text)


def _check_target(facts: SubscriptionFacts, target: Target, currency: str, context: ActionContext) -> None:
    if target.account_id == facts.account_id:
        raise ActionRefused("account", f"account: subscription {facts.code} is on {target.code} already.")
    if target.state != "active":
        raise ActionRefused("account", f"account: {target.code} is {target.state}; allowed is: active.")
    if target.currency != currency:
        text = f"account: {target.code} is in {target.currency}; subscription {facts.code} is billed in {currency}."
        raise ActionRefused("account", text)
    if target.account_id in context.over_limit and facts.state not in OFF:
        raise ActionRefused("credit_limit", f"account: {target.code} owes more than its credit limit (R115).")
    sold = find_sold(account_id=target.account_id, using=context.using)
    check_moved_subscription(context.policy, facts, account_code=target.code, sold=sold)


def _directives(facts: SubscriptionFacts, policy: Policy) -> dict[int, BillingDirective]:
    """Return how the time of the services that go along is billed on the new account."""
    found = {}
    for service in facts.services:
        if service.state in LIVE_SERVICE:
            directive = policy.directive(ServiceState(service.state), facts, service.product_id)
            found[service.service_id] = directive
    return found


def carry_items(
    facts: SubscriptionFacts,
    *,
    account_id: int,
    subscription_id: int,
    services: dict[int, int],
    on: date,
    reason: str,
    context: ActionContext,
) -> None:
    """Take the installed items of a subscription along to the one that goes on in its place, paired as they are.

    `services` names its services by those of the old one. Raises: ItemMovedMeanwhile, ItemValueRefused.
    """
    deed = Deed(context.actor, on, reason)
    held = find_installed_items(
        tenant_id=context.tenant_id,
        account_id=facts.account_id,
        subscription_id=facts.subscription_id,
        using=context.using,
    )
    fresh: dict[str, int] = {}
    pairs: list[tuple[str, str]] = []
    for row in held:
        item = get_item(tenant_id=context.tenant_id, serial=row.serial, good=row.good, using=context.using)
        _, service_id = close_installation(tenant_id=context.tenant_id, item=item, deed=deed, using=context.using)
        move_item(
            tenant_id=context.tenant_id,
            item=item,
            verb=ItemVerb.MOVE,
            to=ItemState.INSTALLED,
            place=Place(account_id=account_id, subscription_id=subscription_id),
            deed=deed,
            using=context.using,
        )
        fresh[row.serial] = open_installation(
            tenant_id=context.tenant_id,
            item=item,
            account_id=account_id,
            subscription_id=subscription_id,
            deed=deed,
            service_id=services.get(service_id) if service_id else None,
            using=context.using,
        )
        if row.paired_with and row.paired_with in fresh:
            pairs.append((row.serial, row.paired_with))
    for one, other in pairs:
        pair_installations(account_id=account_id, first=fresh[one], second=fresh[other], using=context.using)


def lock_accounts(account_ids: tuple[int, int], *, using: str) -> None:
    """Lock two accounts in the order of their keys; who only refers to them is not kept out."""
    for account_id in sorted(set(account_ids)):
        fetch_rows(
            "SELECT 1 FROM party_account WHERE bucket = %s AND account_id = %s FOR NO KEY UPDATE",
            [bucket_of(account_id), account_id],
            using=using,
        )
