"""What happens before a command works: server up, framework set up, schema current."""

from __future__ import annotations

import os
from typing import ClassVar

import django
import psycopg
from django.db import OperationalError, connections

from coax.base.db import connection_parameters, refresh_connections
from coax.base.embedded import ensure_running
from coax.base.embedded.roles import LOGIN_ROLES, create_roles, hand_over_schema
from coax.base.errors import DomainError
from coax.base.settings import read_environment

SETTINGS_MODULE = "coax.interfaces.site.settings"


class DatabaseUnreachable(DomainError):
    """The server of COAX_DATABASE_URL does not answer or does not let us in."""

    code: ClassVar[str] = "database_unreachable"


class RolesMissing(DomainError):
    """The server lacks Coax's roles and its user may not create them."""

    code: ClassVar[str] = "roles_missing"


def set_up_framework() -> None:
    """Set Django up without touching the database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
    django.setup()


def open_database() -> None:
    """Start the embedded server if there is no other, and bring the schema to this version.

    Raises: DatabaseUnreachable, RolesMissing, the embedded server's errors.
    """
    environment = read_environment()
    if environment.database_url is None:
        ensure_running(environment.data_dir)
    else:
        _prepare_server(environment.database_url)
    set_up_framework()
    refresh_connections()
    from coax.base.migrate import is_current, migrate  # noqa: PLC0415 - models load only after the set-up

    try:
        if not is_current():
            migrate()
    except OperationalError as error:
        raise DatabaseUnreachable(f"The database does not answer: {error}") from error
    connections["owner"].close()


def _prepare_server(url: str) -> None:
    """Make the three roles where they are missing."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            found = connection.execute(
                "SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [list(LOGIN_ROLES.values())]
            ).fetchone()
            if found == (len(LOGIN_ROLES),):
                return
            password = connection_parameters("owner")["password"] or os.urandom(16).hex()
            create_roles(connection, dict.fromkeys(LOGIN_ROLES, password))
            hand_over_schema(connection)
            for role in LOGIN_ROLES.values():
                connection.execute(f"GRANT {role} TO current_user")
    except psycopg.errors.InsufficientPrivilege as error:
        raise RolesMissing(
            "The roles coax_owner, coax_app and coax_run (BYPASSRLS) do not exist and this user may not create them; "
            "ask for them or connect once as a superuser.",
        ) from error
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(f"The database does not answer: {error}") from error
