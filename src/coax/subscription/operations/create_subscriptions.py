"""Create subscriptions with their contracts and services in bulk."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import polars as pl
from psycopg.errors import UniqueViolation

from coax.base.errors import DomainError
from coax.base.ids import BUCKET_MASK
from coax.base.tenancy import RUN_ALIAS, tenant_transaction
from coax.subscription.batch.subscriptions import number_rows, write_services, write_subscriptions
from coax.subscription.types import SubscriptionState


class SubscriptionCodesTaken(DomainError):
    """Somebody else created a subscription or a service of the same code at the same time."""

    code: ClassVar[str] = "subscription_codes_taken"


def create_subscriptions(
    *, tenant_id: int, subscriptions: pl.DataFrame, services: pl.DataFrame, created_on: date
) -> None:
    """Create new subscriptions, each with its one contract, and services of new or known subscriptions.

    `subscriptions`: subscription_code, account_id, type_id (may be null), scheme_version_id, price_plan_id,
    frequency, cycle_day, agreement_date, binding_period, binding_start_date (may be null), contract_from.
    `services`: subscription_code, account_id, subscription_id (null for one of `subscriptions`),
    service_code, product_id, quantity, effective_from, effective_to (may be null), billable_from,
    billing_effective_date, agreed_price_micro (may be null), extra_discount_ppm, rated_up_to.

    Raises: SubscriptionCodesTaken.
    """
    with tenant_transaction(tenant_id, using=RUN_ALIAS):
        made = _prepare_subscriptions(subscriptions.sort("account_id"), tenant_id, created_on)
        added = _prepare_services(services.sort("account_id"), made, tenant_id)
        try:
            write_subscriptions(made, using=RUN_ALIAS)
            write_services(added, using=RUN_ALIAS)
        except UniqueViolation as error:
            raise SubscriptionCodesTaken(
                "Subscriptions or services of the same codes were created meanwhile; try again."
            ) from error


def _prepare_subscriptions(frame: pl.DataFrame, tenant_id: int, created_on: date) -> pl.DataFrame:
    numbered = number_rows(number_rows(frame, "id", using=RUN_ALIAS), "term_id", using=RUN_ALIAS)
    return numbered.with_columns(
        (pl.col("account_id") & BUCKET_MASK).alias("bucket"),
        pl.lit(tenant_id, pl.Int32).alias("tenant_id"),
        pl.col("subscription_code").alias("code"),
        pl.lit(SubscriptionState.EFFECTIVE.value).alias("state"),
        pl.lit(created_on).alias("created_on"),
        pl.col("contract_from").alias("effective_from"),
        pl.lit(None, pl.Date).alias("effective_to"),
    )


def _prepare_services(frame: pl.DataFrame, made: pl.DataFrame, tenant_id: int) -> pl.DataFrame:
    fresh = made.select("subscription_code", pl.col("id").alias("fresh_id"))
    joined = frame.join(fresh, on="subscription_code", how="left", maintain_order="left")
    return number_rows(joined, "id", using=RUN_ALIAS).with_columns(
        (pl.col("account_id") & BUCKET_MASK).alias("bucket"),
        pl.lit(tenant_id, pl.Int32).alias("tenant_id"),
        pl.coalesce("subscription_id", "fresh_id").alias("subscription_id"),
        pl.col("service_code").alias("code"),
        pl.lit(0, pl.Int16).alias("generation"),
    )
