"""Open an import file: CSV, Parquet or NDJSON in, a lazy frame of texts out, every row with its line.

`line` is that of the row in a CSV file whose cells hold no line breaks (the header is line 1), else the number
of the record, from 1 on. Numbers stay exact: a column of binary floats is refused where money stands.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import polars as pl
from polars.exceptions import PolarsError

from coax.base.errors import DomainError
from coax.process.import_subscribers.columns import COLUMN_NAMES, COLUMNS, EXACT_CELLS, REQUIRED

HEADER_BYTES_MAX: Final = 64 * 1024
DELIMITERS: Final = (",", ";")
_EXACT_COLUMNS: Final = frozenset(column.name for column in COLUMNS if column.cell in EXACT_CELLS)


class FileUnreadable(DomainError):
    """The file is not there, is of another format, or is damaged."""

    code: ClassVar[str] = "file_unreadable"


class ColumnsRefused(DomainError):
    """A column is unknown, missing, there twice, or of a type that cannot be exact."""

    code: ClassVar[str] = "columns_refused"


@dataclass(frozen=True, slots=True)
class ImportFile:
    """An opened file: `rows` has `line` (Int64) and every known column as text, absent ones null."""

    path: Path
    rows: pl.LazyFrame


def open_file(path: Path) -> ImportFile:
    """Open a file by its extension: .csv, .parquet, .ndjson or .jsonl.

    Raises: FileUnreadable, ColumnsRefused.
    """
    readers = {".csv": _scan_csv, ".parquet": _scan_parquet, ".ndjson": _scan_ndjson, ".jsonl": _scan_ndjson}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(readers)
        raise FileUnreadable(f"{path.name}: the extension tells the format; known are {known}.", file=path.name)
    if not path.is_file():
        raise FileUnreadable(f"There is no file {path}.", file=path.name)
    try:
        rows = reader(path)
        schema = rows.collect_schema()
    except (PolarsError, OSError) as error:
        raise _unreadable(path, error) from error
    _check_columns(path, [name for name in schema if name != "line"])
    cells = [_as_text(path, name, schema[name]) for name in COLUMN_NAMES if name in schema]
    absent = [pl.lit(None, pl.String).alias(name) for name in COLUMN_NAMES if name not in schema]
    known_rows = rows.select(pl.col("line").cast(pl.Int64), *cells, *absent)
    return ImportFile(path, known_rows.select("line", *COLUMN_NAMES))


def collect_rows(file: ImportFile, rows: pl.LazyFrame) -> pl.DataFrame:
    """Return the rows of a query on an opened file.

    Raises: FileUnreadable.
    """
    try:
        return rows.collect(engine="streaming")
    except (PolarsError, OSError) as error:
        raise _unreadable(file.path, error) from error


def _scan_csv(path: Path) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        separator=_find_delimiter(path),
        infer_schema=False,
        row_index_name="line",
        row_index_offset=2,
    )


def _scan_parquet(path: Path) -> pl.LazyFrame:
    return pl.scan_parquet(path, row_index_name="line", row_index_offset=1, glob=False)


def _scan_ndjson(path: Path) -> pl.LazyFrame:
    return pl.scan_ndjson(path, infer_schema_length=None, row_index_name="line", row_index_offset=1)


def _find_delimiter(path: Path) -> str:
    """Return the delimiter that separates known columns in the first line; a comma when it is not clear."""
    with path.open("rb") as file:
        start = file.readline(HEADER_BYTES_MAX)
    if not start.strip():
        raise FileUnreadable(f"{path.name} is empty; the first line names the columns.", file=path.name)
    header = start.decode("utf-8-sig", errors="replace").strip()
    found = {sign: set(next(csv.reader([header], delimiter=sign))) for sign in DELIMITERS}
    return max(DELIMITERS, key=lambda sign: len(found[sign] & set(COLUMN_NAMES)))


def _check_columns(path: Path, names: list[str]) -> None:
    unknown = [name for name in names if name not in COLUMN_NAMES]
    missing = [name for name in REQUIRED if name not in names]
    faults = [f"unknown: {', '.join(unknown)}"] if unknown else []
    faults += [f"missing: {', '.join(missing)}"] if missing else []
    if faults:
        raise ColumnsRefused(
            f"{path.name}: columns {'; '.join(faults)}. Known columns: {', '.join(COLUMN_NAMES)}.",
            file=path.name,
            unknown=unknown,
            missing=missing,
        )


def _as_text(path: Path, name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as trimmed text, null where it is empty."""
    column = pl.col(name)
    if isinstance(dtype, pl.String | pl.Categorical | pl.Enum | pl.Null):
        text = column.cast(pl.String)
    elif isinstance(dtype, pl.Date) or dtype.is_integer():
        return column.cast(pl.String)
    elif isinstance(dtype, pl.Decimal):
        text = column.cast(pl.String).str.replace(r"(\.[0-9]*?)0+$", "$1").str.strip_suffix(".")
    elif isinstance(dtype, pl.Datetime):
        text = column.dt.strftime("%Y-%m-%d %H:%M:%S").str.strip_suffix(" 00:00:00")
    elif dtype.is_float() and name not in _EXACT_COLUMNS:
        text = _whole_numbers(column)
    else:
        raise _refused_type(path, name, dtype)
    trimmed = text.str.strip_chars()
    return pl.when(trimmed != "").then(trimmed).alias(name)


def _whole_numbers(column: pl.Expr) -> pl.Expr:
    """Write integers that were stored as floats (a column with gaps often is) as integers."""
    is_whole = column.is_finite() & (column == column.floor())
    written = column.cast(pl.Int64, strict=False).cast(pl.String)
    return pl.when(is_whole).then(written).when(column.is_not_nan()).then(column.cast(pl.String))


def _refused_type(path: Path, name: str, dtype: pl.DataType) -> ColumnsRefused:
    if dtype.is_float():
        text = "holds binary floating-point numbers, which are not exact; write text such as 12.50, or decimals"
    else:
        text = f"is of type {dtype}; write text"
    return ColumnsRefused(f"{path.name}: column {name} {text}.", file=path.name, column=name)


def _unreadable(path: Path, error: Any) -> FileUnreadable:
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    hint = "it is not UTF-8" if "utf-8" in text.lower() else text
    return FileUnreadable(f"{path.name} cannot be read: {hint}.", file=path.name)
