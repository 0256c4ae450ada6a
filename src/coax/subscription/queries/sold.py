"""What an account has already, for the rules that count it."""

from __future__ import annotations

from coax.base.db import fetch_rows
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.subscription.rules.structure import Sold

_SOLD = """
SELECT u.code, u.type_id, u.state NOT IN ('cancelled', 'regretted', 'replaced') AS is_live,
       array_agg(s.product_id ORDER BY s.id) FILTER (
           WHERE s.state NOT IN ('cancelled', 'regretted', 'swapped', 'removed', 'replaced')) AS products
  FROM subscription_subscription u
  LEFT JOIN subscription_service s ON s.bucket = u.bucket AND s.account_id = u.account_id AND s.subscription_id = u.id
 WHERE u.bucket = %s AND u.account_id = %s GROUP BY u.id, u.code, u.type_id, u.state ORDER BY u.id
"""


def find_sold(*, account_id: int, using: str = APP_ALIAS) -> list[Sold]:
    """Return the subscriptions of an account, those that are over too, with the products that are live."""
    rows = fetch_rows(_SOLD, [bucket_of(account_id), account_id], using=using)
    return [Sold(code, type_id, is_live, tuple(products or ())) for code, type_id, is_live, products in rows]
