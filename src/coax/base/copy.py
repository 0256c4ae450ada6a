"""Binary COPY from column arrays: frames in, blocks of 4,096 rows out (reference/performance.md section 4.1).

Rows are grouped by which columns are null and by the length of their texts, so that every block has one fixed
row layout and is filled column by column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

BLOCK_ROWS: Final = 4096
HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
TRAILER: Final = b"\xff\xff"
NUMPY_TYPES: Final[Mapping[str, str]] = {
    "int8": ">i8",
    "int4": ">i4",
    "int2": ">i2",
    "bool": "u1",
    "date": ">i4",
}
POSTGRES_EPOCH_DAYS: Final = 10957  # 2000-01-01 in days since 1970-01-01
POSTGRES_EPOCH_US: Final = 946_684_800_000_000

Columns = Sequence[tuple[str, str]]  # (name, int8 | int4 | int2 | bool | date | timestamptz | text)


def copy_target(table: str, columns: Columns) -> str:
    """Return `table (a, b, c)` for COPY."""
    return f"{table} ({', '.join(name for name, _ in columns)})"


def encode_frame(frame: pl.DataFrame, columns: Columns) -> Iterator[bytes | memoryview]:
    """Return header, row blocks and trailer of a binary COPY of `frame`, which has all `columns`."""
    yield HEADER
    for part, text_lengths in _uniform_parts(frame, columns):
        yield from _encode_uniform(part, columns, text_lengths)
    yield TRAILER


def _uniform_parts(frame: pl.DataFrame, columns: Columns) -> Iterator[tuple[pl.DataFrame, dict[str, int]]]:
    """Split into frames in which each column is all null or not at all, and each text has one length."""
    texts = [name for name, kind in columns if kind == "text"]
    nullable = [name for name, _ in columns if frame[name].null_count() and name not in texts]
    if not texts and not nullable:
        yield frame, {}
        return
    keys = [pl.col(name).is_null().alias(f"__null_{name}") for name in nullable]
    keys += [pl.col(name).str.len_bytes().fill_null(-1).cast(pl.Int64).alias(f"__len_{name}") for name in texts]
    marked = frame.with_columns(keys)
    names = [key.meta.output_name() for key in keys]
    for part in marked.partition_by(names, maintain_order=True) if frame.height else []:
        yield part, {name: int(part[f"__len_{name}"][0]) for name in texts}


def _encode_uniform(frame: pl.DataFrame, columns: Columns, lengths: dict[str, int]) -> Iterator[memoryview]:
    fields: list[tuple[str, str]] = [("count", ">i2")]
    fills: list[tuple[str, Any]] = []
    fixed: list[tuple[str, int]] = [("count", len(columns))]
    for number, (name, kind) in enumerate(columns):
        fields.append((f"l{number}", ">i4"))
        column = frame[name]
        if column.null_count():
            fixed.append((f"l{number}", -1))
            continue
        values = _values(column, kind, lengths.get(name, 0))
        fixed.append((f"l{number}", values.dtype.itemsize if kind != "text" else lengths[name]))
        if values.dtype.itemsize and (kind != "text" or lengths[name]):
            fields.append((f"v{number}", values.dtype.str if kind == "text" else _stored(kind)))
            fills.append((f"v{number}", values))
    block = np.empty(min(frame.height, BLOCK_ROWS), np.dtype(fields))
    for field, value in fixed:
        block[field] = value
    for start in range(0, frame.height, BLOCK_ROWS):
        rows = min(BLOCK_ROWS, frame.height - start)
        for field, values in fills:
            block[field][:rows] = values[start : start + rows]
        yield memoryview(block[:rows].tobytes())


def _stored(kind: str) -> str:
    return NUMPY_TYPES.get(kind, ">i8")


def _values(column: pl.Series, kind: str, length: int) -> np.ndarray[Any, Any]:
    """Return the column as PostgreSQL stores it, before the bytes are swapped."""
    if kind == "date":
        return column.cast(pl.Date).cast(pl.Int32).to_numpy() - np.int32(POSTGRES_EPOCH_DAYS)
    if kind == "timestamptz":
        return column.dt.epoch("us").to_numpy() - POSTGRES_EPOCH_US
    if kind == "text":
        return (
            np.array([text.encode() for text in column.to_list()], dtype=f"S{max(length, 1)}")
            if column.n_unique() > 1
            else np.full(len(column), (column[0] or "").encode(), dtype=f"S{max(length, 1)}")
        )
    if kind == "bool":
        return column.cast(pl.UInt8).to_numpy()
    return column.cast({"int8": pl.Int64, "int4": pl.Int32, "int2": pl.Int16}[kind]).to_numpy()
