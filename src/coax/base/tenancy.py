"""Tenants: one setting per transaction, one policy per table, default deny (architecture section 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import connections, transaction

from coax.base.errors import DomainError

APP_ALIAS: Final = "default"
RUN_ALIAS: Final = "run"
OWNER_ALIAS: Final = "owner"
CURRENT_TENANT_SQL: Final = "nullif(current_setting('coax.tenant_id', true), '')::int"


class TenantUnknown(DomainError):
    """No operator has this code."""

    code = "tenant_unknown"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An operator as every domain sees it."""

    id: int
    code: str
    name: str
    currency: str
    time_zone: str
    locale: str


def tenant_policy_sql(table: str, *, append_only: bool = False) -> list[str]:
    """Return the statements that put `table` under forced row-level security and grant it to both roles.

    With `append_only` there is neither a policy nor a grant for UPDATE and DELETE: posted facts stay as they are,
    for the table's owner too.
    """
    using = f"tenant_id = {CURRENT_TENANT_SQL}"
    policies = (
        [
            f"CREATE POLICY tenant_reads ON {table} FOR SELECT USING ({using})",
            f"CREATE POLICY tenant_appends ON {table} FOR INSERT WITH CHECK ({using})",
        ]
        if append_only
        else [f"CREATE POLICY tenant_isolation ON {table} USING ({using}) WITH CHECK ({using})"]
    )
    granted = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        *policies,
        f"GRANT {granted} ON {table} TO coax_app, coax_run",
    ]


def create_tenant(*, code: str, name: str, currency: str, time_zone: str, locale: str) -> Tenant:
    """Create an operator and return it; its code is unique over the whole platform."""
    with connections[APP_ALIAS].cursor() as cursor:
        cursor.execute("SELECT coax_create_tenant(%s, %s, %s, %s, %s)", [code, name, currency, time_zone, locale])
        tenant_id = cursor.fetchone()[0]
    return Tenant(tenant_id, code, name, currency, time_zone, locale)


@contextmanager
def tenant_transaction(tenant_id: int, *, using: str = APP_ALIAS) -> Iterator[None]:
    """Open a transaction (or a savepoint of the open one) in which the tenant's rows, and no others, are visible.

    A run's transaction has no savepoint here: what fails in it fails as a whole.
    """
    with transaction.atomic(using=using, savepoint=using == APP_ALIAS):
        set_tenant(tenant_id, using=using)
        yield


def set_tenant(tenant_id: int, *, using: str = APP_ALIAS) -> None:
    """Set the tenant of the open transaction."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SET LOCAL coax.tenant_id = '{int(tenant_id)}'")


def list_tenant_codes() -> list[str]:
    """Return the codes of all operators, in order; needs no tenant."""
    with connections[APP_ALIAS].cursor() as cursor:
        cursor.execute("SELECT code FROM coax_tenants() ORDER BY code")
        return [row[0] for row in cursor.fetchall()]


def get_tenant(code: str) -> Tenant:
    """Return the operator with this code.

    Raises: TenantUnknown, which names the codes that exist.
    """
    with connections[APP_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, code, name, currency, time_zone, locale FROM coax_tenants() WHERE code = %s",
            [code],
        )
        row = cursor.fetchone()
    if row is None:
        known = ", ".join(list_tenant_codes()) or "none yet; `coax apply` creates one"
        raise TenantUnknown(f"No operator has the code {code!r}; there are: {known}.", tenant=code)
    return Tenant(*row)


def get_tenant_by_id(tenant_id: int) -> Tenant:
    """Return the operator with this key.

    Raises: TenantUnknown.
    """
    with connections[APP_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, code, name, currency, time_zone, locale FROM coax_tenants() WHERE tenant_id = %s",
            [tenant_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise TenantUnknown(f"No operator has the key {tenant_id}.", tenant=tenant_id)
    return Tenant(*row)
