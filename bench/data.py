"""A population of any size, made from arrays and loaded without triggers: it is not what is measured."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import psycopg

from coax.base.copy import copy_target, encode_frame

FREQUENCIES = np.array(["monthly", "quarterly", "biannual", "annual"])
PRODUCTS = ("basic", "family", "sports", "cinema", "fibre", "box")
AS_OF = date(2026, 8, 1)
EPOCH = np.datetime64("1970-01-01", "D")

CONTACT = [("id", "int8"), ("bucket", "int2"), ("tenant_id", "int4"), ("code", "text"), ("name", "text")]
CONTACT += [(name, "text") for name in ("email", "phone", "street", "postal_code", "city", "country", "locale")]
ACCOUNT = [("account_id", "int8"), ("bucket", "int2"), ("tenant_id", "int4"), ("code", "text"), ("contact_id", "int8")]
ACCOUNT += [("state", "text"), ("classification_id", "int8"), ("currency", "text"), ("credit_rating", "text")]
ACCOUNT += [("credit_period_days", "int2"), ("revision", "int4"), ("created_on", "date")]
BALANCE = [("account_id", "int8"), ("bucket", "int2"), ("tenant_id", "int4")]
BALANCE += [(name, "int8") for name in ("balance_minor", "unallocated_minor", "last_bill_run_id")]
BALANCE += [(name, "int8") for name in ("debited_since_bill_minor", "credited_since_bill_minor")]
SUBSCRIPTION = [("id", "int8"), ("account_id", "int8"), ("bucket", "int2"), ("tenant_id", "int4"), ("code", "text")]
SUBSCRIPTION += [("state", "text"), ("created_on", "date")]
TERM = [("id", "int8"), ("account_id", "int8"), ("bucket", "int2"), ("tenant_id", "int4"), ("subscription_id", "int8")]
TERM += [("scheme_version_id", "int8"), ("price_plan_id", "int8"), ("frequency", "text"), ("cycle_day", "int2")]
TERM += [("agreement_date", "date"), ("binding_period", "text"), ("effective_from", "date")]
SERVICE = [("id", "int8"), ("account_id", "int8"), ("bucket", "int2"), ("tenant_id", "int4")]
SERVICE += [("subscription_id", "int8"), ("code", "text"), ("product_id", "int8"), ("quantity", "int8")]
SERVICE += [("effective_from", "date"), ("billable_from", "date"), ("billing_effective_date", "date")]
SERVICE += [("extra_discount_ppm", "int4")]
RATING = [("service_id", "int8"), ("account_id", "int8"), ("bucket", "int2"), ("tenant_id", "int4")]
RATING += [("rated_up_to", "date"), ("generation", "int2")]


def load_population(
    connection: psycopg.Connection, *, tenant_id: int, keys: dict[str, int], count: int, first: int, seed: int = 1
) -> int:
    """Load `count` accounts with one subscription and 2.5 services each; return the number of services.

    `keys`: entity keys of products and plan, version keys of the two schemes, keys of the classifications.
    """
    random = np.random.default_rng(seed)
    sequence = np.arange(first, first + count, dtype=np.int64)
    accounts = sequence * 1024 + (sequence & 1023)
    order = np.argsort(accounts & 1023, kind="stable")
    accounts = accounts[order]
    bucket = (accounts & 1023).astype(np.int16)
    is_anniversary = random.random(count) < 0.5
    cycle_day = np.where(is_anniversary, random.integers(1, 32, count), 1).astype(np.int16)
    frequency = random.choice(4, count, p=[0.7, 0.1, 0.1, 0.1])
    base = pl.DataFrame(
        {
            "account_id": accounts,
            "bucket": bucket,
            "n": random.choice([1, 2, 3, 4], count, p=[0.2, 0.3, 0.3, 0.2]),
            "cycle_day": cycle_day,
            "frequency": FREQUENCIES[frequency],
            "started": EPOCH + random.integers(17500, 20500, count).astype("timedelta64[D]"),
            "scheme_version_id": np.where(is_anniversary, keys["anniversary"], keys["period"]),
            "classification_id": np.where(random.random(count) < 0.1, keys["business"], keys["residential"]),
            "rated_up_to": _rated_up_to(random, count, cycle_day, is_anniversary),
        }
    ).with_columns(
        pl.lit(tenant_id, pl.Int32).alias("tenant_id"),
        pl.format("A{}", pl.col("account_id").cast(pl.String).str.zfill(12)).alias("code"),
        pl.col("started").cast(pl.Date),
        pl.col("rated_up_to").cast(pl.Date),
    )
    empty = [
        pl.lit("").alias(name) for name in ("email", "phone", "street", "postal_code", "city", "country", "locale")
    ]
    _copy(
        connection,
        "party_contact",
        CONTACT,
        base.with_columns(pl.col("account_id").alias("id"), pl.lit("Mx Bench").alias("name"), *empty),
    )
    _copy(
        connection,
        "party_account",
        ACCOUNT,
        base.with_columns(
            pl.col("account_id").alias("contact_id"),
            pl.lit("active").alias("state"),
            pl.lit("EUR").alias("currency"),
            pl.lit("").alias("credit_rating"),
            pl.lit(0).alias("credit_period_days"),
            pl.lit(0).alias("revision"),
            pl.col("started").alias("created_on"),
        ),
    )
    zero = [pl.lit(0, pl.Int64).alias(name) for name, kind in BALANCE if kind == "int8" and name != "account_id"]
    _copy(connection, "ledger_account_balance", BALANCE, base.with_columns(*zero))
    subscriptions = base.with_columns(
        (pl.col("account_id") * 8).alias("id"),
        (pl.col("account_id") * 8).alias("subscription_id"),
        pl.lit("effective").alias("state"),
        pl.col("started").alias("created_on"),
    )
    _copy(connection, "subscription_subscription", SUBSCRIPTION, subscriptions)
    _copy(
        connection,
        "subscription_billing_term",
        TERM,
        subscriptions.with_columns(
            (pl.col("account_id") * 8 + 1).alias("id"),
            pl.lit(keys["plan"], pl.Int64).alias("price_plan_id"),
            pl.col("started").alias("agreement_date"),
            pl.col("started").alias("effective_from"),
            pl.lit("").alias("binding_period"),
        ),
    )
    services = (
        subscriptions.with_columns(pl.int_ranges(0, pl.col("n")).alias("place"))
        .explode("place")
        .with_columns(
            (pl.col("account_id") * 8 + 2 + pl.col("place")).alias("id"),
            ((pl.col("account_id") // 1024 + pl.col("place")) % len(PRODUCTS)).alias("product"),
        )
        .with_columns(
            pl.col("product").replace_strict({i: keys[name] for i, name in enumerate(PRODUCTS)}).alias("product_id"),
            pl.format("S{}", "place").alias("code"),
            pl.when(pl.col("product") == 5).then(1 + pl.col("account_id") // 1024 % 5).otherwise(1).alias("quantity"),
            pl.col("started").alias("effective_from"),
            pl.col("started").alias("billable_from"),
            pl.col("started").alias("billing_effective_date"),
            pl.lit(0).alias("extra_discount_ppm"),
            pl.col("id").alias("service_id"),
            pl.lit(0).alias("generation"),
        )
    )
    _copy(connection, "subscription_service", SERVICE, services)
    _copy(connection, "subscription_service_rating", RATING, services)
    return services.height


def _rated_up_to(
    random: np.random.Generator, count: int, cycle_day: np.ndarray, is_anniversary: np.ndarray
) -> np.ndarray:
    """Five in six are due; of the anniversary ones each on their own day of July; one in sixteen off the cycle."""
    july = np.datetime64("2026-07-01", "D")
    due = np.where(is_anniversary, july + (cycle_day - 1).astype("timedelta64[D]"), np.datetime64("2026-08-01", "D"))
    later = due + np.timedelta64(92, "D")
    off = july + random.integers(1, 30, count).astype("timedelta64[D]")
    chosen = np.where(random.random(count) < 5 / 6, due, later)
    return np.where(random.random(count) < 1 / 16, off, chosen).astype("datetime64[D]")


def _copy(connection: psycopg.Connection, table: str, columns: list[tuple[str, str]], frame: pl.DataFrame) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {copy_target(table, columns)} FROM STDIN (FORMAT binary)") as copy,
    ):
        for block in encode_frame(frame, columns):
            copy.write(block)
