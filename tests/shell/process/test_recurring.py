"""What holds between workers: one execution at a time, what was left is taken up, what waits too long is given up."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.db.utils import IntegrityError

from coax.base.clock import now_utc
from coax.base.db import connection_parameters, execute, fetch_rows
from coax.base.tenancy import APP_ALIAS, RUN_ALIAS, tenant_transaction
from coax.configuration.types.documents import ConfigurationRefused
from coax.process.recurring.execute import ATTEMPTS_MAX, execute_process
from coax.process.recurring.jobs import defer_process, open_worker, retry_stalled
from coax.process.recurring.plan import give_up_late, plan_occurrences
from coax.process.recurring.queries import LOCK_SPACE, find_ready, get_process, is_worker_alive, lock_key
from coax.process.recurring.record import record_begin
from coax.process.recurring.request import request_again, request_run, request_stop
from coax.process.recurring.types import Process
from tests.builders.processes import NIGHTLY, AWorkedOperator, a_worked_operator

DEACTIVATION = "deactivation/overdue"


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AWorkedOperator:
    operator = a_worked_operator(tmp_path)
    operator.on("2026-08-10")
    operator.define(NIGHTLY)
    return operator


def process_of(zx: AWorkedOperator, address: str = DEACTIVATION) -> Process:
    with tenant_transaction(zx.tenant.id):
        return get_process(zx.tenant, address)


def ask(zx: AWorkedOperator, address: str = DEACTIVATION) -> int:
    with tenant_transaction(zx.tenant.id):
        return request_run(zx.tenant, get_process(zx.tenant, address), actor="anna")


def test_while_somebody_executes_a_definition_nobody_else_does(zx: AWorkedOperator) -> None:
    ask(zx)
    process = process_of(zx)
    with psycopg.connect(**connection_parameters("run")) as other:  # type: ignore[arg-type]
        other.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_SPACE, lock_key(process.key)])
        assert execute_process(tenant=zx.tenant, key=process.key) == []
        assert zx.work() == []
        assert [run.state for run in zx.log()] == ["waiting"]
        other.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, lock_key(process.key)])
    assert [run.state for run in execute_process(tenant=zx.tenant, key=process.key)] == ["completed"]
    assert zx.state("S-A") == "not_effective"


def test_what_was_left_by_somebody_who_is_gone_is_taken_up_before_the_rest(zx: AWorkedOperator) -> None:
    first, second = ask(zx), ask(zx)
    zx.execute(
        """UPDATE process_run SET state = 'running', started_at = now(), attempts = 1, version_id = (
               SELECT v.id FROM configuration_version v WHERE v.entity_id = process_run.entity_id)
            WHERE tenant_id = %s AND number = %s""",
        zx.tenant.id,
        second,
    )
    ended = execute_process(tenant=zx.tenant, key=process_of(zx).key)
    assert [(run.number, run.attempts) for run in ended] == [(second, 2), (first, 1)]


def test_after_so_many_attempts_it_is_failed_and_a_person_may_try_again(zx: AWorkedOperator) -> None:
    number = ask(zx)
    zx.execute("UPDATE process_run SET attempts = %s WHERE tenant_id = %s", ATTEMPTS_MAX, zx.tenant.id)
    assert zx.work() == [
        f"{DEACTIVATION} 2026-08-10 09:00 failed: It was begun 5 times and never came to its end; the log says why."
    ]
    assert zx.state("S-A") == "effective"
    with tenant_transaction(zx.tenant.id):
        request_again(zx.tenant, number, actor="anna")
    assert zx.work() == [f"{DEACTIVATION} 2026-08-10 09:00 completed performed 1"]


def test_told_to_leave_a_billing_run_is_gone_on_with(zx: AWorkedOperator) -> None:
    zx.on("2026-08-20")
    number = ask(zx, "billing/main")
    key = process_of(zx, "billing/main").key
    leave = threading.Event()
    left = execute_process(tenant=zx.tenant, key=key, leave=leave, show=lambda *_: leave.set())
    assert [(run.state, run.billing_run, run.attempts) for run in left] == [("waiting", 2, 0)]
    done = execute_process(tenant=zx.tenant, key=key)
    assert [(run.number, run.state, run.billing_run) for run in done] == [(number, "completed", 2)]
    assert zx.rows("SELECT number, state FROM billing_run WHERE tenant_id = %s ORDER BY 1") == [
        {"number": 1, "state": "completed"},
        {"number": 2, "state": "completed"},
    ]
    assert zx.broken_promises() == []


def test_a_billing_run_that_cannot_be_planned_fails_with_the_reason(zx: AWorkedOperator) -> None:
    zx.execute(
        """UPDATE configuration_version v SET state = 'inactive', body = body || '{"state": "inactive"}'
             FROM configuration_entity e WHERE e.id = v.entity_id AND e.kind = 'receivable_definition'
              AND e.tenant_id = %s""",
        zx.tenant.id,
    )
    ask(zx, "billing/main")
    assert zx.work()[0].startswith("billing/main 2026-08-10 09:00 failed: There is no active receivable definition")
    assert len(zx.rows("SELECT FROM billing_run WHERE tenant_id = %s")) == 1


def test_what_waits_too_long_is_given_up_by_the_next_worker(zx: AWorkedOperator) -> None:
    zx.on("2026-08-11", 2)
    with tenant_transaction(zx.tenant.id):
        plan_occurrences(zx.tenant)
        assert give_up_late(zx.tenant) == 0  # the clock is simulated
    zx.execute("UPDATE base_operator SET clock_mode = 'real', clock_at = NULL WHERE tenant_id = %s", zx.tenant.id)
    zx.execute(
        "UPDATE process_run SET due_at = %s WHERE tenant_id = %s AND kind = 'deactivation'",
        now_utc() - timedelta(minutes=61),
        zx.tenant.id,
    )
    zx.execute(
        "UPDATE process_run SET due_at = %s, asked_by = 'anna' WHERE tenant_id = %s AND kind = 'settled_activation' "
        "AND state = 'waiting'",
        now_utc() - timedelta(minutes=62),
        zx.tenant.id,
    )
    with tenant_transaction(zx.tenant.id):
        assert give_up_late(zx.tenant) == 1  # what a person asked for goes on waiting
    assert [run.address for run in zx.log("waiting")] == ["settled_activation/main"]


def test_executions_do_not_pile_up_behind_one_another(zx: AWorkedOperator) -> None:
    for day in ("2026-08-11", "2026-08-12", "2026-08-13"):
        zx.on(day)
        with tenant_transaction(zx.tenant.id):
            plan_occurrences(zx.tenant)
    assert [(str(run.due_at.date()), run.state) for run in zx.log() if run.address == DEACTIVATION] == [
        ("2026-08-11", "missed"),
        ("2026-08-12", "missed"),
        ("2026-08-13", "waiting"),
    ]


def test_planning_twice_or_by_two_at_once_records_each_occurrence_once(zx: AWorkedOperator) -> None:
    zx.on("2026-08-12")
    with tenant_transaction(zx.tenant.id):
        assert plan_occurrences(zx.tenant) == 2 + 2 + 48
        assert plan_occurrences(zx.tenant) == 0
    with (
        pytest.raises(IntegrityError, match="process_run_happens_once_per_occurrence"),
        tenant_transaction(zx.tenant.id),
    ):
        execute(
            """INSERT INTO process_run SELECT (jsonb_populate_record(r, to_jsonb(r) || '{"id": 1, "number": 0}')).*
                 FROM process_run r LIMIT 1"""
        )


def test_stopping_what_nobody_executes_any_more_ends_it_at_once(zx: AWorkedOperator) -> None:
    number = ask(zx)
    zx.execute(
        """UPDATE process_run SET state = 'running', started_at = now(), version_id = (
               SELECT v.id FROM configuration_version v WHERE v.entity_id = process_run.entity_id)
            WHERE tenant_id = %s""",
        zx.tenant.id,
    )
    with tenant_transaction(zx.tenant.id):
        assert request_stop(zx.tenant, number).state == "stopped"


def test_what_was_stopped_before_it_began_is_not_begun(zx: AWorkedOperator) -> None:
    number = ask(zx)
    waiting = zx.log("waiting")[0]
    version = process_of(zx).get_version(waiting.due_at.date())
    with tenant_transaction(zx.tenant.id):
        request_stop(zx.tenant, number)
    assert record_begin(zx.tenant, waiting, version) is None
    assert [(run.state, run.attempts) for run in zx.log()] == [("stopped", 0)]


def test_a_process_is_asked_for_once_and_by_people_too(zx: AWorkedOperator) -> None:
    ask(zx)
    key = process_of(zx).key
    with tenant_transaction(zx.tenant.id):
        assert defer_process(tenant=zx.tenant, key=key, using=APP_ALIAS)
        assert not defer_process(tenant=zx.tenant, key=key, using=APP_ALIAS)
        assert find_ready(zx.tenant.id) == [key]
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = %s"
    assert fetch_rows(waiting, [f"operator_{zx.tenant.id}"], using=RUN_ALIAS) == [(1,)]
    assert zx.work() == [f"{DEACTIVATION} 2026-08-10 09:00 completed performed 1"]
    assert fetch_rows(waiting, [f"operator_{zx.tenant.id}"], using=RUN_ALIAS) == [(0,)]
    assert not is_worker_alive()


def test_jobs_of_a_worker_that_is_gone_are_done_again_unless_they_are_asked_for_anew(zx: AWorkedOperator) -> None:
    keys = [process_of(zx).key, process_of(zx, "scheduled_actions/main").key]
    with tenant_transaction(zx.tenant.id, using=RUN_ALIAS):
        for key in keys:
            defer_process(tenant=zx.tenant, key=key, using=RUN_ALIAS)
        execute(
            """WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '31 seconds')
                             RETURNING id)
               UPDATE procrastinate_jobs SET status = 'doing', worker_id = gone.id FROM gone WHERE queue_name = %s""",
            [queue := f"operator_{zx.tenant.id}"],
            using=RUN_ALIAS,
        )
        defer_process(tenant=zx.tenant, key=keys[0], using=RUN_ALIAS)
    assert asyncio.run(_retry_stalled()) == 2
    rows = fetch_rows(
        "SELECT args ->> 'kind', status::text, attempts FROM procrastinate_jobs WHERE queue_name = %s ORDER BY 1",
        [queue],
        using=RUN_ALIAS,
    )
    assert rows == [("deactivation", "todo", 0), ("scheduled_actions", "todo", 1)]
    assert asyncio.run(_retry_stalled()) == 0


async def _retry_stalled() -> int:
    app = open_worker(dict(connection_parameters("run")))
    async with app.open_async():
        return await retry_stalled(app)


def test_only_one_maintenance_is_active_and_thresholds_fit_the_currency(zx: AWorkedOperator) -> None:
    with pytest.raises(ConfigurationRefused, match="only one subscription maintenance definition may be active"):
        zx.define("subscription_maintenance_definitions: [{ code: second, name: Second }]")
    with pytest.raises(ConfigurationRefused, match="EUR has 2 decimals"):
        zx.define("deactivation_run_definitions: [{ code: exact, name: Exact, threshold: 1.234 }]")
