"""Which services may have something to bill: the run's one read of services, contracts and accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from coax.base.bulk import bind, read_frame

# `charge_to` also ends where the contract ends, so that its successor rates what follows.
_DUE_SERVICES: Final = """
SELECT a.bucket, a.account_id, s.id AS service_id, s.subscription_id, s.product_id, s.quantity,
       r.rated_up_to, r.generation, s.effective_from, s.effective_to,
       least(s.effective_to, t.effective_to) AS charge_to,
       s.billable_from, s.billing_effective_date, s.agreed_price_micro, s.extra_discount_ppm,
       t.scheme_version_id, t.price_plan_id, t.frequency, t.cycle_day, t.agreement_date,
       t.binding_period, t.binding_start_date,
       a.classification_id, a.currency, a.credit_limit_minor, a.credit_period_days, a.revision, u.type_id
FROM party_account a
JOIN subscription_service s ON s.bucket = a.bucket AND s.account_id = a.account_id
JOIN subscription_service_rating r
  ON r.bucket = s.bucket AND r.account_id = s.account_id AND r.service_id = s.id
JOIN subscription_subscription u
  ON u.bucket = s.bucket AND u.account_id = s.account_id AND u.id = s.subscription_id
LEFT JOIN subscription_billing_term t
  ON t.bucket = s.bucket AND t.account_id = s.account_id AND t.subscription_id = s.subscription_id
 AND t.effective_from <= greatest(r.rated_up_to, s.billable_from)
 AND (t.effective_to IS NULL OR t.effective_to > greatest(r.rated_up_to, s.billable_from))
WHERE a.tenant_id = {tenant_id} AND a.bucket BETWEEN {first_bucket} AND {last_bucket}
  AND a.state = 'active' AND u.state <> 'draft'
  AND ((r.rated_up_to <= {as_of} AND s.billing_effective_date <= {as_of}
        AND (s.effective_to IS NULL OR s.effective_to > r.rated_up_to OR s.effective_to <= s.effective_from))
       OR s.effective_to < r.rated_up_to)
"""


@dataclass(frozen=True, slots=True)
class Population:
    """Which part of an operator's accounts is read; no keys mean all."""

    tenant_id: int
    first_bucket: int
    last_bucket: int
    account_ids: tuple[int, ...] = ()
    subscription_ids: tuple[int, ...] = ()


def find_due_services(population: Population, *, as_of: date) -> pl.DataFrame:
    """Return one row per service that is not billed beyond `as_of` or was billed beyond its end.

    Columns as selected above, in no order; dates civil, money in micros and minor units.
    """
    sql = _DUE_SERVICES
    if population.account_ids:
        sql += " AND a.account_id = ANY({account_ids})"
    if population.subscription_ids:
        sql += " AND s.subscription_id = ANY({subscription_ids})"
    return read_frame(
        bind(
            sql,
            tenant_id=population.tenant_id,
            first_bucket=population.first_bucket,
            last_bucket=population.last_bucket,
            as_of=as_of,
            account_ids=list(population.account_ids),
            subscription_ids=list(population.subscription_ids),
        )
    )
