"""Read what explains a bill: its items, those that its credits take back, its invoices. One account, one bucket."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from coax.base.db import fetch_dicts
from coax.billing.types.document import BillKey
from coax.process.bills.numbers import compose_bill_number
from coax.process.explain.types import StoredItem

_NAMED: Final = {"bill_number", "subscription_code", "service_code", "agreed_price_micro"}
_STORED: Final = ", ".join(f"i.{field.name}" for field in fields(StoredItem) if field.name not in _NAMED)
_ITEMS: Final = f"""
SELECT {_STORED}, b.number AS bill_number, u.code AS subscription_code, coalesce(s.code, c.code, '') AS service_code,
       coalesce(s.agreed_price_micro, c.agreed_price_micro) AS agreed_price_micro
FROM rating_rated_item i
JOIN billing_bill b ON b.bucket = i.bucket AND b.account_id = i.account_id AND b.run_id = i.run_id
JOIN subscription_billable u ON u.bucket = i.bucket AND u.account_id = i.account_id AND u.id = i.subscription_id
LEFT JOIN subscription_service s ON i.kind IN ('charge', 'credit') AND s.bucket = i.bucket
 AND s.account_id = i.account_id AND s.id = i.service_id
LEFT JOIN subscription_charge c ON i.kind IN ('once', 'return') AND c.bucket = i.bucket
 AND c.account_id = i.account_id AND c.id = i.service_id
WHERE i.tenant_id = %(tenant_id)s AND i.bucket = %(bucket)s AND i.account_id = %(account_id)s AND {{which}}
ORDER BY i.run_id, i.line"""
_INVOICES: Final = """
SELECT t.line, t.kind, coalesce(u.code, '') AS subscription_code, t.amount_minor, t.net_minor, t.tax_minor,
       t.rounding_minor, t.rounding_micro, t.due_date
FROM ledger_transaction t
LEFT JOIN subscription_billable u ON u.bucket = t.bucket AND u.account_id = t.account_id
 AND u.id = t.subscription_id
WHERE t.tenant_id = %(tenant_id)s AND t.bucket = %(bucket)s AND t.account_id = %(account_id)s
  AND t.origin_id = %(run_id)s ORDER BY t.line"""


def find_items(tenant_id: int, key: BillKey, prefix: str) -> list[StoredItem]:
    """Return the items of a bill by line; `prefix` begins the numbers of bills."""
    return _find_items("i.run_id = %(run_id)s", _params(tenant_id, key), prefix)


def find_items_of_services(tenant_id: int, key: BillKey, service_ids: list[int], prefix: str) -> list[StoredItem]:
    """Return all items of some services of the bill's account, the oldest first."""
    if not service_ids:
        return []
    params = {**_params(tenant_id, key), "service_ids": service_ids}
    return _find_items("i.service_id = ANY(%(service_ids)s)", params, prefix)


def _find_items(which: str, params: dict[str, Any], prefix: str) -> list[StoredItem]:
    return [
        StoredItem(**{**row, "bill_number": compose_bill_number(prefix, row["bill_number"])})
        for row in fetch_dicts(_ITEMS.format(which=which), params)
    ]


def find_invoices(tenant_id: int, key: BillKey) -> list[dict[str, Any]]:
    """Return the financial transactions of a bill by line, as stored: amounts positive."""
    return fetch_dicts(_INVOICES, _params(tenant_id, key))


def _params(tenant_id: int, key: BillKey) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "bucket": key.bucket,
        "account_id": key.account_id,
        "run_id": key.run_id,
    }
