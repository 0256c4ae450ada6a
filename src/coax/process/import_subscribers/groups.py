"""Rows of one contact, account or subscription must say the same; an empty cell says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from coax.process.import_subscribers.columns import Level, columns_of
from coax.process.import_subscribers.parsing import typed_name
from coax.process.import_subscribers.problems import list_problems

KEYS: Final = {
    Level.CONTACT: "contact_key",
    Level.ACCOUNT: "account_code",
    Level.SUBSCRIPTION: "subscription_code",
}


def add_defaults(rows: pl.DataFrame, stored_accounts: pl.DataFrame) -> pl.DataFrame:
    """Add `contact_key` and fill `service_code` with the product's code.

    An account's contact is the one given on its rows, else the stored one, else one of the account's own code.
    """
    given = rows.group_by("account_code").agg(pl.col("contact_code").first(ignore_nulls=True).alias("contact_key"))
    known = stored_accounts.select("account_code", pl.col("contact_code").alias("stored_contact_code"))
    joined = rows.join(given, on="account_code", how="left", nulls_equal=True, maintain_order="left").join(
        known, on="account_code", how="left", maintain_order="left"
    )
    return joined.with_columns(
        pl.coalesce("contact_key", "stored_contact_code", "account_code").alias("contact_key"),
        pl.coalesce("service_code", "product").alias("service_code"),
    ).drop("stored_contact_code")


def find_contradictions(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Return a problem for every cell that differs from the first of its contact, account or subscription."""
    for level, key in KEYS.items():
        names = [name for name in columns_of(level) if name not in KEYS.values() and _is_given(rows, name)]
        if names:
            yield from _find_contradictions(rows, level, key, names)


def find_repeated_services(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a problem for every row whose service stands on an earlier line."""
    key = ["subscription_code", "service_code"]
    known = rows.drop_nulls(key)
    repeated = known.filter(~pl.struct(key).is_first_distinct())
    first = known.filter(pl.struct(key).is_first_distinct()).select(*key, pl.col("line").alias("first_line"))
    reason = pl.format("is on line {} already; a subscription has each service once", "first_line")
    return list_problems(repeated.join(first, on=key, how="left", maintain_order="left"), "service_code", reason)


def merge_rows(rows: pl.DataFrame, level: Level) -> pl.DataFrame:
    """Return one row per contact, account or subscription: its first line, and of each column the first value."""
    key = KEYS[level]
    names = [typed_name(name) for name in columns_of(level) if name not in KEYS.values()]
    values = [pl.col(name).first(ignore_nulls=True) for name in names]
    return rows.group_by(key, maintain_order=True).agg(pl.col("line").first(), *values)


def _is_given(rows: pl.DataFrame, name: str) -> bool:
    return rows[typed_name(name)].null_count() < rows.height


def _find_contradictions(rows: pl.DataFrame, level: Level, key: str, names: list[str]) -> Iterator[pl.DataFrame]:
    known = rows.filter(pl.col(key).is_not_null())
    typed = [typed_name(name) for name in names]
    variants = known.select(key, *typed).unique()
    mixed = variants.group_by(key).len().filter(pl.col("len") > 1)
    extremes = (
        variants.join(mixed, on=key, how="semi")
        .group_by(key)
        .agg(pl.col(typed).min().name.prefix("min_"), pl.col(typed).max().name.prefix("max_"))
    )
    for name in names:
        column = typed_name(name)
        odd = extremes.filter(pl.col(f"min_{column}") != pl.col(f"max_{column}")).select(key)
        if odd.height:
            suspects = known.join(odd, on=key, how="semi", maintain_order="left")
            yield _compare_with_first(suspects, level, key, name)


def _compare_with_first(rows: pl.DataFrame, level: Level, key: str, name: str) -> pl.DataFrame:
    column = typed_name(name)
    given = rows.filter(pl.col(column).is_not_null())
    first = given.group_by(key, maintain_order=True).agg(
        pl.col(column).first().alias("first_value"),
        pl.col(name).cast(pl.String).first().alias("first_text"),
        pl.col("line").first().alias("first_line"),
    )
    differing = given.join(first, on=key, how="left", maintain_order="left").filter(
        pl.col(column) != pl.col("first_value")
    )
    reason = pl.format(f"contradicts line {{}} of the same {level}", "first_line")
    return list_problems(differing, name, reason, pl.col("first_text"))
