"""Bad cells as rows: (line, field, value, reason, allowed). Collected, never raised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from coax.process.import_subscribers.columns import COLUMN_NAMES

PROBLEM_SCHEMA: Final = pl.Schema(
    {
        "line": pl.Int64,
        "field": pl.String,
        "value": pl.String,
        "reason": pl.String,
        "allowed": pl.String,
    }
)

Rows = pl.DataFrame


def list_problems(rows: Rows, field: str, reason: str | pl.Expr, allowed: str | pl.Expr = "") -> pl.DataFrame:
    """Return one problem of `field` for each of `rows` (with `line`), which are all bad."""
    value = pl.col(field).cast(pl.String) if field in rows.columns else pl.lit(None, pl.String)
    return rows.select(
        pl.col("line").cast(pl.Int64),
        pl.lit(field).alias("field"),
        value.fill_null("").alias("value"),
        _text(reason).alias("reason"),
        _text(allowed).fill_null("").alias("allowed"),
    ).cast(PROBLEM_SCHEMA)


def join_problems(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return all problems once each, by line and in the order of the columns."""
    order = {name: position for position, name in enumerate(COLUMN_NAMES)}
    found = pl.concat([pl.DataFrame(schema=PROBLEM_SCHEMA), *parts]).unique(maintain_order=True)
    position = pl.col("field").replace_strict(order, default=len(order), return_dtype=pl.Int32)
    return found.sort("line", position, maintain_order=True)


def _text(text: str | pl.Expr) -> pl.Expr:
    return pl.lit(text) if isinstance(text, str) else text
