"""`make bench`: the run against its floor, memory, marginal cost, small runs, many operators, one account."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import psycopg

from coax.base.embedded import Cluster, ensure_running

if "COAX_BENCH_DIR" not in os.environ:  # a worker process imports this module too, and inherits the directory
    os.environ["COAX_BENCH_DIR"] = tempfile.mkdtemp(prefix="coax-bench-")
    os.environ["COAX_DATA_DIR"] = os.environ["COAX_BENCH_DIR"] + "/data"
    os.environ["COAX_DATABASE_NAME"] = "bench_template"
DATA = Path(os.environ["COAX_BENCH_DIR"])

from coax.interfaces.site.bootstrap import set_up_framework  # noqa: E402

set_up_framework()

from django.db import connections  # noqa: E402

from bench import actions, data, floor  # noqa: E402
from bench.measure import Measured, measured  # noqa: E402
from coax.base.bulk import close_bulk_connections  # noqa: E402
from coax.base.db import refresh_connections  # noqa: E402
from coax.base.embedded.roles import create_database, hand_over_schema  # noqa: E402
from coax.base.migrate import migrate  # noqa: E402
from coax.base.tenancy import Tenant, tenant_transaction  # noqa: E402
from coax.billing.types import RunCriteria  # noqa: E402
from coax.configuration.operations.parse_documents import read_documents  # noqa: E402
from coax.configuration.queries import find_versions  # noqa: E402
from coax.configuration.types.documents import SourceDocument  # noqa: E402
from coax.process.billing_run.bill_one import bill_individually  # noqa: E402
from coax.process.billing_run.execute import RunResult, execute_run  # noqa: E402
from coax.process.billing_run.plan import RunRequest, plan_run  # noqa: E402
from coax.process.operators import apply_files  # noqa: E402

OPERATOR = Path(__file__).with_name("operator.yaml")
WORKERS = 2
PARTS = ["large", "small", "operators", "one", "actions"]
MB = 1_000_000


def main() -> None:
    """Run the benchmarks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--operators", type=int, default=200)
    parser.add_argument("--only", choices=PARTS, action="append")
    options = parser.parse_args()
    chosen = set(options.only or PARTS)
    DATA.chmod(0o755)
    try:
        ensure_running(DATA / "data")
        _make_template()
        figures: dict[str, object] = {}
        if "large" in chosen:
            figures["small_population"] = small = bench_population(options.small)
            figures["large_population"] = large = bench_population(options.accounts)
            figures["marginal_cost_ratio"] = round(large["us_per_account"] / small["us_per_account"], 2)
        if "small" in chosen:
            figures["run_of_1000"] = bench_population(1_000, with_floor=False)
        if "operators" in chosen:
            figures["operators"] = bench_operators(options.operators)
        if "one" in chosen:
            figures["bill_account"] = bench_one()
        if "actions" in chosen:
            few, many = (bench_actions(count) for count in (2_000, 200_000))
            figures["actions"] = {"few": few, "many": many}
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    finally:
        for alias in connections:
            connections[alias].close()
        close_bulk_connections()
        Cluster.at(DATA / "data").stop("immediate")
        shutil.rmtree(DATA, ignore_errors=True)


def _superuser(name: str) -> psycopg.Connection:
    return psycopg.connect(**Cluster.at(DATA / "data").dsn("superuser", name), autocommit=True)  # type: ignore[arg-type]


def _make_template() -> None:
    with _superuser("postgres") as connection:
        create_database(connection, "bench_template")
    with _superuser("bench_template") as connection:
        hand_over_schema(connection)
    refresh_connections()
    migrate()
    _use("bench_template")


def _use(name: str) -> None:
    for alias in connections:
        connections[alias].close()
    close_bulk_connections()
    os.environ["COAX_DATABASE_NAME"] = name
    refresh_connections()


def _copy_database(source: str, target: str) -> None:
    _use("postgres")
    with _superuser("postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")  # type: ignore[call-overload]
        connection.execute(f"CREATE DATABASE {target} TEMPLATE {source} OWNER coax_owner STRATEGY file_copy")  # type: ignore[call-overload]
        connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {target} TO coax_app, coax_run")  # type: ignore[call-overload]


def _apply(code: str) -> tuple[Tenant, dict[str, int]]:
    document = read_documents([OPERATOR])[0]
    text = document.text.replace("code: bench,", f"code: {code},", 1)
    tenant, _ = apply_files(
        documents=[SourceDocument(document.name, text)], operator_code=None, as_of=None, actor="bench"
    )
    with tenant_transaction(tenant.id):
        rows = find_versions()
    keys = {row.code: row.entity_id for row in rows if row.kind in {"product", "account_classification"}}
    keys |= {row.code: row.version_id for row in rows if row.kind == "billing_term_scheme"}
    keys["plan"] = next(row.entity_id for row in rows if row.kind == "price_plan")
    return tenant, keys


def _load(
    name: str, tenant: Tenant, keys: dict[str, int], accounts: int, first: int = 1, *, analyze: bool = True
) -> int:
    with _superuser(name) as connection:
        connection.execute("SET session_replication_role = replica")
        services = data.load_population(connection, tenant_id=tenant.id, keys=keys, count=accounts, first=first)
        if analyze:
            connection.execute("VACUUM ANALYZE")
    return services


def _bill(tenant: Tenant, workers: int) -> tuple[RunResult, Measured]:
    with measured() as figures:
        run_id = plan_run(tenant=tenant, request=RunRequest(execution_date=date(2026, 7, 20), bill_as_of=data.AS_OF))
        result = execute_run(run_id=run_id, workers=workers)
    return result, figures


def bench_population(accounts: int, *, with_floor: bool = True) -> dict[str, float]:
    """Bill one operator of so many accounts; compare with the floor in a copy of the same database."""
    _copy_database("bench_template", "bench_run")
    _use("bench_run")
    tenant, keys = _apply("bench")
    services = _load("bench_run", tenant, keys, accounts)
    if with_floor:
        _copy_database("bench_run", "bench_floor")
    _use("bench_run")
    with _superuser("postgres") as connection:
        connection.execute("CHECKPOINT")
    result, figures = _bill(tenant, WORKERS)
    report: dict[str, float] = {
        "accounts": accounts,
        "services": services,
        "bills": result.sums["bills"],
        "items": result.sums["items"],
        "run_s": round(figures.wall_s, 2),
        "accounts_per_s": round(accounts / figures.wall_s),
        "us_per_account": round(figures.wall_s / accounts * 1e6, 1),
        "peak_mb": round(figures.peak_bytes / MB),
    }
    for place, peak in enumerate(sorted(figures.peaks.values(), reverse=True)[: WORKERS + 1]):
        report[f"peak_mb_process_{place}"] = round(peak / MB)
    if with_floor:
        report |= _floor(result, figures.wall_s)
    return report


def _floor(result: RunResult, run_s: float) -> dict[str, float]:
    parts = result.run.parts
    spool_dir = DATA / "spool"
    chunks = [
        floor.Chunk(part * 1024 // parts, (part + 1) * 1024 // parts - 1, spool_dir / str(part))
        for part in range(parts)
    ]
    cluster = Cluster.at(DATA / "data")
    size = floor.spool(cluster.dsn("superuser", "bench_run"), result.run.id, chunks)
    with _superuser("postgres") as connection:
        connection.execute("CHECKPOINT")
    floor_s = floor.time_floor(cluster.dsn("superuser", "bench_floor"), chunks, WORKERS)
    floor.drop_spool(spool_dir)
    return {"floor_s": round(floor_s, 2), "floor_mb": round(size / MB), "ratio_to_floor": round(run_s / floor_s, 2)}


def bench_operators(count: int, accounts: int = 500) -> dict[str, float]:
    """Bill so many operators of 500 accounts one after the other in this process."""
    _copy_database("bench_template", "bench_run")
    _use("bench_run")
    tenants = []
    first = 1
    for place in range(count):
        tenant, keys = _apply(f"op-{place}")
        _load("bench_run", tenant, keys, accounts, first, analyze=False)
        first += accounts
        tenants.append(tenant)
    with _superuser("bench_run") as connection:
        connection.execute("VACUUM ANALYZE")
    seconds = []
    for tenant in tenants:
        start = time.perf_counter()
        _bill_quietly(tenant)
        seconds.append(time.perf_counter() - start)
    return {
        "operators": count,
        "accounts_each": accounts,
        "median_s": round(statistics.median(seconds), 3),
        "max_s": round(max(seconds), 3),
        "total_s": round(sum(seconds), 1),
    }


def _bill_quietly(tenant: Tenant) -> None:
    run_id = plan_run(tenant=tenant, request=RunRequest(execution_date=date(2026, 7, 20), bill_as_of=data.AS_OF))
    execute_run(run_id=run_id, workers=1)


def bench_actions(count: int) -> dict[str, object]:
    """Execute that many scheduled deactivations; the floor writes the same rows by one statement a table."""
    name = f"bench_actions_{count}"
    _copy_database("bench_template", name)
    _use(name)
    tenant, keys = _apply("bench-actions")
    _load(name, tenant, keys, count)
    with _superuser(name) as connection:
        actions.schedule_all(connection, tenant)
        least = actions.measure_floor(connection, tenant)
    found = actions.measure_actions(tenant)
    return {
        **found,
        "us_per_action": round(found["seconds"] / count * 1e6, 1),
        "floor_seconds": round(least, 2),
        "ratio_to_floor": round(found["seconds"] / least, 2),
    }


def bench_one(rounds: int = 60) -> dict[str, float]:
    """Bill Account on one account after the other, in a warm process on a large population."""
    _copy_database("bench_template", "bench_run")
    _use("bench_run")
    tenant, keys = _apply("bench")
    _load("bench_run", tenant, keys, 100_000)
    _use("bench_run")
    seconds = []
    for sequence in range(1, rounds + 1):
        account_id = sequence * 1024 + (sequence & 1023)
        start = time.perf_counter()
        bill_individually(
            tenant=tenant,
            request=RunRequest(execution_date=date(2026, 7, 20), bill_as_of=data.AS_OF),
            criteria=RunCriteria(account_ids=(account_id,)),
        )
        seconds.append(time.perf_counter() - start)
    warm = sorted(seconds[5:])
    return {
        "rounds": len(warm),
        "median_ms": round(statistics.median(warm) * 1000, 1),
        "p90_ms": round(warm[int(len(warm) * 0.9)] * 1000, 1),
    }


if __name__ == "__main__":
    main()
