"""A run is stopped to be inspected; what was inspected is posted, unless an account changed meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from coax.base.tenancy import tenant_transaction
from coax.billing.types import STEP_ORDER, RunCriteria, RunKind, RunStep
from coax.party.queries.accounts import get_account
from coax.process.billing_run.execute import RunEnded, cancel_run, execute_run
from coax.process.payments.receive import PaymentRequest, receive_payment
from coax.subscription.operations.end_service import end_service
from tests.builders.operators import AnOperator, an_operator
from tests.scenario.test_company_zx import NO_TAX, assert_verified, day


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AnOperator:
    operator = an_operator(**NO_TAX)
    operator.subscribe(tmp_path, [{"account_code": code, "billed_until": "2026-07-01"} for code in "ABCDE"])
    operator.bill("2026-06-20", "2026-07-01")
    operator.execute("UPDATE base_operator SET clock_at = '2026-07-20' WHERE tenant_id = %s", operator.tenant.id)
    return operator


def end(operator: AnOperator, account: str, on: str) -> None:
    with tenant_transaction(operator.tenant.id):
        end_service(
            tenant_id=operator.tenant.id,
            subscription_code=f"S-{account}",
            service_code="eurosports-1",
            on=day(on),
            actor="clerk",
        )


def pay(operator: AnOperator, account: str, amount: str) -> None:
    receive_payment(tenant=operator.tenant, request=PaymentRequest(account_code=account, amount=amount))


def bills_of(operator: AnOperator, run: int) -> list[tuple[str, int, int, int]]:
    names = ("account", "number", "total_minor", "brought_forward_minor")
    return sorted(tuple(bill[name] for name in names) for bill in operator.bills(run))  # type: ignore[misc]


def test_who_ended_is_refused_and_stays_due_and_who_paid_is_billed(zx: AnOperator) -> None:
    stopped = zx.bill("2026-07-20", "2026-08-01", until=RunStep.ASSEMBLING)
    assert (stopped.run.state, stopped.sums["bills"]) == ("assembling", 5)
    end(zx, "B", "2026-07-11")
    pay(zx, "C", "10")
    pay(zx, "D", "30")

    posted = execute_run(run_id=stopped.run.id, workers=1)

    assert posted.run.state == "completed"
    assert [posted.sums[name] for name in ("due", "billed", "pending", "refused", "bills")] == [5, 4, 0, 1, 4]
    assert bills_of(zx, 2) == [("A", 6, 1250, 1250), ("C", 7, 1250, 250), ("D", 8, 1250, -1750), ("E", 9, 1250, 1250)]
    assert [(row["account"], row["outcome"], row["reason"]) for row in zx.outcomes()] == [
        ("B", "refused", "account_changed")
    ]
    assert zx.rows("SELECT number FROM base_number_gap WHERE tenant_id = %s") == [{"number": 10}]
    assert (zx.rated_up_to("B"), zx.rated_up_to("D")) == (day("2026-08-01"), day("2026-09-01"))
    assert zx.rows("SELECT count(*) AS n FROM billing_run_stage WHERE tenant_id = %s") == [{"n": 0}]
    assert_verified(zx)

    zx.bill("2026-08-20")
    assert sorted(bill["number"] for bill in zx.bills(3)) == [10, 11, 12, 13, 14]
    assert [bill for bill in bills_of(zx, 3) if bill[0] == "B"] == [("B", 11, -847, 1250)]
    assert zx.rated_up_to("B") == day("2026-07-11")
    assert_verified(zx)


def test_a_service_moved_meanwhile_that_has_no_bill_does_not_stop_the_others(zx: AnOperator, tmp_path: Path) -> None:
    """Billed elsewhere beyond its end, it only moves back to it; a run of its account alone was quicker."""
    zx.subscribe(tmp_path, [{"account_code": "F", "billed_until": "2026-11-01"}])
    end(zx, "F", "2026-08-15")
    stopped = zx.bill("2026-07-20", "2026-08-01", until=RunStep.ASSEMBLING)
    with tenant_transaction(zx.tenant.id):
        criteria = RunCriteria(account_ids=(get_account(zx.tenant.id, "F").account_id,))
    alone = zx.bill("2026-07-20", "2026-08-01", kind=RunKind.INDIVIDUAL, criteria=criteria)
    assert (alone.sums["due"], alone.sums["bills"], zx.rated_up_to("F")) == (0, 0, day("2026-08-15"))

    posted = execute_run(run_id=stopped.run.id, workers=1)
    assert [posted.sums[name] for name in ("due", "billed", "refused", "bills")] == [5, 5, 0, 5]
    assert zx.rated_up_to("F") == day("2026-08-15")
    assert_verified(zx)


def test_a_run_stopped_after_each_step_posts_what_an_undivided_one_posts(database: str, tmp_path: Path) -> None:
    results = []
    for steps in ((RunStep.FORMATTING,), tuple(RunStep)):
        operator = an_operator()
        operator.subscribe(
            tmp_path,
            [
                {"account_code": "A", "billed_until": "2026-07-01"},
                {"account_code": "B", "frequency": "biannual", "billed_until": "2026-07-01"},
                {"account_code": "C", "effective_from": "2026-06-11"},
                {"account_code": "D", "agreed_price": "2", "billed_until": "2026-07-01"},
            ],
        )
        run = operator.bill("2026-06-20", "2026-07-01", until=RunStep.IDENTIFICATION).run
        for step in steps:
            result = execute_run(run_id=run.id, until=step, workers=1)
            assert result.run.state == (step if STEP_ORDER[step] < STEP_ORDER[RunStep.POSTING] else "completed")
            if result.run.state == "completed":
                break
        assert_verified(operator)
        bills = [{name: value for name, value in bill.items() if name != "run_id"} for bill in operator.bills()]
        results.append((result.sums, bills, *(operator.items(account) for account in "ABCD"), operator.outcomes()))
    assert results[0] == results[1]


def test_a_cancelled_run_leaves_everything_due(zx: AnOperator) -> None:
    stopped = zx.bill("2026-07-20", "2026-08-01", until=RunStep.ASSEMBLING)
    assert cancel_run(run_id=stopped.run.id).state == "cancelled"
    with pytest.raises(RunEnded, match="Run 2 is cancelled"):
        execute_run(run_id=stopped.run.id)
    assert zx.rows("SELECT count(*) AS n FROM billing_run_stage WHERE tenant_id = %s") == [{"n": 0}]
    assert zx.rated_up_to("A") == day("2026-08-01")
    assert zx.bill("2026-07-21", "2026-08-01").sums["bills"] == 5
    assert [bill["number"] for bill in zx.bills()] == list(range(1, 11))
    assert_verified(zx)
