"""Reading what bills are composed from, many at once: their rated items, whom they go to, what their runs say."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final

from coax.base.db import fetch_dicts, fetch_rows
from coax.billing.types.document import BillCustomer, BilledItem, BillKey, ItemKind

_ITEM_NAMES: Final = (
    "subscription_code",
    "service_code",
    "product_code",
    "product_name",
    "unit",
)
_ITEM_COLUMNS: Final = tuple(field.name for field in fields(BilledItem) if field.name not in {*_ITEM_NAMES, "kind"})
# What is billed once is a charge of a subscription or a job; it has no service.
_ITEMS: Final = f"""
SELECT i.bucket, i.account_id, i.run_id, i.kind, {", ".join(f"i.{name}" for name in _ITEM_COLUMNS)},
       u.code AS subscription_code, coalesce(s.code, c.code, '') AS service_code,
       e.code AS product_code, v.name AS product_name, coalesce(v.body ->> 'unit', '') AS unit
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS wanted (bucket, account_id, run_id)
JOIN rating_rated_item i ON i.bucket = wanted.bucket AND i.account_id = wanted.account_id
 AND i.run_id = wanted.run_id
JOIN subscription_billable u ON u.bucket = i.bucket AND u.account_id = i.account_id
 AND u.id = i.subscription_id
LEFT JOIN subscription_service s ON i.kind IN ('charge', 'credit') AND s.bucket = i.bucket
 AND s.account_id = i.account_id AND s.id = i.service_id
LEFT JOIN subscription_charge c ON i.kind IN ('once', 'return') AND c.bucket = i.bucket
 AND c.account_id = i.account_id AND c.id = i.service_id
JOIN configuration_version v ON v.id = i.product_version_id
JOIN configuration_entity e ON e.id = v.entity_id
WHERE i.tenant_id = %s ORDER BY i.bucket, i.account_id, i.run_id, i.line"""
# The contact as it was when the bill was posted: the earliest change after it says what was there before.
_CUSTOMERS: Final = """
SELECT a.bucket, a.account_id, wanted.run_id, c.code AS contact_code, was.name, was.street, was.postal_code, was.city,
       was.country, was.locale
FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[]) AS wanted (bucket, account_id, run_id)
JOIN party_account a ON a.bucket = wanted.bucket AND a.account_id = wanted.account_id
JOIN party_contact c ON c.bucket = a.bucket AND c.id = a.contact_id
LEFT JOIN billing_run_part p ON p.run_id = wanted.run_id AND a.bucket BETWEEN p.first_bucket AND p.last_bucket
LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(d.key, d.value ORDER BY e.id DESC) AS texts
    FROM base_audit_entry e CROSS JOIN jsonb_each(e.before) AS d
    WHERE e.tenant_id = a.tenant_id AND e.source = 'party_contact' AND e.subject = c.id::text AND e.at > p.posted_at
) AS before ON true
CROSS JOIN LATERAL jsonb_populate_record(c, coalesce(before.texts, '{}')) AS was
WHERE a.tenant_id = %s"""
_RUNS: Final = "SELECT id, definition, catalogue FROM billing_run WHERE tenant_id = %s AND id = ANY(%s)"


def find_billed_items(
    *, tenant_id: int, keys: Sequence[BillKey], using: str = "default"
) -> dict[BillKey, tuple[BilledItem, ...]]:
    """Return the rated items of bills in the order of their lines, with the names of their frozen versions."""
    params = [
        [key.bucket for key in keys],
        [key.account_id for key in keys],
        [key.run_id for key in keys],
        tenant_id,
    ]
    found: defaultdict[BillKey, list[BilledItem]] = defaultdict(list)
    for row in fetch_dicts(_ITEMS, params, using=using):
        key = BillKey(row.pop("bucket"), row.pop("account_id"), row.pop("run_id"))
        found[key].append(BilledItem(**{**row, "kind": ItemKind(row["kind"])}))
    return {key: tuple(items) for key, items in found.items()}


def find_bill_customers(
    *, tenant_id: int, keys: Sequence[BillKey], using: str = "default"
) -> dict[BillKey, tuple[BillCustomer, str]]:
    """Return whom bills went to as they were posted, and that contact's locale (empty when not known)."""
    params = [
        [key.bucket for key in keys],
        [key.account_id for key in keys],
        [key.run_id for key in keys],
        tenant_id,
    ]
    found = {}
    for row in fetch_dicts(_CUSTOMERS, params, using=using):
        key = BillKey(row.pop("bucket"), row.pop("account_id"), row.pop("run_id"))
        locale = row.pop("locale")
        found[key] = (BillCustomer(**row), locale)
    return found


def find_run_rules(
    *, tenant_id: int, run_ids: Iterable[int], using: str = "default"
) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """Return by run its frozen definition and what its record keeps of the catalogue."""
    rows = fetch_rows(_RUNS, [tenant_id, sorted(set(run_ids))], using=using)
    return {run_id: (_load(definition), _load(catalogue)) for run_id, definition, catalogue in rows}


def _load(value: Any) -> dict[str, Any]:
    loaded = json.loads(value) if isinstance(value, str) else value
    return dict(loaded)
