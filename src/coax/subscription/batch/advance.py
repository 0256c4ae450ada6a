"""Moving `rated_up_to` by compare-and-set."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.db import execute, fetch_rows
from coax.base.relation import as_relation, bucket_range

COLUMNS: Final = (
    ("account_id", "int8"),
    ("service_id", "int8"),
    ("rated_from", "date"),
    ("rated_to", "date"),
    ("bucket", "int2"),
    ("generation", "int2"),
    ("new_generation", "int2"),
)
_MOVE: Final = """UPDATE subscription_service_rating r SET rated_up_to = m.rated_to, generation = m.new_generation,
        credit_from = CASE WHEN m.new_generation = m.generation THEN r.credit_from END
    FROM {moves}
    WHERE r.bucket = m.bucket AND r.account_id = m.account_id AND r.service_id = m.service_id
      AND r.bucket BETWEEN %s AND %s AND r.rated_up_to = m.rated_from AND r.generation = m.generation"""
_STOOD: Final = """SELECT DISTINCT m.account_id FROM {moves}
    LEFT JOIN subscription_service_rating r
      ON r.bucket = m.bucket AND r.account_id = m.account_id AND r.service_id = m.service_id
    WHERE r.service_id IS NULL OR r.rated_up_to <> m.rated_from OR r.generation <> m.generation"""


def apply_moves(moves: pl.DataFrame, *, using: str) -> int:
    """Move every service that still stands where its move begins, and return how many did."""
    source, values = as_relation(moves, COLUMNS, table="service_move", alias="m", using=using)
    return execute(_MOVE.format(moves=source), [*values, *bucket_range(moves)], using=using)


def find_moved_accounts(moves: pl.DataFrame, *, using: str) -> list[int]:
    """Return the accounts with a service that no longer stands where its move begins."""
    source, values = as_relation(moves, COLUMNS, table="service_move", alias="m", using=using)
    return [row[0] for row in fetch_rows(_STOOD.format(moves=source), values, using=using)]
