"""Write what becomes of an execution into its row: begun, how far, what was refused, how it ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from coax.base.clock import now_utc, tenant_now
from coax.base.db import execute, fetch_rows
from coax.base.tenancy import RUN_ALIAS, Tenant, tenant_transaction
from coax.configuration.operations.mark_used import mark_used
from coax.configuration.types.documents import ConfigurationRow
from coax.process.recurring.queries import get_run
from coax.process.recurring.types import ProcessRunRow, ProcessState

ERROR_LENGTH_MAX: Final = 2_000
OVER: Final = (
    ProcessState.COMPLETED,
    ProcessState.COMPLETED_WITH_REFUSALS,
    ProcessState.FAILED,
    ProcessState.STOPPED,
)


def record_begin(tenant: Tenant, run: ProcessRunRow, version: ConfigurationRow) -> ProcessRunRow | None:
    """Note that somebody works at it, by which version of its definition, which is frozen from here on.

    None where it was stopped meanwhile.
    """
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        mark_used([version.version_id], now_utc(), using=RUN_ALIAS)
        begun = execute(
            """UPDATE process_run SET state = 'running', attempts = attempts + 1, version_id = %s,
                      started_at = coalesce(started_at, %s), left_s = NULL
                WHERE id = %s AND tenant_id = %s AND state IN ('waiting', 'running')""",
            [version.version_id, tenant_now(tenant.id, using=RUN_ALIAS), run.id, tenant.id],
            using=RUN_ALIAS,
        )
        return get_run(tenant.id, run.number, using=RUN_ALIAS) if begun else None


def record_progress(run: ProcessRunRow, *, done: int, total: int, left_s: int | None) -> bool:
    """Note how far it is, and return whether somebody has asked to stop it."""
    with tenant_transaction(run.tenant_id, using=RUN_ALIAS):
        rows = fetch_rows(
            """UPDATE process_run SET done = %s, total = %s, left_s = %s WHERE id = %s AND tenant_id = %s
               RETURNING is_stop_asked""",
            [done, total, left_s, run.id, run.tenant_id],
            using=RUN_ALIAS,
        )
    return bool(rows[0][0])


def record_group(run: ProcessRunRow, *, performed: int, refused: Iterable[tuple[str, int, str, str]]) -> None:
    """Add a group's sums and refusals (subject, action, code, reason), in the transaction that did the work."""
    listed = list(refused)
    fresh = _insert_refusals(run, listed) if listed else []
    spared = sum(code == "free_services" for code in fresh)
    for name, count in (("performed", performed), ("refused", len(fresh) - spared), ("spared", spared)):
        if count:
            execute(
                """UPDATE process_run
                      SET counts = counts || jsonb_build_object(%s::text, coalesce((counts ->> %s)::bigint, 0) + %s)
                    WHERE id = %s AND tenant_id = %s""",
                [name, name, count, run.id, run.tenant_id],
                using=RUN_ALIAS,
            )


def record_billing_run(run: ProcessRunRow, billing_run_id: int) -> None:
    """Note which billing run it is, in the transaction that planned it: it is planned once."""
    execute(
        "UPDATE process_run SET billing_run_id = %s WHERE id = %s AND tenant_id = %s",
        [billing_run_id, run.id, run.tenant_id],
        using=RUN_ALIAS,
    )


def record_counts(run: ProcessRunRow, counts: dict[str, Any]) -> None:
    """Set the sums of an execution."""
    with tenant_transaction(run.tenant_id, using=RUN_ALIAS):
        execute(
            "UPDATE process_run SET counts = %s WHERE id = %s AND tenant_id = %s",
            [json.dumps(counts), run.id, run.tenant_id],
            using=RUN_ALIAS,
        )


def record_end(
    tenant: Tenant, run: ProcessRunRow, state: ProcessState, *, worked_ms: int, error: str = ""
) -> ProcessRunRow:
    """Note how it ended; one that is put back to wait has not used up an attempt."""
    with tenant_transaction(tenant.id, using=RUN_ALIAS):
        finished_at: datetime | None = tenant_now(tenant.id, using=RUN_ALIAS) if state in OVER else None
        execute(
            """UPDATE process_run SET state = %(state)s, finished_at = %(finished_at)s, error = %(error)s,
                      left_s = NULL, worked_ms = worked_ms + %(worked_ms)s, is_stop_asked = false,
                      attempts = attempts - CASE WHEN %(state)s = 'waiting' THEN 1 ELSE 0 END
                WHERE id = %(id)s AND tenant_id = %(tenant_id)s""",
            {
                "state": state.value,
                "finished_at": finished_at,
                "error": error[:ERROR_LENGTH_MAX],
                "worked_ms": worked_ms,
                "id": run.id,
                "tenant_id": tenant.id,
            },
            using=RUN_ALIAS,
        )
        return get_run(tenant.id, run.number, using=RUN_ALIAS)


def _insert_refusals(run: ProcessRunRow, refused: list[tuple[str, int, str, str]]) -> list[str]:
    """Insert those that are not there yet, and return their codes."""
    subjects, actions, codes, reasons = zip(*refused, strict=True)
    rows = fetch_rows(
        """INSERT INTO process_refusal (tenant_id, run_id, subject, action_id, code, reason, at)
           SELECT %s, %s, f.subject, f.action_id, f.code, f.reason, %s
             FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[]) AS f (subject, action_id, code, reason)
           ON CONFLICT (run_id, subject, action_id) DO NOTHING RETURNING code""",
        [
            run.tenant_id,
            run.id,
            tenant_now(run.tenant_id, using=RUN_ALIAS),
            list(subjects),
            list(actions),
            list(codes),
            list(reasons),
        ],
        using=RUN_ALIAS,
    )
    return [row[0] for row in rows]
