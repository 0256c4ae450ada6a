"""Bulk reading into frames, as the run role: the server COPYs, columns arrive (ADBC)."""

from __future__ import annotations

import threading
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final

import adbc_driver_postgresql.dbapi as adbc
import polars as pl
from adbc_driver_manager import Error as AdbcError

from coax.base.db import binary_cursor, connection_url
from coax.base.errors import DomainError

_TYPE_OF_OID: Final[dict[int, type[pl.DataType]]] = {
    16: pl.Boolean,
    20: pl.Int64,
    21: pl.Int16,
    23: pl.Int32,
    25: pl.String,
    1042: pl.String,
    1043: pl.String,
    1082: pl.Date,
}
_SETTINGS: Final = ("max_parallel_workers_per_gather = 0", "work_mem = '64MB'", "jit = off")
_WIDE_SETTINGS: Final = (*_SETTINGS, "enable_nestloop = off")


class _Connections(threading.local):
    """The bulk connections of a thread: two threads never share one."""

    def __init__(self) -> None:
        self.by_key: dict[str, adbc.Connection] = {}


_connections = _Connections()


class BulkReadFailed(DomainError):
    """The database could not be read."""

    code: ClassVar[str] = "bulk_read_failed"


def bind(sql: str, **values: int | date | list[int]) -> str:
    """Write whole numbers, dates and lists of whole numbers into `{name}` places; nothing else is taken."""
    return sql.format(**{name: _literal(value) for name, value in values.items()})


def _literal(value: int | date | list[int]) -> str:
    if isinstance(value, list):
        return "ARRAY[" + ",".join(str(int(item)) for item in value) + "]::bigint[]"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return str(int(value))


class ReadSize(StrEnum):
    """How much is read: a few accounts, the accounts of an operator, or whole ranges of buckets."""

    FEW = "few"
    MANY = "many"
    RANGES = "ranges"


def read_frame(sql: str, *, size: ReadSize = ReadSize.MANY) -> pl.DataFrame:
    """Return the rows of a SELECT as a frame, read with the run role.

    A few are read on the run's own connection, inside its transaction; more come column by column on a connection
    of their own, which sees what is committed and is opened once more if it has gone. Of ranges the planner is told
    that whole ranges are read, which it underrates. Raises: BulkReadFailed.
    """
    if size is ReadSize.FEW:
        return _read_rows(sql)
    is_wide = size is ReadSize.RANGES
    try:
        return _read(sql, is_wide)
    except AdbcError:
        close_bulk_connections()
    try:
        return _read(sql, is_wide)
    except AdbcError as error:
        raise BulkReadFailed(f"The database could not be read: {error}") from error


def close_bulk_connections() -> None:
    """Close this thread's bulk connections."""
    while _connections.by_key:
        _, connection = _connections.by_key.popitem()
        try:
            connection.close()
        except AdbcError:
            continue


def _read(sql: str, is_wide: bool) -> pl.DataFrame:
    key = f"{connection_url('run')} {is_wide}"
    if key not in _connections.by_key:
        _connections.by_key[key] = _connect(_WIDE_SETTINGS if is_wide else _SETTINGS)
    with _connections.by_key[key].cursor() as cursor:
        cursor.execute(sql)
        return pl.DataFrame(cursor.fetch_arrow())


def _read_rows(sql: str) -> pl.DataFrame:
    """Fetch rows and type the columns as the server says."""
    with binary_cursor(using="run") as cursor:
        cursor.execute(sql.encode())
        columns = cursor.description or ()
        schema = {column.name: _TYPE_OF_OID[column.type_code] for column in columns}
        return pl.DataFrame(cursor.fetchall(), schema=schema, orient="row")


def _connect(settings: tuple[str, ...]) -> adbc.Connection:
    connection = adbc.connect(connection_url("run"), autocommit=True)
    with connection.cursor() as cursor:
        for setting in settings:
            cursor.execute(f"SET {setting}")
    return connection
