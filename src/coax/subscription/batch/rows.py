"""Writing many small rows in one statement: columns travel as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coax.base.db import execute

Row = Sequence[Any]


def insert_rows(table: str, columns: Sequence[tuple[str, str]], rows: Sequence[Row], *, using: str) -> None:
    """Insert rows of `columns` (name, SQL type)."""
    if rows:
        names = ", ".join(name for name, _ in columns)
        execute(f"INSERT INTO {table} ({names}) SELECT * FROM {_unnest(columns)}", _columns(rows), using=using)


def update_rows(
    table: str, assignments: str, columns: Sequence[tuple[str, str]], rows: Sequence[Row], *, where: str, using: str
) -> int:
    """Update `table` AS t by rows AS v of `columns`, and return how many rows were touched."""
    if not rows:
        return 0
    names = ", ".join(name for name, _ in columns)
    sql = f"UPDATE {table} t SET {assignments} FROM {_unnest(columns)} AS v ({names}) WHERE {where}"
    return execute(sql, _columns(rows), using=using)


def _unnest(columns: Sequence[tuple[str, str]]) -> str:
    return f"unnest({', '.join(f'%s::{kind}[]' for _, kind in columns)})"


def _columns(rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
