"""Connections: which server, which role. Runs use `run`, people `default`, migrations `owner`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote, unquote, urlsplit

import psycopg
from django.db import connections

from coax.base.embedded import Cluster
from coax.base.errors import DomainError
from coax.base.settings import Environment, read_environment, read_port

Role = Literal["owner", "app", "run"]
ROLE_OF_ALIAS: Final[Mapping[str, Role]] = {"default": "app", "run": "run", "owner": "owner"}
CONNECT_TIMEOUT_S: Final = 10


def connection_parameters(role: Role, environment: Environment | None = None) -> dict[str, str]:
    """Return host, port, user, password and database of `role`, and for a server the role it takes on.

    A server named by COAX_DATABASE_URL is reached with that URL's user, which takes on the role; the embedded
    one has a login per role.
    """
    environment = environment or read_environment()
    if environment.database_url is None:
        return dict(Cluster.at(environment.data_dir).dsn(role, environment.database_name))
    parts = urlsplit(environment.database_url)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "host": unquote(query.get("host") or parts.hostname or "localhost"),
        "port": query.get("port")
        or read_port(parts.netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2] or "5432"),
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": parts.path.lstrip("/"),
        "options": f"-c role=coax_{role}",
    }


def _port_text(netloc: str) -> str:
    """Return what follows the host of `user:password@[host]:port`."""
    after_host = netloc.rpartition("@")[2].rpartition("]")[2]
    return after_host.partition(":")[2] or "5432"


def connection_url(role: Role, environment: Environment | None = None) -> str:
    """Return the parameters of `role` as a libpq URL."""
    known = connection_parameters(role, environment)
    rest = {"host": known["host"], "port": known["port"], "options": known.get("options", "")}
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in rest.items() if value)
    user = f"{quote(known['user'], safe='')}:{quote(known['password'], safe='')}@" if known["user"] else ""
    return f"postgresql://{user}/{quote(known['dbname'], safe='')}?{query}"


def django_databases(environment: Environment | None = None) -> dict[str, dict[str, Any]]:
    """Return Django's DATABASES: one alias per role on the one database.

    Where the embedded server has never been started they are unusable until `refresh_connections` is called.
    """
    return {alias: _django_database(role, environment) for alias, role in ROLE_OF_ALIAS.items()}


def refresh_connections() -> None:
    """Close this process's connections and point them at what the environment says now."""
    for alias, parameters in django_databases().items():
        connections[alias].close()
        connections[alias].settings_dict.update(parameters)


def _django_database(role: Role, environment: Environment | None) -> dict[str, Any]:
    try:
        known = connection_parameters(role, environment)
    except DomainError:
        known = dict.fromkeys(("host", "port", "user", "password", "dbname"), "")
    options: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": f"coax {role}"}
    if "options" in known:
        options["options"] = known["options"]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": known["host"],
        "PORT": known["port"],
        "USER": known["user"],
        "PASSWORD": known["password"],
        "NAME": known["dbname"],
        "OPTIONS": options,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,  # a request on a connection that has gone opens another
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }


def fetch_rows(sql: str, params: Any = None, *, using: str = "default") -> list[tuple[Any, ...]]:
    """Return all rows of a statement; the caller has opened the tenant's transaction."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def fetch_dicts(sql: str, params: Any = None, *, using: str = "default") -> list[dict[str, Any]]:
    """Return all rows of a statement by column name."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def execute(sql: str, params: Any = None, *, using: str = "default") -> int:
    """Execute one statement and return how many rows it touched."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


@contextmanager
def binary_cursor(*, using: str = "default") -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """Give a cursor that sends and fetches values in binary, `%b` in statements, on Django's own connection."""
    connection = connections[using]
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.format = psycopg.pq.Format.BINARY
        yield cursor


def copy_in(target: str, blocks: Iterable[bytes | memoryview], *, using: str = "default") -> None:
    """COPY binary blocks into `target` (table and columns); the blocks hold header and trailer too."""
    connection = connections[using]
    connection.ensure_connection()
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(f"COPY {target} FROM STDIN (FORMAT binary)") as copy,
    ):
        for block in blocks:
            copy.write(block)


def load_sql(path: Path) -> dict[str, str]:
    """Return the statements of a .sql file by the name in the `-- name: x` line above each."""
    statements: dict[str, str] = {}
    for chunk in path.read_text(encoding="utf-8").split("-- name:")[1:]:
        name, _, text = chunk.partition("\n")
        statements[name.strip()] = text.strip()
    return statements
