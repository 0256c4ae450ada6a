"""Actions as people and runs read them."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from typing import Any, ClassVar, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.subscription.types.actions import ActionRow, ActionState, Behaviour

PAGE_ROWS: Final = 100
_DUE_OWNERS: Final = """
SELECT DISTINCT account_id FROM (
    SELECT account_id FROM subscription_action
    WHERE tenant_id = %s AND state = 'scheduled' AND performed_on <= %s AND (bucket, account_id, id) > (%s, %s, %s)
    ORDER BY bucket, account_id, id LIMIT %s) due
"""
_DUE_CANCELLATIONS: Final = """
SELECT DISTINCT account_id, subscription_id, performed_on FROM (
    SELECT account_id, subscription_id, performed_on, behaviour FROM subscription_action
    WHERE tenant_id = %s AND state = 'scheduled' AND performed_on <= %s AND (bucket, account_id, id) > (%s, %s, %s)
    ORDER BY bucket, account_id, id LIMIT %s) due
 WHERE behaviour IN ('cancel', 'cancel_service')
"""
_ACTIONS: Final = """
SELECT a.id, u.code AS subscription_code, u.type_id, a.behaviour, a.action_type, a.state, a.performed_on,
       a.request::text, a.submitted_at, a.submitted_by, a.executed_at, a.reason, a.detail
  FROM subscription_action a
  JOIN subscription_subscription u ON u.bucket = a.bucket AND u.account_id = a.account_id AND u.id = a.subscription_id
 WHERE a.tenant_id = %(tenant_id)s
   AND (%(account_id)s::bigint IS NULL OR (a.bucket = %(bucket)s AND a.account_id = %(account_id)s))
   AND (%(subscription_id)s::bigint IS NULL OR a.subscription_id = %(subscription_id)s)
   AND (%(state)s::text IS NULL OR a.state = %(state)s)
   AND (%(before_id)s::bigint IS NULL OR a.id < %(before_id)s)
   AND (%(action_id)s::bigint IS NULL OR a.id = %(action_id)s)
 ORDER BY {order} LIMIT %(limit)s
"""


_ANY: Final = dict.fromkeys(("account_id", "bucket", "subscription_id", "state", "before_id", "action_id", "limit"))


class ActionUnknown(DomainError):
    """The operator has no action with this key."""

    code: ClassVar[str] = "action_unknown"


def count_due_actions(*, tenant_id: int, as_of: date, using: str = APP_ALIAS) -> int:
    """Return how many scheduled actions there are whose day has come."""
    statement = """SELECT count(*) FROM subscription_action
                    WHERE tenant_id = %s AND state = 'scheduled' AND performed_on <= %s"""
    return int(fetch_rows(statement, [tenant_id, as_of], using=using)[0][0])


def find_accounts_with_due_actions(
    *, tenant_id: int, as_of: Any, after: tuple[int, int, int], limit: int, using: str = APP_ALIAS
) -> list[int]:
    """Return whose the next scheduled actions are whose day has come."""
    return [row[0] for row in fetch_rows(_DUE_OWNERS, [tenant_id, as_of, *after, limit], using=using)]


def find_due_cancellations(
    *, tenant_id: int, as_of: Any, after: tuple[int, int, int], limit: int, using: str = APP_ALIAS
) -> dict[date, list[tuple[int, int]]]:
    """Return (account_id, subscription_id) of the cancellations among the next scheduled actions, by their days."""
    rows = fetch_rows(_DUE_CANCELLATIONS, [tenant_id, as_of, *after, limit], using=using)
    by_day: dict[date, list[tuple[int, int]]] = defaultdict(list)
    for account_id, subscription_id, day in rows:
        by_day[day].append((account_id, subscription_id))
    return by_day


def find_actions(
    *,
    tenant_id: int,
    account_id: int | None = None,
    subscription_id: int | None = None,
    state: ActionState | None = None,
    limit: int = PAGE_ROWS,
    before_id: int | None = None,
    using: str = APP_ALIAS,
) -> list[ActionRow]:
    """Return actions: the latest first, scheduled ones by their day.

    Those before `before_id`, the last one of a page, come the latest first in any state.
    """
    is_by_day = state is ActionState.SCHEDULED and before_id is None
    order = "a.performed_on, a.id" if is_by_day else "a.id DESC"
    wanted = {
        **_ANY,
        "tenant_id": tenant_id,
        "account_id": account_id,
        "bucket": bucket_of(account_id) if account_id is not None else None,
        "subscription_id": subscription_id,
        "state": state.value if state else None,
        "before_id": before_id,
        "limit": limit,
    }
    return [_make_row(row) for row in fetch_dicts(_ACTIONS.format(order=order), wanted, using=using)]


def get_action(*, tenant_id: int, action_id: int, using: str = APP_ALIAS) -> ActionRow:
    """Return an action by its key. Raises: ActionUnknown."""
    wanted = {**_ANY, "tenant_id": tenant_id, "action_id": action_id}
    rows = fetch_dicts(_ACTIONS.format(order="a.id"), wanted, using=using)
    if not rows:
        raise ActionUnknown(f"action: there is no action {action_id}.", action=action_id)
    return _make_row(rows[0])


def _make_row(row: dict[str, Any]) -> ActionRow:
    request = json.loads(row["request"])
    return ActionRow(
        action_id=row["id"],
        subscription_code=row["subscription_code"],
        service_code=request.get("service_code") or request.get("product_code"),
        behaviour=Behaviour(row["behaviour"]),
        action_type=row["action_type"],
        sub_action_type=request.get("sub_action_type", ""),
        state=ActionState(row["state"]),
        performed_on=row["performed_on"],
        ends_on=request.get("ends_on"),
        submitted_at=row["submitted_at"],
        submitted_by=row["submitted_by"],
        executed_at=row["executed_at"],
        reason=row["reason"],
        detail=row["detail"],
        type_id=row["type_id"],
    )
