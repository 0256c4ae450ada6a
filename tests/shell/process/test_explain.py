"""Explanations of bills: the arithmetic in words, and what no longer follows when somebody changed a figure."""

from __future__ import annotations

import json
from datetime import date

import pytest
import typer
from typer.testing import CliRunner

from coax.base.tenancy import Tenant
from coax.interfaces.cli.explain import explain
from coax.process.explain import LineUnknown, explain_bill
from tests.builders.billed_operators import a_billed_operator, bill_as_of, charge_once, end_services, key_of
from tests.conftest import _superuser

app = typer.Typer()
app.command()(explain)
runner = CliRunner()


@pytest.fixture(scope="module")
def operator(database: str, tmp_path_factory) -> Tenant:
    """Billed twice; then Ben ended twice, which makes bill 13 (October) and one of November a credit."""
    tenant = a_billed_operator(tmp_path_factory.mktemp("explain"))
    end_services(tenant, "ben", date(2026, 9, 10))
    charge_once(tenant, "S-7")
    charge_once(tenant, "S-6", agreed_price_micro=25_000_000)
    bill_as_of(tenant, date(2026, 10, 1))
    end_services(tenant, "ben", date(2026, 8, 20))
    bill_as_of(tenant, date(2026, 11, 1))
    return tenant


@pytest.mark.parametrize(
    ("bill", "line", "source", "arithmetic"),
    [
        (
            "ZX-00000001",
            2,
            "price plan main version 1, rate 1",
            [
                "from 2026-08-01 to 2026-08-31: 1 whole rate period",
                "price: 12.50 x 3 = 37.50",
                "discount: 37.50 x 10 % = 3.75",
                "net: 37.50 - 3.75 = 33.75",
                "tax: 33.75 x 19 % = 6.412500",
                "total: 33.75 + 6.412500 = 40.162500",
            ],
        ),
        (
            "2",
            1,
            "price plan main version 1, rate 1",
            [
                "from 2026-07-15 to 2026-07-31: 17 of 31 days",
                "price: 12.50 x 17/31 = 6.854839",
                "net: 6.854839 - 0.00 = 6.854839",
                "tax: 6.854839 x 19 % = 1.302419",
                "total: 6.854839 + 1.302419 = 8.157258",
            ],
        ),
        (
            "3",
            2,
            "price plan main version 1, rate 3, tier 3",
            [
                "from 2026-08-01 to 2026-08-31: 1 whole rate period",
                "tiers: 4 x 3.00 + 5 x 2.50 + 3 x 2.00 = 30.50",
                "price: 30.50 = 30.50",
                "net: 30.50 - 0.00 = 30.50",
                "tax: 30.50 x 19 % = 5.795000",
                "total: 30.50 + 5.795000 = 36.295000",
            ],
        ),
        (
            "4",
            2,
            "price plan gross version 1, rate 1",
            [
                "from 2026-08-01 to 2026-08-31: 1 whole rate period",
                "price: 14.99 x 2 = 29.98",
                "net: 29.98 x 100 / (100 + 19) = 25.193277",
                "tax: 29.98 - 25.193277 = 4.786723",
                "total: 25.193277 + 4.786723 = 29.98",
            ],
        ),
        (
            "5",
            1,
            "agreed price, instead of 3.000000 of price plan main version 1, rate 3, tier 1",
            [
                "from 2026-08-01 to 2026-08-31: 1 whole rate period",
                "price: 4.00 x 3 = 12.00",
                "net: 12.00 - 0.00 = 12.00",
                "tax: 12.00 x 19 % = 2.28",
                "total: 12.00 + 2.28 = 14.28",
            ],
        ),
        (
            "13",
            1,
            "price plan main version 1, rate 1",
            [
                "takes back line 1 of bill ZX-00000007, charged up to 2026-10-01: 14.875000",
                "stays charged, from 2026-09-01 to 2026-09-09: 9 of 30 days",
                "stays charged, price: 12.50 x 9/30 = 3.75",
                "stays charged, net: 3.75 - 0.00 = 3.75",
                "stays charged, tax: 3.75 x 19 % = 0.712500",
                "stays charged, total: 3.75 + 0.712500 = 4.462500",
                "credit: 4.462500 - 14.875000 = -10.412500",
            ],
        ),
        (
            "16",
            2,
            "agreed price, instead of 30.000000 of price plan main version 1, rate 2",
            [
                "from 2026-08-10 to 2026-08-10: 1 whole rate period",
                "price: 25.00 x 2 = 50.00",
                "net: 50.00 - 0.00 = 50.00",
                "tax: 50.00 x 19 % = 9.50",
                "total: 50.00 + 9.50 = 59.50",
            ],
        ),
        (
            "17",
            2,
            "price plan main version 1, rate 2",
            [
                "from 2026-08-10 to 2026-08-10: 1 whole rate period",
                "price: 30.00 x 2 = 60.00",
                "net: 60.00 - 0.00 = 60.00",
                "tax: 60.00 x 19 % = 11.40",
                "total: 60.00 + 11.40 = 71.40",
            ],
        ),
        (
            "19",
            2,
            "price plan main version 1, rate 1",
            [
                "takes back line 1 of bill ZX-00000007, charged up to 2026-09-10: 4.462500",
                "stays charged, nothing",
                "credit: 0.000000 - 4.462500 = -4.462500",
            ],
        ),
    ],
)
def test_a_line_is_explained_and_worked_out_again(operator: Tenant, bill, line, source, arithmetic) -> None:
    explained = explain_bill(tenant=operator, number=bill, line=line)
    (row,) = explained.lines
    assert row.price_source == source
    assert list(row.arithmetic) == arithmetic
    assert row.recomputed == row.item.amounts
    assert explained.all_differences == ()


def test_the_invoices_share_the_rounding_of_the_bill(operator: Tenant) -> None:
    bill = explain_bill(tenant=operator, number="1")
    assert [
        (row.subscription_code, row.exact_micro, row.rounding_micro, row.amount_minor) for row in bill.invoices
    ] == [("S-1", 14_875_000, 5_000, 1488), ("S-2", 40_162_500, -2_500, 4016)]
    assert (bill.exact_micro, bill.rounding_micro, bill.total_minor) == (55_037_500, 2_500, 5504)
    assert (bill.run_number, bill.definition, bill.rounding) == (1, "main version 1", "round up to 2 decimals")
    assert (bill.transaction_date, bill.due_date) == (date(2026, 7, 21), date(2026, 8, 10))


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (
            "rating_rated_item SET price_micro = 13000000",
            "line 1: price 13.000000 is neither the price plan's 12.500000",
        ),
        ("rating_rated_item SET charge_micro = 13000000", "line 1: charge 13.000000 per period does not follow"),
        ("rating_rated_item SET days = 3, period_days = 31", "line 1: base: stored 12.500000, follows 13.709677"),
        ("rating_rated_item SET tax_ppm = 160000", "line 1: tax: stored 2.375000, follows 2.000000"),
        ("billing_bill SET total_minor = total_minor + 1", "total of the bill: stored 55.05, follows 55.04"),
        ("billing_bill SET rounding_micro = rounding_micro + 1", "rounding: stored 0.002501, follows 0.002500"),
        ("ledger_transaction SET rounding_micro = 0", "invoice 1: 14.88 is not 14.875000 and its rounding 0.000000"),
    ],
)
def test_a_figure_that_was_changed_is_told_loudly(database: str, tmp_path, change: str, difference: str) -> None:
    tenant = a_billed_operator(tmp_path)
    bucket, account_id = key_of(tenant, "ada")
    run = f"(SELECT min(id) FROM billing_run r WHERE r.tenant_id = {tenant.id})"
    keys = {"rating_rated_item": "line = 1 AND run_id", "billing_bill": "run_id", "ledger_transaction": "origin_id"}
    where = f"bucket = {bucket} AND account_id = {account_id} AND {keys[change.split(maxsplit=1)[0]]} = {run}"
    with _superuser(database) as connection:
        connection.execute(f"UPDATE {change} WHERE {where}")  # type: ignore[call-overload]
    result = runner.invoke(app, ["1", "--tenant", tenant.code])
    assert result.exit_code == 1
    assert difference in result.output
    assert "does not follow from what is stored" in result.output


def test_a_credit_without_its_charge_is_told(database: str, tmp_path) -> None:
    tenant = a_billed_operator(tmp_path)
    end_services(tenant, "ben", date(2026, 9, 10))
    bill_as_of(tenant, date(2026, 10, 1))
    bucket, account_id = key_of(tenant, "ben")
    with _superuser(database) as connection:
        connection.execute(
            "DELETE FROM rating_rated_item WHERE bucket = %s AND account_id = %s AND kind = 'charge'",
            [bucket, account_id],
        )
    bill = explain_bill(tenant=tenant, number="13")
    assert bill.all_differences == ("line 1: the charge that it takes back is not there",)


def test_prices_are_those_of_the_frozen_version(operator: Tenant) -> None:
    line = explain_bill(tenant=operator, number="3", line=1).lines[0]
    assert line.as_dict()["stored"] == line.as_dict()["recomputed"]
    assert line.product == "Points (points, version 1)"


def test_the_command_shows_and_speaks_json(operator: Tenant) -> None:
    shown = runner.invoke(app, ["ZX-00000003", "--line", "2", "--tenant", operator.code])
    assert shown.exit_code == 0, shown.output
    assert "tiers: 4 x 3.00 + 5 x 2.50 + 3 x 2.00 = 30.50" in shown.output
    assert "recomputed: same" in shown.output
    data = json.loads(runner.invoke(app, ["3", "--tenant", operator.code, "--json"]).output)
    assert (data["bill"], data["total"], data["exact"], data["rounding"]) == (
        "ZX-00000003",
        "62.06",
        "62.052742",
        "0.007258",
    )
    assert [line["stored"]["total"] for line in data["lines"]] == ["25.757742", "36.295000"]
    assert data["differences"] == []


def test_what_is_not_there_is_refused(operator: Tenant) -> None:
    with pytest.raises(LineUnknown, match="lines 1 to 2"):
        explain_bill(tenant=operator, number="1", line=3)
    for number in ("999", "abc"):
        assert runner.invoke(app, [number, "--tenant", operator.code]).exit_code == 1
