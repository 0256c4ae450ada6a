"""What was charged once on the subscriptions and by the jobs of an account; what was used has a list of its own."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from coax.base.db import fetch_dicts
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.subscription.types.charges import ChargeRow

ROWS_MAX: Final = 1000
# A charge that a catalog prices is one of usage.
_CHARGES: Final = """
SELECT c.id AS charge_id, c.code, u.code AS subscription_code, j.code AS job_code, e.code AS product,
       n.name AS product_name, c.quantity, c.duration, c.performed_on, c.agreed_price_micro, c.billed_by,
       c.withdrawn_on, c.credited_by, u.type_id
  FROM subscription_charge c
  JOIN configuration_entity e ON e.id = c.product_id
  JOIN LATERAL (SELECT v.name FROM configuration_version v WHERE v.entity_id = e.id
                 ORDER BY v.effective_date DESC LIMIT 1) n ON true
  LEFT JOIN subscription_subscription u
    ON u.bucket = c.bucket AND u.account_id = c.account_id AND u.id = c.subscription_id
  LEFT JOIN subscription_job j ON j.bucket = c.bucket AND j.account_id = c.account_id AND j.id = c.job_id
 WHERE c.bucket = %(bucket)s AND c.account_id = %(account_id)s AND c.tenant_id = %(tenant_id)s
   AND c.catalog_id IS NULL
   AND (%(subscription_id)s::bigint IS NULL OR c.subscription_id = %(subscription_id)s)
   AND (NOT %(is_open)s OR c.withdrawn_on IS NULL)
   AND (%(after_day)s::date IS NULL OR (c.performed_on, c.id) < (%(after_day)s, %(after_id)s))
 ORDER BY c.performed_on DESC, c.id DESC LIMIT %(limit)s
"""


def find_charges(
    *,
    tenant_id: int,
    account_id: int,
    subscription_id: int | None = None,
    is_open: bool = False,
    after: tuple[date, int] | None = None,
    limit: int = ROWS_MAX,
    using: str = APP_ALIAS,
) -> list[ChargeRow]:
    """Return at most `ROWS_MAX` charges of an account or of one subscription, the latest day first.

    `is_open` asks for those that are not taken back; `after` is day and key of the last one of the page before.
    """
    after_day, after_id = after or (None, None)
    params: dict[str, Any] = {
        "tenant_id": tenant_id,
        "bucket": bucket_of(account_id),
        "account_id": account_id,
        "subscription_id": subscription_id,
        "is_open": is_open,
        "after_day": after_day,
        "after_id": after_id,
        "limit": min(limit, ROWS_MAX),
    }
    return [ChargeRow(**row) for row in fetch_dicts(_CHARGES, params, using=using)]
