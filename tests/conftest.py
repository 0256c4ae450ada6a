"""One embedded server for the whole test session, one database per worker, one fresh operator per test."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

SHARED = "COAX_TEST_DIR"
SERVER_URL = "COAX_TEST_DATABASE_URL"
os.environ.setdefault("POLARS_MAX_THREADS", "1")  # a few rows each; the workers share the cores
if "COAX_DATABASE_URL" not in os.environ or SHARED not in os.environ:
    os.environ["COAX_DATABASE_URL"] = "postgresql://nobody:nothing@127.0.0.1:1/unset"

from coax.interfaces.site.bootstrap import set_up_framework  # noqa: E402

set_up_framework()

from django.db import connections  # noqa: E402

from coax.base.bulk import close_bulk_connections  # noqa: E402
from coax.base.db import refresh_connections  # noqa: E402
from coax.base.embedded import Cluster, ensure_running  # noqa: E402
from coax.base.embedded.roles import LOGIN_ROLES, create_database, create_roles, hand_over_schema  # noqa: E402
from coax.base.migrate import migrate  # noqa: E402
from coax.base.tenancy import Tenant, create_tenant, tenant_transaction  # noqa: E402


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end of the session anyhow: modules and collected tests."""
    gc.freeze()


TEMPLATE = "coax_template"
_numbers = count(1)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shared = tempfile.mkdtemp(prefix="coax-tests-")
        Path(shared).chmod(0o755)
        os.environ[SHARED] = shared


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or SHARED not in os.environ:
        return
    shared = Path(os.environ.pop(SHARED))
    if (shared / "data").exists():
        Cluster.at(shared / "data").stop("immediate")
    shutil.rmtree(shared, ignore_errors=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (Path(os.environ[SHARED]) / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _use(name: str) -> None:
    """Point this process, and those it starts, at a database of the test server."""
    if SERVER_URL in os.environ:
        parts = urlsplit(os.environ[SERVER_URL])
        os.environ["COAX_DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))
    else:
        os.environ.pop("COAX_DATABASE_URL", None)
        os.environ["COAX_DATA_DIR"] = str(Path(os.environ[SHARED]) / "data")
        os.environ["COAX_DATABASE_NAME"] = name
    refresh_connections()
    close_bulk_connections()


def _superuser(database: str = "postgres") -> psycopg.Connection:
    if SERVER_URL in os.environ:
        return psycopg.connect(
            urlunsplit(urlsplit(os.environ[SERVER_URL])._replace(path=f"/{database}")), autocommit=True
        )
    cluster = Cluster.at(Path(os.environ[SHARED]) / "data")
    return psycopg.connect(**cluster.dsn("superuser", database), autocommit=True)  # type: ignore[arg-type]


def _make_template() -> None:
    if SERVER_URL not in os.environ:
        ensure_running(Path(os.environ[SHARED]) / "data")
    with _superuser() as connection:
        # A test's rows need not outlive the machine; that a process may be killed is proved on servers of their own.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[call-overload]
        connection.execute("SELECT pg_reload_conf()")
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            connection.execute(f"DROP DATABASE {TEMPLATE} WITH (FORCE)")  # type: ignore[call-overload]
        if SERVER_URL in os.environ:
            create_roles(connection, dict.fromkeys(LOGIN_ROLES, "coax"))
        create_database(connection, TEMPLATE)
    with _superuser(TEMPLATE) as connection:
        hand_over_schema(connection)
    _use(TEMPLATE)
    migrate()
    for alias in connections:
        connections[alias].close()


@pytest.fixture(scope="session")
def database(worker_id: str) -> Iterator[str]:
    """The name of this worker's database, migrated and empty of operators."""
    name = f"coax_{worker_id}"
    with _one_at_a_time():
        marker = Path(os.environ[SHARED]) / "template"
        if not marker.exists():
            _make_template()
            marker.touch()
        with _superuser() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[call-overload]
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER coax_owner")  # type: ignore[call-overload]
            connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO coax_app, coax_run")  # type: ignore[call-overload]
    _use(name)
    yield name
    for alias in connections:
        connections[alias].close()
    close_bulk_connections()


@pytest.fixture
def empty_tenant(database: str) -> Tenant:
    """A fresh operator in euros; nothing is open."""
    code = f"op-{os.getpid()}-{next(_numbers)}"
    return create_tenant(code=code, name="Test Operator", currency="EUR", time_zone="Europe/Berlin", locale="en")


@pytest.fixture
def tenant(empty_tenant: Tenant) -> Iterator[Tenant]:
    """A fresh operator whose transaction is open; it is rolled back when the test ends."""
    from django.db import transaction  # noqa: PLC0415

    with tenant_transaction(empty_tenant.id):
        yield empty_tenant
        transaction.set_rollback(True)
