"""Scheduled actions on many subscriptions: how long, how many statements, against writing the same rows at all."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connections

from coax.base.tenancy import RUN_ALIAS, Tenant
from coax.process.subscription_actions.maintain import execute_scheduled

_SCHEDULE = """
INSERT INTO subscription_action (bucket, account_id, id, tenant_id, subscription_id, behaviour, action_type, state,
    performed_on, request, reason, submitted_at, submitted_by, executed_by, detail)
SELECT u.bucket, u.account_id, nextval('base_object_seq'), u.tenant_id, u.id, 'deactivate', '', 'scheduled',
    DATE '2026-07-01', jsonb_build_object('subscription_code', u.code, 'behaviour', 'deactivate', 'action_type', '',
    'performed_on', '2026-07-01', 'reason', '', 'quantity', 1), '', now(), 'bench', '', ''
FROM subscription_subscription u WHERE u.tenant_id = %s"""
# The same histories and state rows, written by one statement each: what no program can go below by much.
_FLOOR = (
    """CREATE TABLE floor_history AS SELECT s.bucket, s.account_id, nextval('base_object_seq') AS id, s.tenant_id,
           s.id AS service_id, 'not_effective' AS state, 'not_to_be_billed' AS directive,
           DATE '2026-07-01' AS effective_from, n FROM subscription_service s, generate_series(1, 2) n
       WHERE s.tenant_id = %(tenant)s""",
    "CREATE UNIQUE INDEX ON floor_history (bucket, account_id, id)",
    "CREATE INDEX ON floor_history (bucket, account_id, service_id, effective_from)",
    "UPDATE subscription_service SET quantity = quantity WHERE tenant_id = %(tenant)s",
    "UPDATE subscription_subscription SET state = state WHERE tenant_id = %(tenant)s",
    "UPDATE subscription_action SET detail = detail WHERE tenant_id = %(tenant)s",
    "UPDATE party_account SET revision = revision WHERE tenant_id = %(tenant)s",
)


def schedule_all(connection: psycopg.Connection, tenant: Tenant) -> None:
    """Schedule the deactivation of every subscription of the operator."""
    connection.execute(_SCHEDULE, [tenant.id])
    connection.execute("VACUUM ANALYZE")


def measure_floor(connection: psycopg.Connection, tenant: Tenant) -> float:
    """Return the seconds that it takes to write such rows by one statement a table, and take them back."""
    with connection.transaction(force_rollback=True):
        began = time.perf_counter()
        for statement in _FLOOR:
            connection.execute(statement, {"tenant": tenant.id})
        return time.perf_counter() - began


def measure_actions(tenant: Tenant) -> dict[str, Any]:
    """Execute everything that is scheduled; return actions, seconds and statements."""
    statements = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    began = time.perf_counter()
    with connections[RUN_ALIAS].execute_wrapper(count):
        result = execute_scheduled(tenant=tenant, actor="bench")
    seconds = time.perf_counter() - began
    if result.refused:
        raise RuntimeError(f"refused: {result.refused[:3]}")
    return {"actions": result.performed, "seconds": round(seconds, 2), "statements": statements}
