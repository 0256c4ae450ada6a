"""Legs of financial transactions, and what cannot be posted."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.ledger.rules import list_legs
from coax.ledger.types import (
    AMOUNT_MINOR_MAX,
    DEBIT_KINDS,
    AmountRefused,
    CreditStatus,
    LedgerAccountKind,
    Leg,
    LegsDoNotBalance,
    SingleTransaction,
    TransactionKind,
    decide_credit_status,
)

RECEIVABLE, CASH, TAX = LedgerAccountKind.RECEIVABLE, LedgerAccountKind.CASH, LedgerAccountKind.TAX
REVENUE, WRITE_OFF = LedgerAccountKind.REVENUE, LedgerAccountKind.WRITE_OFF


def a_transaction(kind: TransactionKind = TransactionKind.PAYMENT, *, net: int = 100, tax: int = 0, legs=None):
    return SingleTransaction(
        account_id=1024,
        kind=kind,
        currency="EUR",
        net_minor=net,
        tax_minor=tax,
        legs=list_legs(kind, net_minor=net, tax_minor=tax) if legs is None else legs,
        transaction_date=date(2026, 8, 1),
    )


@pytest.mark.parametrize(
    ("kind", "net", "tax", "legs"),
    [
        (TransactionKind.PAYMENT, 100, 0, [(RECEIVABLE, -100), (CASH, 100)]),
        (TransactionKind.PAYMENT_CANCELLATION, 100, 0, [(RECEIVABLE, 100), (CASH, -100)]),
        (TransactionKind.REFUND, 100, 0, [(RECEIVABLE, 100), (CASH, -100)]),
        (TransactionKind.CREDIT_NOTE, 100, 19, [(RECEIVABLE, -119), (REVENUE, 100), (TAX, 19)]),
        (TransactionKind.INVOICE_CANCELLATION, 100, 19, [(RECEIVABLE, -119), (REVENUE, 100), (TAX, 19)]),
        (TransactionKind.INVOICE, 100, 19, [(RECEIVABLE, 119), (REVENUE, -100), (TAX, -19)]),
        (TransactionKind.WRITE_OFF, 100, 0, [(RECEIVABLE, -100), (WRITE_OFF, 100)]),
    ],
)
def test_each_kind_stands_against_its_own_account(kind, net, tax, legs) -> None:
    assert [(leg.kind, leg.amount_minor) for leg in list_legs(kind, net_minor=net, tax_minor=tax)] == legs


@given(
    kind=st.sampled_from(TransactionKind),
    net=st.integers(0, AMOUNT_MINOR_MAX // 2),
    tax=st.integers(0, AMOUNT_MINOR_MAX // 2),
)
def test_legs_sum_to_zero_and_the_receivable_moves_by_the_amount(kind, net, tax) -> None:
    legs = list_legs(kind, net_minor=net, tax_minor=tax)
    assert sum(leg.amount_minor for leg in legs) == 0
    receivable = sum(leg.amount_minor for leg in legs if leg.kind is RECEIVABLE)
    assert receivable == (net + tax) * (1 if kind in DEBIT_KINDS else -1)
    assert all(leg.amount_minor for leg in legs)


@pytest.mark.parametrize(("net", "tax"), [(0, 0), (-1, 0), (-5, 10), (10, -5), (AMOUNT_MINOR_MAX, 1)])
def test_an_amount_that_is_none_is_refused(net, tax) -> None:
    with pytest.raises(AmountRefused):
        a_transaction(TransactionKind.CREDIT_NOTE, net=net, tax=tax)


def test_legs_that_do_not_balance_are_refused() -> None:
    with pytest.raises(LegsDoNotBalance):
        a_transaction(legs=(Leg(RECEIVABLE, -100), Leg(CASH, 99)))


@pytest.mark.parametrize(
    ("balance", "limit", "status"),
    [
        (5000, 5000, CreditStatus.NOT_EXCEEDED),
        (5001, 5000, CreditStatus.EXCEEDED),
        (-1, 0, CreditStatus.NOT_EXCEEDED),
        (1, 0, CreditStatus.EXCEEDED),
        (10**12, None, CreditStatus.NOT_EXCEEDED),
    ],
)
def test_a_limit_that_is_reached_is_not_exceeded(balance, limit, status) -> None:
    assert decide_credit_status(balance, limit) is status
