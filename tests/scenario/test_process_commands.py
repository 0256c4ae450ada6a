"""Processes at the keyboard, and a worker beside: `coax process`, `coax worker`, `coax clock advance --work`."""

from __future__ import annotations

import json
import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from coax.base.clock import now_utc
from coax.base.db import fetch_rows
from coax.base.tenancy import RUN_ALIAS
from tests.builders.commands import Ended, run_coax, start_coax, wait_until
from tests.builders.processes import BERLIN, NIGHTLY, AWorkedOperator, a_worked_operator


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AWorkedOperator:
    return a_worked_operator(tmp_path)


def coax(zx: AWorkedOperator, *arguments: str) -> Any:
    ended = run_coax(*arguments, "--tenant", zx.tenant.code, "--json")
    assert ended.code == 0, ended
    return json.loads(ended.out)


def say(zx: AWorkedOperator, *arguments: str) -> Ended:
    return run_coax(*arguments, "--tenant", zx.tenant.code)


def test_a_night_at_the_keyboard(zx: AWorkedOperator) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    zx.on("2026-08-13")
    listed = {one["process"]: one for one in coax(zx, "process", "list")}
    assert listed["deactivation/overdue"]["next_at"] == "2026-08-14T02:00:00+02:00"
    assert listed["deactivation/overdue"]["oldest_missed_at"] == "2026-08-11T02:00:00+02:00"
    assert {name: one["missed"] for name, one in listed.items()} == {
        "deactivation/overdue": 2,
        "scheduled_actions/main": 2,
        "settled_activation/main": 71,
        "billing/main": 0,
    }
    done = coax(zx, "worker", "--once")
    assert {one["process"] for one in done} == set(listed) - {"billing/main"}
    made_up = coax(zx, "process", "run", "deactivation", "--missed")
    assert (made_up["state"], made_up["due_at"]) == ("completed", "2026-08-11T02:00:00+02:00")
    again = coax(zx, "process", "run", "deactivation/overdue")
    assert (again["state"], again["counts"], again["by_schedule"]) == ("completed", {}, False)
    missed = coax(zx, "process", "runs", "--process", "deactivation", "--state", "missed")
    assert [run["due_at"] for run in missed] == ["2026-08-12T02:00:00+02:00"]
    stopped = coax(zx, "process", "stop", str(missed[0]["run"]))
    assert coax(zx, "process", "show", str(stopped["run"]))["state"] == "stopped"
    assert coax(zx, "process", "give-up", "settled_activation")["given_up"] == 71
    assert coax(zx, "process", "resume", str(stopped["run"]))["state"] == "completed"


def test_refusals_at_the_keyboard(zx: AWorkedOperator) -> None:
    unknown = say(zx, "process", "run", "nonsense")
    assert (unknown.code, "'nonsense' is unknown; there are: billing/main." in unknown.message) == (1, True)
    assert "There is no execution 7" in say(zx, "process", "show", "7").message
    zx.define(NIGHTLY)
    unclear = say(zx, "process", "run", "main")
    assert "'main' is not clear; there are: scheduled_actions/main, settled_activation/main" in unclear.message
    assert "Nothing of deactivation/overdue is missed." in say(zx, "process", "run", "overdue", "--missed").message
    assert zx.log() == []


def test_the_clock_is_advanced_working(zx: AWorkedOperator) -> None:
    zx.on("2026-08-10", 8)
    zx.define(NIGHTLY.replace("unit: hour", "unit: day"))
    ended = say(zx, "clock", "advance", "--days", "2", "--work")
    lines = ended.out.splitlines()
    assert [line.partition(" ")[2] for line in lines[:-1]] == [
        "settled_activation/main of 2026-08-11 00:00: completed, nothing to do",
        "deactivation/overdue of 2026-08-11 02:00: completed, 1 performed",
        "scheduled_actions/main of 2026-08-11 03:00: completed, nothing to do",
        "settled_activation/main of 2026-08-12 00:00: completed, nothing to do",
        "deactivation/overdue of 2026-08-12 02:00: completed, nothing to do",
        "scheduled_actions/main of 2026-08-12 03:00: completed, nothing to do",
    ]
    assert lines[-1].startswith("2026-08-12 08:00 Europe/Berlin")


def test_a_worker_beside_the_console_executes_by_the_real_clock_until_it_is_told_to_leave(
    zx: AWorkedOperator,
) -> None:
    """What was due two minutes ago is executed, what was due two hours ago is missed; then somebody asks for more."""
    zx.execute("UPDATE base_operator SET clock_mode = 'real', clock_at = NULL WHERE tenant_id = %s", zx.tenant.id)
    late, recent = (now_utc() - timedelta(minutes=minutes) for minutes in (120, 2))
    zx.define(_once("late", late) + _once("recent", recent, heading=False))
    zx.execute(
        "UPDATE process_plan SET planned_until = %s WHERE tenant_id = %s", late - timedelta(hours=1), zx.tenant.id
    )
    with start_coax("worker", "--operator", zx.tenant.code) as worker:
        wait_until(lambda: [run.code for run in zx.log("completed")] == ["recent"], "the recent one")
        assert [run.code for run in zx.log("missed")] == ["late"]
        assert fetch_rows("SELECT count(*) FROM procrastinate_workers", using=RUN_ALIAS) == [(1,)]
        worker.process.send_signal(signal.SIGTERM)
        ended = worker.finish()
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == "The worker works for Company ZX; Ctrl-C stops it."
    assert ended.out.splitlines()[-1] == "Stopped."
    assert fetch_rows("SELECT count(*) FROM procrastinate_workers", using=RUN_ALIAS) == [(0,)]


def _once(code: str, at: datetime, *, heading: bool = True) -> str:
    local = at.astimezone(BERLIN)
    schedule = f'{{ rule: once, date: {local:%Y-%m-%d}, at: "{local:%H:%M}" }}'
    lines = f"  - {{ code: {code}, name: {code}, schedule: {schedule} }}\n"
    return ("deactivation_run_definitions:\n" if heading else "") + lines
