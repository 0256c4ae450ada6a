"""Usage records: of a subscription, of an account, of the whole operator, by day and by what their source told."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from coax.base.db import fetch_dicts
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS
from coax.subscription.types.charges import UsageRow

ROWS_MAX: Final = 1000
# The page is cut before anything is joined to it.
_USAGES: Final = """
SELECT g.id AS usage_id, g.code, a.code AS account_code, u.code AS subscription_code, s.code AS service_code,
       e.code AS product, n.name AS product_name, k.code AS catalog, y.code AS usage_type, g.quantity, g.performed_on,
       g.used_from, g.used_to, g.source_system, g.reference, g.source, g.destination, g.device, g.method, g.category,
       c.agreed_price_micro AS amount_micro, g.charge_id, c.billed_by, g.withdrawn_on, c.credited_by, g.action_id,
       u.type_id
  FROM (SELECT * FROM subscription_usage g
        WHERE g.tenant_id = %(tenant_id)s
          AND (%(account_id)s::bigint IS NULL OR (g.bucket = %(bucket)s AND g.account_id = %(account_id)s))
          AND (%(subscription_id)s::bigint IS NULL OR g.subscription_id = %(subscription_id)s)
          AND (%(product)s::text IS NULL OR g.product_id = (
                   SELECT id FROM configuration_entity
                    WHERE tenant_id = %(tenant_id)s AND kind = 'product' AND code = %(product)s))
          AND (%(performed_from)s::date IS NULL OR g.performed_on >= %(performed_from)s)
          AND (%(performed_to)s::date IS NULL OR g.performed_on < %(performed_to)s)
          AND (%(source_system)s::text IS NULL OR g.source_system = %(source_system)s)
          AND (%(reference)s::text IS NULL OR g.reference = %(reference)s)
          AND (NOT %(is_open)s OR g.withdrawn_on IS NULL)
          AND (%(after_day)s::date IS NULL OR (g.performed_on, g.id) < (%(after_day)s, %(after_id)s))
        ORDER BY g.performed_on DESC, g.id DESC LIMIT %(limit)s) g
  JOIN party_account a ON a.bucket = g.bucket AND a.account_id = g.account_id
  JOIN subscription_subscription u ON u.bucket = g.bucket AND u.account_id = g.account_id AND u.id = g.subscription_id
  JOIN subscription_service s ON s.bucket = g.bucket AND s.account_id = g.account_id AND s.id = g.service_id
  JOIN configuration_entity e ON e.id = g.product_id
  JOIN LATERAL (SELECT v.name FROM configuration_version v WHERE v.entity_id = e.id
                 ORDER BY v.effective_date DESC LIMIT 1) n ON true
  JOIN configuration_entity k ON k.id = g.catalog_id
  LEFT JOIN configuration_entity y ON y.id = g.usage_type_id
  LEFT JOIN subscription_charge c ON c.bucket = g.bucket AND c.account_id = g.account_id AND c.id = g.charge_id
 ORDER BY g.performed_on DESC, g.id DESC
"""


def find_usages(
    *,
    tenant_id: int,
    account_id: int | None = None,
    subscription_id: int | None = None,
    product: str | None = None,
    performed_from: date | None = None,
    performed_to: date | None = None,
    source_system: str | None = None,
    reference: str | None = None,
    is_open: bool = False,
    after: tuple[date, int] | None = None,
    limit: int = ROWS_MAX,
    using: str = APP_ALIAS,
) -> list[UsageRow]:
    """Return at most `ROWS_MAX` usage records of days in [performed_from, performed_to), the latest day first.

    `is_open` asks for those that are not taken back; `after` is day and key of the last one of the page before.
    """
    after_day, after_id = after or (None, None)
    params: dict[str, Any] = {
        "tenant_id": tenant_id,
        "account_id": account_id,
        "bucket": None if account_id is None else bucket_of(account_id),
        "subscription_id": subscription_id,
        "product": product,
        "performed_from": performed_from,
        "performed_to": performed_to,
        "source_system": source_system,
        "reference": reference or None,
        "is_open": is_open,
        "after_day": after_day,
        "after_id": after_id,
        "limit": min(limit, ROWS_MAX),
    }
    return [UsageRow(**row) for row in fetch_dicts(_USAGES, params, using=using)]
