"""An operator leaves the nights to the worker: debtors are cut off, who pays is back, what was missed shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from coax.base.tenancy import tenant_transaction
from coax.process.recurring.queries import get_process
from coax.process.recurring.request import (
    EarlierIsMissed,
    NothingMissed,
    ProcessRunNotRequestable,
    ProcessRunOver,
    give_up_missed,
    request_again,
    request_missed,
    request_stop,
)
from coax.process.recurring.types import DefinitionNotInForce
from coax.subscription.types.actions import Behaviour
from tests.builders.processes import NIGHTLY, AWorkedOperator, a_worked_operator

DEACTIVATION, SCHEDULED, SETTLED = "deactivation/overdue", "scheduled_actions/main", "settled_activation/main"


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AWorkedOperator:
    return a_worked_operator(tmp_path)


def test_without_a_definition_nothing_happens_by_itself(zx: AWorkedOperator) -> None:
    """R121, R128: a debtor stays on, a scheduled action waits, and who has paid stays off."""
    zx.on("2026-08-11")
    zx.act(Behaviour.REST, "S-A", "2026-08-20", ends_on="2026-09-05")
    with zx.nothing_changes():
        assert zx.work() == []
        assert zx.work_until("2026-09-10T09:00") == []
    assert (zx.log(), zx.state("S-A")) == ([], "effective")


def test_cut_off_overnight_paid_and_back_within_the_hour(zx: AWorkedOperator) -> None:
    zx.on("2026-08-10", 12)
    zx.define(NIGHTLY)
    assert zx.work() == []  # tonight is yet to come
    zx.on("2026-08-11", 2)
    assert zx.work() == [
        f"{DEACTIVATION} 2026-08-11 02:00 completed performed 1",
        f"{SETTLED} 2026-08-11 02:00 completed",
    ]
    assert zx.state("S-A") == "not_effective"
    zx.on("2026-08-11", 10)
    zx.pay("A", "36.89", "2026-08-11")
    zx.work()
    assert zx.state("S-A") == "effective"
    assert zx.log()[-1].counts == {"performed": 1}
    assert {(action.behaviour, action.submitted_by) for action in zx.actions("S-A")} == {
        ("deactivate", "schedule"),
        ("activate", "schedule"),
    }
    assert zx.work() == []
    assert zx.broken_promises() == []


def test_a_missed_night_is_shown_and_made_up_for_on_request(zx: AWorkedOperator) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    zx.on("2026-08-13", 1)  # nobody worked on the 11th and the 12th
    overview = zx.overview(DEACTIVATION)
    assert (overview.missed, zx.state("S-A")) == (1, "effective")  # by a simulated clock the last one is still due
    assert zx.work()[-1].startswith(SETTLED)
    assert zx.missed(DEACTIVATION) == ["2026-08-11 02:00"]
    assert zx.state("S-A") == "not_effective"  # by the occurrence of the 12th
    assert zx.work() == []  # what was missed is not caught up with by itself
    assert zx.make_up(DEACTIVATION) == f"{DEACTIVATION} 2026-08-11 02:00 completed"
    with pytest.raises(NothingMissed), tenant_transaction(zx.tenant.id):
        request_missed(zx.tenant, get_process(zx.tenant, "deactivation"), actor="anna")


def test_what_was_missed_is_made_up_for_oldest_first_or_given_up(zx: AWorkedOperator) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    zx.on("2026-08-14")
    zx.work()
    assert zx.missed(SCHEDULED) == ["2026-08-11 03:00", "2026-08-12 03:00", "2026-08-13 03:00"]
    first, second, third = (run for run in zx.log("missed") if run.address == SCHEDULED)
    with pytest.raises(EarlierIsMissed, match=f"Execution {first.number} "), tenant_transaction(zx.tenant.id):
        request_again(zx.tenant, second.number, actor="anna")
    with tenant_transaction(zx.tenant.id):
        assert request_stop(zx.tenant, first.number).state == "stopped"
        request_again(zx.tenant, second.number, actor="anna")
    assert zx.work() == [f"{SCHEDULED} 2026-08-12 03:00 completed"]
    with tenant_transaction(zx.tenant.id):
        assert give_up_missed(zx.tenant, get_process(zx.tenant, SCHEDULED)) == 1
        with pytest.raises(ProcessRunNotRequestable, match="is completed"):
            request_again(zx.tenant, second.number, actor="anna")
        with pytest.raises(ProcessRunOver, match="is stopped"):
            request_stop(zx.tenant, third.number)
    assert zx.missed(SCHEDULED) == []


def test_scheduled_actions_are_executed_on_their_day_and_refusals_are_logged(zx: AWorkedOperator) -> None:
    zx.on("2026-07-01")
    zx.pay("A", "36.89", "2026-07-01")
    zx.define(NIGHTLY.replace("unit: hour", "unit: day"))
    zx.act(Behaviour.REST, "S-A", "2026-07-10", ends_on="2026-07-20")
    zx.act(Behaviour.REST, "S-A", "2026-07-10", ends_on="2026-07-20")  # the second one will not be allowed
    zx.on("2026-07-10", 4)
    assert f"{SCHEDULED} 2026-07-10 03:00 completed_with_refusals performed 1 refused 1" in zx.work()
    refused = next(run for run in zx.log("completed_with_refusals"))
    assert zx.refusals(refused.number) == [("S-A", "state")]
    assert zx.state("S-A") == "in_resting"
    zx.work_until("2026-07-20T04:00")
    assert zx.state("S-A") == "effective"
    assert zx.broken_promises() == []


def test_a_debtor_does_not_come_back_from_a_rest(zx: AWorkedOperator) -> None:
    """S13: the deactivation comes before the scheduled end, and the end has then nothing to bring back."""
    zx.on("2026-08-01")
    zx.define(NIGHTLY.replace("unit: hour", "unit: day"))
    zx.act(Behaviour.REST, "S-A", "2026-08-01", ends_on="2026-08-15")
    assert f"{DEACTIVATION} 2026-08-15 02:00 completed performed 1" in zx.work_until("2026-08-15T02:30")
    assert zx.state("S-A") == "not_effective"
    zx.work_until("2026-08-16T04:00")
    assert zx.state("S-A") == "not_effective"
    assert zx.broken_promises() == []


def test_grace_is_waited_for_and_a_free_service_is_spared(zx: AWorkedOperator) -> None:
    """S14, S15."""
    zx.on("2026-08-10")
    zx.define(NIGHTLY.replace("unit: hour", "unit: day"))
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-08-10", product_code="news")
    zx.act(Behaviour.EXTEND_GRACE, "S-A", "2026-08-10", ends_on="2026-08-14")
    done = zx.work_until("2026-08-15T02:30")
    nights = [line for line in done if line.startswith(DEACTIVATION)]
    assert nights == [
        f"{DEACTIVATION} 2026-08-11 02:00 completed",
        f"{DEACTIVATION} 2026-08-12 02:00 completed",
        f"{DEACTIVATION} 2026-08-13 02:00 completed",
        f"{DEACTIVATION} 2026-08-14 02:00 completed performed 1",
        f"{DEACTIVATION} 2026-08-15 02:00 completed spared 1",
    ]
    assert zx.services("S-A") == {"news": "effective", "silver": "not_effective"}


@pytest.mark.parametrize(
    ("occasions", "state"),
    [
        ("{}", "not_effective"),
        ("{ resting_ends: false }", "in_resting"),
        ("{ unsettled: false, grace_ends: false, short_term_ends: false }", "not_effective"),
        ("{ look_back_days: 1 }", "in_resting"),
    ],
)
def test_occasions_say_which_ends_are_looked_at(zx: AWorkedOperator, occasions: str, state: str) -> None:
    zx.on("2026-08-01")
    zx.define(
        "deactivation_run_definitions: [{ code: overdue, name: Overdue, basis: outstanding_amount, occasions: "
        + occasions
        + " }]"
    )
    zx.act(Behaviour.REST, "S-A", "2026-08-01", ends_on="2026-08-15")
    zx.on("2026-08-17")
    assert zx.run_now("overdue").startswith(f"{DEACTIVATION} 2026-08-17 09:00 completed")
    assert zx.state("S-A") == state


def test_at_most_so_many_in_one_execution_the_next_takes_the_rest(zx: AWorkedOperator, tmp_path: Path) -> None:
    rows = [{"account_code": code, "product": "silver", "billed_until": "2026-08-01"} for code in "BCDE"]
    zx.subscribe(tmp_path, rows)
    zx.on("2026-07-20")
    zx.bill("2026-07-20")
    zx.on("2026-09-15")
    throttling = "{ group_size: 2, max_per_execution: 3 }"
    definition = f"{{ code: overdue, name: O, basis: outstanding_amount, throttling: {throttling} }}"
    zx.define(f"deactivation_run_definitions: [{definition}]")
    ran = [zx.run_now("overdue") for _ in range(3)]
    assert [line.partition("completed")[2] for line in ran] == [" performed 3", " performed 2", ""]
    assert {zx.state(f"S-{code}") for code in "ABCDE"} == {"not_effective"}


def test_the_monthly_billing_run_by_schedule_over_three_months(zx: AWorkedOperator) -> None:
    definition = _billing_definition(zx)
    zx.on("2026-06-25")
    zx.define(definition.replace("start_date: 2026-06-20", 'start_date: 2026-06-20\n    execute_at: "04:00"'))
    assert zx.work_until("2026-09-25T12:00") == [
        "billing/main 2026-07-20 04:00 completed bills 1 total_minor 3689",
        "billing/main 2026-08-20 04:00 completed bills 1 total_minor 3689",
        "billing/main 2026-09-20 04:00 completed bills 1 total_minor 3689",
    ]
    assert [f"{start:%m}" for start, _ in zx.periods("A")] == ["07", "08", "09", "10"]
    assert [str(bill["transaction_date"]) for bill in zx.bills()] == [
        "2026-06-21",
        "2026-07-21",
        "2026-08-21",
        "2026-09-21",
    ]
    assert zx.broken_promises() == []


def test_missed_billing_runs_are_made_up_for_period_by_period(zx: AWorkedOperator) -> None:
    definition = _billing_definition(zx)
    zx.on("2026-06-25")
    zx.define(definition.replace("start_date: 2026-06-20", 'start_date: 2026-06-20\n    execute_at: "04:00"'))
    zx.on("2026-08-25")
    assert zx.work() == []  # not even the latest: July comes first
    assert zx.missed("billing/main") == ["2026-07-20 04:00", "2026-08-20 04:00"]
    zx.on("2026-09-21")
    assert zx.work() == []
    for month in ("07", "08", "09"):
        assert zx.make_up("billing/main").startswith(f"billing/main 2026-{month}-20 04:00 completed bills 1 ")
    assert [str(bill["transaction_date"]) for bill in zx.bills()][1:] == ["2026-07-21", "2026-08-21", "2026-09-21"]
    zx.on("2026-10-20")
    assert [line[:32] for line in zx.work()] == ["billing/main 2026-10-20 04:00 co"]
    assert zx.broken_promises() == []


def test_a_changed_schedule_holds_from_now_on_and_what_was_due_before_stays_so(zx: AWorkedOperator) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    zx.on("2026-08-13")
    zx.define(NIGHTLY.replace('at: "02:00"', 'at: "05:00"'))
    assert zx.missed(DEACTIVATION) == ["2026-08-11 02:00", "2026-08-12 02:00"]
    zx.on("2026-08-14")
    assert [line for line in zx.work() if line.startswith(DEACTIVATION)] == [
        f"{DEACTIVATION} 2026-08-14 05:00 completed performed 1"
    ]


def test_an_inactive_definition_is_not_executed_and_a_used_version_is_frozen(zx: AWorkedOperator) -> None:
    zx.on("2026-08-10")
    zx.define(NIGHTLY)
    zx.on("2026-08-11")
    zx.work()
    zx.define(NIGHTLY.replace("name: Overdue", "name: Overdue\n    state: inactive"))
    run = zx.log("completed")[0]
    assert (run.version, zx.overview(DEACTIVATION).next_at) == (1, None)
    with pytest.raises(DefinitionNotInForce, match="is not active on 2026-08-11"):
        zx.run_now("overdue")
    zx.on("2026-08-20")
    assert [line for line in zx.work() if line.startswith(DEACTIVATION)] == []


def test_a_year_of_an_operator(zx: AWorkedOperator) -> None:
    """Weekly deactivation and maintenance and twelve billing runs, each at its time; the customer pays late."""
    definition = _billing_definition(zx)
    zx.on("2026-06-25")
    zx.define(definition.replace("start_date: 2026-06-20", 'start_date: 2026-06-20\n    execute_at: "04:00"'))
    weekly = "start_date: 2026-06-29, every: { count: 1, unit: week }"
    zx.define(
        NIGHTLY.replace("every: { count: 1, unit: day }", weekly).replace("every: { count: 1, unit: hour }", weekly)
    )
    done = [*zx.work_until("2026-08-15T09:00")]
    assert zx.state("S-A") == "not_effective"
    zx.pay("A", "500.00", "2026-08-15")
    done += zx.work_until("2027-06-25T09:00")
    assert zx.state("S-A") == "effective"
    assert len(done) == 3 * 52 + 12
    assert [line for line in done if " completed" not in line] == []
    assert zx.log("missed", "failed", "waiting") == []
    assert zx.broken_promises() == []


def _billing_definition(zx: AWorkedOperator) -> str:
    text = (Path(__file__).parents[2] / "examples/company-zx/run-definition.yaml").read_text(encoding="utf-8")
    return text.partition("receivable_definitions")[0].replace("minimum_debit: 5", "minimum_debit: 0")
