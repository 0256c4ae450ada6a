"""The subscriptions of one account, with their contracts and services."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from coax.base.db import fetch_dicts
from coax.base.ids import bucket_of
from coax.base.tenancy import tenant_transaction
from coax.subscription.types import BillingTermRow, ServiceRow, SubscriptionRow, SubscriptionState

_OWNER: Final = "bucket = %(bucket)s AND {table}.account_id = %(account_id)s AND {table}.tenant_id = %(tenant_id)s"
_SUBSCRIPTIONS: Final = f"""
SELECT u.id AS subscription_id, u.account_id, u.code, u.type_id, u.state, u.created_on,
       u.state_from, u.state_ends_on, u.grace_until, u.location
  FROM subscription_subscription u WHERE u.{_OWNER.format(table="u")} ORDER BY u.code
"""
_BILLING_TERMS: Final = f"""
SELECT t.subscription_id, t.id AS billing_term_id, t.scheme_version_id, t.price_plan_id, t.frequency, t.cycle_day,
       t.agreement_date, t.binding_period, t.binding_start_date, t.effective_from, t.effective_to
  FROM subscription_billing_term t WHERE t.{_OWNER.format(table="t")} ORDER BY t.effective_from, t.id
"""
_SERVICES: Final = f"""
SELECT s.subscription_id, s.id AS service_id, s.code, s.product_id, s.quantity, s.effective_from, s.effective_to,
       s.billable_from, s.billing_effective_date, s.agreed_price_micro, s.extra_discount_ppm, r.rated_up_to,
       s.state, s.state_from, s.bundle_id
  FROM subscription_service s
  JOIN subscription_service_rating r
    ON r.bucket = s.bucket AND r.account_id = s.account_id AND r.service_id = s.id
 WHERE s.{_OWNER.format(table="s")} ORDER BY s.code, s.id
"""


def find_subscriptions(*, tenant_id: int, account_id: int) -> list[SubscriptionRow]:
    """Return the account's subscriptions in the order of their codes."""
    params = {"tenant_id": tenant_id, "account_id": account_id, "bucket": bucket_of(account_id)}
    with tenant_transaction(tenant_id):
        subscriptions = fetch_dicts(_SUBSCRIPTIONS, params)
        terms = _group(fetch_dicts(_BILLING_TERMS, params))
        services = _group(fetch_dicts(_SERVICES, params))
    return [
        SubscriptionRow(
            **{**row, "state": SubscriptionState(row["state"])},
            billing_terms=tuple(BillingTermRow(**term) for term in terms[row["subscription_id"]]),
            services=tuple(ServiceRow(**service) for service in services[row["subscription_id"]]),
        )
        for row in subscriptions
    ]


def _group(rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row.pop("subscription_id")].append(row)
    return grouped
