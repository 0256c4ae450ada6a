"""The floor: COPY of exactly the rows that a run wrote, into the same tables, plus the same updates; no computing."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import psycopg

TABLES = {
    "rating_rated_item": "run_id",
    "ledger_transaction": "origin_id",
    "ledger_entry": "origin_id",
    "billing_bill": "run_id",
}
MOVES = """SELECT r.bucket, r.account_id, r.service_id, r.rated_up_to
    FROM subscription_service_rating r
    WHERE r.bucket BETWEEN {first} AND {last} AND EXISTS (
      SELECT 1 FROM rating_rated_item i WHERE i.bucket = r.bucket AND i.account_id = r.account_id
      AND i.run_id = {run} AND i.service_id = r.service_id)"""
BALANCES = """SELECT b.bucket, b.account_id, b.balance_minor FROM ledger_account_balance b
    WHERE b.bucket BETWEEN {first} AND {last} AND b.last_bill_run_id = {run}"""
SET_UP = """CREATE TEMP TABLE IF NOT EXISTS m (bucket smallint, account_id bigint, service_id bigint, rated date)
    ON COMMIT DELETE ROWS;
    CREATE TEMP TABLE IF NOT EXISTS b (bucket smallint, account_id bigint, balance bigint) ON COMMIT DELETE ROWS"""
UPDATE_SERVICES = """UPDATE subscription_service_rating r SET rated_up_to = m.rated FROM m
    WHERE r.bucket = m.bucket AND r.account_id = m.account_id AND r.service_id = m.service_id
      AND r.bucket BETWEEN %s AND %s"""
UPDATE_BALANCES = """UPDATE ledger_account_balance x SET balance_minor = b.balance FROM b
    WHERE x.bucket = b.bucket AND x.account_id = b.account_id
      AND x.bucket BETWEEN %s AND %s"""


@dataclass(frozen=True)
class Chunk:
    """One task's rows, spooled."""

    first: int
    last: int
    directory: Path


def spool(dsn: dict[str, str], run_id: int, chunks: list[Chunk]) -> int:
    """Write the rows of a run to files, per task; return how many bytes."""
    with psycopg.connect(**dsn) as connection:
        for chunk in chunks:
            chunk.directory.mkdir(parents=True)
            where = f"BETWEEN {chunk.first} AND {chunk.last}"
            queries = {
                table: f"SELECT * FROM {table} WHERE bucket {where} AND {key} = {run_id} ORDER BY 1, 2"
                for table, key in TABLES.items()
            }
            named = {"first": chunk.first, "last": chunk.last, "run": run_id}
            queries |= {"m": MOVES.format(**named), "b": BALANCES.format(**named)}
            for name, query in queries.items():
                statement = f"COPY ({query}) TO STDOUT (FORMAT binary)"
                with (
                    (chunk.directory / name).open("wb") as file,
                    connection.cursor() as cursor,
                    cursor.copy(statement) as copy,
                ):
                    for block in copy:
                        file.write(block)
    return sum(file.stat().st_size for chunk in chunks for file in chunk.directory.iterdir())


def time_floor(dsn: dict[str, str], chunks: list[Chunk], workers: int) -> float:
    """Return the seconds that `workers` processes take to write the spooled rows, one commit per task."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_nothing, range(workers)))
        start = time.perf_counter()
        list(pool.map(_write, [dsn] * len(chunks), chunks))
        return time.perf_counter() - start


def _nothing(_: int) -> None:
    time.sleep(0.2)


def _write(dsn: dict[str, str], chunk: Chunk) -> None:
    with psycopg.connect(**dsn) as connection, connection.cursor() as cursor:
        cursor.execute(SET_UP)
        for name in ("m", "b", *TABLES):
            with (
                (chunk.directory / name).open("rb") as file,
                cursor.copy(f"COPY {name} FROM STDIN (FORMAT binary)") as copy,
            ):
                while block := file.read(1 << 20):
                    copy.write(block)
        cursor.execute(UPDATE_SERVICES, [chunk.first, chunk.last])
        cursor.execute(UPDATE_BALANCES, [chunk.first, chunk.last])


def drop_spool(directory: Path) -> None:
    """Remove the spooled files."""
    subprocess.run(["rm", "-rf", str(directory)], check=True)  # noqa: S607
