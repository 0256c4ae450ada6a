"""Company ZX (source 001) bills its subscribers on the 20th for the following month. Told with its own numbers."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import IntegrityError

from coax.base.tenancy import tenant_transaction
from coax.billing.queries.runs import list_outcomes
from coax.billing.types import RunState
from coax.process.billing_run.plan import BillAsOfBeforePrevious
from coax.process.verify import verify_tenant
from coax.subscription.operations.add_charge import add_charge
from coax.subscription.operations.end_service import end_service
from tests.builders.operators import AnOperator, an_operator

NO_TAX = {"tax": "percent: 19 -> percent: 0"}


@pytest.fixture
def zx(database: str) -> AnOperator:
    return an_operator()


@pytest.fixture
def zx_net(database: str) -> AnOperator:
    return an_operator(**NO_TAX)


def day(text: str) -> date:
    return date.fromisoformat(text)


def assert_verified(operator: AnOperator) -> None:
    assert [result for result in verify_tenant(tenant=operator.tenant) if not result.is_kept] == []


def test_the_july_run(zx: AnOperator, tmp_path: Path) -> None:
    zx.subscribe(
        tmp_path,
        [
            {"account_code": "A-monthly", "billed_until": "2026-08-01"},
            {"account_code": "B-biannual", "frequency": "biannual", "billed_until": "2026-08-01"},
            {"account_code": "C-ahead", "frequency": "biannual", "billed_until": "2026-11-01"},
            {"account_code": "D-joined", "effective_from": "2026-07-15"},
        ],
    )
    result = zx.bill("2026-07-20", "2026-08-01")

    assert result.run.state is RunState.COMPLETED
    assert zx.periods("A-monthly") == [(day("2026-08-01"), day("2026-09-01"))]
    assert zx.periods("B-biannual") == [(day("2026-08-01"), day("2027-02-01"))]
    assert zx.periods("C-ahead") == []
    assert zx.periods("D-joined") == [(day("2026-07-15"), day("2026-08-01")), (day("2026-08-01"), day("2026-09-01"))]
    stub, month = zx.items("D-joined")
    assert (stub["whole_periods"], stub["days"], stub["period_days"]) == (0, 17, 31)
    assert (month["whole_periods"], month["days"]) == (1, 0)
    assert (stub["net_micro"], month["net_micro"]) == (6_854_839, 12_500_000)
    assert {row["due_date"] for row in zx.bills()} == {day("2026-08-10")}
    assert {row["transaction_date"] for row in zx.bills()} == {day("2026-07-21")}
    assert [row["account"] for row in zx.bills()] != []
    assert_verified(zx)


def test_the_transaction_date_is_the_20th_or_the_21st_by_setting(database: str, tmp_path: Path) -> None:
    same_day = an_operator(
        offset="transaction_date_offset: { count: 1, unit: day } -> transaction_date_offset: { count: 0, unit: day }"
    )
    next_day = an_operator()
    for operator, expected in ((same_day, "2026-07-20"), (next_day, "2026-07-21")):
        operator.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-08-01"}])
        operator.bill("2026-07-20", "2026-08-01")
        assert [row["transaction_date"] for row in operator.bills()] == [day(expected)]


def test_dates_can_be_set_on_the_run_itself(zx: AnOperator, tmp_path: Path) -> None:
    zx.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-08-01"}])
    zx.bill("2026-07-20", "2026-08-01", transaction_date=day("2026-07-25"), due="days_after_transaction:14")
    (bill,) = zx.bills()
    assert (bill["transaction_date"], bill["due_date"]) == (day("2026-07-25"), day("2026-08-08"))


def test_less_than_5_is_not_billed_and_comes_with_the_next_bill(zx_net: AnOperator, tmp_path: Path) -> None:
    zx_net.subscribe(
        tmp_path,
        [
            {"account_code": "small", "agreed_price": "4.99", "billed_until": "2026-08-01"},
            {"account_code": "enough", "agreed_price": "5.00", "billed_until": "2026-08-01"},
            {"account_code": "two", "agreed_price": "3", "billed_until": "2026-08-01"},
            {"account_code": "two", "subscription_code": "S-2", "agreed_price": "3", "billed_until": "2026-08-01"},
        ],
    )
    july = zx_net.bill("2026-07-20", "2026-08-01")
    assert [(row["account"], row["total_minor"]) for row in sorted(zx_net.bills(), key=lambda b: b["account"])] == [
        ("enough", 500),
        ("two", 600),
    ]
    assert zx_net.outcomes() == [
        {"account": "small", "outcome": "pending", "reason": "under_minimum", "amount_micro": 4_990_000}
    ]
    assert zx_net.rated_up_to("small") == day("2026-08-01")
    assert (july.sums["due"], july.sums["billed"], july.sums["pending"]) == (4, 3, 1)

    zx_net.bill("2026-08-20")
    (bill,) = [row for row in zx_net.bills(run=2) if row["account"] == "small"]
    assert bill["total_minor"] == 998
    assert zx_net.periods("small") == [(day("2026-08-01"), day("2026-09-01")), (day("2026-09-01"), day("2026-10-01"))]
    assert_verified(zx_net)


@pytest.mark.parametrize(
    ("price", "total_minor", "rounding_micro"),
    [("12.341", 1235, 9_000), ("12.34", 1234, 0), ("12.340001", 1235, 9_999)],
)
def test_totals_are_rounded_up_with_a_rounding_line(
    zx_net: AnOperator, tmp_path: Path, price: str, total_minor: int, rounding_micro: int
) -> None:
    zx_net.subscribe(tmp_path, [{"account_code": "G", "agreed_price": price, "billed_until": "2026-08-01"}])
    zx_net.bill("2026-07-20", "2026-08-01")
    (bill,) = zx_net.bills()
    assert (bill["total_minor"], bill["rounding_micro"]) == (total_minor, rounding_micro)
    assert_verified(zx_net)


def _credit(operator: AnOperator, tmp_path: Path, price: str) -> dict[str, object]:
    """Bill one month of a service, end it on the day the month began, and return the credit bill."""
    operator.subscribe(tmp_path, [{"account_code": "F", "agreed_price": price, "billed_until": "2026-08-01"}])
    operator.bill("2026-07-20", "2026-08-01")
    with tenant_transaction(operator.tenant.id):
        end_service(
            tenant_id=operator.tenant.id,
            subscription_code="S-F",
            service_code="eurosports-1",
            on=day("2026-08-01"),
            actor="clerk",
        )
    operator.bill("2026-08-20")
    (bill,) = operator.bills(run=2)
    return bill


@pytest.mark.parametrize(
    ("setting", "credit", "classification"),
    [
        ("maximum_credit: 100", "50", "normal"),
        ("maximum_credit: 100", "99.99", "normal"),
        ("maximum_credit: 100", "100", "max_credit_amount_reached"),
        ("maximum_credit: 50", "50", "max_credit_amount_reached"),
        ("maximum_credit: 50", "49.99", "normal"),
        ("minimum_credit: 50", "49.99", "max_credit_amount_reached"),
        ("minimum_credit: 50", "50", "normal"),
    ],
)
def test_credits_are_classified_by_the_setting(
    database: str, tmp_path: Path, setting: str, credit: str, classification: str
) -> None:
    operator = an_operator(**NO_TAX, setting=f"maximum_credit: 100 -> {setting}")
    bill = _credit(operator, tmp_path, credit)
    assert bill["total_minor"] == -int(
        credit.replace(".", "").ljust(4 if credit.startswith(("4", "9", "5")) else 5, "0")
    )
    assert bill["classification"] == classification
    assert_verified(operator)


def test_a_credit_is_rounded_away_from_zero(zx_net: AnOperator, tmp_path: Path) -> None:
    bill = _credit(zx_net, tmp_path, "12.341")
    assert (bill["total_minor"], bill["rounding_micro"]) == (-1235, -9_000)
    assert_verified(zx_net)


def test_a_service_ended_inside_a_billed_period_is_credited_for_the_rest(zx_net: AnOperator, tmp_path: Path) -> None:
    zx_net.subscribe(
        tmp_path,
        [{"account_code": "B", "frequency": "biannual", "agreed_price": "184", "billed_until": "2026-08-01"}],
    )
    zx_net.bill("2026-07-20", "2026-08-01")
    with tenant_transaction(zx_net.tenant.id):
        end_service(
            tenant_id=zx_net.tenant.id,
            subscription_code="S-B",
            service_code="eurosports-1",
            on=day("2026-10-10"),
            actor="clerk",
        )
    zx_net.bill("2026-08-20")
    charge, credit = zx_net.items("B")
    assert (charge["total_micro"], credit["total_micro"]) == (184_000_000, -114_000_000)
    assert (credit["period_from"], credit["period_to"]) == (day("2026-10-10"), day("2027-02-01"))
    assert zx_net.rated_up_to("B") == day("2026-10-10")
    assert zx_net.bill("2026-09-20").sums["due"] == 0
    assert_verified(zx_net)


def test_a_year_by_the_runs_recurrence(zx: AnOperator, tmp_path: Path) -> None:
    zx.subscribe(
        tmp_path,
        [
            {"account_code": "A", "billed_until": "2026-07-01"},
            {"account_code": "B", "frequency": "biannual", "billed_until": "2026-07-01"},
            {"account_code": "D", "effective_from": "2026-07-15"},
            {"account_code": "E", "effective_from": "2026-11-30", "effective_to": "2027-03-17"},
        ],
    )
    executions = [f"2026-{month:02}-20" for month in range(6, 13)] + [f"2027-{month:02}-20" for month in range(1, 6)]
    as_of = []
    for on in executions:
        result = zx.bill(on)
        as_of.append(result.run.bill_as_of)
        assert_verified(zx)
    assert as_of[:3] == [day("2026-07-01"), day("2026-08-01"), day("2026-09-01")]
    assert as_of[-1] == day("2027-06-01")
    for account, start, end in (
        ("A", "2026-07-01", "2027-07-01"),
        ("B", "2026-07-01", "2027-07-01"),
        ("D", "2026-07-15", "2027-07-01"),
        ("E", "2026-11-30", "2027-03-17"),
    ):
        periods = zx.periods(account)
        assert periods[0][0] == day(start)
        assert periods[-1][1] == day(end)
        assert all(earlier[1] == later[0] for earlier, later in pairwise(periods))


def test_a_run_never_goes_back(zx: AnOperator, tmp_path: Path) -> None:
    zx.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-08-01"}])
    zx.bill("2026-07-20", "2026-08-01")
    before = zx.bills()
    with pytest.raises(BillAsOfBeforePrevious, match="2026-07-31 is before the previous run's 2026-08-01"):
        zx.bill("2026-07-21", "2026-07-31")
    again = zx.bill("2026-07-21", "2026-08-01")
    assert (again.sums["due"], again.sums["bills"]) == (0, 0)
    assert zx.bills() == before
    with tenant_transaction(zx.tenant.id):
        assert list_outcomes(tenant_id=zx.tenant.id, run_id=again.run.id) == []


def test_what_is_charged_once_comes_with_the_next_bill(database: str, tmp_path: Path) -> None:
    operator = an_operator(
        **NO_TAX,
        rates="- { product: eurosports-1, frequency: monthly, price: 12.50 } -> "
        "- { product: eurosports-1, frequency: monthly, price: 12.50 }\n"
        "      - { product: decoder, price: 49.90 }",
    )
    operator.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-08-01"}])
    with tenant_transaction(operator.tenant.id):
        add_charge(
            tenant_id=operator.tenant.id,
            subscription_code="S-A",
            product_code="decoder",
            performed_on=day("2026-07-10"),
            quantity=2,
        )
    result = operator.bill("2026-07-20", "2026-08-01")
    assert [(row["kind"], row["total_micro"]) for row in operator.items("A")] == [
        ("charge", 12_500_000),
        ("once", 99_800_000),
    ]
    assert (result.sums["due"], result.sums["billed"]) == (2, 2)
    assert [row["total_minor"] for row in operator.bills()] == [11_230]
    assert operator.bill("2026-08-20").sums["billed"] == 1
    assert_verified(operator)


def test_usage_services_are_not_billed_by_time(zx: AnOperator, tmp_path: Path) -> None:
    zx.subscribe(
        tmp_path,
        [
            {"account_code": "A", "billed_until": "2026-08-01"},
            {"account_code": "A", "product": "pay-per-view", "effective_from": "2026-07-01"},
        ],
    )
    result = zx.bill("2026-07-20", "2026-08-01")
    assert (result.sums["due"], result.sums["billed"], result.sums["refused"]) == (1, 1, 0)
    assert_verified(zx)


def test_a_refusal_names_what_people_know(zx: AnOperator, tmp_path: Path) -> None:
    zx.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-08-01"}])
    zx.execute("UPDATE subscription_billing_term SET frequency = 'quarterly' WHERE tenant_id = %s", zx.tenant.id)
    result = zx.bill("2026-07-20", "2026-08-01")
    with tenant_transaction(zx.tenant.id):
        (row,) = list_outcomes(tenant_id=zx.tenant.id, run_id=result.run.id)
    assert row["reason"] == "no_price"
    assert "product eurosports-1" in row["detail"]
    assert "plan main" in row["detail"]


def test_a_date_is_a_day_of_the_calendar(zx: AnOperator, tmp_path: Path) -> None:
    zx.subscribe(tmp_path, [{"account_code": "A", "billed_until": "2026-08-01"}])
    with pytest.raises(IntegrityError, match="dates_are_days"):
        zx.execute("UPDATE subscription_service SET effective_to = 'infinity' WHERE tenant_id = %s", zx.tenant.id)
