"""Bulk reading into frames, as the run role: the server COPYs, columns arrive (ADBC)."""

from __future__ import annotations

from datetime import date

import adbc_driver_postgresql.dbapi as adbc
import polars as pl
from adbc_driver_manager import Error as AdbcError

from coax.base.db import connection_url
from coax.base.errors import DomainError

_connections: dict[str, adbc.Connection] = {}


class BulkReadFailed(DomainError):
    """The database could not be read."""

    code = "bulk_read_failed"


def bind(sql: str, **values: int | date | list[int]) -> str:
    """Write whole numbers, dates and lists of whole numbers into `{name}` places; nothing else is taken."""
    return sql.format(**{name: _literal(value) for name, value in values.items()})


def _literal(value: int | date | list[int]) -> str:
    if isinstance(value, list):
        return "ARRAY[" + ",".join(str(int(item)) for item in value) + "]::bigint[]"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return str(int(value))


def read_frame(sql: str) -> pl.DataFrame:
    """Return the rows of a SELECT as a frame, read with the run role outside any open transaction.

    A connection that has gone is opened once more. Raises: BulkReadFailed.
    """
    try:
        return _read(sql)
    except AdbcError:
        close_bulk_connections()
    try:
        return _read(sql)
    except AdbcError as error:
        raise BulkReadFailed(f"The database could not be read: {error}") from error


def close_bulk_connections() -> None:
    """Close this process's bulk connections."""
    while _connections:
        _, connection = _connections.popitem()
        try:
            connection.close()
        except AdbcError:
            continue


def _read(sql: str) -> pl.DataFrame:
    url = connection_url("run")
    if url not in _connections:
        _connections[url] = adbc.connect(url, autocommit=True)
    with _connections[url].cursor() as cursor:
        cursor.execute(sql)
        return pl.DataFrame(cursor.fetch_arrow())
