"""Record that a subscription was sold, and lay it down as a draft where it is not to begin yet."""

from __future__ import annotations

from datetime import date, datetime

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.base.outbox import append_facts
from coax.subscription.batch.actions import NewAction, write_actions
from coax.subscription.types.actions import ActionRequest, ActionState, Behaviour, ServiceState


def record_sale(
    request: ActionRequest,
    *,
    tenant_id: int,
    account_id: int,
    subscription_id: int,
    actor: str,
    now: datetime,
    using: str,
) -> int:
    """Write the record of a sale that has just been stored, and return the action's key.

    A draft's services are not billed until it is activated: their history begins with the draft.
    """
    action_id = next_ids("base_object_seq", 1, using=using)[0]
    action = NewAction(
        action_id,
        account_id,
        subscription_id,
        request,
        ActionState.EXECUTED,
        submitted_at=now,
        submitted_by=actor,
        executed_at=now,
        executed_by=actor,
    )
    write_actions([action], tenant_id=tenant_id, using=using)
    if request.behaviour is Behaviour.CREATE_DRAFT:
        _lay_down_draft(account_id, subscription_id, action_id, request.performed_on, using)
    body = {"action": action_id, "subscription": request.subscription_code, "behaviour": request.behaviour}
    append_facts(tenant_id=tenant_id, kind="subscription_action", bodies=[{**body, "actor": actor}], using=using)
    return action_id


def _lay_down_draft(account_id: int, subscription_id: int, action_id: int, on: date, using: str) -> None:
    key = [bucket_of(account_id), account_id, subscription_id]
    services = fetch_rows(
        "SELECT id FROM subscription_service WHERE bucket = %s AND account_id = %s AND subscription_id = %s",
        key,
        using=using,
    )
    fresh = next_ids("base_object_seq", len(services) + 1, using=using)
    state = ServiceState.DRAFT.value
    execute(
        """UPDATE subscription_subscription SET state = %s, state_from = %s
           WHERE bucket = %s AND account_id = %s AND id = %s""",
        [state, on, *key],
        using=using,
    )
    execute(
        """INSERT INTO subscription_subscription_history (bucket, account_id, id, tenant_id, subscription_id, state,
               effective_from, action_id)
           SELECT bucket, account_id, %s, tenant_id, id, %s, %s, %s FROM subscription_subscription
           WHERE bucket = %s AND account_id = %s AND id = %s""",
        [fresh.pop(), state, on, action_id, *key],
        using=using,
    )
    execute(
        """UPDATE subscription_service SET state = %s, state_from = %s, has_history = true
           WHERE bucket = %s AND account_id = %s AND subscription_id = %s""",
        [state, on, *key],
        using=using,
    )
    execute(
        """INSERT INTO subscription_service_history (bucket, account_id, id, tenant_id, service_id, state, directive,
               effective_from, action_id)
           SELECT s.bucket, s.account_id, v.fresh, s.tenant_id, s.id, %s, 'not_to_be_billed', %s, %s
           FROM subscription_service s JOIN unnest(%s::bigint[], %s::bigint[]) AS v (id, fresh) ON v.id = s.id
           WHERE s.bucket = %s AND s.account_id = %s""",
        [state, on, action_id, [row[0] for row in services], fresh, *key[:2]],
        using=using,
    )
