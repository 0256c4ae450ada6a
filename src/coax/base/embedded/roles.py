"""The roles and the database of Coax, on the embedded server and on any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, LiteralString

from psycopg import Connection, sql

Role = Literal["owner", "app", "run", "superuser"]
LoginRole = Literal["owner", "app", "run"]

DATABASE = "coax"
SUPERUSER = "coax_superuser"
LOGIN_ROLES: Mapping[LoginRole, str] = {"owner": "coax_owner", "app": "coax_app", "run": "coax_run"}
ROLE_NAMES: Mapping[Role, str] = {
    "owner": "coax_owner",
    "app": "coax_app",
    "run": "coax_run",
    "superuser": SUPERUSER,
}
BYPASSES_ROW_SECURITY: Mapping[LoginRole, bool] = {"owner": False, "app": False, "run": True}


def create_roles(conn: Connection[Any], passwords: Mapping[str, str]) -> None:
    """Create `coax_owner`, `coax_app` and `coax_run`, or bring them into their proper state; safe to repeat.

    `passwords` has a password for each of owner, app and run; only its scram verifier is sent. Owner and
    app are subject to row-level security, runs are not (architecture 3.1). Needs a superuser, or from
    PostgreSQL 16 on a role with CREATEROLE and BYPASSRLS. What is right already is not named in a
    statement: managed servers refuse a superuser clause even when it changes nothing.
    """
    for role, name in LOGIN_ROLES.items():
        attributes = _find_attributes(conn, name)
        if attributes is None:
            conn.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
            attributes = (False, False)
        clauses = _list_clauses(*attributes, bypass=BYPASSES_ROW_SECURITY[role])
        conn.execute(
            sql.SQL("ALTER ROLE {} LOGIN {} PASSWORD {}").format(
                sql.Identifier(name),
                sql.SQL(clauses),
                sql.Literal(_make_verifier(conn, name, passwords[role])),
            )
        )


def create_database(conn: Connection[Any], name: str = DATABASE) -> None:
    """Create a database of `coax_owner` that only Coax's roles may enter; safe to repeat.

    `conn` is to another database and in autocommit. Temporary tables are granted: runs load through them.
    """
    exists = conn.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None
    if not exists:
        conn.execute(
            sql.SQL("CREATE DATABASE {} OWNER coax_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'").format(
                sql.Identifier(name)
            )
        )
    conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    conn.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO coax_app, coax_run").format(sql.Identifier(name)))


def hand_over_schema(conn: Connection[Any]) -> None:
    """Make `coax_owner` the owner of schema public and let app and run look into it; safe to repeat.

    `conn` is to the database of Coax. Rights on tables come with the migrations that make the tables.
    """
    conn.execute("ALTER SCHEMA public OWNER TO coax_owner")
    conn.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    conn.execute("GRANT USAGE ON SCHEMA public TO coax_app, coax_run")


def _find_attributes(conn: Connection[Any], name: str) -> tuple[bool, bool] | None:
    query = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s"
    row = conn.execute(query, [name]).fetchone()
    return None if row is None else (row[0], row[1])


def _list_clauses(is_super: bool, bypasses: bool, *, bypass: bool) -> LiteralString:
    clauses = ["NOSUPERUSER"] if is_super else []
    if bypasses != bypass:
        clauses.append("BYPASSRLS" if bypass else "NOBYPASSRLS")
    return " ".join(clauses)


def _make_verifier(conn: Connection[Any], name: str, password: str) -> str:
    encoding = conn.info.encoding
    verifier = conn.pgconn.encrypt_password(password.encode(encoding), name.encode(encoding), b"scram-sha-256")
    return verifier.decode("ascii")
