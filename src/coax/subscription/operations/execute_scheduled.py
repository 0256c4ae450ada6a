"""Execute the scheduled actions whose day has come, a chunk at a time (R127)."""

from __future__ import annotations

from coax.base.ids import BUCKETS
from coax.subscription.batch.actions import lock_due_actions
from coax.subscription.operations.perform_actions import ActionContext, Outcome, Scheduled, perform_actions

Place = tuple[int, int, int]
BEGINNING: Place = (-1, 0, 0)


def execute_scheduled_actions(
    context: ActionContext, *, after: Place = BEGINNING, limit: int, buckets: tuple[int, int] = (0, BUCKETS - 1)
) -> tuple[list[Outcome], Place | None]:
    """Execute the next scheduled actions after a place, and return their outcomes and the place to go on from.

    An action is performed as of its own day, also when that day is past; one that is no longer allowed is recorded as
    rejected, with the reason. None means that there are no more.
    """
    due = lock_due_actions(
        tenant_id=context.tenant_id,
        buckets=buckets,
        as_of=context.today,
        after=after,
        limit=limit,
        using=context.using,
    )
    if not due:
        return [], None
    requests = [one.request for one in due]
    scheduled = [Scheduled(one.action_id, one.account_id, one.subscription_id) for one in due]
    outcomes = perform_actions(requests, context, scheduled=scheduled)
    last = due[-1]
    return outcomes, (last.account_id & (BUCKETS - 1), last.account_id, last.action_id)
