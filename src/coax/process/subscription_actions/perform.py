"""Perform, schedule or preview one action, as staff and programs ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from django.db import OperationalError, transaction

from coax.base.clock import tenant_now, tenant_today
from coax.base.idempotency import perform_once
from coax.base.money import micro_to_decimal
from coax.base.tenancy import APP_ALIAS, RUN_ALIAS, Tenant, tenant_transaction
from coax.process.billing_run.plan import RunRequest
from coax.process.billing_run.preview import Preview, preview_bill
from coax.process.subscription_actions.context import make_context
from coax.process.subscription_actions.move import perform_move
from coax.process.subscription_actions.remaining_fees import find_remaining_fees
from coax.process.subscription_actions.standing import find_over_limit
from coax.subscription.operations.perform_actions import ActionContext, Outcome, perform_actions
from coax.subscription.operations.schedule_action import cancel_action, schedule_action
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.facts import SubscriptionBusy
from coax.subscription.rules.decide import WITH_PENALTIES
from coax.subscription.types.actions import (
    ActionRequest,
    ActionState,
    Behaviour,
    Effects,
    NewCharge,
    NewUsage,
    Withdrawal,
)
from coax.subscription.types.contracts import SubscriptionState

LOCK_NOT_AVAILABLE: Final = "55P03"


@dataclass(frozen=True, slots=True)
class ActionPreview:
    """What an action would change, and the account's next bill after it."""

    effects: Effects
    bill: Preview


def submit_action(
    *,
    tenant: Tenant,
    request: ActionRequest,
    actor: str,
    idempotency_key: str | None = None,
    asked: Mapping[str, Any] | None = None,
) -> tuple[dict[str, Any], bool]:
    """Perform an action at once, or schedule it where its day is still to come.

    Returns what became of it, as plain data, and whether it was a repetition; `asked` is what two requests with the
    same key have in common, by default the request itself. Nothing waits: whoever acts on the same
    subscription at the same moment comes second and is told so.

    Raises: SubscriptionUnknown, ActionRefused, SubscriptionBusy, IdempotencyKeyReused, IdempotencyKeyInvalid.
    """
    with tenant_transaction(tenant.id):
        return perform_once(
            tenant_id=tenant.id,
            operation="submit_action",
            key=idempotency_key,
            request=asked or asdict(request),
            action=lambda: _submit(tenant, request, actor),
        )


def call_off_action(*, tenant: Tenant, action_id: int, actor: str, reason: str = "") -> None:
    """Call a scheduled action off. Raises: ActionNotScheduled."""
    with tenant_transaction(tenant.id):
        now = tenant_now(tenant.id)
        cancel_action(tenant_id=tenant.id, action_id=action_id, actor=actor, now=now, reason=reason)


def preview_action(*, tenant: Tenant, request: ActionRequest, actor: str) -> ActionPreview:
    """Perform an action, make the account's next bill by the run's own code, and take both back.

    Of a move to another account it is that account's bill.

    Raises: SubscriptionUnknown, ActionRefused, SubscriptionBusy, and what planning a run raises.
    """
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        outcome = perform_request(tenant=tenant, request=request, actor=actor, using=RUN_ALIAS)
        if outcome.facts is None or outcome.effects is None:
            raise AssertionError("what was not refused has its effects")
        account_id = outcome.facts.account_id
        if request.behaviour is Behaviour.CHANGE_ACCOUNT:
            account_id = get_subscription_key(
                tenant_id=tenant.id, code=request.subscription_code, using=RUN_ALIAS
            ).account_id
        bill = preview_bill(
            tenant=tenant,
            account_id=account_id,
            request=RunRequest(execution_date=tenant_today(tenant.id, using=RUN_ALIAS), actor=actor),
        )
        transaction.set_rollback(True, using=RUN_ALIAS)
    return ActionPreview(outcome.effects, bill)


def _submit(tenant: Tenant, request: ActionRequest, actor: str) -> dict[str, Any]:
    today = tenant_today(tenant.id)
    if request.performed_on > today:
        action_id = schedule_action(request, tenant_id=tenant.id, actor=actor, today=today, now=tenant_now(tenant.id))
        return {"action": action_id, "state": ActionState.SCHEDULED.value, "on": request.performed_on.isoformat()}
    outcome = perform_request(tenant=tenant, request=request, actor=actor, using=APP_ALIAS)
    return {
        "action": outcome.action_id,
        "state": ActionState.EXECUTED.value,
        "on": request.performed_on.isoformat(),
        "changes": describe_effects(outcome.effects) if outcome.effects else [],
    }


def perform_request(*, tenant: Tenant, request: ActionRequest, actor: str, using: str) -> Outcome:
    """Perform one action in the open transaction, waiting for nobody.

    Raises: SubscriptionUnknown, ActionRefused, SubscriptionBusy.
    """
    key = get_subscription_key(tenant_id=tenant.id, code=request.subscription_code, using=using)
    over = find_over_limit([key.account_id], using=using)
    context = make_context(tenant, actor=actor, over_limit=over, wait="NOWAIT", using=using)
    if request.behaviour in WITH_PENALTIES:
        fees = _read_fees(tenant, context, (key.account_id, key.subscription_id), request)
        context = replace(context, remaining_fees=fees)
    try:
        if request.behaviour is Behaviour.CHANGE_ACCOUNT:
            outcome = perform_move(tenant=tenant, request=request, context=context, key=key)
        else:
            (outcome,) = perform_actions([request], context)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        text = f"Somebody else is acting on subscription {request.subscription_code!r} at this moment; look again."
        raise SubscriptionBusy(text, subscription=request.subscription_code) from error
    if outcome.refusal:
        raise outcome.refusal
    return outcome


def _read_fees(tenant: Tenant, context: ActionContext, key: tuple[int, int], request: ActionRequest) -> dict[int, int]:
    """Return what is left to pay of the binding; rating reads by the role of runs, in a transaction of its own."""
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        return find_remaining_fees(tenant=tenant, keys=[key], policy=context.policy, on=request.performed_on)


def describe_effects(effects: Effects) -> list[str]:
    """Return what an action changes, a line for each, as people read it."""
    lines = []
    if effects.state:
        until = f" until {effects.state_ends_on}" if effects.state_ends_on else ""
        lines.append(f"subscription: {effects.state.replace('_', ' ')} from {effects.on}{until}")
    if effects.grace_until:
        lines.append(f"grace until {effects.grace_until}")
    lines += [
        f"{change.service.code}: {'into' if change.bundle_id else 'out of'} the bundle from {change.on}"
        if change.membership
        else f"{change.service.code}: {change.state.replace('_', ' ')} from {change.credit_from or change.on}, "
        f"{change.directive.replace('_', ' ')}"
        for change in effects.services
    ]
    lines += [f"{new.code}: new, {new.state}, from {new.on}" for new in effects.new_services]
    if effects.state is SubscriptionState.REPLACED:
        lines.append("goes on as it was on its new account, from that day")
    if effects.location:
        lines.append(f"location: {effects.location}")
    if effects.new_term:
        term = effects.new_term
        longer = f", {term.binding_extension_days} days longer" if term.binding_extension_days else ""
        binding = f", bound {term.binding_period} from {term.binding_start_date}{longer}" if term.binding_period else ""
        lines.append(f"billing term: new from {term.on}, {term.frequency} on day {term.cycle_day}{binding}")
    lines += [_describe_charge(charge) for charge in effects.charges]
    lines += [_describe_usage(usage) for usage in effects.usages]
    lines += [_describe_withdrawal(taken) for taken in effects.withdrawn]
    return lines


def _describe_usage(usage: NewUsage) -> str:
    amount = usage.detail.amount_micro
    price = "the catalog's price" if amount is None else str(micro_to_decimal(amount))
    return f"usage: {usage.quantity} on {usage.on}, {price if usage.detail.is_billed else 'not billed'}"


def _describe_withdrawal(taken: Withdrawal) -> str:
    what = "credited on the next bill" if taken.charge.is_billed else "not billed"
    kind = "charge" if taken.charge.usage_id is None else "usage"
    return f"{kind} {taken.charge.code} of {taken.charge.performed_on}: taken back, {what}"


def _describe_charge(charge: NewCharge) -> str:
    price = "the plan's price" if charge.price_micro is None else str(micro_to_decimal(charge.price_micro))
    times = f"{charge.quantity} at " if charge.quantity > 1 else ""
    return f"charge: {times}{price} on {charge.on}"
