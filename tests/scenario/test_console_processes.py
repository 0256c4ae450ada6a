"""A supervisor looks in the morning what the worker did, makes up for a missed night, and reads refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from coax.party.types import StaffRole
from coax.subscription.types.actions import Behaviour
from tests.builders.consoles import AConsole, at_console
from tests.builders.processes import NIGHTLY, AWorkedOperator, a_worked_operator


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AWorkedOperator:
    return a_worked_operator(tmp_path)


@pytest.fixture
def console(zx: AWorkedOperator) -> AConsole:
    return at_console(zx.tenant, StaffRole.SUPERVISOR)


def test_without_a_definition_the_page_says_where_to_make_one(zx: AWorkedOperator) -> None:
    page = at_console(zx.tenant, StaffRole.AUDITOR).get("processes/")
    assert "billing" in page.text.lower()
    assert "Run now" not in page.text


def test_a_missed_night_is_made_up_for(zx: AWorkedOperator, console: AConsole) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    zx.on("2026-08-11")
    page = console.get("processes/")
    assert "Run the missed of 2026-08-11 02:00" not in page.text  # by a simulated clock the latest is still due
    zx.on("2026-08-12")
    assert "Run the missed of 2026-08-11 02:00" in console.get("processes/").text
    zx.work()
    asked = console.follow(console.post("processes/missed/deactivation/overdue"))
    assert "Waits for a worker." in asked.text
    assert "No worker is running" in asked.text
    assert zx.work()[0].startswith("deactivation/overdue 2026-08-11 02:00 completed")
    number = next(run.number for run in zx.log("completed") if run.asked_by == "supervisor")
    done = console.get(f"processes/of/{number}/")
    assert ("Completed" in done.text, "supervisor" in done.text) == (True, True)
    assert console.get(f"processes/of/{number}/progress").headers["HX-Refresh"] == "true"
    assert console.post(f"processes/of/{number}/resume").status == 302
    assert "only one that was missed, failed or was stopped" in console.get(f"processes/of/{number}/").text


def test_what_was_missed_is_given_up_and_stays_in_the_log(zx: AWorkedOperator, console: AConsole) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    zx.on("2026-08-14")
    given_up = console.follow(console.post("processes/give-up/scheduled_actions/main"))
    assert "3 missed of scheduled actions given up" in given_up.text
    log = console.get("processes/log", process="scheduled_actions/main", state="stopped")
    assert [day in log.text for day in ("2026-08-11", "2026-08-12", "2026-08-13")] == [True] * 3
    assert "2026-08-14 03:00" in console.get("processes/log", process="scheduled_actions/main").text


def test_refusals_are_shown_with_the_rule(zx: AWorkedOperator, console: AConsole) -> None:
    zx.on("2026-07-01")
    zx.define(NIGHTLY)
    for _ in range(2):
        zx.act(Behaviour.REST, "S-A", "2026-07-02", ends_on="2026-07-20")
    zx.on("2026-07-02")
    zx.work()
    number = zx.log("completed_with_refusals")[0].number
    page = console.get(f"processes/of/{number}/")
    assert ("S-A" in page.text, "Refused and spared" in page.text) == (True, True)
    assert f"/console/processes/of/{number}/" in console.get("processes/").text


def test_a_waiting_execution_is_stopped(zx: AWorkedOperator, console: AConsole) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    asked = console.post("processes/run/deactivation/overdue")
    number = zx.log("waiting")[0].number
    assert asked.location == f"/console/processes/of/{number}/"
    assert "is stopped" in console.follow(console.post(f"processes/of/{number}/stop")).text
    assert zx.work() == []
    assert zx.state("S-A") == "effective"


@pytest.mark.parametrize("role", [StaffRole.AUDITOR, StaffRole.CLERK])
def test_who_may_only_look_executes_nothing(zx: AWorkedOperator, role: StaffRole) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    looking = at_console(zx.tenant, role)
    page = looking.get("processes/")
    assert (page.status, "Run now" in page.text) == (200, False)
    for path in ("run/deactivation/overdue", "missed/deactivation/overdue", "give-up/deactivation/overdue"):
        assert looking.post(f"processes/{path}").status == 403
    for path in ("stop", "resume"):
        assert looking.post(f"processes/of/1/{path}").status == 403
    assert zx.log() == []


def test_unknown_processes_and_executions_are_not_found(console: AConsole) -> None:
    assert console.get("processes/of/99/").status == 404
    assert console.post("processes/run/deactivation/none").status == 404
    assert console.get("processes/log", process="none").status == 404


def test_a_definition_is_made_in_the_console_without_and_with_a_schedule(zx: AWorkedOperator) -> None:
    console = at_console(zx.tenant)
    blank = console.get("configuration/deactivation_run_definition/new")
    saved = console.post(
        "configuration/deactivation_run_definition/new", blank.form(code="debt", name="Debt", basis="credit_limit")
    )
    assert (saved.status, saved.faults) == (302, [])
    zx.on("2026-06-21")
    filled = console.follow(saved)
    nightly = filled.form(
        schedule__rule="repeatedly", schedule__at="02:00", schedule__every__count="1", schedule__every__unit="day"
    )
    assert console.post("configuration/deactivation_run_definition/of/debt/", nightly).status == 302
    next_at = zx.overview("deactivation/debt").next_at
    assert next_at is not None
    assert f"{next_at:%Y-%m-%d %H:%M}" == "2026-06-22 00:00"  # 02:00 in Berlin
    wrong = console.get("configuration/deactivation_run_definition/of/debt/").form(schedule__every__count="2")
    refused = console.post("configuration/deactivation_run_definition/of/debt/", wrong)
    assert refused.faults == ["Required, because the recurrence is counted from it"]
