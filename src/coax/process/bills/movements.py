"""Which payments, credit notes and other transactions lie between a bill and the one before it.

A bill stores how much was debited and credited between the two. An account's transactions, in the order of
their keys, are cut where the stored sums of its bills say so: that is exact for whatever was posted while a run
was open, and it never changes afterwards, because earlier bills and transactions never do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from coax.billing.types.document import BillRow, Movement, MovementKind
from coax.ledger.types import DEBIT_KINDS
from coax.process.bills.facts import AccountTransaction, BillFacts
from coax.process.bills.numbers import compose_bill_number


def find_movements(facts: BillFacts) -> tuple[Movement, ...]:
    """Return the steps from the previous bill, or the opening balance, to the balance brought forward."""
    bill = facts.bill
    earlier = _find_earlier(bill, {row.key.run_id: row for row in facts.bills})
    debits, credits_ = _split(facts.transactions)
    start = (
        _previous(earlier[0], facts.operator.bill_number_prefix)
        if earlier
        else Movement(
            MovementKind.OPENING_BALANCE,
            None,
            "",
            bill.brought_forward_minor - bill.debited_between_minor + bill.credited_between_minor,
        )
    )
    between = [
        *_cut(debits, sum(row.debited_between_minor for row in earlier), bill.debited_between_minor),
        *_cut(credits_, sum(row.credited_between_minor for row in earlier), bill.credited_between_minor),
    ]
    rest = _find_rest(between, bill)
    moved = [_to_movement(transaction) for transaction in sorted(between, key=_by_date)]
    return tuple(step for step in (start, *moved, *rest) if step.amount_minor)


def _find_earlier(bill: BillRow, by_run: Mapping[int, BillRow]) -> list[BillRow]:
    """Return the account's earlier bills, the latest first, by following the chain."""
    earlier: list[BillRow] = []
    while (previous := by_run.get(bill.previous_run_id)) is not None:
        earlier.append(previous)
        bill = previous
    return earlier


def _previous(previous: BillRow, prefix: str) -> Movement:
    reference = compose_bill_number(prefix, previous.number)
    return Movement(MovementKind.PREVIOUS_BILL, previous.transaction_date, reference, previous.to_pay_minor)


def _split(
    transactions: Iterable[AccountTransaction],
) -> tuple[list[AccountTransaction], list[AccountTransaction]]:
    ordered = sorted(transactions, key=lambda transaction: transaction.key)
    debits = [transaction for transaction in ordered if transaction.kind in DEBIT_KINDS]
    return debits, [transaction for transaction in ordered if transaction.kind not in DEBIT_KINDS]


def _cut(transactions: Sequence[AccountTransaction], before_minor: int, size_minor: int) -> list[AccountTransaction]:
    """Return the transactions that lie wholly in the `size_minor` after the first `before_minor`."""
    found: list[AccountTransaction] = []
    sum_minor = 0
    for transaction in transactions:
        is_inside = sum_minor >= before_minor
        sum_minor += transaction.amount_minor
        if is_inside and sum_minor <= before_minor + size_minor:
            found.append(transaction)
    return found


def _find_rest(between: Iterable[AccountTransaction], bill: BillRow) -> list[Movement]:
    """Return what the bill stores beyond those found: none, unless transactions crossed its posting."""
    debited = sum(step.amount_minor for step in between if step.kind in DEBIT_KINDS)
    credited = sum(step.amount_minor for step in between if step.kind not in DEBIT_KINDS)
    return [
        Movement(MovementKind.OTHER_DEBIT, None, "", bill.debited_between_minor - debited),
        Movement(MovementKind.OTHER_CREDIT, None, "", credited - bill.credited_between_minor),
    ]


def _by_date(transaction: AccountTransaction) -> tuple[object, ...]:
    return (transaction.on, transaction.key)


def _to_movement(transaction: AccountTransaction) -> Movement:
    sign = 1 if transaction.kind in DEBIT_KINDS else -1
    kind = MovementKind(transaction.kind.value)
    return Movement(kind, transaction.on, transaction.reference, sign * transaction.amount_minor)
