"""Every row belongs to one tenant, and the database itself says so."""

from __future__ import annotations

import psycopg
import pytest
from django.apps import apps
from django.db import connections, transaction
from django.db.utils import DatabaseError, ProgrammingError

from coax.base.db import connection_parameters, execute, fetch_rows
from coax.base.settings import read_environment
from coax.base.tenancy import Tenant, create_tenant, tenant_transaction

TENANT_TABLES = """
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,
       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1
"""
FRAMEWORK_PREFIXES = ("django_", "auth_")


@pytest.fixture
def other(database: str, empty_tenant: Tenant) -> Tenant:
    return create_tenant(code=f"{empty_tenant.code}-b", name="Other", currency="USD", time_zone="UTC", locale="en")


def test_every_table_has_a_tenant_and_a_forced_policy(database: str) -> None:
    rows = fetch_rows(TENANT_TABLES)
    assert len(rows) > 20
    assert [row[0] for row in rows if not (row[1] and row[2] and row[3])] == []
    with_tenant = {row[0] for row in rows}
    ours = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.db_table.startswith(FRAMEWORK_PREFIXES) and not model._meta.proxy and model._meta.managed
    }
    assert ours - with_tenant == set()


def test_without_a_tenant_nothing_is_seen_or_written(empty_tenant: Tenant) -> None:
    assert fetch_rows("SELECT * FROM base_operator") == []
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        execute("INSERT INTO base_number_series VALUES (%s, 'bill', 1)", [empty_tenant.id])


def test_one_tenant_reads_and_writes_nothing_of_another(empty_tenant: Tenant, other: Tenant) -> None:
    series = apps.get_model("base", "NumberSeries")
    with tenant_transaction(other.id):
        series.objects.create(tenant_id=other.id, series="bill", next_number=7)
    with tenant_transaction(empty_tenant.id):
        assert list(series.objects.all()) == []
        assert series.objects.filter(tenant_id=other.id).update(next_number=1) == 0
        assert series.objects.filter(tenant_id=other.id).delete()[0] == 0
        assert fetch_rows("SELECT * FROM base_number_series") == []
        assert execute("UPDATE base_number_series SET next_number = 1") == 0
    for write in (
        lambda: series.objects.create(tenant_id=other.id, series="payment"),
        lambda: execute("INSERT INTO base_number_series VALUES (%s, 'payment', 1)", [other.id]),
    ):
        with pytest.raises(ProgrammingError, match="row-level security"), tenant_transaction(empty_tenant.id):
            write()
    with tenant_transaction(other.id):
        assert fetch_rows("SELECT series, next_number FROM base_number_series") == [("bill", 7)]


def test_copy_stays_inside_the_tenant(empty_tenant: Tenant, other: Tenant) -> None:
    with tenant_transaction(other.id):
        execute("INSERT INTO base_number_series VALUES (%s, 'bill', 7)", [other.id])
    with tenant_transaction(empty_tenant.id):
        connection = connections["default"].connection
        with connection.cursor() as cursor, cursor.copy("COPY base_number_series TO STDOUT") as copy:
            assert b"".join(bytes(block) for block in copy) == b""
    with pytest.raises((psycopg.Error, DatabaseError)), tenant_transaction(empty_tenant.id):
        _copy_in(f"{other.id}\tpayment\t1\n")


def _copy_in(rows: str) -> None:
    connection = connections["default"].connection
    with connection.cursor() as cursor, cursor.copy("COPY base_number_series FROM STDIN") as copy:
        copy.write(rows.encode())


def test_the_application_role_is_an_ordinary_one(database: str) -> None:
    rows = fetch_rows("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user")
    assert rows == [(False, False, False)]
    if read_environment().database_url is None:  # the embedded server has a login per role
        assert connection_parameters("app")["password"] != connection_parameters("run")["password"]


@pytest.mark.parametrize(
    "table",
    ["ledger_entry", "ledger_transaction", "ledger_allocation", "billing_bill", "rating_rated_item"],
)
@pytest.mark.parametrize("alias", ["default", "run", "owner"])
def test_posted_money_cannot_be_changed_or_deleted(empty_tenant: Tenant, table: str, alias: str) -> None:
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET tenant_id = tenant_id"):
        if alias == "owner":
            with tenant_transaction(empty_tenant.id, using=alias):
                assert execute(statement, using=alias) == 0
        else:
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(using=alias):
                execute(statement, using=alias)
