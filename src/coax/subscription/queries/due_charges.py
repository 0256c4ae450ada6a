"""What is billed once and has not been, or was and is taken back: one-time services, expenses, physical goods."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from coax.base.bulk import bind, read_frame
from coax.subscription.queries.population import Population

# What was used is priced by its usage service catalog, which stands where the contract's price plan does.
# A charge of a job is billed under the job's contract; the job's key stands where that of a subscription does.
# A charge reads like a service of its own: it lasts as long as its duration (at least a day) and is billed whole.
_DUE_CHARGES: Final = """
SELECT c.bucket, c.account_id, c.id AS service_id,
       coalesce(c.subscription_id, c.job_id) AS subscription_id, c.product_id, c.quantity,
       c.performed_on AS rated_up_to, 0::smallint AS generation, c.performed_on AS effective_from,
       c.performed_on + greatest(c.duration, 1)::int AS effective_to,
       c.performed_on + greatest(c.duration, 1)::int AS charge_to,
       c.performed_on AS billable_from, c.performed_on AS billing_effective_date,
       c.agreed_price_micro, 0 AS extra_discount_ppm, greatest(c.duration, 1)::int AS duration,
       CASE WHEN c.billed_by IS NOT NULL THEN c.performed_on END AS credit_from,
       c.billed_by IS NOT NULL AS is_credit_only,
       t.scheme_version_id, coalesce(c.catalog_id, t.price_plan_id) AS price_plan_id, t.frequency, t.cycle_day,
       t.agreement_date, t.binding_period, t.binding_start_date,
       a.classification_id, a.currency, a.credit_limit_minor, a.credit_period_days, a.revision, u.type_id
FROM subscription_charge c
JOIN party_account a ON a.bucket = c.bucket AND a.account_id = c.account_id
LEFT JOIN subscription_subscription u
  ON u.bucket = c.bucket AND u.account_id = c.account_id AND u.id = c.subscription_id
LEFT JOIN LATERAL (
    SELECT * FROM subscription_billing_term t
    WHERE t.bucket = c.bucket AND t.account_id = c.account_id
      AND (t.subscription_id = c.subscription_id OR t.job_id = c.job_id)
      AND t.effective_from <= c.performed_on
    ORDER BY t.effective_from DESC LIMIT 1) t ON true
WHERE c.tenant_id = {tenant_id} AND c.bucket BETWEEN {first_bucket} AND {last_bucket}
  AND a.state = 'active'
  AND ((c.billed_by IS NULL AND c.withdrawn_on IS NULL AND c.performed_on <= {as_of})
       OR (c.billed_by IS NOT NULL AND c.credited_by IS NULL AND c.withdrawn_on <= {as_of}))
"""


def find_due_charges(population: Population, *, as_of: date) -> pl.DataFrame:
    """Return one row per charge performed up to `as_of` and not billed, in the columns of due services.

    Those that were billed and taken back since come too, to be credited. `duration` is in the units of its rate, at
    least 1.
    """
    sql = _DUE_CHARGES
    if population.account_ids:
        sql += " AND c.account_id = ANY({account_ids})"
    if population.subscription_ids:
        sql += " AND coalesce(c.subscription_id, c.job_id) = ANY({subscription_ids})"
    return read_frame(
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
