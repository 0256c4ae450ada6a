"""A frame joins the same whether it travels as arrays or as a temporary table."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from django.db import transaction

from coax.base.db import fetch_rows
from coax.base.relation import FEW_ROWS, as_relation, bucket_range

NUMBERS = (("number", "int8"), ("bucket", "int2"), ("day", "date"))
OTHERS = (("other", "int4"),)


def rows(count: int) -> pl.DataFrame:
    days = [date(2026, 1, 1) + timedelta(days=place) for place in range(count)]
    return pl.DataFrame({"number": range(count), "bucket": [place % 7 for place in range(count)], "day": days})


@pytest.mark.parametrize("count", [1, FEW_ROWS, FEW_ROWS + 1, 5_000])
def test_all_rows_arrive(database: str, count: int) -> None:
    for _ in range(2):
        with transaction.atomic(using="run"):
            source, values = as_relation(rows(count), NUMBERS, table="number_rows", alias="n", using="run")
            found = fetch_rows(f"SELECT count(*), sum(number), max(day) FROM {source}", values, using="run")
        assert found == [(count, count * (count - 1) // 2, date(2026, 1, 1) + timedelta(days=count - 1))]


def test_two_kinds_of_rows_in_one_session(database: str) -> None:
    many = rows(FEW_ROWS + 1)
    with transaction.atomic(using="run"):
        as_relation(many, NUMBERS, table="first_rows", alias="n", using="run")
        other = many.select(pl.col("number").cast(pl.Int32).alias("other"))
        source, values = as_relation(other, OTHERS, table="second_rows", alias="o", using="run")
        assert fetch_rows(f"SELECT max(other) FROM {source}", values, using="run") == [(FEW_ROWS,)]


def test_the_range_of_buckets() -> None:
    assert bucket_range(rows(5)) == (0, 4)
