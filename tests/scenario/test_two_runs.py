"""The same run twice, and two runs at once: one bills, the other says why it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders.commands import count_waiting, locked, run_coax, start_coax, wait_until
from tests.builders.operators import AnOperator, an_operator
from tests.scenario.test_company_zx import assert_verified, day

COUNTED = (
    "billing_run",
    "billing_run_part",
    "billing_run_stage",
    "billing_bill",
    "billing_run_outcome",
    "rating_rated_item",
    "ledger_transaction",
    "ledger_entry",
    "ledger_allocation",
)


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AnOperator:
    """Company ZX, whose five subscribers were billed until 1 August."""
    operator = an_operator()
    operator.subscribe(tmp_path, [{"account_code": code, "billed_until": "2026-07-01"} for code in "ABCDE"])
    operator.bill("2026-06-20", "2026-07-01")
    return operator


def bill_july(operator: AnOperator, *options: str) -> tuple[str, ...]:
    dates = ("--on", "2026-07-20", "--bill-as-of", "2026-08-01")
    return ("run", "billing", "--tenant", operator.tenant.code, *dates, *options)


def count_rows(operator: AnOperator, tables: tuple[str, ...] = COUNTED) -> dict[str, int]:
    return {table: operator.rows(f"SELECT count(*) AS n FROM {table} WHERE tenant_id = %s")[0]["n"] for table in tables}


def read_answer(text: str, *names: str) -> tuple[Any, ...]:
    answer = json.loads(text)
    return tuple(answer[name] for name in names)


def test_the_same_run_twice_bills_nothing_new(zx: AnOperator) -> None:
    first = run_coax(*bill_july(zx, "--json"))
    assert first.err == ""
    assert read_answer(first.out, "run", "state", "due", "billed", "bills") == (2, "completed", 5, 5, 5)
    before = count_rows(zx)
    again = run_coax(*bill_july(zx, "--json"))
    assert (first.code, again.code) == (0, 0)
    assert read_answer(again.out, "run", "state", "due", "billed", "bills") == (3, "completed", 0, 0, 0)
    runs = {"billing_run": before["billing_run"] + 1, "billing_run_part": before["billing_run_part"] + 1}
    assert count_rows(zx) == {**before, **runs}
    assert [bill["number"] for bill in zx.bills()] == list(range(1, 11))
    assert_verified(zx)


def test_of_two_runs_started_at_once_one_bills(zx: AnOperator) -> None:
    tenant_id = zx.tenant.id
    numbers = f"SELECT FROM base_number_series WHERE tenant_id = {tenant_id} AND series = 'billing_run' FOR UPDATE"
    balances = f"SELECT FROM ledger_account_balance WHERE tenant_id = {tenant_id} FOR UPDATE"
    with start_coax(*bill_july(zx, "--json")) as one, start_coax(*bill_july(zx, "--json")) as other:
        with locked(balances):
            with locked(numbers):
                wait_until(lambda: count_waiting() == 2, "both runs about to begin")
            wait_until(lambda: one.has_ended or other.has_ended, "the end of the one that is refused")
            loser, winner = (one, other) if one.has_ended else (other, one)
            wait_until(lambda: count_waiting() == 1, "the other one in the middle of posting")
            refused = loser.finish()
            busy = run_coax("run", "billing", "--tenant", zx.tenant.code, "--resume", "2")
        billed = winner.finish()

    assert (refused.code, refused.err) == (1, "")
    code, message = read_answer(refused.out, "code", "message")
    assert code == "run_already_open"
    assert message.startswith("Run 2 (bill as of 2026-08-01) has reached ")
    assert message.endswith(" and is not ended: resume it with --resume 2, or cancel it.")
    assert (busy.code, busy.out) == (1, "")
    assert busy.message.startswith("Another process executes this run at this moment; wait for it")
    assert billed.code == 0
    assert read_answer(billed.out, "run", "state", "billed", "bills") == (2, "completed", 5, 5)
    assert count_rows(zx, ("billing_run", "billing_bill")) == {"billing_run": 2, "billing_bill": 10}
    assert_verified(zx)


def test_an_account_billed_by_two_runs_at_once_is_billed_by_one(zx: AnOperator) -> None:
    balance = f"""SELECT FROM ledger_account_balance b JOIN party_account a USING (bucket, account_id)
                  WHERE b.tenant_id = {zx.tenant.id} AND a.code = 'C' FOR UPDATE OF b"""
    with start_coax(*bill_july(zx, "--json")) as batch, locked(balance) as holder:
        wait_until(lambda: count_waiting() == 1, "the month's run in the middle of posting")
        with start_coax(*bill_july(zx, "--json", "--account", "C")) as individual:
            wait_until(lambda: count_waiting() == 2, "the account's run behind it")
            holder.rollback()
            answers = [batch.finish().out, individual.finish().out]

    names = ("run", "kind", "state", "due", "billed", "refused", "bills")
    assert [read_answer(answer, *names) for answer in answers] == [
        (2, "batch", "completed", 5, 5, 0, 5),
        (3, "individual", "completed", 1, 0, 1, 0),
    ]
    assert [bill["run_id"] for bill in zx.bills() if bill["account"] == "C"] == [
        run["id"] for run in zx.rows("SELECT id FROM billing_run WHERE tenant_id = %s AND number < 3 ORDER BY 1")
    ]
    assert [(row["account"], row["reason"]) for row in zx.outcomes()] == [("C", "account_changed")]
    assert zx.rated_up_to("C") == day("2026-09-01")
    assert zx.bill("2026-08-20").sums["bills"] == 5
    assert [bill["number"] for bill in zx.bills()] == list(range(1, 16))
    assert_verified(zx)
