"""A clerk looks at one account's next bill, bills it alone, and tries a whole run without keeping it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from coax.base.tenancy import tenant_transaction
from coax.billing.types import RunCriteria, RunKind, RunState, RunStep
from coax.party.queries.accounts import get_account
from coax.process.billing_run.bill_one import bill_individually
from coax.process.billing_run.execute import cancel_run, execute_run
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.billing_run.preview import preview_bill
from coax.process.bills.compose import compose_document
from coax.process.bills.publish import to_data
from coax.process.verify import verify_tenant
from tests.builders.operators import AnOperator, an_operator

JULY = RunRequest(execution_date=date(2026, 7, 20), bill_as_of=date(2026, 8, 1))
COUNTED = (
    "billing_run",
    "billing_bill",
    "rating_rated_item",
    "ledger_entry",
    "base_number_series",
    "billing_run_stage",
)


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AnOperator:
    operator = an_operator()
    operator.subscribe(
        tmp_path,
        [
            {"account_code": "A", "billed_until": "2026-08-01"},
            {"account_code": "A", "subscription_code": "S-A2", "billed_until": "2026-08-01"},
            {"account_code": "B", "billed_until": "2026-08-01"},
            {"account_code": "C", "agreed_price": "1", "billed_until": "2026-08-01"},
        ],
    )
    return operator


def key(operator: AnOperator, code: str) -> int:
    with tenant_transaction(operator.tenant.id):
        return get_account(operator.tenant.id, code).account_id


def counts(operator: AnOperator) -> dict[str, int]:
    return {
        table: operator.rows(f"SELECT count(*) AS n FROM {table} WHERE tenant_id = %s")[0]["n"] for table in COUNTED
    }


def test_a_preview_is_the_bill_that_comes_and_leaves_nothing(zx: AnOperator) -> None:
    before = counts(zx)
    found = preview_bill(tenant=zx.tenant, account_id=key(zx, "A"), request=JULY)
    assert counts(zx) == before
    assert found.facts is not None
    shown = to_data(compose_document(found.facts))
    assert shown["total"] == "29.75"
    zx.bill("2026-07-20", "2026-08-01")
    (billed,) = [row for row in zx.bills() if row["account"] == "A"]
    assert billed["total_minor"] == 2975


def test_a_preview_says_what_would_wait(zx: AnOperator) -> None:
    found = preview_bill(tenant=zx.tenant, account_id=key(zx, "C"), request=JULY)
    assert found.facts is None
    assert [(row["outcome"], row["amount_micro"]) for row in found.not_billed] == [("pending", 1_190_000)]


def test_bill_account_and_then_the_run_bills_the_others(zx: AnOperator) -> None:
    result = bill_individually(tenant=zx.tenant, request=JULY, criteria=RunCriteria(account_ids=(key(zx, "A"),)))
    assert (result.run.kind, result.run.state) == (RunKind.INDIVIDUAL, RunState.COMPLETED)
    assert [(row["account"], row["total_minor"]) for row in zx.bills()] == [("A", 2975)]
    zx.bill("2026-07-20", "2026-08-01")
    assert [(row["account"], row["number"]) for row in zx.bills()] == [("A", 1), ("B", 2)]
    assert all(result.is_kept for result in verify_tenant(tenant=zx.tenant))


def test_bill_subscription_bills_one_of_an_account(zx: AnOperator) -> None:
    rows = zx.rows("SELECT id, account_id FROM subscription_subscription WHERE tenant_id = %s AND code = 'S-A2'")
    criteria = RunCriteria(account_ids=(rows[0]["account_id"],), subscription_ids=(rows[0]["id"],))
    bill_individually(tenant=zx.tenant, request=JULY, criteria=criteria)
    assert [row["total_minor"] for row in zx.bills()] == [1488]
    zx.bill("2026-07-20", "2026-08-01")
    assert sorted(row["total_minor"] for row in zx.bills()) == [1488, 1488, 1488]


def test_a_dry_run_counts_everything_and_keeps_nothing(zx: AnOperator) -> None:
    before = counts(zx)
    request = RunRequest(execution_date=JULY.execution_date, bill_as_of=JULY.bill_as_of, is_dry=True)
    run_id = plan_run(tenant=zx.tenant, request=request)
    dry = execute_run(run_id=run_id, workers=1)
    cancel_run(run_id=run_id)
    after = counts(zx)
    assert {**after, "billing_run": 0, "base_number_series": 0} == {**before, "billing_run": 0, "base_number_series": 0}
    real = zx.bill("2026-07-20", "2026-08-01")
    named = ("due", "billed", "pending", "refused", "bills", "items", "net_micro", "tax_micro", "total_minor")
    assert [dry.sums[name] for name in named] == [real.sums[name] for name in named]


@pytest.mark.parametrize("step", [RunStep.IDENTIFICATION, RunStep.RATING, RunStep.INVOICING, RunStep.ASSEMBLING])
def test_a_run_stops_after_a_step_and_posts_what_was_inspected(zx: AnOperator, step: RunStep) -> None:
    stopped = zx.bill("2026-07-20", "2026-08-01", until=step)
    assert stopped.run.state.value == step.value
    assert zx.bills() == []
    done = execute_run(run_id=stopped.run.id, workers=1)
    assert done.run.state is RunState.COMPLETED
    assert [(row["account"], row["total_minor"]) for row in sorted(zx.bills(), key=lambda row: row["account"])] == [
        ("A", 2975),
        ("B", 1488),
    ]
    assert all(result.is_kept for result in verify_tenant(tenant=zx.tenant))


def test_criteria_choose_who_is_billed(zx: AnOperator, tmp_path: Path) -> None:
    zx.subscribe(tmp_path, [{"account_code": "D", "frequency": "biannual", "billed_until": "2026-08-01"}])
    zx.bill("2026-07-20", "2026-08-01", criteria=RunCriteria(frequencies=("biannual",)))
    assert [row["account"] for row in zx.bills()] == ["D"]
    zx.bill("2026-07-20", "2026-08-01", criteria=RunCriteria(schemes=("normal-bt",)))
    assert sorted(row["account"] for row in zx.bills()) == ["A", "B", "D"]


def test_one_account_is_billed_as_far_as_everybody_and_previewed_for_the_next_run(
    zx: AnOperator, tmp_path: Path
) -> None:
    zx.bill("2026-07-20", "2026-08-01")
    zx.subscribe(tmp_path, [{"account_code": "N", "effective_from": "2026-07-25"}])
    late = RunRequest(execution_date=date(2026, 7, 25))
    found = preview_bill(tenant=zx.tenant, account_id=key(zx, "A"), request=late)
    assert found.facts is not None
    assert found.facts.bill.period_from == date(2026, 9, 1)
    result = bill_individually(tenant=zx.tenant, request=late, criteria=RunCriteria(account_ids=(key(zx, "N"),)))
    assert result.run.bill_as_of == date(2026, 8, 1)
    assert zx.periods("N") == [(date(2026, 7, 25), date(2026, 8, 1)), (date(2026, 8, 1), date(2026, 9, 1))]


def test_a_run_of_some_does_not_move_the_others_on(zx: AnOperator, tmp_path: Path) -> None:
    zx.bill("2026-07-20", "2026-08-01")
    zx.subscribe(tmp_path, [{"account_code": "D", "frequency": "biannual", "billed_until": "2026-09-01"}])
    some = zx.bill("2026-07-21", criteria=RunCriteria(frequencies=("biannual",)))
    assert some.run.bill_as_of == date(2026, 9, 1)
    assert zx.bill("2026-08-20").run.bill_as_of == date(2026, 9, 1)
