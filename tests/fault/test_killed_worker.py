"""The worker is killed, told to leave or stopped in the middle of thousands of actions: the result is the same."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import psycopg
import pytest

from coax.base.embedded import Cluster, create_database
from coax.base.embedded.roles import hand_over_schema
from coax.base.migrate import migrate
from coax.process.subscription_actions.maintain import ACTIONS_AT_A_TIME
from coax.subscription.types.actions import Behaviour
from tests.builders.commands import ACommand, wait_until
from tests.builders.processes import a_worked_operator
from tests.fault.billing_runs import Copy, make_copy, pointed_at

SUBSCRIPTIONS: Final = 2_400
TWICE: Final = 10  # every so many have a second, impossible action
TEMPLATE: Final = "scheduled"
# The columns of a stored action that are the same for all; of the one that a clerk has laid down the others are made.
COPIED: Final = """
INSERT INTO subscription_action
SELECT (jsonb_populate_record(a, to_jsonb(a) || jsonb_build_object(
         'id', nextval('base_object_seq'), 'bucket', u.bucket, 'account_id', u.account_id, 'subscription_id', u.id,
         'request', replace(a.request::text, '"S-A"', to_jsonb(u.code)::text)::jsonb))).*
  FROM subscription_action a, subscription_subscription u
 WHERE u.code <> 'S-A' AND a.subscription_id = (SELECT id FROM subscription_subscription WHERE code = 'S-A')
   AND {condition} ORDER BY u.bucket, u.account_id
"""
RESULT: Final = (
    "SELECT code, state, state_ends_on FROM subscription_subscription ORDER BY code",
    "SELECT account_id, code, state FROM subscription_service ORDER BY 1, 2",
    """SELECT account_id, subscription_id, behaviour, state, performed_on, reason, submitted_by
         FROM subscription_action ORDER BY 1, 2, 3, 4, 5""",
    """SELECT account_id, state, directive, effective_from, effective_to FROM subscription_service_history
        ORDER BY 1, 4, 2""",
    "SELECT kind, count(*) FROM base_outbox_fact GROUP BY 1 ORDER BY 1",
    "SELECT kind, due_at, state, done, total, counts::text, error FROM process_run ORDER BY 1, 2",
    "SELECT subject, code, reason FROM process_refusal ORDER BY 1",
)
MAINTENANCE: Final = """
subscription_maintenance_definitions:
  - code: main
    name: Maintenance
    execute_scheduled: { enabled: true, schedule: { rule: repeatedly, at: "03:00", every: { count: 1, unit: day } } }
"""
EXECUTION: Final = "SELECT state, done, counts::text FROM process_run WHERE kind = 'scheduled_actions'"


@pytest.fixture(scope="module")
def scheduled(planned: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The night before a day for which everybody has a rest scheduled, and some a second one."""
    with psycopg.connect(**{**planned.dsn("superuser", "postgres"), "autocommit": True}) as connection:
        create_database(connection, TEMPLATE)
    with psycopg.connect(**{**planned.dsn("superuser", TEMPLATE), "autocommit": True}) as connection:
        hand_over_schema(connection)
    with pointed_at(planned, TEMPLATE):
        migrate()
        _fill(tmp_path_factory.mktemp("scheduled"))
    with psycopg.connect(**planned.dsn("superuser", TEMPLATE)) as connection:
        connection.execute(COPIED.format(condition="true").encode())
        connection.execute(COPIED.format(condition=f"u.account_id % {TWICE} = 0").encode())
        connection.execute("ANALYZE")
    return planned


def _fill(path: Path) -> None:
    operator = a_worked_operator(path)
    row = {"product": "silver", "billed_until": "2026-07-01"}
    operator.subscribe(path, [{**row, "account_code": f"N{number:05}"} for number in range(SUBSCRIPTIONS)])
    operator.on("2026-07-09", 23)
    operator.define(MAINTENANCE)
    operator.act(Behaviour.REST, "S-A", "2026-07-10", ends_on="2026-07-20")
    operator.on("2026-07-10", 3)


@pytest.fixture(scope="module")
def make_scheduled(scheduled: Cluster) -> Callable[[], Copy]:
    numbers = count(1)
    return lambda: make_copy(scheduled, TEMPLATE, f"scheduled_{next(numbers)}")


@pytest.fixture(scope="module")
def undisturbed(make_scheduled: Callable[[], Copy]) -> list[list[tuple[object, ...]]]:
    copy = make_scheduled()
    assert copy.start("worker", "--once").finish().code == 0
    assert copy.query(EXECUTION)[0][0] == "completed_with_refusals"
    assert copy.broken_promises() == []
    return _read(copy)


def _read(copy: Copy) -> list[list[tuple[object, ...]]]:
    return [copy.query(statement) for statement in RESULT]


@contextmanager
def _paused(copy: Copy) -> Iterator[ACommand]:
    """A worker that stands still in its second group until the block ends."""
    last = f"""SELECT FROM subscription_subscription u JOIN (
        SELECT bucket, account_id FROM subscription_action WHERE state = 'scheduled'
        ORDER BY bucket, account_id, id OFFSET {ACTIONS_AT_A_TIME + 500} LIMIT 1) a USING (bucket, account_id)
        FOR UPDATE OF u"""
    with copy.start("worker") as worker:
        with copy.locked(last) as holder:
            wait_until(lambda: copy.count_blocked(holder) == 1, "the worker in its second group")
            yield worker
        worker.process.wait(60)


def test_killed_in_the_middle_another_worker_ends_it_alike(
    make_scheduled: Callable[[], Copy], undisturbed: list[list[tuple[object, ...]]]
) -> None:
    copy = make_scheduled()
    with _paused(copy) as worker:
        worker.kill()
    wait_until(copy.is_left_alone, "the end of the killed worker's sessions")
    assert copy.query(EXECUTION)[0][:2] == ("running", ACTIONS_AT_A_TIME)
    with copy.start("worker") as second:
        wait_until(lambda: copy.query(EXECUTION)[0][0] == "completed_with_refusals", "the end of the execution")
        second.process.send_signal(signal.SIGTERM)
        ended = second.finish()
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "Stopped.")
    assert _read(copy) == undisturbed
    assert copy.query("SELECT attempts FROM process_run WHERE kind = 'scheduled_actions'") == [(2,)]
    assert copy.broken_promises() == []


def test_told_to_leave_it_ends_its_group_and_the_rest_waits(
    make_scheduled: Callable[[], Copy], undisturbed: list[list[tuple[object, ...]]]
) -> None:
    copy = make_scheduled()
    with _paused(copy) as worker:
        worker.process.send_signal(signal.SIGTERM)
    assert (worker.process.returncode, copy.query(EXECUTION)[0][:2]) == (0, ("waiting", 2 * ACTIONS_AT_A_TIME))
    assert copy.start("worker", "--once").finish().code == 0
    assert _read(copy) == undisturbed


def test_stopped_by_a_person_it_goes_on_where_it_stood(
    make_scheduled: Callable[[], Copy], undisturbed: list[list[tuple[object, ...]]]
) -> None:
    copy = make_scheduled()
    number = "1"
    with _paused(copy) as worker:
        assert "stops after the group" in copy.start("process", "stop", number).finish().out
        worker.process.send_signal(signal.SIGINT)
    assert copy.query(EXECUTION)[0][:2] == ("stopped", 2 * ACTIONS_AT_A_TIME)
    assert copy.start("worker", "--once").finish().out == "0 executed.\n"  # by itself nobody goes on with it
    resumed = copy.start("process", "resume", number).finish()
    assert (resumed.code, copy.query(EXECUTION)[0][2]) == (0, undisturbed[5][0][5])
    found = _read(copy)
    by = {row[-1] for row in found[2]}
    assert len(by) == 3  # the clerk who laid the actions down, the schedule, and who resumed
    assert [row[:-1] for row in found[2]] == [row[:-1] for row in undisturbed[2]]
    assert (found[:2], found[3:5]) == (undisturbed[:2], undisturbed[3:5])


def test_a_worker_that_loses_the_database_ends_with_3_and_the_next_one_goes_on(
    make_scheduled: Callable[[], Copy], undisturbed: list[list[tuple[object, ...]]]
) -> None:
    copy = make_scheduled()
    with _paused(copy) as worker:
        copy.cluster.stop("immediate")
        ended = worker.finish()
    assert ended.code == 3
    assert "The database does not answer or gave up in the middle: the worker has lost its connection" in ended.message
    copy.cluster.start()
    assert copy.query(EXECUTION)[0][:2] == ("running", ACTIONS_AT_A_TIME)
    assert copy.start("worker", "--once").finish().code == 0
    assert _read(copy) == undisturbed
