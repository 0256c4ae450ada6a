"""What lies between two bills: cut where the stored sums say so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from coax.billing.types.document import BillDoesNotAddUp, BillKey, BillRow, MovementKind
from coax.ledger.types import TransactionKind
from coax.process.bills.compose import compose_document
from coax.process.bills.facts import AccountTransaction, BillFacts
from coax.process.bills.movements import find_movements
from tests.builders.bills import a_bill, a_transaction, an_item, the_facts

ITEMS = (an_item(),)
PAYMENT, INVOICE = TransactionKind.PAYMENT, TransactionKind.INVOICE
DAY = date(2026, 7, 1)


def a_chain(*steps: tuple[int, int, int]) -> list[BillRow]:
    """Bills of one account in runs 100, 200, ...: (opening for the first, else 0; debited; credited) before each."""
    rows: list[BillRow] = []
    for place, (opening, debited, credited) in enumerate(steps, start=1):
        before = rows[-1].to_pay_minor if rows else opening
        rows.append(
            a_bill(
                ITEMS,
                key=BillKey(0, 1024, 100 * place),
                number=place,
                previous_run_id=rows[-1].key.run_id if rows else 0,
                brought_forward_minor=before + debited - credited,
                debited_between_minor=debited,
                credited_between_minor=credited,
            )
        )
    return rows


def moved(rows: list[BillRow], place: int, *transactions: AccountTransaction) -> list[tuple[MovementKind, int]]:
    facts = facts_of(rows, place, *transactions)
    assert compose_document(facts).brought_forward_minor == rows[place].brought_forward_minor
    return [(step.kind, step.amount_minor) for step in find_movements(facts)]


def facts_of(rows: list[BillRow], place: int, *transactions: AccountTransaction) -> BillFacts:
    return the_facts(ITEMS, bill=rows[place], bills=tuple(rows), transactions=transactions)


def test_a_first_bill_of_a_new_account_has_no_movement() -> None:
    assert moved(a_chain((0, 0, 0)), 0) == []


def test_what_an_account_came_with_is_its_opening_balance() -> None:
    assert moved(a_chain((700, 0, 200)), 0, a_transaction(5, PAYMENT, 200, DAY)) == [
        (MovementKind.OPENING_BALANCE, 700),
        (MovementKind.PAYMENT, -200),
    ]


def test_each_bill_has_the_transactions_since_the_one_before() -> None:
    rows = a_chain((0, 0, 0), (0, 300, 1_428), (0, 0, 500))
    transactions = (
        a_transaction(110, PAYMENT, 1_428, DAY),
        a_transaction(120, INVOICE, 300, DAY),
        a_transaction(210, PAYMENT, 500, DAY),
        a_transaction(310, PAYMENT, 77, DAY),
    )
    assert moved(rows, 0, *transactions) == []
    assert moved(rows, 1, *transactions) == [
        (MovementKind.PREVIOUS_BILL, 1_428),
        (MovementKind.PAYMENT, -1_428),
        (MovementKind.INVOICE, 300),
    ]
    assert moved(rows, 2, *transactions) == [
        (MovementKind.PREVIOUS_BILL, 1_728),
        (MovementKind.PAYMENT, -500),
    ]


def test_a_payment_made_while_the_run_was_open_is_on_its_bill() -> None:
    """Run 200 was planned, then the payment 250 came, then the run was posted: the bill counted it."""
    rows = a_chain((0, 0, 0), (0, 0, 600))
    assert moved(rows, 1, a_transaction(250, PAYMENT, 600, DAY)) == [
        (MovementKind.PREVIOUS_BILL, 1_428),
        (MovementKind.PAYMENT, -600),
    ]


def test_a_run_planned_before_the_previous_one_was_posted_follows_it_all_the_same() -> None:
    first, second = a_chain((0, 0, 0), (0, 0, 100))
    second = replace(second, key=BillKey(0, 1024, 90))
    assert moved([second, first], 0, a_transaction(95, PAYMENT, 100, DAY))[0] == (
        MovementKind.PREVIOUS_BILL,
        1_428,
    )


def test_a_sum_that_no_transactions_make_is_shown_as_the_rest() -> None:
    rows = a_chain((0, 0, 0), (0, 40, 600))
    assert moved(rows, 1, a_transaction(150, PAYMENT, 900, DAY)) == [
        (MovementKind.PREVIOUS_BILL, 1_428),
        (MovementKind.OTHER_DEBIT, 40),
        (MovementKind.OTHER_CREDIT, -600),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"total_minor": 1_429},
        {"net_micro": 1},
        {"tax_micro": 1},
        {"rounding_micro": 5},
    ],
)
def test_a_bill_whose_parts_are_not_its_total_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(BillDoesNotAddUp) as caught:
        compose_document(the_facts(ITEMS, bill=replace(a_bill(ITEMS), **changes)))
    assert caught.value.data["bill"] == "ZX-00000012"


def test_a_balance_that_the_previous_bill_does_not_lead_to_is_refused() -> None:
    rows = a_chain((0, 0, 0), (0, 0, 600))
    rows[1] = replace(rows[1], brought_forward_minor=rows[1].brought_forward_minor + 1)
    with pytest.raises(BillDoesNotAddUp):
        compose_document(facts_of(rows, 1, a_transaction(150, PAYMENT, 600, DAY)))


def test_a_bill_with_a_line_missing_is_refused() -> None:
    items = (*ITEMS, an_item("Movies", line=2))
    with pytest.raises(BillDoesNotAddUp):
        compose_document(the_facts(ITEMS, bill=a_bill(items)))
