"""Due services that have a history: one row for each stretch of time that is billed under one contract."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from coax.base.bulk import bind, read_frame
from coax.subscription.queries.population import Population

# What stands billed counts up to `floor`; from there on the time in states that are billed is rated, contract by
# contract. States that follow each other without a gap are one stretch: who is cut off and comes back on the same day
# has lost nothing; in a bundle and out of it are stretches of their own. A state for a time is not billed beyond its
# end. `window_from` is where such a stretch begins whatever the contract.
_DUE_HISTORIES: Final = """
SELECT a.bucket, a.account_id, s.id AS service_id, s.subscription_id, s.product_id, s.quantity,
       greatest(w.window_from, t.effective_from) AS rated_up_to, r.generation, s.effective_from,
       NULL::date AS effective_to, least(w.window_to, s.effective_to, t.effective_to) AS charge_to,
       s.billable_from, s.billing_effective_date, s.agreed_price_micro, s.extra_discount_ppm,
       t.scheme_version_id, t.price_plan_id, t.frequency, t.cycle_day, t.agreement_date,
       t.binding_period, t.binding_start_date,
       a.classification_id, a.currency, a.credit_limit_minor, a.credit_period_days, a.revision, u.type_id,
       f.credit_from, r.rated_up_to AS stored_rated_up_to, w.window_from, w.window_from IS NULL AS is_credit_only,
       f.floor, w.bundle_id
FROM subscription_service s
JOIN party_account a ON a.bucket = s.bucket AND a.account_id = s.account_id
JOIN subscription_service_rating r
  ON r.bucket = s.bucket AND r.account_id = s.account_id AND r.service_id = s.id
JOIN subscription_subscription u
  ON u.bucket = s.bucket AND u.account_id = s.account_id AND u.id = s.subscription_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN r.credit_from < r.rated_up_to THEN r.credit_from END AS credit_from,
           least(r.rated_up_to, r.credit_from) AS floor) f
LEFT JOIN LATERAL (
    SELECT greatest(f.floor, lower(m.stretch)) AS window_from, coalesce(upper(m.stretch),
           CASE WHEN u.state = 'short_term_effective' THEN u.state_ends_on END) AS window_to, m.bundle_id
    FROM (
        SELECT h.bundle_id,
               unnest(range_agg(daterange(greatest(h.effective_from, h.billable_from), h.effective_to))) AS stretch
        FROM subscription_service_history h
        WHERE h.bucket = s.bucket AND h.account_id = s.account_id AND h.service_id = s.id
          AND h.directive = 'to_be_billed'
          AND (h.effective_to IS NULL OR h.effective_to > greatest(h.effective_from, h.billable_from))
        GROUP BY h.bundle_id) m
    WHERE (upper(m.stretch) IS NULL OR upper(m.stretch) > f.floor)
      AND (s.effective_to IS NULL OR s.effective_to > greatest(f.floor, lower(m.stretch)))) w ON true
LEFT JOIN subscription_billing_term t
  ON t.bucket = s.bucket AND t.account_id = s.account_id AND t.subscription_id = s.subscription_id
 AND (t.effective_to IS NULL OR t.effective_to > greatest(w.window_from, t.effective_from))
 AND (w.window_to IS NULL OR t.effective_from < w.window_to) AND w.window_from IS NOT NULL
WHERE s.tenant_id = {tenant_id} AND s.bucket BETWEEN {first_bucket} AND {last_bucket} AND s.has_history
  AND a.bucket BETWEEN {first_bucket} AND {last_bucket} AND r.bucket BETWEEN {first_bucket} AND {last_bucket}
  AND u.bucket BETWEEN {first_bucket} AND {last_bucket} AND a.state = 'active'
  AND ((w.window_from <= {as_of} AND s.billing_effective_date <= {as_of}) OR f.credit_from IS NOT NULL)
"""


def find_due_histories(population: Population, *, as_of: date) -> pl.DataFrame:
    """Return the stretches that may be due, in the columns of due services, and what is to be taken back.

    `rated_up_to` is the stretch's first day, `charge_to` its end; `stored_rated_up_to` is what the service's state
    says, `credit_from` the day from which what was billed is taken back, `is_credit_only` that nothing follows.
    A stretch that begins under no contract has no scheme.
    """
    sql = _DUE_HISTORIES
    if population.account_ids:
        sql += " AND a.account_id = ANY({account_ids})"
    if population.subscription_ids:
        sql += " AND s.subscription_id = ANY({subscription_ids})"
    found = read_frame(
        bind(
            sql,
            tenant_id=population.tenant_id,
            first_bucket=population.first_bucket,
            last_bucket=population.last_bucket,
            as_of=as_of,
            account_ids=list(population.account_ids),
            subscription_ids=list(population.subscription_ids),
        ),
        size=population.size,
    )
    begins = pl.col("rated_up_to").min().over("service_id", "window_from")
    lacks_contract = (begins > pl.col("window_from")).fill_null(value=False)
    return found.with_columns(
        pl.when(lacks_contract).then(None).otherwise(pl.col("scheme_version_id")).alias("scheme_version_id"),
        pl.coalesce("rated_up_to", "floor").alias("rated_up_to"),
        pl.when("is_credit_only").then(pl.col("floor")).otherwise(pl.col("charge_to")).alias("charge_to"),
    ).drop("window_from", "floor")
