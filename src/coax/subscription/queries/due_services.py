"""Which services may have something to bill: the run's one read of services, contracts and accounts."""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from coax.base.bulk import ReadSize, bind, read_frame
from coax.base.ids import BUCKETS
from coax.subscription.queries.due_histories import find_due_histories
from coax.subscription.queries.population import Population

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
  ON t.bucket = s.bucket AND t.bucket BETWEEN {first_bucket} AND {last_bucket}
 AND t.account_id = s.account_id AND t.subscription_id = s.subscription_id
 AND t.effective_from <= greatest(r.rated_up_to, s.billable_from)
 AND (t.effective_to IS NULL OR t.effective_to > greatest(r.rated_up_to, s.billable_from))
WHERE a.tenant_id = {tenant_id} AND a.bucket BETWEEN {first_bucket} AND {last_bucket}
  AND s.bucket BETWEEN {first_bucket} AND {last_bucket} AND r.bucket BETWEEN {first_bucket} AND {last_bucket}
  AND u.bucket BETWEEN {first_bucket} AND {last_bucket} AND a.state = 'active' AND u.state <> 'draft'
  AND NOT s.has_history
  AND ((r.rated_up_to <= {as_of} AND s.billing_effective_date <= {as_of}
        AND (s.effective_to IS NULL OR s.effective_to > r.rated_up_to OR s.effective_to <= s.effective_from))
       OR s.effective_to < r.rated_up_to)
"""
_OF_RANGE: Final = " WHERE tenant_id = {tenant_id} AND bucket BETWEEN {first_bucket} AND {last_bucket}"
_WIDE: Final = {
    "ratings": "SELECT account_id, service_id, rated_up_to, generation FROM subscription_service_rating" + _OF_RANGE,
    "services": """SELECT account_id, id AS service_id, subscription_id, product_id, quantity, effective_from,
        effective_to, billable_from, agreed_price_micro, extra_discount_ppm
        FROM subscription_service"""
    + _OF_RANGE
    + " AND billing_effective_date <= {as_of} AND NOT has_history",
    "accounts": """SELECT account_id, classification_id, currency, credit_limit_minor, credit_period_days, revision
        FROM party_account"""
    + _OF_RANGE
    + " AND state = 'active'",
    "terms": """SELECT account_id, subscription_id, scheme_version_id, price_plan_id, frequency, cycle_day,
        agreement_date, binding_period, binding_start_date, effective_from AS term_from, effective_to AS term_to
        FROM subscription_billing_term"""
    + _OF_RANGE
    + " AND subscription_id IS NOT NULL",
    "drafts": "SELECT account_id, id AS subscription_id FROM subscription_subscription"
    + _OF_RANGE
    + " AND state = 'draft'",
}
_TYPES: Final = "SELECT account_id, id AS subscription_id, type_id FROM subscription_subscription" + _OF_RANGE


def find_due_services(population: Population, *, as_of: date) -> pl.DataFrame:
    """Return one row per service that is not billed beyond `as_of` or was billed beyond its end.

    A service with a history has one row for each stretch of time that is billed under one contract. Columns as
    selected above and as `find_due_histories` adds them, in no order; dates civil, money in micros and minor units.
    """
    is_wide = population.size is ReadSize.RANGES
    plain = _read_wide(population, as_of) if is_wide else _read_narrow(population, as_of)
    is_ended = pl.col("effective_to") < pl.col("rated_up_to")
    plain = plain.with_columns(
        pl.when(is_ended).then(pl.col("effective_to")).alias("credit_from"),
        pl.col("rated_up_to").alias("stored_rated_up_to"),
        is_ended.fill_null(value=False).alias("is_credit_only"),
        pl.lit(None, pl.Int64).alias("bundle_id"),  # whoever is in a bundle has a history
    )
    histories = find_due_histories(population, as_of=as_of)
    return pl.concat([plain, histories], how="diagonal_relaxed") if histories.height else plain


def _read_narrow(population: Population, as_of: date) -> pl.DataFrame:
    """Let the database join: an operator's few accounts are found by index among all others'."""
    sql = _DUE_SERVICES
    if population.account_ids:
        sql += " AND a.account_id = ANY({account_ids})"
    if population.subscription_ids:
        sql += " AND s.subscription_id = ANY({subscription_ids})"
    return read_frame(
        bind(
            sql,
            **_range(population),
            as_of=as_of,
            account_ids=list(population.account_ids),
            subscription_ids=list(population.subscription_ids),
        ),
        size=population.size,
    )


def _read_wide(population: Population, as_of: date) -> pl.DataFrame:
    """Read a range of buckets table by table and join here, which costs a third of the database's join."""
    ranges = ReadSize.RANGES
    frames = {
        name: read_frame(bind(sql, **_range(population), as_of=as_of), size=ranges) for name, sql in _WIDE.items()
    }
    subscription = ["account_id", "subscription_id"]
    needs_types = population.needs_types
    types = read_frame(bind(_TYPES, **_range(population)), size=ranges) if needs_types else None
    services = frames["ratings"].lazy().join(frames["services"].lazy(), on=["account_id", "service_id"])
    considered = services.filter(_is_considered(as_of)).join(frames["accounts"].lazy(), on="account_id")
    if frames["drafts"].height:
        considered = considered.join(frames["drafts"].lazy(), on=subscription, how="anti")
    if types is not None:
        considered = considered.join(types.lazy(), on=subscription, how="left")
    joined = considered.with_columns(
        (pl.col("account_id") % BUCKETS).cast(pl.Int16).alias("bucket"),
        pl.lit(as_of).alias("billing_effective_date"),
        *([] if types is not None else [pl.lit(None, pl.Int64).alias("type_id")]),
    ).collect()
    rated_from = pl.max_horizontal("rated_up_to", "billable_from")
    terms = frames["terms"]
    if not terms.select("account_id", "subscription_id").is_duplicated().any():
        matched = joined.join(terms, on=["account_id", "subscription_id"], how="left")
    else:
        dated = joined.select("service_id", "account_id", "subscription_id", rated_from.alias("rated_from")).join(
            terms, on=["account_id", "subscription_id"]
        )
        standing = dated.filter(_is_standing(pl.col("rated_from"))).drop("rated_from")
        return _with_charge_to(joined.join(standing, on=["service_id", "account_id", "subscription_id"], how="left"))
    holds = _is_standing(rated_from).fill_null(value=False)
    contract = [name for name in terms.columns if name not in {"account_id", "subscription_id"}]
    return _with_charge_to(matched.with_columns(pl.when(holds).then(pl.col(name)).alias(name) for name in contract))


def _range(population: Population) -> dict[str, int]:
    return {
        "tenant_id": population.tenant_id,
        "first_bucket": population.first_bucket,
        "last_bucket": population.last_bucket,
    }


def _is_considered(as_of: date) -> pl.Expr:
    """Return the joined statement's condition on services whose billing is effective, in the same words."""
    end, rated, start = pl.col("effective_to"), pl.col("rated_up_to"), pl.col("effective_from")
    is_open = end.is_null() | (end > rated) | (end <= start)
    is_due = (rated <= as_of) & is_open
    return is_due | (end < rated).fill_null(value=False)


def _is_standing(day: pl.Expr) -> pl.Expr:
    end = pl.col("term_to")
    return (pl.col("term_from") <= day) & (end.is_null() | (end > day))


def _with_charge_to(joined: pl.DataFrame) -> pl.DataFrame:
    return joined.with_columns(pl.min_horizontal("effective_to", "term_to").alias("charge_to")).drop(
        "term_from", "term_to"
    )
