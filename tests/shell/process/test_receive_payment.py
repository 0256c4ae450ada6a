"""Payments asked from outside: read, refused, posted once however often they are asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import typer
from django.db import connections
from typer.testing import CliRunner

from coax.base.errors import DomainError
from coax.base.idempotency import IdempotencyKeyInvalid, IdempotencyKeyReused
from coax.base.money import InvalidAmount
from coax.base.tenancy import Tenant
from coax.billing.queries.bills import BillUnknown
from coax.interfaces.cli import payment
from coax.party.queries.accounts import AccountUnknown
from coax.process.bills.numbers import InvalidBillNumber
from coax.process.payments.receive import (
    BillOfAnotherAccount,
    PaymentInTheFuture,
    PaymentNotPositive,
    PaymentRequest,
    ReferenceTooLong,
    receive_payment,
)
from tests.builders.billed_operators import a_billed_operator, read

TODAY = date(2026, 9, 15)
PAYMENTS = """SELECT amount_minor, reference, transaction_date FROM ledger_transaction
              WHERE tenant_id = %s AND kind = 'payment' ORDER BY origin_id"""
app = typer.Typer()
app.add_typer(payment.app, name="payment")
runner = CliRunner()


@pytest.fixture
def operator(database: str, tmp_path) -> Tenant:
    return a_billed_operator(tmp_path)


def ask(tenant: Tenant, amount: str = "60", *, key: str | None = None, account: str = "ada", **fields):
    request = PaymentRequest(account_code=account, amount=amount, **fields)
    return receive_payment(tenant=tenant, request=request, idempotency_key=key)


def payments(tenant: Tenant) -> list[tuple[object, ...]]:
    return read(tenant, PAYMENTS, [tenant.id])


def test_a_payment_settles_the_oldest_bill_and_says_so(operator: Tenant) -> None:
    receipt, is_repeated = ask(operator, reference="RF18")
    assert not is_repeated
    assert receipt["settled"] == [
        {"bill": "ZX-00000001", "amount": "14.88"},
        {"bill": "ZX-00000001", "amount": "40.16"},
        {"bill": "ZX-00000006", "amount": "4.96"},
    ]
    assert (receipt["amount"], receipt["not_allocated"], receipt["balance"]) == ("60.00", "0.00", "50.08")
    assert payments(operator) == [(6000, "RF18", TODAY)]


def test_a_payment_for_a_bill_settles_all_its_invoices_first(operator: Tenant) -> None:
    receipt, _ = ask(operator, against_bill="6", on=date(2026, 8, 30))
    assert [row["bill"] for row in receipt["settled"]] == ["ZX-00000006", "ZX-00000006", "ZX-00000001"]
    assert receipt["received_on"] == "2026-08-30"


def test_the_same_key_posts_once_and_answers_twice(operator: Tenant) -> None:
    first, was_repeated = ask(operator, key="bank-17")
    again, is_repeated = ask(operator, key="bank-17")
    assert (was_repeated, is_repeated) == (False, True)
    assert again == first
    assert len(payments(operator)) == 1
    assert ask(operator, key="bank-18")[0]["payment"] != first["payment"]


def test_the_same_key_with_another_input_is_refused(operator: Tenant) -> None:
    ask(operator, key="bank-17")
    for other in ({"amount": "61"}, {"account": "ben"}, {"reference": "x"}, {"on": TODAY}):
        with pytest.raises(IdempotencyKeyReused):
            ask(operator, key="bank-17", **other)
    assert len(payments(operator)) == 1


def test_a_refused_payment_leaves_its_key_free(operator: Tenant) -> None:
    with pytest.raises(PaymentNotPositive):
        ask(operator, "-5", key="bank-17")
    assert not ask(operator, key="bank-17")[1]


def test_the_keys_of_two_operators_are_their_own(operator: Tenant, tmp_path) -> None:
    other = a_billed_operator(tmp_path)
    assert [ask(tenant, key="bank-17")[1] for tenant in (operator, other)] == [False, False]


def test_eight_at_once_with_one_key_post_one_payment(operator: Tenant) -> None:
    def ask_and_close(_: int) -> bool:
        try:
            return ask(operator, key="bank-17")[1]
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(8) as pool:
        repeated = list(pool.map(ask_and_close, range(8)))
    assert sorted(repeated) == [False] + [True] * 7
    assert len(payments(operator)) == 1


def test_eight_at_once_to_one_account_are_all_counted(operator: Tenant) -> None:
    def ask_and_close(number: int) -> None:
        try:
            ask(operator, "10", key=f"bank-{number}")
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask_and_close, range(8)))
    assert len(payments(operator)) == 8
    balance = (
        "SELECT balance_minor, credited_since_bill_minor FROM ledger_account_balance WHERE tenant_id = %s ORDER BY 2"
    )
    assert read(operator, balance, [operator.id])[-1] == (11008 - 8000, 8000)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"amount": "0"}, PaymentNotPositive),
        ({"amount": "-0.01"}, PaymentNotPositive),
        ({"amount": "12.345"}, InvalidAmount),
        ({"amount": "ten"}, InvalidAmount),
        ({"amount": "NaN"}, InvalidAmount),
        ({"account": "nobody"}, AccountUnknown),
        ({"against_bill": "99"}, BillUnknown),
        ({"against_bill": "2"}, BillOfAnotherAccount),
        ({"against_bill": "x"}, InvalidBillNumber),
        ({"on": date(2026, 9, 16)}, PaymentInTheFuture),
        ({"reference": "x" * 201}, ReferenceTooLong),
        ({"key": ""}, IdempotencyKeyInvalid),
        ({"key": "k" * 201}, IdempotencyKeyInvalid),
    ],
)
def test_what_cannot_be_received_changes_nothing(operator: Tenant, fields, fault: type[DomainError]) -> None:
    with pytest.raises(fault):
        ask(operator, **fields)
    assert payments(operator) == []


def test_the_command_posts_and_tells(operator: Tenant) -> None:
    arguments = ["payment", "add", "ada", "60", "--tenant", operator.code, "--idempotency-key", "k"]
    first = runner.invoke(app, [*arguments, "--against", "ZX-00000006"])
    assert first.exit_code == 0, first.output
    assert "14.88 settles bill ZX-00000006" in first.output
    other = runner.invoke(app, arguments)
    assert other.exit_code == 1
    assert "was used before" in other.output
    assert len(payments(operator)) == 1
