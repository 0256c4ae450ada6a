"""A frame as something to join with in SQL: arrays for a few rows, a temporary table for many."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from coax.base.copy import Columns, copy_target, encode_frame
from coax.base.db import copy_in, execute

FEW_ROWS: Final = 100
SQL_TYPES: Final = {"int8": "bigint", "int4": "int", "int2": "smallint", "date": "date"}


def as_relation(frame: pl.DataFrame, columns: Columns, *, table: str, alias: str, using: str) -> tuple[str, list[Any]]:
    """Return the FROM item that holds the frame's columns under `alias`, and the parameters that it takes.

    The temporary `table` is this session's own, one for each kind of rows, and is emptied when the transaction ends;
    columns are whole numbers and dates.
    """
    if frame.height <= FEW_ROWS:
        arrays = ", ".join(f"%s::{SQL_TYPES[kind]}[]" for _, kind in columns)
        names = ", ".join(column for column, _ in columns)
        return f"unnest({arrays}) AS {alias} ({names})", [frame[column].to_list() for column, _ in columns]
    fields = ", ".join(f"{column} {SQL_TYPES[kind]}" for column, kind in columns)
    execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} ({fields}) ON COMMIT DELETE ROWS", using=using)
    execute(f"DELETE FROM {table}", using=using)
    copy_in(copy_target(table, columns), encode_frame(frame, columns), using=using)
    return f"{table} AS {alias}", []


def bucket_range(frame: pl.DataFrame) -> tuple[int, int]:
    """Return the first and last bucket of the rows: told so, the planner reads that range alone."""
    first, last = frame.select(pl.min("bucket").alias("first"), pl.max("bucket").alias("last")).row(0)
    return first, last
