"""Moving `rated_up_to` by compare-and-set."""

from __future__ import annotations

from typing import Final

import polars as pl

from coax.base.copy import copy_target, encode_frame
from coax.base.db import copy_in, execute, fetch_rows

COLUMNS: Final = (
    ("account_id", "int8"),
    ("service_id", "int8"),
    ("rated_from", "date"),
    ("rated_to", "date"),
    ("bucket", "int2"),
    ("generation", "int2"),
    ("new_generation", "int2"),
)
_CREATE: Final = """CREATE TEMP TABLE IF NOT EXISTS service_move (
    account_id bigint, service_id bigint, rated_from date, rated_to date,
    bucket smallint, generation smallint, new_generation smallint) ON COMMIT DELETE ROWS"""
_MOVE: Final = """UPDATE subscription_service_rating r SET rated_up_to = m.rated_to, generation = m.new_generation
    FROM service_move m
    WHERE r.bucket = m.bucket AND r.account_id = m.account_id AND r.service_id = m.service_id
      AND r.bucket BETWEEN %s AND %s AND r.rated_up_to = m.rated_from AND r.generation = m.generation"""
_STOOD: Final = """SELECT DISTINCT m.account_id FROM service_move m
    LEFT JOIN subscription_service_rating r
      ON r.bucket = m.bucket AND r.account_id = m.account_id AND r.service_id = m.service_id
    WHERE r.service_id IS NULL OR r.rated_up_to <> m.rated_from OR r.generation <> m.generation"""


def load_moves(moves: pl.DataFrame, *, using: str) -> None:
    """Put the moves into this transaction's own table, anew."""
    execute(_CREATE, using=using)
    execute("DELETE FROM service_move", using=using)
    copy_in(copy_target("service_move", COLUMNS), encode_frame(moves, COLUMNS), using=using)


def apply_moves(*, first_bucket: int, last_bucket: int, using: str) -> int:
    """Move every service that still stands where its move begins, and return how many did.

    All lie between the two buckets: told so, the planner reads that range alone.
    """
    return execute(_MOVE, [first_bucket, last_bucket], using=using)


def find_moved_accounts(*, using: str) -> list[int]:
    """Return the accounts with a service that no longer stands where its loaded move begins."""
    return [row[0] for row in fetch_rows(_STOOD, using=using)]
