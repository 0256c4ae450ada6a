"""A planned run on a server of its own, copied as often as it is to be disturbed, and everything it leaves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from django.db import connections

from coax.base.bulk import close_bulk_connections
from coax.base.db import fetch_rows, refresh_connections
from coax.base.embedded import Cluster, create_database
from coax.base.embedded.roles import hand_over_schema
from coax.base.migrate import migrate
from coax.base.tenancy import Tenant, get_tenant, list_tenant_codes, tenant_transaction
from coax.process.billing_run import plan
from coax.process.billing_run.context import load_context
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.bills.compose import compose_document
from coax.process.bills.documents import get_facts
from coax.process.bills.publish import to_json
from coax.process.payments.receive import PaymentRequest, receive_payment
from coax.process.verify import verify_tenant
from coax.subscription.operations.add_charge import add_charge
from coax.subscription.operations.end_service import end_service
from tests.builders.commands import ACommand
from tests.builders.operators import AnOperator, an_operator

PARTS = 4
ACCOUNTS = 32
RUN = 2  # the number of the planned run; run 1 gave the operator its past
VARIABLES = ("COAX_DATABASE_URL", "COAX_DATA_DIR", "COAX_DATABASE_NAME")


@contextmanager
def pointed_at(cluster: Cluster, database: str) -> Iterator[None]:
    """Let this process work on a database of that server, as if it had been started for it."""
    before = {name: os.environ.pop(name, None) for name in VARIABLES}
    os.environ |= {"COAX_DATA_DIR": str(cluster.data_dir), "COAX_DATABASE_NAME": database}
    _forget()
    try:
        yield
    finally:
        for name in VARIABLES:
            os.environ.pop(name, None)
        os.environ |= {name: value for name, value in before.items() if value is not None}
        _forget()


def _forget() -> None:
    for alias in connections:
        connections[alias].close()
    close_bulk_connections()
    load_context.cache_clear()  # keys of runs are unique within a database only
    refresh_connections()


@dataclass(frozen=True)
class Copy:
    """A database with the planned run, its commands, and what is stored in it."""

    cluster: Cluster
    name: str

    def connect(self, **changes: Any) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(**{**self.cluster.dsn("superuser", self.name), "autocommit": True, **changes})

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(statement.encode()).fetchall()

    def start(self, *arguments: str, by_url: bool = False) -> ACommand:
        """Start `coax` on this database; `by_url` as a server that is not ours to start."""
        environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        if by_url:
            environment["COAX_DATABASE_URL"] = self.cluster.url("superuser", self.name)
        else:
            environment |= {"COAX_DATA_DIR": str(self.cluster.data_dir), "COAX_DATABASE_NAME": self.name}
        return ACommand(arguments, environment)

    def parts(self) -> list[str]:
        """Return the state of each part of the planned run."""
        found = self.query(
            f"""SELECT p.state FROM billing_run_part p JOIN billing_run r ON r.id = p.run_id
                WHERE r.number = {RUN} ORDER BY p.part"""
        )
        return [state for (state,) in found]

    def state(self) -> str:
        return str(self.query(f"SELECT state FROM billing_run WHERE number = {RUN}")[0][0])

    def dump(self) -> dict[str, list[str]]:
        """Return every row of every table as text, instants left out: they are all that two runs may differ in."""
        with self.connect() as connection:
            tables = connection.execute(
                """SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)
                   FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
                   WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type NOT LIKE 'timestamp%'
                     AND table_name <> 'billing_run_stage' GROUP BY 1 ORDER BY 1"""
            ).fetchall()
            return {
                table: [
                    row
                    for (row,) in connection.execute(
                        f"SELECT t::text FROM (SELECT {columns} FROM {table}) t ORDER BY 1".encode()
                    )
                ]
                for table, columns in tables
            }

    def bills(self) -> dict[int, bytes]:
        """Return every bill as its document's JSON."""
        with pointed_at(self.cluster, self.name):
            tenant = get_tenant(list_tenant_codes()[0])
            with tenant_transaction(tenant.id):
                numbers = [row[0] for row in fetch_rows("SELECT number FROM billing_bill ORDER BY number")]
                return {
                    number: to_json(compose_document(get_facts(tenant_id=tenant.id, number=str(number))))
                    for number in numbers
                }

    def broken_promises(self) -> list[Any]:
        with pointed_at(self.cluster, self.name):
            tenant = get_tenant(list_tenant_codes()[0])
            return [result for result in verify_tenant(tenant=tenant) if not result.is_kept]

    def count_blocked(self, holder: psycopg.Connection[Any]) -> int:
        """Return how many sessions wait for what `holder` has locked."""
        pid = holder.info.backend_pid
        return int(self.query(f"SELECT count(*) FROM pg_stat_activity WHERE {pid} = ANY (pg_blocking_pids(pid))")[0][0])

    def is_left_alone(self) -> bool:
        """Whether nobody else is connected any more, not even for a process that was killed."""
        statement = f"""SELECT count(*) FROM pg_stat_activity
                        WHERE datname = '{self.name}' AND pid <> pg_backend_pid()"""
        return bool(self.query(statement)[0][0] == 0)

    @contextmanager
    def locked(self, statement: str) -> Iterator[psycopg.Connection[Any]]:
        """Hold rows for the length of a block: who wants them stands still there."""
        with self.connect(autocommit=False) as holder:
            holder.execute(statement.encode())
            yield holder
            with suppress(psycopg.Error):
                holder.rollback()


def make_copy(cluster: Cluster, template: str, name: str) -> Copy:
    cluster.start()  # an earlier test may have killed it
    with psycopg.connect(**{**cluster.dsn("superuser", "postgres"), "autocommit": True}) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER coax_owner".encode())
        connection.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO coax_app, coax_run".encode())
    return Copy(cluster, name)


def prepare(cluster: Cluster, name: str, directory: Path) -> None:
    """Make a database with an operator that has a past, and its next run planned in four parts."""
    with psycopg.connect(**{**cluster.dsn("superuser", "postgres"), "autocommit": True}) as connection:
        create_database(connection, name)
    with psycopg.connect(**{**cluster.dsn("superuser", name), "autocommit": True}) as connection:
        hand_over_schema(connection)
    with pointed_at(cluster, name):
        migrate()
        with psycopg.connect(**{**cluster.dsn("superuser", name), "autocommit": True}) as connection:
            # Accounts lie in buckets by their number: with this step these few fill the buckets of all parts.
            connection.execute(f"ALTER SEQUENCE base_account_seq INCREMENT BY {1024 // ACCOUNTS}".encode())
        operator = an_operator(
            rates="- { product: eurosports-1, frequency: monthly, price: 12.50 } -> "
            "- { product: eurosports-1, frequency: monthly, price: 12.50 }\n"
            "      - { product: decoder, price: 49.90 }",
        )
        operator.subscribe(directory, [row for number in range(ACCOUNTS) for row in _rows(number)])
        operator.bill("2026-06-20", "2026-07-01")
        _let_time_pass(operator)
        with patch.object(plan, "ACCOUNTS_PER_PART", -(-ACCOUNTS // PARTS)):
            plan_run(tenant=operator.tenant, request=RunRequest(execution_date=date(2026, 7, 20), actor="clerk"))


def _rows(number: int) -> list[dict[str, Any]]:
    """Return the subscriptions of an account: of every four one is monthly, biannual, new, or twofold."""
    code = f"A{number:02}"
    row: dict[str, Any] = {"account_code": code, "billed_until": "2026-07-01"}
    kinds: list[list[dict[str, Any]]] = [
        [row],
        [{**row, "frequency": "biannual"}],
        [{"account_code": code, "effective_from": "2026-07-15"}],
        [row, {**row, "subscription_code": f"S-{code}-2", "quantity": 3, "agreed_price": "7.33"}],
    ]
    if number % 16 == 0:  # under the minimum
        return [{**row, "agreed_price": "1.11"}]
    return kinds[number % 4]


def _let_time_pass(operator: AnOperator) -> None:
    """After the first bills: some pay, some end, some are charged once, one is impossible to bill."""
    tenant = operator.tenant
    operator.execute("UPDATE base_operator SET clock_at = '2026-07-20' WHERE tenant_id = %s", tenant.id)
    for code, amount in (("A01", "30"), ("A05", "500"), ("A12", "14.88"), ("A27", "0.01")):
        receive_payment(tenant=tenant, request=PaymentRequest(account_code=code, amount=amount))
    for code in ("A01", "A09", "A17", "A25"):
        end(tenant, code, date(2026, 7, 20))
    with tenant_transaction(tenant.id):
        for code in ("A04", "A13", "A22", "A31"):
            add_charge(
                tenant_id=tenant.id,
                subscription_code=f"S-{code}",
                product_code="decoder",
                performed_on=date(2026, 7, 10),
            )
    operator.execute(
        """UPDATE subscription_billing_term t SET frequency = 'weekly' FROM party_account a
           WHERE a.bucket = t.bucket AND a.account_id = t.account_id AND a.tenant_id = %s AND a.code = 'A20'""",
        tenant.id,
    )


def end(tenant: Tenant, account: str, on: date) -> None:
    """End an account's service."""
    with tenant_transaction(tenant.id):
        end_service(
            tenant_id=tenant.id,
            subscription_code=f"S-{account}",
            service_code="eurosports-1",
            on=on,
            actor="clerk",
        )
