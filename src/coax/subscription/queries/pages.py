"""Pages of subscriptions, for programs that read them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from coax.base.db import fetch_dicts
from coax.base.ids import bucket_of
from coax.subscription.types import SubscriptionState

PAGE_ROWS: Final = 50
PAGE_ROWS_MAX: Final = 1000
_PAGE: Final = """
SELECT u.code, a.code AS account_code, e.code AS type_code, u.state, u.created_on, u.state_from, u.state_ends_on,
       u.grace_until
  FROM subscription_subscription_code d
  JOIN subscription_subscription u
    ON u.bucket = (d.account_id & 1023)::smallint AND u.account_id = d.account_id AND u.id = d.subscription_id
   AND u.code = d.code -- so that the few of one account lead to their codes, not the other way round
  JOIN party_account a ON a.bucket = u.bucket AND a.account_id = u.account_id
  LEFT JOIN configuration_entity e ON e.id = u.type_id
 WHERE d.tenant_id = %(tenant_id)s AND d.code > %(after)s
   AND (%(account_id)s::bigint IS NULL OR (u.bucket = %(bucket)s AND u.account_id = %(account_id)s))
   AND (%(state)s::text IS NULL OR u.state = %(state)s)
 ORDER BY d.code LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """A subscription in a list."""

    code: str
    account_code: str
    type_code: str | None
    state: SubscriptionState
    created_on: date
    state_from: date | None
    state_ends_on: date | None
    grace_until: date | None


def find_subscription_page(
    *,
    tenant_id: int,
    account_id: int | None = None,
    state: SubscriptionState | None = None,
    after: str = "",
    limit: int = PAGE_ROWS,
) -> list[SubscriptionLine]:
    """Return subscriptions in the order of their codes; `after` is the last one of the page before."""
    params = {
        "tenant_id": tenant_id,
        "account_id": account_id,
        "bucket": None if account_id is None else bucket_of(account_id),
        "state": state,
        "after": after,
        "limit": min(limit, PAGE_ROWS_MAX),
    }
    return [SubscriptionLine(**{**row, "state": SubscriptionState(row["state"])}) for row in fetch_dicts(_PAGE, params)]
