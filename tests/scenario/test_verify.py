"""The books are proved; a fault planted behind the application's back is found by the check that is about it."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from coax.base.tenancy import Tenant
from coax.billing.types import RunStep
from coax.interfaces.cli.verify import verify
from coax.process.billing_run.execute import execute_run
from coax.process.billing_run.plan import RunRequest, plan_run
from coax.process.payments.receive import PaymentRequest, receive_payment
from coax.process.verify import CHECKS, verify_tenant
from tests.builders.billed_operators import a_billed_operator, bill_as_of, charge_once, end_services, key_of, read
from tests.conftest import _superuser

app = typer.Typer()
app.command()(verify)
runner = CliRunner()

ADA = "bucket = {bucket} AND account_id = {account_id}"
INVOICE = f"{ADA} AND origin_id = {{first_run}} AND line = 1"
FIRST, LAST = "run_id = {first_run}", "run_id = {last_run}"

# Faults of items are planted in test_items.py.
PLANTED_ELSEWHERE = {
    "what_is_taken_back_is_credited",
    "items_are_where_they_say",
    "item_histories_have_no_gap",
    "jobs_are_charged_when_completed",
    "job_histories_are_whole",
}
# check -> statements that break its promise and, where one figure stands in two places, no other.
FAULTS: dict[str, list[str]] = {
    "transactions_sum_to_zero": [
        f"UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE {INVOICE} AND seq = 2"
    ],
    "transactions_move_the_receivable": [
        f"UPDATE ledger_entry SET amount_minor = amount_minor + 3 - 2 * seq WHERE {INVOICE} AND seq <= 2",
        f"UPDATE ledger_account_balance SET balance_minor = balance_minor + 1 WHERE {ADA}",
    ],
    "bills_are_their_invoices": [
        f"UPDATE billing_bill SET total_minor = total_minor + 1, rounding_micro = 12500 WHERE {ADA} AND {LAST}",
        f"UPDATE billing_run_part SET total_minor = total_minor + 1 WHERE {LAST}",
    ],
    "invoices_are_their_items": [f"UPDATE ledger_transaction SET rounding_micro = rounding_micro + 1 WHERE {INVOICE}"],
    "bills_are_their_items": [f"UPDATE billing_bill SET tax_micro = tax_micro - 1 WHERE {ADA} AND {FIRST}"],
    "items_follow_from_their_derivation": [
        f"UPDATE rating_rated_item SET discount_ppm = discount_ppm + 1 WHERE {ADA} AND {FIRST} AND line = 1"
    ],
    "bills_carry_the_balance_forward": [
        f"UPDATE billing_bill SET brought_forward_minor = brought_forward_minor + 1 WHERE {ADA} AND {LAST}"
    ],
    "balances_are_the_postings": [f"UPDATE ledger_account_balance SET balance_minor = balance_minor - 1 WHERE {ADA}"],
    "movements_since_the_bill_are_counted": [
        f"UPDATE ledger_account_balance SET credited_since_bill_minor = credited_since_bill_minor + 1 WHERE {ADA}"
    ],
    "unallocated_is_what_credits_leave": [
        f"UPDATE ledger_account_balance SET unallocated_minor = unallocated_minor + 1 WHERE {ADA}"
    ],
    "allocations_stay_within_both_sides": [
        f"UPDATE ledger_allocation SET amount_minor = amount_minor + 1 WHERE {ADA} AND seq = 1",
        f"UPDATE ledger_account_balance SET unallocated_minor = unallocated_minor - 1 WHERE {ADA}",
    ],
    "services_are_billed_day_by_day": [
        f"UPDATE subscription_service_rating SET rated_up_to = rated_up_to + 1 WHERE {ADA}"
    ],
    "histories_are_billed_as_they_say": [
        f"""INSERT INTO subscription_service_history (bucket, account_id, id, tenant_id, service_id, state, directive,
                effective_from, billable_from)
            SELECT bucket, account_id, id + 2000, tenant_id, id, 'effective', 'to_be_billed', DATE '2026-08-02',
                DATE '2026-08-02' FROM subscription_service WHERE {ADA} AND code = 'sports'""",
        f"""UPDATE subscription_service SET has_history = true, state_from = DATE '2026-08-02'
            WHERE {ADA} AND code = 'sports'""",
        """UPDATE subscription_service_rating r SET rated_up_to = rated_up_to + 1 FROM subscription_service s
            WHERE r.bucket = s.bucket AND r.account_id = s.account_id AND r.service_id = s.id AND s.code = 'sports'
              AND s.bucket = {bucket} AND s.account_id = {account_id}""",
    ],
    "states_follow_from_their_history": [
        f"UPDATE subscription_subscription SET state_from = DATE '2026-08-02' WHERE {ADA}"
    ],
    "one_contract_holds": [f"UPDATE subscription_billing_term SET effective_to = DATE '2026-12-01' WHERE {ADA}"],
    "charges_are_billed_once": [
        f"""INSERT INTO subscription_charge (bucket, account_id, id, tenant_id, subscription_id, code, product_id,
                quantity, duration, performed_on, billed_by)
            SELECT bucket, account_id, id + 1000, tenant_id, id, 'visit-1', 1, 1, 0, DATE '2026-08-01', {{last_run}}
            FROM subscription_subscription WHERE {ADA} LIMIT 1"""
    ],
    "runs_account_for_every_due_service": [f"UPDATE billing_run_part SET refused = refused + 1 WHERE {LAST}"],
    "bill_numbers_have_no_holes": [
        "UPDATE base_number_series SET next_number = next_number + 2 WHERE tenant_id = {tenant} AND series = 'bill'"
    ],
    "books_are_in_one_currency": [f"UPDATE party_account SET currency = 'USD' WHERE {ADA}"],
}
TILING_FAULTS = {
    "not billed from 2026-08-31 up to 2026-09-01": "SET period_to = period_to - 1 WHERE {ada} AND {first}",
    "billed twice from 2026-08-31 up to 2026-09-01": "SET period_from = period_from - 1 WHERE {ada} AND {last}",
    "rated up to 2026-10-01, billed up to 2026-10-02": "SET period_to = period_to + 1 WHERE {ada} AND {last}",
    "not billed from 2026-09-01 up to 2026-09-03": "SET period_from = period_from + 2 WHERE {ada} AND {last}",
}


@pytest.fixture
def operator(database: str, tmp_path) -> Tenant:
    """A billed operator of which Ada has paid 60."""
    tenant = a_billed_operator(tmp_path)
    receive_payment(tenant=tenant, request=PaymentRequest(account_code="ada", amount="60"))
    return tenant


@pytest.fixture(scope="module")
def healthy(database: str, tmp_path_factory) -> Tenant:
    """An operator with a third and a fourth run, credits of credits, and payments."""
    tenant = a_billed_operator(tmp_path_factory.mktemp("healthy"))
    receive_payment(tenant=tenant, request=PaymentRequest(account_code="ada", amount="60"))
    end_services(tenant, "ben", date(2026, 9, 10))
    end_services(tenant, "dee", date(2026, 8, 1))
    charge_once(tenant, "S-7")
    bill_as_of(tenant, date(2026, 10, 1))
    end_services(tenant, "ben", date(2026, 8, 20))
    bill_as_of(tenant, date(2026, 11, 1))
    return tenant


def plant(tenant: Tenant, database: str, *statements: str) -> None:
    """Change what nobody may change, as the server's superuser, and commit."""
    bucket, account_id = key_of(tenant, "ada")
    runs = [row[0] for row in read(tenant, "SELECT id FROM billing_run WHERE tenant_id = %s ORDER BY 1", [tenant.id])]
    names = {"bucket": bucket, "account_id": account_id, "tenant": tenant.id}
    with _superuser(database) as connection:
        for statement in statements:
            cursor = connection.execute(statement.format(**names, first_run=runs[0], last_run=runs[-1]))  # type: ignore[call-overload]
            assert cursor.rowcount > 0, statement


def broken(tenant: Tenant) -> dict[str, list[dict[str, object]]]:
    return {result.check.code: list(result.rows) for result in verify_tenant(tenant=tenant) if not result.is_kept}


def test_the_books_of_a_billed_operator_are_proved(healthy: Tenant) -> None:
    assert broken(healthy) == {}
    credits_ = read(
        healthy,
        "SELECT count(*) FROM rating_rated_item WHERE tenant_id = %s AND kind = 'credit'",
        [healthy.id],
    )
    assert credits_ == [(5,)]


def test_a_payment_between_rating_and_posting_breaks_nothing(operator: Tenant) -> None:
    request = RunRequest(execution_date=date(2026, 9, 20), bill_as_of=date(2026, 10, 1), actor="test")
    run_id = plan_run(tenant=operator, request=request)
    execute_run(run_id=run_id, until=RunStep.ASSEMBLING, workers=1)
    assert broken(operator) == {}
    receive_payment(tenant=operator, request=PaymentRequest(account_code="ada", amount="1000"))
    execute_run(run_id=run_id, workers=1)
    assert broken(operator) == {}
    assert read(
        operator,
        "SELECT brought_forward_minor, credited_between_minor, total_minor FROM billing_bill "
        "WHERE run_id = %s AND account_id = %s",
        [run_id, key_of(operator, "ada")[1]],
    ) == [(11008 - 6000 - 100000, 106000, 5504)]


@pytest.mark.parametrize("code", [check.code for check in CHECKS if check.code not in PLANTED_ELSEWHERE])
def test_a_planted_fault_is_found_by_its_check_alone(operator: Tenant, database: str, code: str) -> None:
    assert broken(operator) == {}
    plant(operator, database, *FAULTS[code])
    found = broken(operator)
    assert list(found) == [code]
    result = runner.invoke(app, ["--tenant", operator.code])
    assert result.exit_code == 1
    assert f"BROKEN  {code}" in result.output
    named = {"runs_account_for_every_due_service": "run 2", "bill_numbers_have_no_holes": "numbers 12 to 13"}
    assert named.get(code, "account ada") in result.output


@pytest.mark.parametrize("difference", TILING_FAULTS)
def test_the_day_that_is_billed_twice_or_never_is_named(operator: Tenant, database: str, difference: str) -> None:
    change = TILING_FAULTS[difference].format(ada=ADA, first=FIRST, last=LAST) + " AND line = 1"
    plant(operator, database, f"UPDATE rating_rated_item {change}")
    expected = {"account": "ada", "subscription": "S-1", "service": "sports", "difference": difference}
    assert broken(operator) == {"services_are_billed_day_by_day": [expected]}


def test_a_gap_and_an_overlap_of_one_length_do_not_hide_each_other(operator: Tenant, database: str) -> None:
    plant(
        operator,
        database,
        f"UPDATE rating_rated_item SET period_to = period_to - 3 WHERE {ADA} AND {FIRST} AND line = 1",
        f"UPDATE rating_rated_item SET period_to = period_to + 3 WHERE {ADA} AND {LAST} AND line = 1",
    )
    rows = broken(operator)["services_are_billed_day_by_day"]
    assert [row["difference"] for row in rows] == ["not billed from 2026-08-29 up to 2026-09-01"]


def test_days_before_the_service_was_billable_are_found(operator: Tenant, database: str) -> None:
    plant(operator, database, f"UPDATE subscription_service SET billable_from = DATE '2026-08-02' WHERE {ADA}")
    rows = broken(operator)["services_are_billed_day_by_day"]
    assert {row["difference"] for row in rows} == {"billed from 2026-08-01, billable only from 2026-08-02"}
    assert {row["subscription"] for row in rows} == {"S-1", "S-2"}


def test_a_credit_of_more_than_was_charged_is_found(healthy: Tenant, database: str) -> None:
    bucket, account_id = key_of(healthy, "ben")
    where = f"bucket = {bucket} AND account_id = {account_id} AND kind = 'credit' AND period_from = '2026-09-10'"
    plant(healthy, database, f"UPDATE rating_rated_item SET period_to = period_to + 1 WHERE {where}")
    rows = broken(healthy)["services_are_billed_day_by_day"]
    assert [(row["account"], row["difference"]) for row in rows] == [("ben", "the credits are not of what was charged")]
    plant(healthy, database, f"UPDATE rating_rated_item SET period_to = period_to - 1 WHERE {where}")
    assert broken(healthy) == {}


def test_a_missing_posting_a_missing_bill_and_a_missing_balance_are_named(operator: Tenant, database: str) -> None:
    plant(operator, database, f"DELETE FROM billing_bill WHERE {ADA} AND {FIRST}")
    assert {"bills_are_their_invoices", "bills_are_their_items", "bill_numbers_have_no_holes"} <= set(broken(operator))
    plant(operator, database, f"DELETE FROM ledger_account_balance WHERE {ADA}")
    assert broken(operator)["balances_are_the_postings"][0]["account"] == "ada"


def test_at_most_ten_rows_are_named(operator: Tenant, database: str) -> None:
    plant(
        operator, database, f"UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE tenant_id = {operator.id}"
    )
    first = next(row for row in verify_tenant(tenant=operator) if row.check.code == "transactions_sum_to_zero")
    assert (len(first.rows), first.is_more) == (10, True)


def test_the_command_names_operators_and_speaks_json(healthy: Tenant) -> None:
    result = runner.invoke(app, ["--tenant", healthy.code, "--json"])
    assert result.exit_code == 0, result.output
    data = json.loads(result.output)
    assert data["is_kept"] is True
    assert [(row["tenant"], row["is_kept"]) for row in data["tenants"]] == [(healthy.code, True)]
    assert [row["check"] for row in data["tenants"][0]["checks"]] == [check.code for check in CHECKS]
    one = runner.invoke(app, ["--tenant", healthy.code, "--check", "books_are_in_one_currency"])
    assert "1 of 1 checks hold" in one.output


@pytest.mark.parametrize(
    ("arguments", "exit_code"), [(["--tenant", "nobody"], 1), (["--tenant", "a", "--all"], 2), (["--check", "no"], 2)]
)
def test_wrong_usage_is_told_apart(database: str, arguments: list[str], exit_code: int) -> None:
    assert runner.invoke(app, arguments).exit_code == exit_code


def test_every_check_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [check.code for check in CHECKS]
