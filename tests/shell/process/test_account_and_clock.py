"""`coax account` and `coax clock`: how an account stands by the operator's own day."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from coax.base.tenancy import Tenant
from coax.interfaces.cli import account, clock
from coax.process.payments.receive import PaymentRequest, receive_payment
from tests.builders.billed_operators import a_billed_operator, write

app = typer.Typer()
app.add_typer(account.app, name="account")
app.add_typer(clock.app, name="clock")
runner = CliRunner()


@pytest.fixture
def operator(database: str, tmp_path) -> Tenant:
    return a_billed_operator(tmp_path)


def ask(tenant: Tenant, *arguments: str) -> dict:
    result = runner.invoke(app, [*arguments, "--tenant", tenant.code, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_an_account_is_shown_as_it_stands(operator: Tenant) -> None:
    receive_payment(tenant=operator, request=PaymentRequest(account_code="ada", amount="60", reference="RF18"))
    data = ask(operator, "account", "ada")
    assert (data["contact"]["name"], data["state"], data["as_of"]) == ("Ada", "active", "2026-09-15")
    assert {name: data[name] for name in ("balance", "unsettled", "outstanding", "unallocated")} == {
        "balance": "50.08",
        "unsettled": "50.08",
        "outstanding": "50.08",
        "unallocated": "0.00",
    }
    services = [service for row in data["subscriptions"] for service in row["services"]]
    assert [(row["product"], row["quantity"], row["rated_up_to"]) for row in services] == [
        ("Sports", 1, "2026-10-01"),
        ("Sports", 3, "2026-10-01"),
    ]
    assert [(row["bill"], row["total"], row["status"], row["unsettled"]) for row in data["bills"]] == [
        ("ZX-00000006", "55.04", "partially_settled", "50.08"),
        ("ZX-00000001", "55.04", "settled", "0.00"),
    ]
    assert [
        (row["kind"], row["bill"], row["reference"], row["amount"], row["balance"]) for row in data["postings"]
    ] == [
        ("payment", None, "RF18", "-60.00", "50.08"),
        ("invoice", "ZX-00000006", "", "40.16", "110.08"),
        ("invoice", "ZX-00000006", "", "14.88", "69.92"),
        ("invoice", "ZX-00000001", "", "40.16", "55.04"),
        ("invoice", "ZX-00000001", "", "14.88", "14.88"),
    ]


@pytest.mark.parametrize(("limit", "status"), [(11008, "not_exceeded"), (11007, "exceeded"), (None, "not_exceeded")])
def test_a_balance_above_the_limit_is_exceeded(operator: Tenant, limit: int | None, status: str) -> None:
    write(
        operator,
        "UPDATE party_account SET credit_limit_minor = %s WHERE tenant_id = %s AND code = 'ada'",
        [limit, operator.id],
    )
    assert ask(operator, "account", "ada")["credit_status"] == status


def test_an_account_is_readable_and_an_unknown_one_refused(operator: Tenant) -> None:
    shown = runner.invoke(app, ["account", "ada", "--tenant", operator.code, "--bills", "1", "--postings", "0"])
    assert shown.exit_code == 0, shown.output
    assert "balance 110.08 EUR" in shown.output
    assert "ZX-00000006" in shown.output
    assert "ZX-00000001" not in shown.output
    assert runner.invoke(app, ["account", "nobody", "--tenant", operator.code]).exit_code == 1


def test_debts_fall_due_by_the_operators_clock(operator: Tenant) -> None:
    assert ask(operator, "clock", "show") == {
        "tenant": operator.code,
        "clock": "simulated",
        "today": "2026-09-15",
        "local_time": "2026-09-15T08:00:00+02:00",
        "time_zone": "Europe/Berlin",
    }
    assert ask(operator, "clock", "advance", "--months", "1", "--days", "16")["today"] == "2026-10-31"
    assert ask(operator, "clock", "set", "2026-12-24T18:30")["local_time"] == "2026-12-24T18:30:00+01:00"
    assert ask(operator, "account", "ada")["as_of"] == "2026-12-24"


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["set", "2026-09-14"], 1),
        (["set", "2026-9-14"], 2),
        (["set", "2026-12-24T18:30+01:00"], 2),
        (["advance"], 2),
        (["advance", "--days", "-1"], 2),
    ],
)
def test_a_clock_goes_forward_and_is_told_local_times(operator: Tenant, arguments: list[str], exit_code: int) -> None:
    assert runner.invoke(app, ["clock", *arguments, "--tenant", operator.code]).exit_code == exit_code
    assert ask(operator, "clock", "show")["today"] == "2026-09-15"


def test_a_real_clock_cannot_be_set(empty_tenant: Tenant) -> None:
    assert ask(empty_tenant, "clock", "show")["clock"] == "real"
    result = runner.invoke(app, ["clock", "set", "2099-01-01", "--tenant", empty_tenant.code])
    assert result.exit_code == 1
    assert "real clock" in result.output
