"""Writing and claiming the records of actions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final

from coax.base.db import execute, fetch_rows
from coax.base.ids import bucket_of
from coax.subscription.batch.rows import insert_rows, update_rows
from coax.subscription.types.actions import ActionRequest, ActionState, Amendment, Behaviour, UsageDetail

_COLUMNS: Final = (
    *(("bucket", "smallint"), ("account_id", "bigint"), ("id", "bigint"), ("tenant_id", "int")),
    *(("subscription_id", "bigint"), ("behaviour", "text"), ("action_type", "text"), ("state", "text")),
    *(("performed_on", "date"), ("request", "jsonb"), ("reason", "text"), ("submitted_at", "timestamptz")),
    *(("submitted_by", "text"), ("executed_at", "timestamptz"), ("executed_by", "text"), ("detail", "text")),
)
_DUE: Final = """
SELECT a.account_id, a.id, a.subscription_id, a.request::text
  FROM subscription_action a
 WHERE a.tenant_id = %s AND a.bucket BETWEEN %s AND %s AND a.state = 'scheduled' AND a.performed_on <= %s
   AND (a.bucket, a.account_id, a.id) > (%s, %s, %s)
 ORDER BY a.bucket, a.account_id, a.id LIMIT %s FOR UPDATE
"""


@dataclass(frozen=True, slots=True)
class NewAction:
    """An action's record to be."""

    action_id: int
    account_id: int
    subscription_id: int
    request: ActionRequest
    state: ActionState
    submitted_at: datetime
    submitted_by: str
    executed_at: datetime | None = None
    executed_by: str = ""


@dataclass(frozen=True, slots=True)
class DueAction:
    """A scheduled action whose day has come."""

    action_id: int
    account_id: int
    subscription_id: int
    request: ActionRequest


def write_actions(actions: Sequence[NewAction], *, tenant_id: int, using: str) -> None:
    """Insert the records of actions."""
    rows = [
        (
            *(bucket_of(a.account_id), a.account_id, a.action_id, tenant_id, a.subscription_id),
            *(a.request.behaviour.value, a.request.action_type, a.state.value, a.request.performed_on),
            *(dump_request(a.request), a.request.reason, a.submitted_at, a.submitted_by),
            *(a.executed_at, a.executed_by, ""),
        )
        for a in actions
    ]
    insert_rows("subscription_action", _COLUMNS, rows, using=using)


def close_actions(closed: Sequence[tuple[int, int, ActionState, str]], *, at: datetime, by: str, using: str) -> int:
    """Say what became of scheduled actions (account_id, action_id, state, detail); return how many were scheduled."""
    rows = [
        (bucket_of(account_id), account_id, action_id, state.value, detail, at, by)
        for account_id, action_id, state, detail in closed
    ]
    return update_rows(
        "subscription_action",
        "state = v.state, detail = v.detail, executed_at = v.executed_at, executed_by = v.executed_by",
        (
            *(("bucket", "smallint"), ("account_id", "bigint"), ("id", "bigint"), ("state", "text")),
            *(("detail", "text"), ("executed_at", "timestamptz"), ("executed_by", "text")),
        ),
        rows,
        where="t.bucket = v.bucket AND t.account_id = v.account_id AND t.id = v.id AND t.state = 'scheduled'",
        using=using,
    )


def lock_due_actions(
    *,
    tenant_id: int,
    buckets: tuple[int, int],
    as_of: date,
    after: tuple[int, int, int],
    limit: int,
    using: str,
) -> list[DueAction]:
    """Lock and return scheduled actions whose day has come, in the order of their keys after `after`."""
    rows = fetch_rows(_DUE, [tenant_id, *buckets, as_of, *after, limit], using=using)
    return [
        DueAction(action_id, account_id, subscription_id, load_request(text))
        for account_id, action_id, subscription_id, text in rows
    ]


def call_off(
    subscriptions: Sequence[tuple[int, int]],
    *,
    behaviours: Sequence[Behaviour],
    but: Sequence[int],
    gone: Sequence[tuple[int, int]],
    at: datetime,
    by: str,
    using: str,
) -> None:
    """Call off the scheduled actions of these behaviours, and every scheduled one of those in `gone`.

    Subscriptions are (account_id, subscription_id); `but` are actions that are being executed now.
    """
    everything = set(gone)
    rows = [
        (bucket_of(account_id), account_id, subscription_id, (account_id, subscription_id) in everything)
        for account_id, subscription_id in subscriptions
    ]
    buckets, accounts, ids, are_gone = (list(column) for column in zip(*rows, strict=True))
    execute(
        """UPDATE subscription_action a
           SET state = 'cancelled', detail = 'The subscription changed its state before.', executed_at = %s,
               executed_by = %s
           FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[], %s::boolean[])
               AS v (bucket, account_id, subscription_id, is_gone)
           WHERE a.bucket = v.bucket AND a.account_id = v.account_id AND a.subscription_id = v.subscription_id
             AND a.state = 'scheduled' AND (v.is_gone OR a.behaviour = ANY(%s)) AND NOT a.id = ANY(%s)""",
        [at, by, buckets, accounts, ids, are_gone, [b.value for b in behaviours], list(but)],
        using=using,
    )


def call_off_services(
    services: Sequence[tuple[int, int, str]], *, but: Sequence[int], at: datetime, by: str, using: str
) -> None:
    """Call off the scheduled actions of services that are over: (account_id, subscription_id, service code)."""
    rows = [(bucket_of(account_id), account_id, key, code) for account_id, key, code in services]
    columns = [list(column) for column in zip(*rows, strict=True)]
    execute(
        """UPDATE subscription_action a
           SET state = 'cancelled', detail = 'The service is over.', executed_at = %s, executed_by = %s
           FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[], %s::text[])
               AS v (bucket, account_id, subscription_id, code)
           WHERE a.bucket = v.bucket AND a.account_id = v.account_id AND a.subscription_id = v.subscription_id
             AND a.state = 'scheduled' AND a.request ->> 'service_code' = v.code AND NOT a.id = ANY(%s)""",
        [at, by, *columns, list(but)],
        using=using,
    )


def dump_request(request: ActionRequest) -> str:
    """Return a request as JSON text, without what is empty."""
    return json.dumps({name: value for name, value in asdict(request).items() if value is not None}, default=str)


def load_request(text: str) -> ActionRequest:
    """Read a request from its JSON text."""
    stored: dict[str, Any] = json.loads(text)
    stored["behaviour"] = Behaviour(stored["behaviour"])
    if stored.get("amendment"):
        stored["amendment"] = Amendment(stored["amendment"])
    for name in ("performed_on", "ends_on", "agreement_date", "binding_start_date"):
        if stored.get(name):
            stored[name] = date.fromisoformat(stored[name])
    stored["product_codes"] = tuple(stored.get("product_codes", ()))
    if stored.get("usage"):
        usage: dict[str, Any] = stored["usage"]
        for name in ("used_from", "used_to"):
            if usage.get(name):
                usage[name] = datetime.fromisoformat(usage[name])
        stored["usage"] = UsageDetail(**usage)
    return ActionRequest(**stored)
