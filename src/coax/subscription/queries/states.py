"""How a subscription stood on a day: its state, its contract and its services, from their histories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from coax.base.db import fetch_dicts
from coax.base.ids import bucket_of
from coax.base.tenancy import APP_ALIAS

_KEY: Final = "bucket = %(bucket)s AND {alias}.account_id = %(account_id)s"
_HOLDS: Final = "h.effective_from <= %(on)s AND (h.effective_to IS NULL OR h.effective_to > %(on)s)"
# Where nothing ever happened there is no history: then what stands now has always stood.
_SUBSCRIPTION: Final = f"""
SELECT u.code, u.type_id, u.grace_until, coalesce(h.state, CASE WHEN u.state_from IS NULL AND EXISTS (
           SELECT FROM subscription_billing_term t
           WHERE t.bucket = u.bucket AND t.account_id = u.account_id AND t.subscription_id = u.id
             AND t.effective_from <= %(on)s) THEN u.state END) AS state,
       h.effective_from AS since
  FROM subscription_subscription u
  LEFT JOIN subscription_subscription_history h ON h.bucket = u.bucket AND h.account_id = u.account_id
   AND h.subscription_id = u.id AND {_HOLDS}
 WHERE u.{_KEY.format(alias="u")} AND u.id = %(subscription_id)s ORDER BY h.id DESC NULLS LAST LIMIT 1
"""
_TERM: Final = f"""
SELECT h.scheme_version_id, h.price_plan_id, h.frequency, h.cycle_day, h.agreement_date, h.binding_period,
       h.binding_start_date, h.binding_extension_days, h.effective_from, h.effective_to
  FROM subscription_billing_term h
 WHERE h.{_KEY.format(alias="h")} AND h.subscription_id = %(subscription_id)s AND {_HOLDS} ORDER BY h.id DESC LIMIT 1
"""
_SERVICES: Final = f"""
SELECT DISTINCT ON (s.id) s.code, s.product_id, s.quantity, coalesce(h.state, s.state) AS state,
       coalesce(h.directive, 'to_be_billed') AS directive, h.bundle_id,
       coalesce(h.effective_from, s.effective_from) AS since, r.rated_up_to
  FROM subscription_service s
  JOIN subscription_service_rating r ON r.bucket = s.bucket AND r.account_id = s.account_id AND r.service_id = s.id
  LEFT JOIN subscription_service_history h ON h.bucket = s.bucket AND h.account_id = s.account_id
   AND h.service_id = s.id AND {_HOLDS}
 WHERE s.{_KEY.format(alias="s")} AND s.subscription_id = %(subscription_id)s
   AND (h.id IS NOT NULL OR NOT s.has_history AND s.effective_from <= %(on)s
        AND (s.effective_to IS NULL OR s.effective_to > %(on)s))
 ORDER BY s.id, h.id DESC
"""


@dataclass(frozen=True, slots=True)
class TermOnDay:
    """The contract that held on a day."""

    scheme_version_id: int
    price_plan_id: int
    frequency: str
    cycle_day: int
    agreement_date: date
    binding_period: str
    binding_start_date: date | None
    binding_extension_days: int
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True, slots=True)
class ServiceOnDay:
    """A service on a day; `since` is the first day of that state, `rated_up_to` is as of now."""

    code: str
    product_id: int
    quantity: int
    state: str
    directive: str
    bundle_id: int | None
    since: date
    rated_up_to: date


@dataclass(frozen=True, slots=True)
class SubscriptionOnDay:
    """A subscription on a day; no state before its history begins."""

    code: str
    type_id: int | None
    state: str | None
    since: date | None
    grace_until: date | None
    term: TermOnDay | None
    services: tuple[ServiceOnDay, ...]


def get_subscription_on(
    *, account_id: int, subscription_id: int, on: date, using: str = APP_ALIAS
) -> SubscriptionOnDay:
    """Return how a subscription that exists stood at the end of a day."""
    params = {"bucket": bucket_of(account_id), "account_id": account_id, "subscription_id": subscription_id, "on": on}
    (head,) = fetch_dicts(_SUBSCRIPTION, params, using=using)
    terms = fetch_dicts(_TERM, params, using=using)
    services = fetch_dicts(_SERVICES, params, using=using)
    return SubscriptionOnDay(
        **head,
        term=TermOnDay(**terms[0]) if terms else None,
        services=tuple(ServiceOnDay(**row) for row in services),
    )
