"""Reading rated items."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.bulk import ReadSize, bind, read_frame

# A charge stands charged up to where a credit of the same item began.
_CHARGES_OF_SERVICES: Final = """
SELECT i.bucket, i.account_id, i.subscription_id, i.service_id, i.product_version_id, i.price_version_id,
       i.rate_no, i.tier_no, i.kind, i.generation, i.quantity, i.price_micro,
       i.period_from, i.period_to, i.whole_periods::int AS whole_periods, i.days::int AS days,
       i.period_days::int AS period_days, i.price_months::int AS price_months, i.price_days::int AS price_days,
       i.cycle_day, i.charge_micro, i.discount_ppm, i.amount_off_micro, i.tax_ppm, i.is_tax_inclusive,
       i.base_micro, i.discount_micro, i.net_micro, i.tax_micro, i.total_micro,
       least(i.period_to, (
           SELECT min(c.period_from) FROM rating_rated_item c
           WHERE c.bucket = i.bucket AND c.service_id = i.service_id AND c.kind IN ('credit', 'return')
             AND c.generation = i.generation AND c.period_from >= i.period_from AND c.period_from < i.period_to
       )) AS charged_to
FROM rating_rated_item i
WHERE i.tenant_id = {tenant_id} AND i.kind IN ('charge', 'once')
  AND i.bucket = ANY({buckets}) AND i.service_id = ANY({service_ids})
"""


def find_standing_charges(*, tenant_id: int, services: pl.DataFrame, size: ReadSize = ReadSize.MANY) -> pl.DataFrame:
    """Return the charges that reach beyond the end of their service, or were taken back, and still stand in part.

    `services`: bucket, service_id, effective_to. The result has the columns of the rated item, `effective_to` and
    `charged_to` (the first day that is no longer charged).
    """
    wanted = services.select("service_id", "effective_to")
    sql = bind(
        _CHARGES_OF_SERVICES,
        tenant_id=tenant_id,
        buckets=services["bucket"].unique().to_list(),
        service_ids=services["service_id"].to_list(),
    )
    return (
        read_frame(sql, size=size)
        .join(wanted, on="service_id", how="inner")
        .filter(pl.col("charged_to") > pl.max_horizontal("effective_to", "period_from"))
        .sort("bucket", "account_id", "service_id", "period_from", "generation")
    )
