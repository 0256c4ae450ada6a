"""Schedule an action for a day to come, or call it off."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from coax.base.db import fetch_rows
from coax.base.errors import DomainError
from coax.base.numbers import next_ids
from coax.subscription.batch.actions import NewAction, close_actions, write_actions
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.facts import lock_facts
from coax.subscription.queries.policy import load_policy
from coax.subscription.rules.action_types import check_action_type
from coax.subscription.rules.machine import LIVE
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest, ActionState, Behaviour


class ActionNotScheduled(DomainError):
    """There is no such action, or it is not waiting to be executed."""

    code: ClassVar[str] = "action_not_scheduled"


def schedule_action(request: ActionRequest, *, tenant_id: int, actor: str, today: date, now: datetime) -> int:
    """Record an action to be executed on its day by subscription maintenance, and return its key.

    Whether it is allowed is decided on that day: only then is it known how things stand. Raises: SubscriptionUnknown,
    SubscriptionBusy, ActionRefused.
    """
    key = get_subscription_key(tenant_id=tenant_id, code=request.subscription_code)
    place = (key.account_id, key.subscription_id)
    facts = lock_facts(tenant_id=tenant_id, keys=[place], today=today)[place]
    if request.performed_on <= today:
        raise ActionRefused("performed_on", f"performed_on: {request.performed_on} is not after today, {today}.")
    if request.behaviour in {Behaviour.CHANGE_ACCOUNT, Behaviour.REPLACE}:
        text = f"performed_on: {request.performed_on} is to come; {request.behaviour} is allowed up to {today}."
        raise ActionRefused("performed_on", text)
    check_action_type(request, load_policy(today))
    if facts.state not in LIVE:
        raise ActionRefused("state", f"Subscription {facts.code} is {facts.state}; nothing more happens to it.")
    action_id = next_ids("base_object_seq", 1)[0]
    action = NewAction(
        action_id,
        key.account_id,
        key.subscription_id,
        request,
        ActionState.SCHEDULED,
        submitted_at=now,
        submitted_by=actor,
    )
    write_actions([action], tenant_id=tenant_id, using="default")
    return action_id


def cancel_action(*, tenant_id: int, action_id: int, actor: str, now: datetime, reason: str = "") -> None:
    """Call a scheduled action off. Raises: ActionNotScheduled."""
    rows = fetch_rows(
        "SELECT account_id, state FROM subscription_action WHERE tenant_id = %s AND id = %s", [tenant_id, action_id]
    )
    closed = [(rows[0][0], action_id, ActionState.CANCELLED, reason)] if rows else []
    if not close_actions(closed, at=now, by=actor, using="default"):
        state = f"is {rows[0][1]}" if rows else "does not exist"
        raise ActionNotScheduled(f"action: {action_id} {state}; only a scheduled one can be called off.")
