"""`coax bills`, `coax bill`, `coax bills export` at the keyboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from coax.base.tenancy import Tenant, tenant_transaction
from coax.interfaces.cli import bills
from tests.builders.bills import an_item
from tests.shell.bills.stored import Store

app = typer.Typer()
app.add_typer(bills.app, name="bills")
app.command("bill")(bills.bill)


@pytest.fixture
def operator(empty_tenant: Tenant) -> str:
    """The code of an operator with run 1 and two bills, committed."""
    with tenant_transaction(empty_tenant.id):
        store = Store(empty_tenant)
        run_id = store.add_run(1)
        for number in (1, 2):
            account_id = store.add_account(f"A-{number}", name=f"[bold]Customer {number}")
            store.add_bill(account_id, run_id, number, (an_item(line=1, service_id=1),))
    return empty_tenant.code


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout, result.stderr


def test_bills_are_listed(operator: str) -> None:
    code, out, _ = run("bills", "--tenant", operator, "--account", "A-2")
    assert code == 0
    assert "ZX-00000002" in out
    assert "ZX-00000001" not in out
    assert "unsettled" in out


def test_the_list_is_given_as_data(operator: str) -> None:
    code, out, _ = run("bills", "--tenant", operator, "--run", "1", "--json")
    assert code == 0
    assert [(row["number"], row["total"], row["status"]) for row in json.loads(out)] == [
        ("ZX-00000001", "14.28", "unsettled"),
        ("ZX-00000002", "14.28", "unsettled"),
    ]


def test_a_bill_is_shown_with_everything_on_it(operator: str) -> None:
    code, out, _ = run("bill", "ZX-00000001", "--tenant", operator)
    assert code == 0
    for text in ("Bill ZX-00000001", "[bold]Customer 1", "Eurosports 1", "2.28", "14.28", "Unsettled now."):
        assert text in out


def test_a_bill_is_given_as_json_and_written_as_pdf(operator: str, tmp_path: Path) -> None:
    code, out, _ = run("bill", "1", "--tenant", operator, "--json", "--pdf", str(tmp_path / "bill.pdf"))
    assert code == 0
    assert json.loads(out)["total"] == "14.28"
    assert (tmp_path / "bill.pdf").read_bytes().startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("words", "expected_code", "problem"),
    [
        (["bill", "7"], 1, "bill_unknown"),
        (["bill", "seven"], 1, "invalid_bill_number"),
        (["bills", "--run", "9"], 1, "run_unknown"),
        (["bills", "--account", "nobody"], 1, "account_unknown"),
    ],
)
def test_problems_are_named(operator: str, words: list[str], expected_code: int, problem: str) -> None:
    code, out, _ = run(*words, "--tenant", operator, "--json")
    assert (code, json.loads(out)["code"]) == (expected_code, problem)


def test_an_export_counts_what_it_wrote(operator: str, tmp_path: Path) -> None:
    words = ["bills", "export", "--tenant", operator, "--run", "1", "--to", str(tmp_path), "--json"]
    code, out, _ = run(*words, "--format", "json")
    assert code == 0
    assert {key: json.loads(out)[key] for key in ("bills", "written", "skipped", "failed")} == {
        "bills": 2,
        "written": 2,
        "skipped": 0,
        "failed": 0,
    }
    assert run("bills", "export", "--tenant", operator, "--to", str(tmp_path))[0] == 2
