"""COPY of frames with many texts: as CSV, in the frame's own order (binary COPY is `copy.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from django.db import connections

BLOCK_ROWS: Final = 50_000


def copy_frame(frame: pl.DataFrame, table: str, columns: Sequence[str], *, using: str = "default") -> None:
    """COPY `columns` of a frame into the columns of the same names of a table, row by row in order.

    An empty text arrives as an empty text, a null as NULL.
    """
    if not frame.height:
        return
    connection = connections[using]
    connection.ensure_connection()
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in frame.select(columns).iter_slices(BLOCK_ROWS):
            copy.write(block.write_csv(include_header=False).encode())
