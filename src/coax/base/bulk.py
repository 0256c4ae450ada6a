"""Bulk reading into frames, as the run role: the server COPYs, columns arrive (ADBC)."""

from __future__ import annotations

import threading
from datetime import date
from typing import ClassVar, Final

import adbc_driver_postgresql.dbapi as adbc
import polars as pl
from adbc_driver_manager import Error as AdbcError

from coax.base.db import connection_url
from coax.base.errors import DomainError

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


def read_frame(sql: str, *, is_wide: bool = False) -> pl.DataFrame:
    """Return the rows of a SELECT as a frame, read with the run role outside any open transaction.

    `is_wide` tells the planner that whole ranges of buckets are read, which it underrates. A connection that has
    gone is opened once more. Raises: BulkReadFailed.
    """
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


def _connect(settings: tuple[str, ...]) -> adbc.Connection:
    connection = adbc.connect(connection_url("run"), autocommit=True)
    with connection.cursor() as cursor:
        for setting in settings:
            cursor.execute(f"SET {setting}")
    return connection
